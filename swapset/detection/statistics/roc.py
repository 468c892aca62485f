"""ROC curves, and the error rates that are read from them, as means over the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from swapset.detection.statistics.levels import Scored
from swapset.detection.statistics.ranks import Ints
from swapset.types import Floats

POINTS = 201
LOW_FALSE_ALARMS = {"tpr_at_fpr_1": 0.01, "tpr_at_fpr_5": 0.05}
"""Rates of false alarms at which the rate of hits is in the table, by its column."""


@dataclass(frozen=True)
class Curve:
    """The ROC curve of one detector.

    Attributes
    ----------
    alarms, hits : (k,) float64
        Rates of false alarms and of hits in [0, 1], from (0, 0) to (1, 1): one for each score.
    fakes, reals : int
        Numbers of scores.
    """

    alarms: Floats
    hits: Floats
    fakes: int
    reals: int

    @classmethod
    def of(cls, labels: Ints, scores: Floats) -> Curve:
        """Return the curve of scores (n,) float64 with labels (n,) int64, some of each kind."""
        order = np.argsort(-scores, kind="stable")
        ranked, fake = scores[order], labels[order] == 1
        last = np.r_[np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1]
        hits = np.cumsum(fake)[last]
        alarms = last + 1 - hits
        fakes, reals = int(hits[-1]), int(alarms[-1])
        return cls(np.r_[0, alarms / reals], np.r_[0, hits / fakes], fakes, reals)

    @property
    def equal_error_rate(self) -> float:
        """Rate at the threshold where false alarms are as frequent as missed fakes."""
        gap = 1 - self.hits - self.alarms
        after = max(int(np.argmax(gap <= 0)), 1)
        share = gap[after - 1] / (gap[after - 1] - gap[after])
        step = self.alarms[after] - self.alarms[after - 1]
        return float(self.alarms[after - 1] + share * step)

    @property
    def average_precision(self) -> float:
        """Mean of the precision over the hits, with fakes as the positive class."""
        called = self.hits[1:] * self.fakes + self.alarms[1:] * self.reals
        precision = self.hits[1:] * self.fakes / called
        return float((np.diff(self.hits) * precision).sum())

    def hits_at(self, alarms: Floats) -> Floats:
        """Return the rates of hits at rates of false alarms, both (m,) float64, linearly between.

        Where thresholds with as many false alarms differ in hits, the most hits count.
        """
        last = np.r_[self.alarms[1:] != self.alarms[:-1], True]
        return np.asarray(np.interp(alarms, self.alarms[last], self.hits[last]), np.float64)


def curves(scored: Scored) -> list[Curve]:
    """Return the ROC curve of each fold that has both real and fake scores."""
    return [Curve.of(scored.labels[part], scored.scores[part]) for part in scored.parts()]


def rates(found: Sequence[Curve]) -> dict[str, float]:
    """Return the equal error rate, the average precision, and hits at few false alarms."""
    low = np.array(list(LOW_FALSE_ALARMS.values()))
    hits = np.mean([curve.hits_at(low) for curve in found], axis=0)
    return {
        "equal_error_rate": float(np.mean([curve.equal_error_rate for curve in found])),
        "average_precision": float(np.mean([curve.average_precision for curve in found])),
        **dict(zip(LOW_FALSE_ALARMS, hits.tolist(), strict=True)),
    }


def roc_points(found: Sequence[Curve]) -> pd.DataFrame:
    """Return the ROC curve at fixed false alarm rates: columns false_positive, true_positive.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27(8), 2006,
    section 9.1: vertical averaging, used here over the folds.
    """
    grid = np.linspace(0, 1, POINTS)
    hits = np.mean([curve.hits_at(grid) for curve in found], axis=0)
    return pd.DataFrame({"false_positive": grid, "true_positive": hits})
