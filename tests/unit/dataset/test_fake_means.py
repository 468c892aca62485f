"""Means over fakes: intervals over people if there are enough, else over fakes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from swapset.dataset.fake_means import mean_of_fakes
from swapset.dataset.tables import differences_table, mask_ssim_table
from swapset.jackknife import mean_estimate
from swapset.seen import Seen

GIVEN = {"seed": 1, "level": 0.95, "resamples": 500}


def names_of(people: int) -> list[str]:
    """Return the fakes of a ring of people, three of each pair."""
    return [f"id{k}_id{(k + 1) % people}_{n:04d}" for k in range(people) for n in range(3)]


def values_of(people: int, seed: int = 0) -> np.ndarray:
    """Return values that vary with the target."""
    return 0.8 + np.repeat(np.random.default_rng(seed).normal(0, 0.05, people), 3)


def test_of_eight_people_the_interval_is_over_people() -> None:
    names, values = names_of(8), values_of(8)
    mean = mean_of_fakes(values, names, **GIVEN)
    targets = [name.split("_")[0] for name in names]
    donors = [name.split("_")[1] for name in names]
    expected = mean_estimate(values, Seen.of(targets, donors))
    assert (mean.value, mean.over) == (pytest.approx(values.mean()), "people")
    assert (mean.low, mean.high) == pytest.approx(expected.interval(0.95))
    assert mean.p == expected.p_value()
    over_fakes = mean_of_fakes(values, [f"v{k}" for k in range(24)], **GIVEN)
    assert mean.high - mean.low > 1.5 * (over_fakes.high - over_fakes.low)


@pytest.mark.parametrize("names", [names_of(7), [f"{k:03d}_{k + 1:03d}" for k in range(21)]])
def test_of_few_or_unknown_people_it_is_over_fakes(names: list[str]) -> None:
    mean = mean_of_fakes(values_of(7), names, **GIVEN)
    assert mean.over == "fakes"
    assert mean.low < mean.value < mean.high
    assert np.isnan(mean.p)


def test_tables_say_what_intervals_are_over_and_correct_p_values() -> None:
    names = names_of(10)
    values = values_of(10)
    noise = np.random.default_rng(1)
    gains = {"first": 0.0, "same": 0.0, "better": 0.03, "best": 0.2}
    parts = [
        pd.DataFrame({"method": method, "fake": names, "frames": 5, "masked_frame_ssim": 0.9,
                      "mask_ssim": values + gain + noise.normal(0, 0.02, 30),
                      "identity_donor": 1.0})
        for method, gain in gains.items()
    ]  # fmt: skip
    scores = pd.concat(parts)
    table = mask_ssim_table(scores, list(gains), **GIVEN)
    assert set(table["interval"]) == {"people"}
    rows = differences_table(scores, list(gains), seed=1, level=0.95).set_index("against")
    for _, row in rows.iterrows():
        assert (row["p"] < 0.05) == (row["low"] > 0 or row["high"] < 0)
    assert rows.loc["best", "p_holm"] == pytest.approx(3 * rows.loc["best", "p"])
    assert rows.loc["same", "p_holm"] == rows.loc["same", "p"] > 0.05
