"""Names and numbers of trainings."""

from __future__ import annotations

import itertools

import pytest

from swapset.dataset.trainings import fold_of, repeat_of, training_name, training_number


def test_names_and_numbers_tell_fold_and_repeat() -> None:
    numbers = set()
    for fold, repeat in itertools.product(range(50), range(20)):
        number = training_number(training_name(fold, repeat))
        assert (fold_of(number), repeat_of(number)) == (fold, repeat)
        numbers.add(number)
    assert len(numbers) == 1000


def test_the_first_training_is_named_by_its_fold_alone() -> None:
    assert training_name(3, 0) == "3"
    assert training_name(3, 2) == "3-s2"
    assert training_number("3") == 3
    with pytest.raises(ValueError, match="invalid literal"):
        training_number("card")
