"""Measures of how well scores tell fakes from real videos: AUC with its interval, EER, AP, ROC.

Frames of one video are not independent, so intervals come from a bootstrap over videos. Where
each fold is tested by its own detector, only scores of the same detector are compared with each
other: the same score may mean different things to two detectors. Every measure is then the mean
over the folds, each weighted by its number of pairs of a fake and a real score. The AUC is
therefore the share of such pairs in the right order.

References
----------
G. Forman, M. Scholz, "Apples-to-apples in cross-validation studies: pitfalls in classifier
performance measurement", SIGKDD Explorations 12(1), 2010: why scores of folds are not pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from swapset.bootstrap import draw_counts, percentile_interval
from swapset.seeds import derive_seed
from swapset.types import Floats

Ints = npt.NDArray[np.int64]
Measured = TypeVar("Measured", float, Floats)
LEVELS = ("frame", "video")
ROC_POINTS = 201


@dataclass(frozen=True)
class Scored:
    """Scores by frame or by video.

    Attributes
    ----------
    scores : (n,) float64
        Higher = more likely fake; all finite.
    labels : (n,) int64
        1 = fake, 0 = real.
    videos : (n,) int64
        Number of the video of each score.
    folds : (n,) int64
        Fold of the detector that gave each score.
    count : int
        Number of videos, with and without scores.
    frames : int
        Number of frames, with and without scores.
    coverage : float
        Share, in [0, 1], of the frames or videos with a score of their own.
    """

    scores: Floats
    labels: Ints
    videos: Ints
    folds: Ints
    count: int
    frames: int
    coverage: float

    @property
    def both(self) -> bool:
        """Return whether some detector scored both real and fake videos or frames."""
        return any(True for _ in self.parts())

    def parts(self) -> Iterator[tuple[Ints, Floats, int]]:
        """Yield each fold that has both real and fake scores.

        Yields
        ------
        labels : (k,) int64
        scores : (k,) float64
        pairs : int
            Number of pairs of a fake and a real score.
        """
        for fold in np.unique(self.folds):
            in_fold = self.folds == fold
            labels = self.labels[in_fold]
            pairs = int(labels.sum()) * int((labels == 0).sum())
            if pairs:
                yield labels, self.scores[in_fold], pairs

    def mean(self, measure: Callable[[Ints, Floats], Measured]) -> Measured:
        """Return the mean of a measure over the folds, weighted by their pairs.

        Parameters
        ----------
        measure : callable
            Takes labels (k,) int64 and scores (k,) float64; returns a float or an array of float64.
        """
        parts = list(self.parts())
        weighted = [measure(labels, scores) * pairs for labels, scores, pairs in parts]
        return sum(weighted[1:], start=weighted[0]) / sum(pairs for *_, pairs in parts)


def at_level(table: pd.DataFrame, level: str) -> Scored:
    """Return the scores by frame or by video.

    Parameters
    ----------
    table : DataFrame
        Columns video, frame, label, score; NaN = no face, or the detector cannot score it. An
        optional column fold gives the fold of the detector that scored the video; a video may
        have scores of several.
    level : {"frame", "video"}
        By frame, frames without a score are left out. By video, the score is the mean over the
        frames; a video without any score gets the middle rank (the median of the others in its
        fold) and lowers the coverage.
    """
    codes, names = pd.factorize(table["video"])
    scores, labels = table["score"].to_numpy(np.float64), table["label"].to_numpy(np.int64)
    folds = table["fold"].to_numpy(np.int64) if "fold" in table else np.zeros(len(table), np.int64)
    known = np.isfinite(scores)
    frames = len(table.drop_duplicates(["video", "frame"]))
    if level == "frame":
        coverage = float(known.mean()) if len(known) else float("nan")
        kept = (scores[known], labels[known], codes[known], folds[known])
        return Scored(*kept, len(names), frames, coverage)
    # A row for each video and fold; the bootstrap still draws videos.
    pairs, first, row = np.unique(
        np.stack([folds, codes]), axis=1, return_index=True, return_inverse=True
    )
    row = row.ravel()
    total = np.bincount(row, np.where(known, scores, 0), minlength=len(first))
    count = np.bincount(row, known, minlength=len(first))
    seen = count > 0
    means = np.divide(total, count, out=np.full(len(first), np.nan), where=seen)
    of_video, (fold_of, numbers) = labels[first], pairs
    for fold in np.unique(fold_of):
        in_fold = fold_of == fold
        scored = in_fold & seen
        means[in_fold & ~seen] = np.median(means[scored]) if scored.any() else 0.0
    coverage = float(seen.mean()) if len(names) else float("nan")
    return Scored(means, of_video, numbers, fold_of, len(names), frames, coverage)


def auc(scored: Scored) -> float:
    """Return the area under the ROC curve: the share of pairs within a fold in the right order."""
    return scored.mean(lambda labels, scores: float(roc_auc_score(labels, scores)))


def auc_interval(
    scored: Scored, *, seed: int, level: float = 0.95, resamples: int = 1000
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the AUC over videos.

    Real and fake videos of each fold are resampled apart, so that their numbers stay the same.

    Parameters
    ----------
    scored : Scored
    seed : int
    level : float
        Share of the bootstrap's AUCs inside the interval, in (0, 1).
    resamples : int

    Returns
    -------
    low, high : float

    References
    ----------
    B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.
    """
    generator = np.random.default_rng(derive_seed(seed, "auc"))
    order = np.lexsort((scored.scores, scored.folds))
    ranked, folds = scored.scores[order], scored.folds[order]
    labels = scored.labels[order] == 1
    names, videos = np.unique(scored.videos[order], return_inverse=True)
    changed = (ranked[1:] != ranked[:-1]) | (folds[1:] != folds[:-1])
    starts = np.flatnonzero(np.r_[True, changed])
    kind = np.zeros(len(names), np.int64)
    kind[videos] = 2 * folds + labels
    strata = [np.flatnonzero(kind == one) for one in np.unique(kind)]
    values = []
    for _ in range(resamples):
        weights = draw_counts(strata, len(names), generator)[videos]
        values.append(_weighted_auc(weights * labels, weights * ~labels, starts, folds[starts]))
    return percentile_interval(values, level)


