"""The AUC of each person's fakes against the same person's real videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from swapset.detection.statistics.ranks import Ints, below, groups
from swapset.jackknife import mean_of
from swapset.types import Floats, Mask

COLUMNS = [
    *("detector", "dataset", "compression", "person", "auc", "real_score", "fake_score"),
    *("real_videos", "fake_videos", "frames", "faceless"),
]


def person_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return each person's own AUC by frame, and the mean scores.

    Parameters
    ----------
    table : DataFrame
        See `swapset.detection.statistics.levels.at_level`, with the column target. Frames without
        a score are left out, and so are videos of unknown people.

    Returns
    -------
    list of dict
        Keys person, auc, real_score, fake_score, real_videos, fake_videos, frames. The fakes are
        those with the person as target. The AUC is the mean over the folds, and NaN without real
        or without fake frames.
    """
    known = table[np.isfinite(table["score"].to_numpy()) & (table["target"] != "").to_numpy()]
    numbers, names = pd.factorize(known["target"], sort=True)
    order = np.argsort(numbers, kind="stable")
    sides = _Sides.of(known.iloc[order])
    return [
        {"person": str(names[number]), **sides.of_person(part)}
        for number, part in groups(numbers[order]).items()
    ]


@dataclass(frozen=True)
class _Sides:
    """Scored frames as arrays (n,)."""

    scores: Floats
    fake: Mask
    folds: Ints
    videos: Ints

    @classmethod
    def of(cls, table: pd.DataFrame) -> _Sides:
        scores, fake = table["score"].to_numpy(np.float64), table["label"].to_numpy() == 1
        folds = table["fold"].to_numpy(np.int64) if "fold" in table else np.zeros(len(table), int)
        return cls(scores, fake, folds, pd.factorize(table["video"])[0].astype(np.int64))

    def of_person(self, part: slice) -> dict[str, object]:
        """Return one person's AUC and counts."""
        fake, scores, folds = self.fake[part], self.scores[part], self.folds[part]
        aucs = [_auc(scores[folds == fold], fake[folds == fold]) for fold in np.unique(folds)]
        row: dict[str, object] = {"auc": mean_of(aucs)}
        row |= {
            f"{name}_score": float(scores[side].mean()) if side.any() else float("nan")
            for name, side in (("real", ~fake), ("fake", fake))
        }
        row |= {
            f"{name}_videos": len(np.unique(self.videos[part][side]))
            for name, side in (("real", ~fake), ("fake", fake))
        }
        return row | {"frames": len(scores)}


def _auc(scores: Floats, fake: Mask) -> float:
    if fake.all() or not fake.any():
        return float("nan")
    return float(below(scores[fake], np.sort(scores[~fake])).mean() / (~fake).sum())
