"""Intervals over people against closed forms, brute force, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from swapset.jackknife import Estimate, mean_estimate, weighted_sum
from swapset.seen import FEW, Seen, units


def alone(names: list[str]) -> Seen:
    return Seen.of(names, [""] * len(names))


def dyads(people: int, each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Seen]:
    """Return targets, donors and people of fakes with `each` donors for every target."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(people), each)
    steps = np.argsort(rng.random((people, people - 1)), axis=1)[:, :each] + 1
    donors = (targets + steps.ravel()) % people
    named = [[f"id{number}" for number in part] for part in (targets, donors)]
    return targets, donors, Seen.of(*named)


def test_of_independent_items_it_is_students_interval_and_test() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 20)
    found = mean_estimate(values, alone([f"p{k}" for k in range(20)]))
    known = stats.ttest_1samp(values, 0)
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(20))
    assert found.interval(0.95) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.p_value() == pytest.approx(known.pvalue)


def test_items_of_one_person_are_one_observation() -> None:
    values = np.random.default_rng(2).normal(size=12)
    names = [f"p{k}" for k in range(12)]
    once = mean_estimate(values, alone(names))
    thrice = mean_estimate(np.repeat(values, 3), alone([name for name in names for _ in range(3)]))
    assert thrice.error == pytest.approx(once.error)
    assert thrice.interval(0.9) == pytest.approx(once.interval(0.9))


def test_people_and_pairs_are_left_out_as_by_hand() -> None:
    targets, donors, people = dyads(10, 3)
    values = np.random.default_rng(3).normal(size=len(targets))
    found = mean_estimate(values, people)
    without = np.array([values[(targets != k) & (donors != k)].mean() for k in range(10)])
    for k in range(10):
        change = (without[k] - without.mean()) * np.sqrt(0.9)
        assert found.by_person[f"id{k}"] == pytest.approx(change)
    couples = sorted({tuple(sorted(pair)) for pair in zip(targets, donors, strict=True)})
    either = [
        values[~(np.isin(targets, couple) & np.isin(donors, couple))].mean() for couple in couples
    ]
    assert (found.by_pair**2).sum() == pytest.approx(
        np.var(either) * len(couples) * (len(couples) - 1) / len(couples)
    )
    people_alone, pairs = (found.by_person**2).sum(), (found.by_pair**2).sum()
    assert found.error == pytest.approx(np.sqrt(max(people_alone - pairs, pairs)))


@pytest.mark.parametrize(("person", "pair"), [(1.0, 0.0), (0.0, 1.0), (0.5, 1.0)])
def test_the_variance_of_fakes_of_two_people_is_right_on_average(
    person: float, pair: float
) -> None:
    rng = np.random.default_rng(4)
    values, variances = [], []
    for seed in range(400):
        targets, donors, people = dyads(20, 4, seed)
        of = person * rng.normal(size=20)
        scores = of[targets] + of[donors] + pair * rng.normal(size=len(targets))
        found = mean_estimate(scores, people)
        values.append(found.value)
        variances.append(found.error**2)
    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.25)


def test_a_person_who_is_both_target_and_donor_counts_once() -> None:
    people = Seen.of(["a", "a", "b"], ["a", "b", ""])
    assert list(people.second) == [-1, 1, -1]
    assert list(people.pairs[1]) == [-1, 0, -1]
    np.testing.assert_array_equal(people.sums(np.array([1.0, 2, 4])), [3, 6])


def test_couples_that_are_never_mixed_count_as_groups() -> None:
    names = [f"id{k}" for k in range(20)]
    partners = [f"id{k ^ 1}" for k in range(20)]
    assert Seen.of(names, partners).independent == 10
    assert Seen.of(names[:14], partners[:14]).independent == 14  # seven groups are too few
    assert Seen.of(names, [*names[1:], names[0]]).independent == 20  # one ring
    assert alone(names).independent == 20


def test_few_people_give_intervals_over_fakes() -> None:
    _, _, people = dyads(FEW, 2)
    items = [f"v{k}" for k in range(len(people.first))]
    assert units(people, items) == (people, "people")
    _, _, few = dyads(FEW - 1, 2)
    over, name = units(few, items[: len(few.first)])
    assert name == "fakes"
    assert over.independent == len(few.first)


