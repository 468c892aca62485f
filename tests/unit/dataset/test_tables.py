from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from swapset.dataset.manifest import Person
from swapset.dataset.tables import (
    check_all_scored,
    datasets_table,
    demographics_table,
    differences_table,
    gather_scores,
    mask_ssim_table,
    training_table,
)
from swapset.errors import DataError


def video(label: int, frames: int, compression: str = "original", **about: Any) -> dict[str, Any]:
    return {"label": label, "frames": frames, "compression": compression, **about}


def test_datasets_count_originals_only_and_every_method() -> None:
    videos = [
        video(0, 75),
        video(0, 60),
        video(0, 75, "c23"),
        video(1, 75, method="celebdf"),
        video(1, 60, method="celebdf"),
        video(1, 75, "c40", method="celebdf"),
        video(1, 33, method="faceswap"),
    ]
    table = datasets_table(videos, ["celebdf", "faceswap", "mine"])
    assert table.to_dict("split", index=False) == {
        "columns": ["dataset", "real_videos", "real_frames", "fake_videos", "fake_frames"],
        "data": [
            ["celebdf", 2, 135, 2, 135],
            ["faceswap", 2, 135, 1, 33],
            ["mine", 2, 135, 0, 0],
        ],
    }


def test_trainings_say_what_they_took_and_what_was_saved() -> None:
    done = {
        "trained": True,
        "recipe": {"steps": 1000},
        "steps": 600,
        "warm_start": True,
        "faces": {"id0": 30, "id1": 20},
        "held_out": [[20, 0.1], [600, 0.04]],
        "parameters": 9,
    }
    cards = {
        "celebdf/base": done | {"warm_start": False, "steps": 1000},
        "celebdf/id0-id1": done,
        "celebdf/id0-id2": {"trained": False, "reason": "no accepted clip of id2"},
    }
    table = training_table(cards)
    assert table["model"].tolist() == ["base", "id0-id1", "id0-id2"]
    assert table["saved"].tolist()[:2] == [0.0, 0.4]
    assert table["start"].tolist()[:2] == ["nothing", "base"]
    assert table["held_out"].tolist()[:2] == [0.04, 0.04]
    assert table["faces"].tolist()[:2] == [50, 50]
    assert table["reason"][2] == "no accepted clip of id2"
    assert pd.isna(table["steps"][2])


def people() -> list[Person]:
    ages = {"id0": 29, "id1": 30, "id2": 59, "id3": 60, "id4": 130, "id5": None, "id6": 39}
    return [Person(name, "female" if name < "id3" else "", age) for name, age in ages.items()]


def test_demographics_bands_are_the_chapters() -> None:
    names = [person.subject for person in people()]
    table = demographics_table(people(), names)
    assert list(table.columns) == ["attribute", "group", "subjects", "share"]
    ages = table[table["attribute"] == "age"].set_index("group")["subjects"].to_dict()
    assert ages == {
        "younger than 30": 1,
        "30s": 2,
        "50s": 1,
        "60 and above": 2,
        "unknown": 1,
    }


@pytest.mark.parametrize(
    ("age", "band"),
    [(0, "younger than 30"), (39, "30s"), (40, "40s"), (49, "40s"), (50, "50s")],
)
def test_age_bands(age: int, band: str) -> None:
    table = demographics_table([Person("id0", age=age)], ["id0"])
    assert table.loc[table["attribute"] == "age", "group"].tolist() == [band]


def test_demographics_count_shown_subjects_only_and_shares_are_percents() -> None:
    table = demographics_table(people(), ["id0", "id3", "id9"])
    gender = table[table["attribute"] == "gender"]
    assert gender[["group", "subjects", "share"]].to_numpy().tolist() == [
        ["female", 1, 33.3],
        ["unknown", 2, 66.7],
    ]
    for _, part in table.groupby("attribute"):
        assert part["subjects"].sum() == 3
        assert part["share"].sum() == pytest.approx(100, abs=0.2)


def test_demographics_of_nobody() -> None:
    assert demographics_table(people(), []).empty


