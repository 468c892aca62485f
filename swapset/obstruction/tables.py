"""Tables of Landmark Breaker, from the files of measures of all people."""

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
MEASURES = ["nme", "moved", "ssim_i", "ssim_w"]
ROW = ["compression", "target", "run", "frame", *MEASURES]
"""Columns of a file of measures, see `swapset.obstruction.evaluation`."""
DETECTION_ROW = ["compression", "detector", "run", "frame", "found"]
"""Columns of a file of what face detectors find, see `swapset.obstruction.black_boxes`."""
SWEEP_ROW = ["step", "iterations", "run", *MEASURES]
"""Columns of a file of a sweep, see `swapset.obstruction.sweep`."""
COMPARED = (
    ("lb", "base2"),
    ("base2", "base1"),
    ("lb", "base1"),
    ("lb-robust", "lb"),
    ("lb-robust-ssim", "lb"),
)
"""Pairs of attacks to compare: those that tables 4.6 and 4.8 rank, and the ones added here. Attacks
of other packages are compared with Landmark Breaker."""

ALONE = "alone"
"""Value of column `box` for attacks on the target alone, see `differences`."""


def read_measures(files: Iterable[Path]) -> pd.DataFrame:
    """Read files `…/<attack>/<source>/<subject>.csv`; return columns attack, source and `ROW`.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    return _joined(files, ROW)


def _joined(files: Iterable[Path], columns: list[str]) -> pd.DataFrame:
    parts = [
        _read(path, columns).assign(attack=path.parent.parent.name, source=path.parent.name)
        for path in files
    ]
    return pd.concat(parts, ignore_index=True)


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        rows = read_csv(path)
        if "nme" in rows and "moved" not in rows:  # a file of 0.1
            rows["moved"] = np.nan
        return rows[columns]
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: holds no measures ({error})") from error


def means(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the means over frames, in the order of the files: `KEYS`, `MEASURES` and images."""
    groups = measures.groupby(KEYS, sort=False)
    return groups[MEASURES].mean().assign(images=groups.size()).reset_index()


def detection_table(files: Iterable[Path]) -> pd.DataFrame:
    """Return how often face detectors find the face, in the order of the files.

    Parameters
    ----------
    files : iterable of Path
        `…/<attack>/<source>/<subject>.csv`, with the columns `DETECTION_ROW`.

    Returns
    -------
    DataFrame
        attack, compression, source, detector, found (the share of frames, in [0, 1]), frames.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    keys = ["attack", "compression", "source", "detector"]
    rows = _joined(files, DETECTION_ROW).astype({"found": float})
    groups = rows.groupby(keys, sort=False)["found"]
    return groups.agg(found="mean", frames="size").reset_index()


def differences(measures: pd.DataFrame, *, seed: int, level: float) -> pd.DataFrame:
    """Return the differences between the errors that attacks cause.

    Parameters
    ----------
    measures : DataFrame
        See `read_measures`.
    seed : int
        Seed of the bootstrap.
    level : float
        Level of the intervals, in (0, 1).

    Returns
    -------
    DataFrame
        compression, target, box, attack, against, nme_difference, low, high, runs. `box` is
        "white" where both attacks know the target, and "black" where neither does; where an attack
        has several sources, the mean over those with most extractors counts. "alone" compares an
        attack that can follow several extractors, but here knows the target alone, with another
        that knows the target alone. Intervals are bootstrapped over runs, because the frames of a
        run are not independent.
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
        errors = {
            str(name): dict(zip(part["run"], part["nme"], strict=True))
            for name, part in table.groupby("attack")
        }
        for attack, against in compared:
            if about[-1] == ALONE and attack not in joined:
                continue  # equals the white box
            if attack in errors and against in errors:
                gap = paired_difference(errors[attack], errors[against], seed=seed, level=level)
                rows.append((*about, attack, against, gap.mean, gap.low, gap.high, gap.pairs))
    columns = [*keys, "attack", "against", "nme_difference", "low", "high", "runs"]
    return pd.DataFrame(rows, columns=columns)


def _largest(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows whose source has the most extractors among the rows with the same keys."""
    size = rows["source"].str.count(r"\+")
    return rows[size == size.groupby([rows[key] for key in keys]).transform("max")]


def white_box(measures: pd.DataFrame, *, seed: int, level: float) -> pd.DataFrame:
    """Return the errors of attacks on extractors that they know, and of clean frames (figure 4.12).

    An attack that follows several extractors counts twice: on the target alone, and on the largest
    set of extractors with the target.

    Parameters
    ----------
    measures : DataFrame
        See `read_measures`.
    seed : int
        Seed of the bootstrap.
    level : float
        Level of the intervals, in (0, 1).

    Returns
    -------
    DataFrame
        extractor, attack, source, compression, nme, low, high, runs: the mean over runs with its
        bootstrap interval over runs.
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
    """Return the rows of clean frames, and those whose source (joined by +) has the target."""
    places = zip(rows["attack"], rows["source"], rows["target"], strict=True)
    return rows[
        [attack == CLEAN or target in source.split("+") for attack, source, target in places]
    ]


def label(attack: str, source: str) -> str:
    """Return the name of an attack in a chart; the source is added where there are several."""
    return f"{attack} on {source}" if "+" in source else attack


@dataclass(frozen=True)
class Sweep:
    """Settings of a sweep: in each, one of step size and number of steps differs from the default.

    Attributes
    ----------
    step : float
        The default step size, on the scale of 255.
    iterations : int
        The default number of steps.
    steps : sequence of float
        Step sizes to compare.
    counts : sequence of int
        Numbers of steps to compare.
    every : int
        Attack every n-th frame of a run.
    """

    step: float
    iterations: int
    steps: Sequence[float]
    counts: Sequence[int]
    every: int

    def attacks(self) -> dict[float, list[int]]:
        """Return the numbers of steps to take for each step size.

        One attack with the largest number yields the results of all the others on its way.
        """
        wanted = {step: {self.iterations} for step in self.steps}
        if self.counts:
            wanted.setdefault(self.step, set()).update(self.counts)
        return {step: sorted(counts) for step, counts in wanted.items()}


def sweep_table(files: Iterable[Path], sweep: Sweep) -> pd.DataFrame:
    """Return the means over frames and people of every setting.

    Parameters
    ----------
    files : iterable of Path
        `…/<extractor>/<subject>.csv`; there may be none.
    sweep : Sweep

    Returns
    -------
    DataFrame
        varied, step, iterations, extractor, `MEASURES` and images: first the rows with `varied`
        "step", then those with "iterations". The setting that is not varied has its default value.

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
        table = groups[MEASURES].mean().assign(images=groups.size(), varied=name).reset_index()
        tables.append(table.sort_values(name, kind="stable"))
    return pd.concat(tables, ignore_index=True)[columns]


def _among(values: pd.Series, wanted: Sequence[float]) -> pd.Series:
    """Return a mask of the values that are wanted; files round to six decimals."""
    return values.round(6).isin([round(value, 6) for value in wanted])
