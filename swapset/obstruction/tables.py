"""Tables of Landmark Breaker from files of measures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from swapset.errors import DataError
from swapset.quality.mask_ssim import paired_difference

KEYS = ["attack", "compression", "source", "target"]
MEASURES = ["nme", "ssim_i", "ssim_w"]
ROW = ["compression", "target", "run", "frame", *MEASURES]
"""Columns of a file of measures; see `swapset.obstruction.evaluation`."""
COMPARED = (("lb", "base2"), ("base2", "base1"), ("lb", "base1"))
"""Attacks whose errors are compared frame by frame: the order that tables 4.6 and 4.8 claim."""


def read_measures(files: Iterable[Path]) -> pd.DataFrame:
    """Read `…/<attack>/<source>/<subject>.csv`: columns attack, source and `ROW`.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    parts = []
    for path in files:
        try:
            table = pd.read_csv(path)[ROW]
        except (ValueError, KeyError) as error:
            raise DataError(f"{path}: holds no measures ({error}); delete it") from error
        parts.append(table.assign(attack=path.parent.parent.name, source=path.parent.name))
    return pd.concat(parts, ignore_index=True)


def means(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the means over frames: `KEYS`, `MEASURES` and images, in the order of the measures."""
    groups = measures.groupby(KEYS, sort=False)
    return groups[MEASURES].mean().assign(images=groups.size()).reset_index()


def differences(measures: pd.DataFrame, *, seed: int, level: float) -> pd.DataFrame:
    """Return how much more one attack raises the error than another, where both know the network.

    Returns
    -------
    DataFrame
        compression, extractor, attack, against, nme_difference, low, high, runs: intervals by
        bootstrap over runs, since frames of one run are not independent.
    """
    white = measures[measures["source"] == measures["target"]]
    keys = ["compression", "target", "attack", "run"]
    by_run = white.groupby(keys, sort=False, as_index=False)["nme"].mean().dropna()
    rows = []
    for _, table in by_run.groupby(keys[:2], sort=False):
        own = {
            str(name): dict(zip(part["run"], part["nme"], strict=True))
            for name, part in table.groupby("attack")
        }
        about = (table["compression"].iloc[0], table["target"].iloc[0])
        for attack, against in COMPARED:
            if attack in own and against in own:
                found = paired_difference(own[attack], own[against], seed=seed, level=level)
                rows.append(
                    (*about, attack, against, found.mean, found.low, found.high, found.pairs)
                )
    columns = ["compression", "extractor", "attack", "against"]
    return pd.DataFrame(rows, columns=[*columns, "nme_difference", "low", "high", "runs"])
