"""Thresholds fixed on validation people, and error rates at them on test people.

A video is called fake if its score is above the threshold. Thresholds belong to a detector: they
are chosen once, after its fit, from the validation people of its fold, and stay the same for every
dataset and compression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from swapset.detection.statistics.levels import LEVELS, Ints, Scored, at_level
from swapset.jackknife import Estimate, mean_estimate
from swapset.types import Floats

FALSE_ALARMS = {"fpr_1": 0.01, "fpr_5": 0.05}
"""Largest rates of false alarms among the validation people, by the name of the point."""
EQUAL_ERROR = "equal_error"
POINTS = (*FALSE_ALARMS, EQUAL_ERROR)
RATES = {"tpr": 1, "fpr": 0}
"""The label of the scores that each rate counts."""
COLUMNS = [
    *("detector", "dataset", "compression", "level", "point", "threshold"),
    *("tpr", "tpr_low", "tpr_high", "fpr", "fpr_low", "fpr_high"),
    *("people", "interval", "faceless"),
]
Points = dict[str, dict[str, float]]
"""By the name of the point: threshold, and fpr and tpr among those who decided about it."""


def points(labels: Ints, scores: Floats) -> Points:
    """Return the thresholds that scores ask for, with the rates at them.

    Parameters
    ----------
    labels : (n,) int64
        1 = fake, 0 = real.
    scores : (n,) float64
        Finite.

    Returns
    -------
    dict
        Empty without both real and fake scores.
    """
    reals, fakes = np.sort(scores[labels == 0]), np.sort(scores[labels == 1])
    if not len(reals) or not len(fakes):
        return {}
    found = {
        name: float(reals[len(reals) - 1 - int(rate * len(reals) + 1e-9)])
        for name, rate in FALSE_ALARMS.items()
    }
    found[EQUAL_ERROR] = _equal_error(reals, fakes)
    return {
        name: {
            "threshold": threshold,
            "fpr": float((reals > threshold).mean()),
            "tpr": float((fakes > threshold).mean()),
        }
        for name, threshold in found.items()
    }


def _equal_error(reals: Floats, fakes: Floats) -> float:
    """Return the threshold where false alarms are nearest to missed fakes; both are in order.

    Between two scores that would do as well, it is in the middle.
    """
    every = np.unique(np.concatenate([reals, fakes]))
    middles = np.concatenate([every[:1], (every[1:] + every[:-1]) / 2, every[-1:]])
    alarms = 1 - np.searchsorted(reals, middles, "right") / len(reals)
    missed = np.searchsorted(fakes, middles, "right") / len(fakes)
    gap = np.abs(alarms - missed)
    best = np.flatnonzero(gap <= gap.min() + 1e-12)
    return float(middles[best[np.argmin((alarms + missed)[best])]])


def validation_points(table: pd.DataFrame) -> dict[str, Points]:
    """Return the thresholds by level, for a detector's card.

    Parameters
    ----------
    table : DataFrame
        Scores of the validation people: columns video, frame, label, score. Videos without any
        score are left out.
    """
    levels = {name: at_level(table, name, "exclude") for name in LEVELS}
    return {name: points(part.labels, part.scores) for name, part in levels.items()}


def operating_rows(
    scored: Scored, cards: Mapping[int, Mapping[str, Any]], name: str, level: float
) -> list[dict[str, object]]:
    """Return the rates of test people at each point, as means over the folds.

    Parameters
    ----------
    scored : Scored
    cards : mapping of int to mapping
        The detectors' cards by fold, with `validation_points` under "validation", "points". Folds
        without it, whose detectors had nobody to validate on, are left out.
    name : str
        The level of `scored`.
    level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    list of dict
        Keys point, threshold (the mean over the folds), tpr, tpr_low, tpr_high, fpr, fpr_low,
        fpr_high; NaN where no detector has a threshold.
    """
    rows = []
    for point in POINTS:
        thresholds = thresholds_of(cards, name, point)
        used = np.unique(scored.folds)
        chosen = [thresholds[fold] for fold in used.tolist() if fold in thresholds]
        row: dict[str, object] = {"point": point}
        row["threshold"] = float(np.mean(chosen)) if chosen else float("nan")
        for key, label in RATES.items():
            found = rate_estimate(scored, thresholds, label)
            value = low = high = float("nan")
            if found is not None:
                value, (low, high) = found.value, found.share_interval(level)
            row |= {key: value, f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    return rows


def thresholds_of(
    cards: Mapping[int, Mapping[str, Any]], name: str, point: str
) -> dict[int, float]:
    """Return the threshold of each fold's detector that has one.

    Parameters
    ----------
    cards : mapping of int to mapping
        See `operating_rows`.
    name : str
        The level.
    point : str
        One of `POINTS`.
    """
    return {
        fold: float(found[point]["threshold"])
        for fold, card in cards.items()
        if (found := (card.get("validation") or {}).get("points", {}).get(name))
    }


def rate_estimate(scored: Scored, thresholds: Mapping[int, float], label: int) -> Estimate | None:
    """Return the share of scores above the thresholds, with its changes without each person.

    Parameters
    ----------
    scored : Scored
    thresholds : mapping of int to float
        By fold; folds without one are left out.
    label : {0, 1}
        Of the scores that count: 1 gives the rate of hits, 0 that of false alarms.

    Returns
    -------
    Estimate or None
        None if nothing of this label has a threshold.
    """
    folds, numbers = np.unique(scored.folds, return_inverse=True)
    limits = np.array([thresholds.get(fold, np.nan) for fold in folds.tolist()])[numbers]
    items = np.flatnonzero((scored.labels == label) & np.isfinite(limits))
    if not len(items):
        return None
    called = (scored.scores[items] > limits[items]).astype(float)
    return mean_estimate(called, scored.people.take(items), scored.folds[items])
