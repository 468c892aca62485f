"""AUCs on shared bootstrap samples: values, pairing, and intervals of differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from swapset.detection.auc import at_level, auc, auc_interval
from swapset.detection.joint import joint_aucs, shared_videos


def scores(
    seed: int, videos: int = 24, frames: int = 5, folds: int = 2, gap: float = 0.8
) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    names = np.repeat([f"v{k:02d}" for k in range(videos)], frames)
    label = np.repeat(np.arange(videos) % 2, frames)
    offset = np.repeat(generator.normal(size=videos), frames)
    value = label * gap + offset + generator.normal(size=videos * frames)
    fold = np.repeat(np.arange(videos) // 2 % folds, frames)
    table = pd.DataFrame({"video": names, "label": label, "score": value.round(1), "fold": fold})
    return table.assign(frame=np.tile(np.arange(frames), videos))


@pytest.mark.parametrize("level", ["frame", "video"])
def test_values_are_those_of_auc(level: str) -> None:
    tables = [scores(1), scores(2)]
    tables[1].loc[:7, "score"] = np.nan
    values, _ = joint_aucs(tables, level, seed=1, resamples=2)
    assert values == pytest.approx([auc(at_level(table, level)) for table in tables])


def test_interval_is_that_of_single_tables() -> None:
    table = scores(3, videos=60, folds=1)
    _, drawn = joint_aucs([table], "frame", seed=1, resamples=3000)
    low, high = np.quantile(drawn[:, 0], [0.025, 0.975])
    alone = auc_interval(at_level(table, "frame"), seed=5, resamples=3000)
    assert (low, high) == pytest.approx(alone, abs=0.01)


def test_samples_are_shared_whatever_the_order_of_rows() -> None:
    table = scores(4)
    _, drawn = joint_aucs(
        [table, table[::-1].reset_index(drop=True)], "video", seed=1, resamples=50
    )
    assert np.array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn[:, 0].std() > 0.01


def test_paired_difference_is_surer_than_two_intervals() -> None:
    """The second detector sees what the first sees, and a little more."""
    table = scores(5, videos=60, folds=1)
    better = table.assign(score=table["score"] + 0.3 * table["label"])
    values, drawn = joint_aucs([table, better], "frame", seed=1, resamples=1000)
    assert values[1] > values[0]
    low, high = np.quantile(drawn[:, 1] - drawn[:, 0], [0.025, 0.975])
    assert 0 < low < values[1] - values[0] < high
    assert high - low < 0.5 * np.ptp(np.quantile(drawn[:, 0], [0.025, 0.975]))


def test_folds_are_compared_within_themselves() -> None:
    """In each fold all fakes are above all real ones; across folds they are not."""
    table = pd.DataFrame(
        {
            "video": list("abcd"), "frame": 0, "label": [0, 1, 0, 1],
            "score": [0.1, 0.2, 0.8, 0.9], "fold": [0, 0, 1, 1],
        }
    )  # fmt: skip
    values, drawn = joint_aucs([table], "video", seed=1, resamples=20)
    assert values[0] == 1
    assert roc_auc_score(table["label"], table["score"]) == 0.75
    assert (drawn == 1).all()


def test_one_class_has_no_auc() -> None:
    table = scores(6)
    table = table[table["label"] == 1].reset_index(drop=True)
    values, _ = joint_aucs([table], "frame", seed=1, resamples=3)
    assert np.isnan(values[0])


def test_only_videos_with_the_same_label_are_shared() -> None:
    one, other = scores(7), scores(8)
    other = other[other["video"] != "v03"].assign(
        label=lambda t: t["label"].where(t["video"] != "v04", 1)
    )
    found = shared_videos([one, other])
    assert all(set(t["video"]) == {f"v{k:02d}" for k in range(24)} - {"v03", "v04"} for t in found)
