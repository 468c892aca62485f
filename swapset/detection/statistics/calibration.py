"""Measures of scores as probabilities: the Brier score and the expected calibration error.

G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review
78(1), 1950. M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities
using Bayesian binning", AAAI 2015: the error, in 15 bins of equal width as C. Guo et al., "On
calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from swapset.detection.statistics.levels import Faceless, Scored, all_levels
from swapset.detection.statistics.ranks import Ints
from swapset.jackknife import Estimate, mean_estimate
from swapset.types import Floats

BINS = 15


def calibration(
    table: pd.DataFrame, scored: Mapping[str, Scored], faceless: Faceless
) -> dict[str, dict[str, float]]:
    """Return both measures of a detector's probabilities, by level, as means over the folds.

    Parameters
    ----------
    table : DataFrame
        See `swapset.detection.protocol.score_stores`. Where a detector ranks by other numbers than
        its probabilities, these count here.
    scored : mapping of str to Scored
        The scores by level.
    faceless : {"middle", "exclude", "real"}
        See `swapset.detection.statistics.levels.at_level`.

    Returns
    -------
    dict of str to dict
        brier and calibration_error by level; NaN where there are no probabilities.
    """
    probable = probabilities(table, scored, faceless)
    if probable is None:
        return {name: {"brier": np.nan, "calibration_error": np.nan} for name in scored}
    return {
        name: {
            "brier": part.mean(brier_score),
            "calibration_error": part.mean(calibration_error),
        }
        for name, part in probable.items()
        if part.both
    }


def probabilities(
    table: pd.DataFrame, scored: Mapping[str, Scored], faceless: Faceless
) -> Mapping[str, Scored] | None:
    """Return a detector's probabilities by level, None if it gives none; see `calibration`.

    Parameters
    ----------
    table, scored, faceless
        As in `calibration`.
    """
    if "probability" not in table or table["probability"].equals(table["score"]):
        return scored
    if not table["probability"].notna().any():
        return None
    return all_levels(table.assign(score=table["probability"]), faceless)


def brier_estimate(scored: Scored) -> Estimate | None:
    """Return the Brier score, as the mean over the folds, with its changes without each person.

    Parameters
    ----------
    scored : Scored
        Probabilities, with real and fake ones in some fold.

    Returns
    -------
    Estimate or None
        None if the scores are no probabilities.
    """
    items = np.concatenate(list(scored.parts()))
    if not _are_probabilities(scored.scores[items]):
        return None
    errors = (scored.scores[items] - scored.labels[items]) ** 2
    return mean_estimate(errors, scored.people.take(items), scored.folds[items])


def brier_score(labels: Ints, scores: Floats) -> float:
    """Return the mean squared difference of score and label; NaN if scores are no probabilities.

    Parameters
    ----------
    labels : (n,) int64
        1 = fake, 0 = real.
    scores : (n,) float64
        In [0, 1] if they are probabilities.
    """
    if not _are_probabilities(scores):
        return float("nan")
    return float(((scores - labels) ** 2).mean())


def calibration_error(labels: Ints, scores: Floats) -> float:
    """Return how far the share of fakes is from the mean score, as a mean over bins of scores.

    NaN if scores are no probabilities.

    Parameters
    ----------
    labels : (n,) int64
        1 = fake, 0 = real.
    scores : (n,) float64
        In [0, 1] if they are probabilities.
    """
    if not _are_probabilities(scores):
        return float("nan")
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, scores - labels, BINS)
    return float(np.abs(gaps).sum() / len(scores))


def _are_probabilities(scores: Floats) -> bool:
    return bool(len(scores)) and bool(scores.min() >= 0) and bool(scores.max() <= 1)
