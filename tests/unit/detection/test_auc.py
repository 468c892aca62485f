"""AUCs against scikit-learn's, levels, and frames and videos without a score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from material.scores import of_people
from sklearn.metrics import roc_auc_score

from swapset.dataset.trainings import training_name, training_number
from swapset.detection.auc import auc, auc_estimate, auc_rows, estimate_at, training_spread
from swapset.detection.statistics.levels import FACELESS, Faceless, all_levels, at_level


def table_of(videos: int = 40, frames: int = 5, shift: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return scores whose videos differ more than their frames, of people without names."""
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
    frame, _ = auc_rows(table, level=0.95)
    assert frame["auc"] == pytest.approx(roc_auc_score(known["label"], known["score"]))
    assert frame["coverage"] == pytest.approx(len(known) / len(table))
    assert (frame["videos"], frame["frames"]) == (40, len(table))


def test_video_score_is_the_mean_of_its_frames() -> None:
    table = table_of()
    means = table.groupby("video").mean()
    _, video = auc_rows(table, level=0.95)
    assert video["auc"] == pytest.approx(roc_auc_score(means["label"], means["score"]))
    assert video["coverage"] == 1


def test_person_score_is_the_mean_of_the_persons_videos() -> None:
    table = of_people()
    videos = table.groupby(["target", "label", "video"], as_index=False)["score"].mean()
    means = videos.groupby(["target", "label"], as_index=False)["score"].mean()
    *_, person = auc_rows(table, level=0.95)
    assert person["level"] == "person"
    assert person["auc"] == pytest.approx(roc_auc_score(means["label"], means["score"]))
    assert person["people"] == 14


MISSING = {"a": (0, 0.1), "b": (0, 0.2), "c": (1, np.nan), "d": (1, 0.9), "e": (1, 0.8)}


@pytest.mark.parametrize(
    ("faceless", "scores"),
    [
        ("middle", [0.1, 0.2, np.median([0.1, 0.2, 0.9, 0.8]), 0.9, 0.8]),
        ("exclude", [0.1, 0.2, 0.9, 0.8]),
        ("real", [0.1, 0.2, 0.1, 0.9, 0.8]),
    ],
)
def test_a_video_without_a_face_counts_as_asked(faceless: Faceless, scores: list[float]) -> None:
    rows = [(name, 0, label, score) for name, (label, score) in MISSING.items()]
    table = pd.DataFrame(rows, columns=["video", "frame", "label", "score"])
    scored = at_level(table, "video", faceless)
    np.testing.assert_array_equal(scored.scores, scores)
    assert (scored.coverage, scored.count) == (0.8, 5)
    frames = at_level(table, "frame", faceless)
    assert len(frames.scores) == (5 if faceless == "real" else 4)
    assert frames.coverage == 0.8


def test_how_missing_videos_count_is_in_every_row() -> None:
    for faceless in FACELESS:
        rows = auc_rows(of_people(), level=0.95, faceless=faceless)
        assert {row["faceless"] for row in rows} == {faceless}


def test_no_score_at_all_is_chance() -> None:
    table = table_of().assign(score=np.nan)
    frame, video = auc_rows(table, level=0.95)
    assert np.isnan(frame["auc"])
    assert video["auc"] == 0.5
    assert frame["coverage"] == video["coverage"] == 0


def test_one_class_has_no_auc() -> None:
    rows = auc_rows(table_of().assign(label=1), level=0.95)
    assert [row["level"] for row in rows] == ["frame", "video"]
    assert all(np.isnan(row["auc"]) for row in rows)


def in_folds(*shifts: float) -> pd.DataFrame:
    """Return scores of folds whose detectors rank alike but differ by a constant."""
    table = table_of(seed=7)
    table["score"] = (table["score"] * 8).round() / 8  # so that adding a number keeps ties equal
    parts = [
        table.assign(fold=fold, video=f"{fold}-" + table["video"], score=table["score"] + shift)
        for fold, shift in enumerate(shifts)
    ]
    return pd.concat(parts, ignore_index=True)


def test_scores_of_different_detectors_are_not_compared() -> None:
    alone, apart = auc_rows(in_folds(0), level=0.95), auc_rows(in_folds(0, 128, -32), level=0.95)
    for one, row in zip(alone, apart, strict=True):
        assert row["auc"] == pytest.approx(one["auc"])
        assert row["auc_low"] < row["auc"] < row["auc_high"]
        assert row["auc_high"] - row["auc_low"] < one["auc_high"] - one["auc_low"]
    assert auc(at_level(in_folds(0, 128).drop(columns="fold"), "frame")) < 0.65 < alone[0]["auc"]


