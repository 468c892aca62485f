import numpy as np
import pytest

from swapset.bootstrap import (
    bootstrap_interval,
    paired_difference,
    percentile_interval,
)


def test_bootstrap_is_near_the_normal_interval_and_repeats():
    values = np.random.default_rng(0).normal(0.8, 0.1, 400)
    low, high = bootstrap_interval(values, seed=1)
    assert low == pytest.approx(values.mean() - 1.96 * 0.1 / 20, abs=0.002)
    assert high == pytest.approx(values.mean() + 1.96 * 0.1 / 20, abs=0.002)
    assert bootstrap_interval(values, seed=1) == (low, high)
    assert bootstrap_interval(values, seed=2) != (low, high)
    narrow = bootstrap_interval(values, seed=1, level=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_bootstrap_of_one_video_has_no_interval():
    assert np.isnan(bootstrap_interval([0.7], seed=0)).all()
    for wrong in ([], [0.5, np.nan]):
        with pytest.raises(ValueError, match="finite"):
            bootstrap_interval(wrong, seed=0)
    with pytest.raises(ValueError, match="level"):
        bootstrap_interval([0.5], seed=0, level=95)


def test_paired_difference_sees_through_the_spread_of_fakes():
    rng = np.random.default_rng(0)
    base = {f"id0_id1_{k:04d}": v for k, v in enumerate(rng.uniform(0.5, 0.9, 30))}
    better = {name: v + 0.02 + rng.normal(0, 0.005) for name, v in base.items()}
    better["id9_id9_0000"] = 0.1
    result = paired_difference(better, base, seed=0)
    assert result.pairs == 30
    assert result.low < result.mean < result.high
    assert result.low > 0.015
    assert result.share_higher == 1
    opposite = paired_difference(base, better, seed=0)
    assert opposite.mean == pytest.approx(-result.mean)
    with pytest.raises(ValueError, match="both methods"):
        paired_difference({"a": 1.0}, {"b": 1.0}, seed=0)


def test_percentiles_leave_half_of_the_rest_at_each_end():
    assert percentile_interval(list(range(101)), 0.9) == pytest.approx((5, 95))
