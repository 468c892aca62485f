from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from swapset.dataset.manifest import Person
from swapset.dataset.tables import (
    datasets_table,
    demographics_table,
    differences_table,
    mask_ssim_table,
)

NAN = float("nan")


def video(frames: int, method: str = "", compression: str = "original") -> dict[str, Any]:
    """Return what counts of a provenance record."""
    about = {"method": method} if method else {"subject": "id0"}
    return {"frames": frames, "label": int(bool(method)), "compression": compression, **about}


def test_datasets_counts_videos_once() -> None:
    videos = [
        video(10),
        video(20),
        video(10, compression="c23"),
        video(10, "a"),
        video(20, "a"),
        video(20, "a", "c40"),
        video(7, "b"),
    ]
    table = datasets_table(iter(videos), ["b", "a", "none"])
    assert list(table.columns) == [
        "dataset",
        "real_videos",
        "real_frames",
        "fake_videos",
        "fake_frames",
    ]
    assert table.to_numpy().tolist() == [
        ["b", 2, 30, 1, 7],
        ["a", 2, 30, 2, 30],
        ["none", 2, 30, 0, 0],
    ]


def test_demographics() -> None:
    people = [
        Person("id0", "female", 29, "Asian"),
        Person("id1", "male", 30, ""),
        Person("id2", "female", 60, "Asian"),
        Person("id9", "male", 44, "left out: not in the dataset"),
    ]
    table = demographics_table(people, ["id0", "id1", "id2", "id3"])
    assert list(table.columns) == ["attribute", "group", "subjects", "share"]
    assert [tuple(row) for row in table.to_numpy()] == [
        ("gender", "female", 2, 50.0),
        ("gender", "male", 1, 25.0),
        ("gender", "unknown", 1, 25.0),
        ("age", "30s", 1, 25.0),
        ("age", "60 and above", 1, 25.0),
        ("age", "unknown", 1, 25.0),
        ("age", "younger than 30", 1, 25.0),
        ("ethnicity", "Asian", 2, 50.0),
        ("ethnicity", "unknown", 2, 50.0),
    ]


@pytest.mark.parametrize(
    ("age", "band"),
    [(0, "younger than 30"), (39, "30s"), (40, "40s"), (59, "50s"), (95, "60 and above")],
)
def test_age_bands(age: int, band: str) -> None:
    table = demographics_table([Person("id0", age=age)], ["id0"])
    assert table.loc[table["attribute"] == "age", "group"].tolist() == [band]


def test_demographics_of_nobody() -> None:
    assert len(demographics_table([], [])) == 0


def scores(**by_method: list[float]) -> pd.DataFrame:
    """Return one row per fake, numbered from 0 in every method."""
    return pd.DataFrame(
        [
            {
                "method": method,
                "fake": f"f{number}",
                "frames": 10 + number,
                "mask_ssim": value,
                "masked_frame_ssim": value + 0.05,
                "identity_donor": NAN if number == 0 else 0.5,
            }
            for method, values in by_method.items()
            for number, value in enumerate(values)
        ]
    )


SETTINGS: dict[str, Any] = {"seed": 3, "level": 0.95, "resamples": 400}


def test_mask_ssim_known_values() -> None:
    table = mask_ssim_table(
        scores(a=[0.8, NAN, 0.9, 0.7], b=[0.6] * 5), ["b", "a", "gone"], **SETTINGS
    )
    assert list(table.columns) == [
        "method",
        "videos",
        "frames",
        "mask_ssim",
        "mask_ssim_low",
        "mask_ssim_high",
        "masked_frame_ssim",
        "identity_donor",
    ]
    b, a, gone = table.to_dict("records")
    assert (a["videos"], a["frames"]) == (3, 10 + 12 + 13)
    assert a["mask_ssim"] == pytest.approx(0.8)
    assert a["masked_frame_ssim"] == pytest.approx(0.85)
    assert a["identity_donor"] == pytest.approx(0.5)
    # The means of three values drawn from {.7, .8, .9} reach from .7 to .9.
    assert 0.7 <= a["mask_ssim_low"] < 0.8 < a["mask_ssim_high"] <= 0.9
    assert (b["mask_ssim_low"], b["mask_ssim_high"]) == pytest.approx((0.6, 0.6))
    assert (gone["videos"], gone["frames"]) == (0, 0)
    assert all(math.isnan(gone[key]) for key in list(table.columns)[3:])


def test_interval_covers_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.05, 200)
    table = mask_ssim_table(scores(a=values.tolist()), ["a"], **SETTINGS)
    half = 1.96 * values.std() / math.sqrt(len(values))
    row = table.iloc[0]
    assert row["mask_ssim_high"] - row["mask_ssim"] == pytest.approx(half, rel=0.2)
    assert row["mask_ssim"] - row["mask_ssim_low"] == pytest.approx(half, rel=0.2)
    narrow = mask_ssim_table(scores(a=values.tolist()), ["a"], **SETTINGS | {"level": 0.5}).iloc[0]
    assert narrow["mask_ssim_high"] < row["mask_ssim_high"]


def test_interval_depends_on_seed_and_values_only() -> None:
    one = scores(a=[0.8, 0.7, 0.9], b=[0.5, 0.6, 0.4])
    alone = mask_ssim_table(one, ["a"], **SETTINGS)
    both = mask_ssim_table(one, ["b", "a"], **SETTINGS)
    assert alone.iloc[0].equals(both.iloc[1])
    other = mask_ssim_table(one, ["a"], **SETTINGS | {"seed": 4, "resamples": 37})
    assert other["mask_ssim_low"][0] != alone["mask_ssim_low"][0]


def test_differences_pair_fake_with_fake() -> None:
    table = differences_table(
        scores(a=[0.9, 0.8, 0.5, NAN], b=[0.8, NAN, 0.6, 0.1], c=[0.7, 0.7, 0.5], d=[NAN]),
        ["a", "b", "c", "d", "gone"],
        seed=3,
        level=0.95,
    )
    assert list(table.columns) == [
        "method",
        "against",
        "fakes",
        "difference",
        "low",
        "high",
        "share_higher",
    ]
    assert table[["method", "against", "fakes"]].to_numpy().tolist() == [
        ["a", "b", 2],
        ["a", "c", 3],
    ]
    # a - b is (.1, -.1) on f0 and f2; a - c is (.2, .1, 0).
    assert table["difference"].tolist() == pytest.approx([0.0, 0.1])
    assert table["share_higher"][0] == pytest.approx(0.5)
    assert table["low"].tolist() == pytest.approx([-0.1, 0.0], abs=0.04)
    assert (table["low"] <= table["difference"]).all()
    assert (table["high"] >= table["difference"]).all()


def test_one_method_has_nothing_to_compare_with() -> None:
    table = differences_table(scores(a=[0.9]), ["a"], seed=0, level=0.95)
    assert len(table) == 0
    assert table["fakes"].dtype == np.int64
