"""The AUC of several folds' detectors: their mean AUC, and beside it that of all together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from swapset.detection.auc import auc, auc_estimate
from swapset.detection.ensemble import ensemble_auc
from swapset.detection.protocol import SPLIT_COLUMNS, write_scores
from swapset.detection.statistics.levels import at_level
from swapset.detection.tables import Asked, auc_tables

FOLDS = 3


def public(seed: int = 0, videos: int = 60, frames: int = 4) -> pd.DataFrame:
    """Return scores of a dataset by the detectors of all folds, whose errors are independent."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(videos):
        for fold in range(FOLDS):
            base = number % 2 + rng.normal(0, 1.5) + 100 * fold
            for frame in range(frames):
                rows.append((f"v{number:03d}", frame, number % 2, fold, base + rng.normal(0, 0.1)))
    table = pd.DataFrame(rows, columns=["video", "frame", "label", "fold", "score"])
    return table.assign(probability=np.nan)


def means(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby(["fold", "video"], as_index=False)[["label", "score"]].mean()


@pytest.mark.parametrize("level", ["frame", "video"])
def test_the_auc_is_the_mean_over_the_detectors(level: str) -> None:
    table = public()
    rows = table if level == "frame" else means(table)
    alone = [roc_auc_score(part["label"], part["score"]) for _, part in rows.groupby("fold")]
    assert len(alone) == FOLDS
    scored = at_level(table, level)
    assert auc(scored) == pytest.approx(np.mean(alone))
    assert (scored.count, scored.frames, scored.coverage) == (60, 240, 1)


@pytest.mark.parametrize("level", ["frame", "video"])
def test_the_ensemble_is_the_auc_of_the_mean_score(level: str) -> None:
    table = public()
    group = ["video", "frame"] if level == "frame" else ["video"]
    together = table.groupby(group)[["label", "score"]].mean()
    expected = roc_auc_score(together["label"], together["score"])
    assert ensemble_auc(table, level) == pytest.approx(expected)
    assert expected > auc(at_level(table, level)) + 0.03


def test_own_and_public_videos_have_the_same_measure() -> None:
    """A dataset whose videos are dealt to the folds has the mean of as good detectors."""
    table = public(videos=3000, frames=1)
    number = table["video"].str[1:].astype(int) // 2 % FOLDS
    own = table[number == table["fold"]]
    assert own["video"].is_unique
    assert auc(at_level(own, "video")) == pytest.approx(auc(at_level(table, "video")), abs=0.02)
    assert np.isnan(ensemble_auc(own, "video"))


def test_a_video_is_left_out_for_all_detectors_at_once() -> None:
    """Detectors that agree know no more than one: the interval is that of one."""
    one = public()[lambda table: table["fold"] == 0]
    alike = pd.concat([one.assign(fold=fold) for fold in range(FOLDS)])
    for level in ("frame", "video"):
        alone = auc_estimate(at_level(one, level)).share_interval(0.95)
        assert auc_estimate(at_level(alike, level)).share_interval(0.95) == pytest.approx(alone)


def test_a_video_without_a_face_is_in_the_middle_of_each_fold() -> None:
    table = public()
    table.loc[(table["video"] == "v005") & (table["fold"] == 1), "score"] = np.nan
    scored = at_level(table, "video")
    assert scored.coverage == pytest.approx(1 - 1 / (60 * FOLDS))
    assert np.isfinite(scored.scores).all()
    gone = scored.people.names[scored.people.first] == "video:v005"
    in_fold = (scored.folds == 1) & ~gone
    [filled] = scored.scores[(scored.folds == 1) & gone]
    assert filled == np.median(scored.scores[in_fold])


def test_both_stand_in_the_table(tmp_path: Path) -> None:
    table = public()
    own = table[table["fold"] == table["video"].str[1:].astype(int) // 2 % FOLDS]
    files = []
    for dataset, scores in (("Celeb-DF", table), ("faceswap", own)):
        path = tmp_path / "scores" / "Meso4" / dataset / "original.parquet"
        path.parent.mkdir(parents=True)
        write_scores(path, scores)
        files.append(path)
    rows = [
        ("Celeb-DF", name, label, "", "", 0, "test")
        for name, label in {(r.video, r.label) for r in table.itertuples()}
    ]
    rows += [("real" if row[2] == 0 else "faceswap", *row[1:]) for row in rows]
    splits = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    made = auc_tables(files, splits, [], Asked(seed=0, level=0.95, resamples=50))
    rates, curves = made["rates"], made["curves"]
    aucs = made["table"].set_index(["dataset", "level"])
    for level in ("frame", "video"):
        row = aucs.loc["Celeb-DF", level]
        assert row["auc"] == pytest.approx(auc(at_level(table, level)))
        assert row["auc_ensemble"] == pytest.approx(ensemble_auc(table, level))
        assert row["auc_low"] < row["auc"] < row["auc_high"] < row["auc_ensemble"] + 0.2
    assert aucs.loc["faceswap", "auc_ensemble"].isna().all()
    assert len(rates) == 4
    assert set(curves["dataset"]) == {"Celeb-DF", "faceswap"}