def test_p_value_and_interval_always_agree() -> None:
    rng = np.random.default_rng(5)
    decisions = []
    for seed in range(200):
        _, _, people = dyads(12, 2, seed)
        found = mean_estimate(rng.normal(0.4, 1, 24), people)
        for level in (0.9, 0.95):
            low, high = found.interval(level)
            decisions.append(low > 0 or high < 0)
            assert decisions[-1] == (found.p_value() < 1 - level)
    assert 40 < sum(decisions) < 360


def test_groups_count_alike() -> None:
    values = np.array([1.0, 2, 3, 10, 20])
    groups = np.array([0, 0, 0, 1, 1])
    found = mean_estimate(values, alone(list("abcde")), groups)
    assert found.value == pytest.approx((2 + 15) / 2)
    without = [(2.5 + 15) / 2, (2 + 15) / 2, (1.5 + 15) / 2, (2 + 20) / 2, (2 + 10) / 2]
    assert found.error == pytest.approx(np.sqrt(4 / 5 * ((without - np.mean(without)) ** 2).sum()))


def test_a_share_that_nobody_breaks_is_not_certain() -> None:
    people = alone([f"p{k}" for k in range(30)])
    low, high = mean_estimate(np.ones(30), people).share_interval(0.95)
    assert (low, high) == (pytest.approx(0.025 ** (1 / 30)), 1)  # Clopper and Pearson, 30 of 30
    assert low == pytest.approx(stats.binomtest(30, 30).proportion_ci(0.95).low)
    assert mean_estimate(np.zeros(30), people).share_interval(0.95)[1] == pytest.approx(1 - low)


@pytest.mark.parametrize("folds_with_all", [1, 2])
def test_folds_where_all_or_none_are_say_nothing_of_the_spread(folds_with_all: int) -> None:
    groups = np.repeat([0, 1, 2], 10)
    values = (groups < folds_with_all).astype(float)
    found = mean_estimate(values, alone([f"p{k}" for k in range(30)]), groups)
    assert found.error == pytest.approx(0)
    expected = stats.binomtest(10 * folds_with_all, 30).proportion_ci(0.95)
    assert found.share_interval(0.95) == pytest.approx((expected.low, expected.high))


def test_shares_stay_within_their_bounds() -> None:
    values = np.r_[np.ones(18), 0, 0.5]
    low, high = mean_estimate(values, alone([f"p{k}" for k in range(20)])).share_interval(0.99)
    assert 0 < low < values.mean() < high < 1


def test_a_difference_pairs_people_and_adds_strangers() -> None:
    rng = np.random.default_rng(6)
    names = [f"p{k}" for k in range(25)]
    one, other = rng.normal(size=(2, 25))
    first = mean_estimate(one, alone(names))
    same = first.minus(mean_estimate(other, alone(names)))
    known = stats.ttest_rel(one, other)
    assert same.p_value() == pytest.approx(known.pvalue)
    assert same.interval(0.95) == pytest.approx(tuple(known.confidence_interval(0.95)))
    strangers = mean_estimate(other, alone([f"q{k}" for k in range(25)]))
    apart = first.minus(strangers)
    assert apart.error == pytest.approx(np.hypot(first.error, strangers.error))


def test_a_weighted_sum_pairs_people() -> None:
    rng = np.random.default_rng(7)
    names = [f"p{k}" for k in range(25)]
    one, other = rng.normal(size=(2, 25))
    first, second = mean_estimate(one, alone(names)), mean_estimate(other, alone(names[::-1]))
    gap = weighted_sum([(1, first), (-1, second)])
    paired = first.minus(second)
    assert (gap.value, gap.error) == pytest.approx((paired.value, paired.error))
    mean = weighted_sum([(0.25, first), (0.75, second)])
    whole = mean_estimate(0.25 * one + 0.75 * other[::-1], alone(names))
    assert (mean.value, mean.error) == pytest.approx((whole.value, whole.error))


def test_one_person_has_no_interval() -> None:
    found = mean_estimate([1.0, 2.0], alone(["a", "a"]))
    assert isinstance(found, Estimate)
    assert np.isnan([found.error, *found.interval(0.95), found.p_value()]).all()
