"""Tables of Landmark Breaker from files of measures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.bootstrap import bootstrap_interval, paired_difference
from swapset.errors import DataError
from swapset.io.files import read_csv
from swapset.obstruction.attacks.registry import ATTACKS, BREAKER, CLEAN

KEYS = ["attack", "compression", "source", "target"]
MEASURES = ["nme", "ssim_i", "ssim_w"]
ROW = ["compression", "target", "run", "frame", *MEASURES]
"""Columns of a file of measures; see `swapset.obstruction.evaluation`."""
SWEEP_ROW = ["step", "iterations", "run", *MEASURES]
"""Columns of a file of a sweep; see `swapset.obstruction.sweep`."""
COMPARED = (
    ("lb", "base2"),
    ("base2", "base1"),
    ("lb", "base1"),
    ("lb-robust", "lb"),
    ("lb-robust-ssim", "lb"),
)
"""Attacks whose errors are compared: the order that tables 4.6 and 4.8 claim, and what is ours.
Those of other packages are compared with Landmark Breaker."""

ALONE = "alone"


def read_measures(files: Iterable[Path]) -> pd.DataFrame:
    """Read `…/<attack>/<source>/<subject>.csv`: columns attack, source and `ROW`.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    parts = [
        _read(path, ROW).assign(attack=path.parent.parent.name, source=path.parent.name)
        for path in files
    ]
    return pd.concat(parts, ignore_index=True)


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return read_csv(path)[columns]
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: holds no measures ({error})") from error