def test_the_auc_is_the_mean_over_the_detectors_of_the_folds() -> None:
    rows = [("a", 0, 0, 0.1, 0), ("b", 0, 1, 0.9, 0)]
    rows += [("c", 0, 0, 0.9, 1), ("d", 0, 1, 0.1, 1), ("e", 0, 1, 0.2, 1), ("f", 0, 1, 0.3, 2)]
    table = pd.DataFrame(rows, columns=["video", "frame", "label", "score", "fold"])
    scored = at_level(table, "frame")
    assert auc(scored) == auc_estimate(scored).value == 0.5  # 1 and 0; the third has no real one


def test_a_video_that_several_detectors_scored_counts_in_each_fold() -> None:
    table = of_people()
    other = table.assign(fold=1, score=-table["score"])
    both = pd.concat([table.assign(fold=0), other])
    single = all_levels(table)
    for level, scored in all_levels(both).items():
        assert scored.count == single[level].count
        found = estimate_at(all_levels(both), level)
        assert found is not None
        assert found.value == pytest.approx(0.5)
        assert found.error == pytest.approx(0, abs=1e-12)  # what one gains, the other loses


def test_trainings_have_a_spread_apart_from_people() -> None:
    """Three trainings of two folds: their mean, and the spread of the trainings' means."""
    base = of_people(frames=1)
    fold = (base["target"].str[2:].astype(int) >= 7).astype(int)
    rng = np.random.default_rng(0)
    noises = [rng.normal(0, noise, len(base)) for noise in (0, 1, 3)]
    parts = [
        base.assign(fold=[training_number(training_name(k, repeat)) for k in fold],
                    score=base["score"] + noise)
        for repeat, noise in enumerate(noises)
    ]  # fmt: skip
    means = [auc(at_level(part, "video")) for part in parts]
    scored = at_level(pd.concat(parts), "video")
    assert auc(scored) == pytest.approx(np.mean(means))
    spread = training_spread(scored)
    assert spread == {"trainings": 3, "auc_trainings_sd": pytest.approx(np.std(means, ddof=1))}
    single = training_spread(at_level(parts[1], "video"))
    assert single["trainings"] == 1
    assert np.isnan(single["auc_trainings_sd"])


def test_a_video_without_a_face_is_in_the_middle_of_its_fold() -> None:
    table = in_folds(0, 100)
    table.loc[table["video"] == "1-v003", "score"] = np.nan
    scored = at_level(table, "video")
    own = table[(table["fold"] == 1) & (table["video"] != "1-v003")]
    assert own.groupby("video")["score"].mean().median() in scored.scores


@pytest.mark.parametrize("level", ["frame", "video", "person"])
def test_people_and_pairs_are_left_out_as_by_hand(level: str) -> None:
    table = of_people(missing=0.05)
    found = estimate_at(all_levels(table), level)
    assert found is not None

    def without(gone: pd.Series) -> float:
        scored = at_level(table[~gone], level)
        return float(roc_auc_score(scored.labels, scored.scores))

    people = sorted(set(table["target"]))
    values = [without((table["target"] == p) | (table["donor"] == p)) for p in people]
    expected = (np.array(values) - np.mean(values)) * np.sqrt(1 - 1 / len(people))
    np.testing.assert_allclose(found.by_person[people], expected, atol=1e-12)
    fakes = table[table["label"] == 1]
    pairs = sorted({tuple(sorted(p)) for p in zip(fakes["target"], fakes["donor"], strict=True)})
    values = [without(table["target"].isin(p) & table["donor"].isin(p)) for p in pairs]
    expected = (np.array(values) - np.mean(values)) * np.sqrt(1 - 1 / len(pairs))
    np.testing.assert_allclose(found.by_pair[[f"{a}\0{b}" for a, b in pairs]], expected, atol=1e-12)


def test_interval_is_over_people_and_not_over_videos_or_frames() -> None:
    table = of_people(people=20, person=2.0)
    nameless = table.drop(columns=["target", "donor"])
    wide, narrow = (at_level(part, "video") for part in (table, nameless))
    assert (wide.over, narrow.over) == ("people", "videos")
    assert auc_estimate(wide).error > 1.5 * auc_estimate(narrow).error


def test_few_people_are_said() -> None:
    rows = auc_rows(of_people(people=7), level=0.95)
    assert [(row["level"], row["interval"], row["people"]) for row in rows] == [
        ("frame", "fakes", 7),
        ("video", "fakes", 7),
    ]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A short form of benchmarks/coverage.py, whose 2,000 simulations are in docs/detection.md."""
    held = 0
    for seed in range(200):
        table = of_people(people=20, frames=1, person=1.0, pair=1.0, seed=seed)
        low, high = auc_estimate(at_level(table, "video")).share_interval(0.95)
        held += low <= 0.75 <= high
    assert 180 <= held <= 199
