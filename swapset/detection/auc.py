"""How well scores tell fakes from real videos: AUC with its interval, EER, AP and the ROC curve.

Frames of one video are not independent, so intervals come from a bootstrap over videos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from swapset.seeds import derive_seed

Floats = npt.NDArray[np.float64]
LEVELS = ("frame", "video")
ROC_POINTS = 201


@dataclass(frozen=True)
class Scored:
    """Scores at one level.

    Attributes
    ----------
    scores : (n,) float64
        Higher = more likely fake; all finite.
    labels : (n,) int
        1 = fake.
    videos : (n,) int
        Number of the video of each score.
    count : int
        Videos that were to be scored.
    frames : int
        Frames that were to be scored.
    coverage : float
        Share of frames, or of videos, with a score of their own.
    """

    scores: Floats
    labels: npt.NDArray[np.int64]
    videos: npt.NDArray[np.int64]
    count: int
    frames: int
    coverage: float

    @property
    def both(self) -> bool:
        """Whether there are real and fake ones."""
        return 0 < self.labels.sum() < len(self.labels)


def at_level(table: pd.DataFrame, level: str) -> Scored:
    """Gather scores by frame or by video.

    Parameters
    ----------
    table : DataFrame
        Columns video, frame, label, score; NaN = no face, or it could not be judged.
    level : {"frame", "video"}
        A frame without a score is left out. A video's score is the mean of its frames; a video
        without any gets the middle rank (the median of the others) and counts against coverage.
    """
    codes, names = pd.factorize(table["video"])
    scores, labels = table["score"].to_numpy(np.float64), table["label"].to_numpy(np.int64)
    known = np.isfinite(scores)
    if level == "frame":
        coverage = float(known.mean()) if len(known) else float("nan")
        return Scored(scores[known], labels[known], codes[known], len(names), len(table), coverage)
    total = np.bincount(codes, np.where(known, scores, 0), minlength=len(names))
    seen = np.bincount(codes, known, minlength=len(names))
    of_video = np.zeros(len(names), np.int64)
    of_video[codes] = labels
    means = np.divide(total, seen, out=np.full(len(names), np.nan), where=seen > 0)
    if (seen > 0).any():
        means[seen == 0] = np.median(means[seen > 0])
    else:
        means[:] = 0.0
    coverage = float((seen > 0).mean()) if len(names) else float("nan")
    return Scored(means, of_video, np.arange(len(names)), len(names), len(table), coverage)


def auc_interval(
    scored: Scored, *, seed: int, level: float = 0.95, resamples: int = 1000
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the AUC over videos, real and fake apart.

    References
    ----------
    B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.
    """
    generator = np.random.default_rng(derive_seed(seed, "auc"))
    order = np.argsort(scored.scores, kind="stable")
    ranked, labels = scored.scores[order], scored.labels[order] == 1
    names, videos = np.unique(scored.videos[order], return_inverse=True)
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    fake = np.zeros(len(names), bool)
    fake[videos] = labels
    values = []
    for _ in range(resamples):
        counts = np.zeros(len(names))
        for members in (np.flatnonzero(fake), np.flatnonzero(~fake)):
            drawn = generator.integers(0, len(members), len(members))
            counts[members] = np.bincount(drawn, minlength=len(members))
        weights = counts[videos]
        values.append(_weighted_auc(weights * labels, weights * ~labels, starts))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _weighted_auc(positive: Floats, negative: Floats, starts: npt.NDArray[np.int64]) -> float:
    """Return the AUC of weights sorted by score; `starts` begins each run of equal scores."""
    above, below = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    before = np.cumsum(below) - below
    return float((above * (before + 0.5 * below)).sum() / (above.sum() * below.sum()))


def auc_rows(
    table: pd.DataFrame, *, seed: int, level: float, resamples: int
) -> list[dict[str, object]]:
    """Return level, auc, auc_low, auc_high, videos, frames and coverage, by frame and by video.

    The AUC is NaN where there are only real or only fake ones.
    """
    rows = []
    for name in LEVELS:
        scored = at_level(table, name)
        auc = low = high = float("nan")
        if scored.both:
            auc = float(roc_auc_score(scored.labels, scored.scores))
            low, high = auc_interval(scored, seed=seed, level=level, resamples=resamples)
        row: dict[str, object] = {"level": name, "auc": auc, "auc_low": low, "auc_high": high}
        row |= {"videos": scored.count, "frames": scored.frames, "coverage": scored.coverage}
        rows.append(row)
    return rows


def equal_error_rate(scored: Scored) -> float:
    """Return the rate at which as many real ones are taken for fake as fake ones for real."""
    false_alarm, hit, _ = roc_curve(scored.labels, scored.scores)
    missed = 1 - hit
    gap = missed - false_alarm
    after = int(np.argmax(gap <= 0))
    if after == 0:
        return float(false_alarm[0])
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    return float(false_alarm[after - 1] + share * (false_alarm[after] - false_alarm[after - 1]))


def average_precision(scored: Scored) -> float:
    """Return the average precision, fakes being what is looked for."""
    return float(average_precision_score(scored.labels, scored.scores))


def roc_points(scored: Scored) -> pd.DataFrame:
    """Return the ROC curve at fixed false alarm rates: columns false_positive, true_positive."""
    false_alarm, hit, _ = roc_curve(scored.labels, scored.scores)
    grid = np.linspace(0, 1, ROC_POINTS)
    return pd.DataFrame(
        {"false_positive": grid, "true_positive": np.interp(grid, false_alarm, hit)}
    )