def means(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the means over frames: `KEYS`, `MEASURES` and images, in the order of the measures."""
    groups = measures.groupby(KEYS, sort=False)
    return groups[MEASURES].mean().assign(images=groups.size()).reset_index()


def differences(measures: pd.DataFrame, *, seed: int, level: float) -> pd.DataFrame:
    """Return how much more one attack raises the error than another.

    Returns
    -------
    DataFrame
        compression, target, box, attack, against, nme_difference, low, high, runs. `box` is
        "white" where both attacks know the target, "black" where neither does; of an attack's
        sources, the mean over those with most extractors counts. "alone": an attack that has such
        sources knows nothing but the target, as the other does. Intervals by bootstrap over runs,
        since frames of one run are not independent.
    """
    noisy = measures[measures["attack"] != CLEAN]
    white = noisy.index.isin(known(noisy).index)
    several = noisy["source"].str.contains("+", regex=False)
    joined = set(noisy.loc[several, "attack"])
    others = sorted(set(noisy["attack"]) - set(ATTACKS.built_in))
    compared = [*COMPARED, *((attack, BREAKER) for attack in others)]
    alone = noisy[white & ~several].assign(box=ALONE)
    boxed = noisy.assign(box=np.where(white, "white", "black"))
    keys = ["compression", "target", "box"]
    boxed = pd.concat([_largest(boxed, ["attack", "target", "box"]), alone])
    by_run = boxed.groupby([*keys, "attack", "run"], sort=False, as_index=False)["nme"].mean()
    rows = []
    for about, table in by_run.dropna().groupby(keys, sort=False):
        own = {
            str(name): dict(zip(part["run"], part["nme"], strict=True))
            for name, part in table.groupby("attack")
        }
        for attack, against in compared:
            if about[-1] == ALONE and attack not in joined:
                continue  # the same as in the white box
            if attack in own and against in own:
                found = paired_difference(own[attack], own[against], seed=seed, level=level)
                rows.append(
                    (*about, attack, against, found.mean, found.low, found.high, found.pairs)
                )
    columns = [*keys, "attack", "against", "nme_difference", "low", "high", "runs"]
    return pd.DataFrame(rows, columns=columns)


def _largest(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows whose source has most extractors among those with the same keys."""
    size = rows["source"].str.count(r"\+")
    return rows[size == size.groupby([rows[key] for key in keys]).transform("max")]


def white_box(measures: pd.DataFrame, *, seed: int, level: float) -> pd.DataFrame:
    """Return the errors of attacks on extractors that they know, and of clean frames (figure 4.12).

    Of an attack on several extractors, that on most of them counts, and that on the target alone.

    Returns
    -------
    DataFrame
        extractor, attack, source, compression, nme, low, high, runs: the mean over runs and its
        interval by bootstrap over them.
    """
    keys = ["target", "attack", "source", "compression"]
    white = known(measures)
    alone = ~white["source"].str.contains("+", regex=False)
    shown = white[alone | white.index.isin(_largest(white, ["attack", "target"]).index)]
    by_run = shown.groupby([*keys, "run"], sort=False, as_index=False)["nme"].mean()
    rows = []
    for _, part in by_run.dropna().groupby(keys, sort=False):
        low, high = bootstrap_interval(part["nme"], seed=seed, level=level)
        rows.append((*part[keys].iloc[0], float(part["nme"].mean()), low, high, len(part)))
    columns = ["extractor", "attack", "source", "compression", "nme", "low", "high", "runs"]
    return pd.DataFrame(rows, columns=columns)


def known(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in which the target is one of the sources, joined by +, and clean frames'."""
    places = zip(rows["attack"], rows["source"], rows["target"], strict=True)
    return rows[
        [attack == CLEAN or target in source.split("+") for attack, source, target in places]
    ]


def label(attack: str, source: str) -> str:
    """Return what an attack is called where each is made on the extractor that is measured."""
    return f"{attack} on {source}" if "+" in source else attack


@dataclass(frozen=True)
class Sweep:
    """Which settings are compared; either the size or the number of steps is not the usual one.

    Attributes
    ----------
    step : float
        The usual size of a step.
    iterations : int
        The usual number of steps.
    steps : sequence of float
        Sizes to compare.
    counts : sequence of int
        Numbers to compare.
    every : int
        Every n-th frame of a run takes part.
    """

    step: float
    iterations: int
    steps: Sequence[float]
    counts: Sequence[int]
    every: int

    def attacks(self) -> dict[float, list[int]]:
        """Return the numbers of steps that matter for each size of a step.

        One attack with most of them passes through all others.
        """
        wanted = {step: {self.iterations} for step in self.steps}
        if self.counts:
            wanted.setdefault(self.step, set()).update(self.counts)
        return {step: sorted(counts) for step, counts in wanted.items()}


def sweep_table(files: Iterable[Path], sweep: Sweep) -> pd.DataFrame:
    """Return the means over frames and people of all settings.

    Parameters
    ----------
    files : iterable of Path
        `…/<extractor>/<subject>.csv`; there may be none.
    sweep : Sweep

    Returns
    -------
    DataFrame
        varied, step, iterations, extractor, `MEASURES` and images: first the rows with `varied`
        "step", then those with "iterations"; what is not varied has its usual value.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    parts = [_read(path, SWEEP_ROW).assign(extractor=path.parent.name) for path in files]
    rows = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=[*SWEEP_ROW, "extractor"])
    )
    step, count = rows["step"].astype(float), rows["iterations"].astype(float)
    varied = {
        "step": _among(step, sweep.steps) & _among(count, [sweep.iterations]),
        "iterations": _among(step, [sweep.step]) & _among(count, sweep.counts),
    }
    columns = ["varied", "step", "iterations", "extractor", *MEASURES, "images"]
    tables = []
    for name, chosen in varied.items():
        groups = rows[chosen].groupby(["step", "iterations", "extractor"], sort=False)
        found = groups[MEASURES].mean().assign(images=groups.size(), varied=name).reset_index()
        tables.append(found.sort_values(name, kind="stable"))
    return pd.concat(tables, ignore_index=True)[columns]


def _among(values: pd.Series, wanted: Sequence[float]) -> pd.Series:
    """Return which values are wanted; files have six decimals."""
    return values.round(6).isin([round(value, 6) for value in wanted])