def _weighted_auc(positive: Floats, negative: Floats, starts: Ints, folds: Ints) -> float:
    """Return the AUC within folds, of weighted scores sorted by fold and score.

    Parameters
    ----------
    positive, negative : (n,) float64
        Weights of the fakes and of the real ones.
    starts : (r,) int64
        Where each run of equal scores in a fold begins.
    folds : (r,) int64
        Fold of each run.
    """
    above, below = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    _, first, run_fold = np.unique(folds, return_index=True, return_inverse=True)
    all_above, all_below = np.add.reduceat(above, first), np.add.reduceat(below, first)
    before = np.cumsum(below) - below
    before -= before[first][run_fold]
    return float((above * (before + 0.5 * below)).sum() / (all_above * all_below).sum())


def auc_rows(
    table: pd.DataFrame, *, seed: int, level: float, resamples: int
) -> list[dict[str, object]]:
    """Return the AUC with its interval, by frame and by video.

    Parameters
    ----------
    table : DataFrame
        See `at_level`.
    seed : int
    level : float
        Of the interval, in (0, 1).
    resamples : int

    Returns
    -------
    list of dict
        Keys level, auc, auc_low, auc_high, videos, frames, coverage. The AUC is NaN where no
        detector scored both real and fake ones.
    """
    rows = []
    for name in LEVELS:
        scored = at_level(table, name)
        value = low = high = float("nan")
        if scored.both:
            value = auc(scored)
            low, high = auc_interval(scored, seed=seed, level=level, resamples=resamples)
        row: dict[str, object] = {"level": name, "auc": value, "auc_low": low, "auc_high": high}
        row |= {"videos": scored.count, "frames": scored.frames, "coverage": scored.coverage}
        rows.append(row)
    return rows


def equal_error_rate(scored: Scored) -> float:
    """Return the error rate at the threshold where false alarms are as frequent as missed fakes."""
    return scored.mean(_equal_error_rate)


def _equal_error_rate(labels: Ints, scores: Floats) -> float:
    false_alarm, hit, _ = roc_curve(labels, scores)
    missed = 1 - hit
    gap = missed - false_alarm
    after = int(np.argmax(gap <= 0))
    if after == 0:
        return float(false_alarm[0])
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    return float(false_alarm[after - 1] + share * (false_alarm[after] - false_alarm[after - 1]))


def average_precision(scored: Scored) -> float:
    """Return the average precision, with fakes as the positive class."""
    return scored.mean(lambda labels, scores: float(average_precision_score(labels, scores)))


def roc_points(scored: Scored) -> pd.DataFrame:
    """Return the ROC curve at fixed false alarm rates: columns false_positive, true_positive.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27(8), 2006,
    section 9.1: vertical averaging, used here over the folds.
    """
    grid = np.linspace(0, 1, ROC_POINTS)

    def hits(labels: Ints, scores: Floats) -> Floats:
        false_alarm, hit, _ = roc_curve(labels, scores)
        return np.asarray(np.interp(grid, false_alarm, hit), np.float64)

    return pd.DataFrame({"false_positive": grid, "true_positive": scored.mean(hits)})