def scores(seed: int = 0, count: int = 40) -> pd.DataFrame:
    """Return scores of two methods on the same fakes; the first is better by about 0.05."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0.8, 0.04, count)
    parts = [
        pd.DataFrame(
            {
                "method": method,
                "fake": [f"id0_id1_{number:04d}" for number in range(count)],
                "frames": 10,
                "mask_ssim": base + gain + rng.normal(0, 0.01, count),
                "masked_frame_ssim": 0.95,
                "identity_donor": identity,
            }
        )
        for method, gain, identity in [("celebdf", 0.05, 0.95), ("faceswap", 0.0, 1.0)]
    ]
    return pd.concat(parts, ignore_index=True)


METHODS = ["celebdf", "faceswap"]


def table_of(frame: pd.DataFrame, methods: list[str], level: float = 0.95) -> pd.DataFrame:
    return mask_ssim_table(frame, methods, seed=1, level=level, resamples=400)


def test_scores_of_all_targets_are_gathered_by_method() -> None:
    parts = [
        pd.DataFrame({"method": ["celebdf", "faceswap"], "fake": [fake, fake]})
        for fake in ("id2_id1_0000", "id10_id1_0000")
    ]
    table = gather_scores(parts, ["faceswap", "celebdf"])
    assert table["method"].tolist() == ["faceswap", "faceswap", "celebdf", "celebdf"]
    assert table["fake"].tolist() == ["id2_id1_0000", "id10_id1_0000"] * 2
    assert table.index.tolist() == [0, 1, 2, 3]


def test_mask_ssim_columns_and_means() -> None:
    frame = scores()
    table = table_of(frame, METHODS)
    assert list(table.columns) == [
        "method",
        "videos",
        "frames",
        "mask_ssim",
        "mask_ssim_low",
        "mask_ssim_high",
        "masked_frame_ssim",
        "identity_donor",
        "interval",
    ]
    assert set(table["interval"]) == {"fakes"}  # of two people
    assert table["method"].tolist() == METHODS
    assert table["videos"].tolist() == [40, 40]
    assert table["frames"].tolist() == [400, 400]
    mean = frame[frame["method"] == "celebdf"]["mask_ssim"].mean()
    assert table["mask_ssim"][0] == pytest.approx(mean)
    assert table["identity_donor"].tolist() == [pytest.approx(0.95), 1.0]


def test_interval_is_the_means_and_narrows_with_its_level() -> None:
    frame = scores()
    wide, narrow = (table_of(frame, METHODS, level).iloc[0] for level in (0.95, 0.5))
    assert wide["mask_ssim_low"] < narrow["mask_ssim_low"] < wide["mask_ssim"]
    assert wide["mask_ssim"] < narrow["mask_ssim_high"] < wide["mask_ssim_high"]
    part = frame[frame["method"] == "celebdf"]["mask_ssim"]
    normal = 2 * 1.96 * part.std() / np.sqrt(len(part))
    assert wide["mask_ssim_high"] - wide["mask_ssim_low"] == pytest.approx(normal, rel=0.25)


def test_fakes_without_a_score_are_left_out() -> None:
    frame = scores()
    frame.loc[:4, ["mask_ssim", "masked_frame_ssim", "identity_donor"]] = np.nan
    table = table_of(frame, METHODS)
    assert table["videos"].tolist() == [35, 40]
    assert table["frames"].tolist() == [350, 400]
    assert np.isfinite(table.drop(columns=["method", "interval"]).to_numpy(float)).all()


def test_a_method_without_scores_keeps_its_row() -> None:
    row = table_of(scores(), [*METHODS, "mine"]).iloc[2]
    assert (row["method"], row["videos"], row["frames"]) == ("mine", 0, 0)
    assert np.isnan(row["mask_ssim"])
    assert np.isnan(row["mask_ssim_low"])


def test_one_video_has_no_interval() -> None:
    row = table_of(scores(count=1), METHODS).iloc[0]
    assert np.isfinite(row["mask_ssim"])
    assert np.isnan([row["mask_ssim_low"], row["mask_ssim_high"]]).all()


def test_same_seed_same_table_whatever_the_order_of_methods() -> None:
    frame = scores()
    one, other = table_of(frame, METHODS), table_of(frame, METHODS[::-1])
    pd.testing.assert_frame_equal(one, other.iloc[::-1].reset_index(drop=True))


def test_differences_pair_fakes_by_name() -> None:
    frame = scores()
    shuffled = frame.sample(frac=1, random_state=3)
    table = differences_table(frame, METHODS, seed=1, level=0.95)
    pd.testing.assert_frame_equal(
        table, differences_table(shuffled, METHODS, seed=1, level=0.95), check_exact=False
    )
    row = table.iloc[0]
    assert (row["method"], row["against"], row["fakes"]) == ("celebdf", "faceswap", 40)
    assert row["difference"] == pytest.approx(0.05, abs=0.006)
    # The fakes differ far more among themselves than the methods: only pairs show it so sharply.
    assert row["high"] - row["low"] < 0.012
    assert row["low"] > 0
    assert row["share_higher"] == 1


def test_differences_use_fakes_that_both_made() -> None:
    frame = scores()
    frame.loc[:9, "mask_ssim"] = np.nan
    frame = frame[frame["fake"] != "id0_id1_0039"]
    extra = frame.iloc[[-1]].assign(fake="id3_id2_0000")
    table = differences_table(pd.concat([frame, extra]), METHODS, seed=1, level=0.95)
    assert table["fakes"].tolist() == [29]


def test_differences_without_common_fakes_are_an_empty_table() -> None:
    frame = scores()
    columns = ["method", "against", "fakes", "difference", "low", "high", "share_higher"]
    columns += ["p", "p_holm", "interval"]
    for part, methods in [
        (frame[frame["method"] == "celebdf"], METHODS),
        (frame, ["celebdf"]),
        (frame.iloc[:0], METHODS),
    ]:
        table = differences_table(part, methods, seed=1, level=0.95)
        assert list(table.columns) == columns
        assert table.empty
        assert table["fakes"].dtype == np.int64


def test_scores_with_missing_rows_are_refused():
    part = pd.DataFrame({"fake": ["id0_id1_0000", "id0_id2_0000"]})
    check_all_scored({"id0.csv": part}, [2])
    with pytest.raises(DataError, match=r"id0\.csv: scores of 1 instead of 2 fakes"):
        check_all_scored({"id0.csv": part[:1]}, [2])
