"""AUCs against scikit-learn's, and frames and videos without a score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from swapset.detection.auc import (
    _weighted_auc,
    at_level,
    auc,
    auc_interval,
    auc_rows,
    average_precision,
    equal_error_rate,
    roc_points,
)


def table_of(videos: int = 40, frames: int = 5, shift: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return scores whose videos differ more than their frames."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(videos):
        label = number % 2
        base = rng.normal(shift * label)
        for frame in range(frames):
            score = round(base + rng.normal(0, 0.3), 1)
            rows.append((f"v{number:03d}", frame, label, score))
    return pd.DataFrame(rows, columns=["video", "frame", "label", "score"])


def test_frame_auc_is_of_the_frames_with_a_score() -> None:
    table = table_of()
    table.loc[::3, "score"] = np.nan
    known = table.dropna()
    frame, _ = auc_rows(table, seed=0, level=0.95, resamples=50)
    assert frame["auc"] == pytest.approx(roc_auc_score(known["label"], known["score"]))
    assert frame["coverage"] == pytest.approx(len(known) / len(table))
    assert (frame["videos"], frame["frames"]) == (40, len(table))


def test_video_score_is_the_mean_of_its_frames() -> None:
    table = table_of()
    means = table.groupby("video").mean()
    _, video = auc_rows(table, seed=0, level=0.95, resamples=50)
    assert video["auc"] == pytest.approx(roc_auc_score(means["label"], means["score"]))
    assert video["coverage"] == 1


def test_a_video_without_a_face_gets_the_middle_rank() -> None:
    scores = {"a": (0, 0.1), "b": (0, 0.2), "c": (1, np.nan), "d": (1, 0.9), "e": (1, 0.8)}
    table = pd.DataFrame(
        [(name, 0, label, score) for name, (label, score) in scores.items()],
        columns=["video", "frame", "label", "score"],
    )
    scored = at_level(table, "video")
    assert scored.scores[2] == np.median([0.1, 0.2, 0.9, 0.8])
    assert scored.coverage == 0.8
    assert scored.count == 5


def test_no_score_at_all_is_chance() -> None:
    table = table_of().assign(score=np.nan)
    frame, video = auc_rows(table, seed=0, level=0.95, resamples=10)
    assert np.isnan(frame["auc"])
    assert video["auc"] == 0.5
    assert frame["coverage"] == video["coverage"] == 0


def test_one_class_has_no_auc() -> None:
    rows = auc_rows(table_of().assign(label=1), seed=0, level=0.95, resamples=10)
    assert [row["level"] for row in rows] == ["frame", "video"]
    assert all(np.isnan(row["auc"]) for row in rows)


def test_weighted_auc_is_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    scores, labels = np.sort(rng.integers(0, 20, 200) / 7.0), rng.integers(0, 2, 200)
    weights = rng.integers(0, 4, 200).astype(float)
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    one = np.zeros(len(starts), np.int64)
    assert _weighted_auc(weights * labels, weights * (1 - labels), starts, one) == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=weights)
    )


def eighths() -> pd.DataFrame:
    """Return scores in eighths, so that adding a number keeps them exact and ties equal."""
    table = table_of(seed=7)
    return table.assign(score=(table["score"] * 8).round() / 8)


def in_folds(*shifts: float) -> pd.DataFrame:
    """Return scores of folds whose detectors rank alike but differ by a constant."""
    table = eighths()
    parts = [
        table.assign(fold=fold, video=f"{fold}-" + table["video"], score=table["score"] + shift)
        for fold, shift in enumerate(shifts)
    ]
    return pd.concat(parts, ignore_index=True)


def test_scores_of_different_detectors_are_not_compared() -> None:
    single, apart = eighths(), in_folds(0, 128, -32)
    alone = auc_rows(single, seed=0, level=0.95, resamples=50)
    for one, row in zip(alone, auc_rows(apart, seed=0, level=0.95, resamples=50), strict=True):
        assert row["auc"] == pytest.approx(one["auc"])
        assert row["auc_low"] < row["auc"] < row["auc_high"]
        assert row["auc_high"] - row["auc_low"] < one["auc_high"] - one["auc_low"]
        scored, of_one = at_level(apart, row["level"]), at_level(single, row["level"])
        assert equal_error_rate(scored) == pytest.approx(equal_error_rate(of_one))
        assert average_precision(scored) == pytest.approx(average_precision(of_one))
        pd.testing.assert_frame_equal(roc_points(scored), roc_points(of_one))
    assert auc(at_level(apart.drop(columns="fold"), "frame")) < 0.65 < alone[0]["auc"]


def test_folds_count_by_their_pairs() -> None:
    rows = [("a", 0, 0, 0.1, 0), ("b", 0, 1, 0.9, 0)]
    rows += [("c", 0, 0, 0.9, 1), ("d", 0, 1, 0.1, 1), ("e", 0, 1, 0.2, 1), ("f", 0, 1, 0.3, 2)]
    table = pd.DataFrame(rows, columns=["video", "frame", "label", "score", "fold"])
    assert auc(at_level(table, "frame")) == pytest.approx(1 / 3)  # of 1, 2 and 0 pairs
    draws = auc_interval(at_level(table, "frame"), seed=0, resamples=20)
    assert draws == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_video_without_a_face_is_in_the_middle_of_its_fold() -> None:
    table = in_folds(0, 100)
    table.loc[table["video"] == "1-v003", "score"] = np.nan
    scored = at_level(table, "video")
    own = table[(table["fold"] == 1) & (table["video"] != "1-v003")]
    assert scored.scores[43] == pytest.approx(own.groupby("video")["score"].mean().median())


def test_interval_covers_and_is_wider_over_videos_than_over_frames() -> None:
    table = table_of(80, 10)
    scored = at_level(table, "frame")
    low, high = auc_interval(scored, seed=1, resamples=300)
    assert low < roc_auc_score(scored.labels, scored.scores) < high
    frames = at_level(table.assign(video=np.arange(len(table)).astype(str)), "frame")
    narrow = auc_interval(frames, seed=1, resamples=300)
    assert high - low > 2 * (narrow[1] - narrow[0])
    assert (low, high) == auc_interval(scored, seed=1, resamples=300)


def test_equal_error_rate_and_precision() -> None:
    perfect = at_level(table_of(shift=50), "video")
    assert equal_error_rate(perfect) == pytest.approx(0, abs=1e-9)
    assert average_precision(perfect) == pytest.approx(1)
    useless = at_level(table_of(4000, 1, shift=0), "video")
    assert equal_error_rate(useless) == pytest.approx(0.5, abs=0.03)
    some = at_level(table_of(4000, 1), "video")
    curve = roc_points(some)
    rate = equal_error_rate(some)
    at = np.interp(rate, curve["false_positive"], curve["true_positive"])
    assert 1 - at == pytest.approx(rate, abs=0.01)
    assert curve["true_positive"].is_monotonic_increasing
