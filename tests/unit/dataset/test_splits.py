"""Nobody is learnt from and tested."""

from __future__ import annotations

from itertools import combinations

import pytest

from swapset.dataset.splits import Fold, check_leakage, make_folds
from swapset.errors import ConfigError, DataError

PEOPLE = [f"id{k}" for k in range(10)]
COUPLES = [(f"id{k}", f"id{k + 1}") for k in range(0, 10, 2)]


def folds_of(pairs: list[tuple[str, str]], folds: int = 1, **changed: float) -> list[Fold]:
    shares = {"test": 0.2, "validation": 0.2} | changed
    return make_folds(PEOPLE, pairs, folds=folds, seed=1, **shares)


@pytest.mark.parametrize("folds", [1, 3, 5])
@pytest.mark.parametrize("pairs", [COUPLES, list(combinations(PEOPLE, 2)), []])
def test_parts_are_disjoint_and_whole(folds: int, pairs: list[tuple[str, str]]) -> None:
    found = folds_of(pairs, folds)
    assert len(found) == folds
    for fold in found:
        assert fold.train
        assert fold.val
        assert fold.test
        assert sorted([*fold.train, *fold.val, *fold.test]) == PEOPLE
    if folds > 1:
        assert sorted(person for fold in found for person in fold.test) == PEOPLE


@pytest.mark.parametrize("folds", [1, 3])
def test_couples_stay_together(folds: int) -> None:
    found = folds_of(COUPLES, folds)
    assert len(found) == folds
    for fold in found:
        assert all(fold.role(one, other) for one, other in COUPLES)


def test_where_everybody_is_swapped_people_are_split_one_by_one() -> None:
    (fold,) = folds_of(list(combinations(PEOPLE, 2)))
    assert (len(fold.train), len(fold.val), len(fold.test)) == (6, 2, 2)
    assert fold.role(next(iter(fold.train)), next(iter(fold.test))) is None


def test_two_couples_are_enough_but_leave_no_validation() -> None:
    people = ["id0", "id1", "id2", "id3"]
    pairs = [("id0", "id1"), ("id2", "id3")]
    (fold,) = make_folds(people, pairs, folds=1, test=0.2, validation=0.2, seed=0)
    assert {fold.train, fold.test} == {frozenset(people[:2]), frozenset(people[2:])}
    assert not fold.val


def test_the_seed_decides() -> None:
    tests = {
        make_folds(PEOPLE, [], folds=1, test=0.2, validation=0, seed=seed)[0].test
        for seed in (1, 1, 2, 3, 4)
    }
    assert 1 < len(tests) < 5
    assert folds_of(COUPLES, 2) == folds_of(COUPLES, 2)


def test_too_few_people_are_refused() -> None:
    with pytest.raises(ConfigError, match="folds: 3 folds need at least 3"):
        make_folds(["id0", "id1"], [], folds=3, test=0.2, validation=0, seed=0)


def test_leakage_names_the_person_and_both_videos() -> None:
    people = {"train": {"id0_id1_0000": ["id0", "id1"]}, "test": {"id2_0000": ["id2"]}}
    check_leakage(people)
    people["test"]["id3_id1_0000"] = ["id3", "id1"]
    with pytest.raises(DataError, match=r"id1 is in id0_id1_0000 \(train\) and in id3_id1_0000"):
        check_leakage(people)


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("pairs", [COUPLES, list(combinations(PEOPLE, 2)), []])
def test_two_names_of_one_person_are_never_apart(folds: int, pairs: list[tuple[str, str]]) -> None:
    """Also where everybody is swapped with everybody, so that people are split one by one."""
    same = [("id0", "id7"), ("id7", "id5")]
    for seed in range(8):
        found = make_folds(
            PEOPLE, pairs, folds=folds, test=0.2, validation=0.2, seed=seed, same=same
        )
        for fold in found:
            assert fold.role("id0", "id5", "id7")
            assert sorted([*fold.train, *fold.val, *fold.test]) == PEOPLE


def test_too_few_people_under_many_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="there are 1"):
        make_folds(
            ["id0", "id1"], [], folds=1, test=0.2, validation=0, seed=1, same=[("id0", "id1")]
        )
