"""The order of epochs: every example once before any comes again, from any position."""

from __future__ import annotations

import numpy as np
import pytest

from swapset.learning.order import Epochs


def test_every_example_comes_before_any_comes_again() -> None:
    drawn = Epochs(7, 3).indices(0, 35).reshape(5, 7)
    for epoch in drawn:
        assert sorted(epoch) == list(range(7))
    assert len({tuple(epoch) for epoch in drawn}) > 1


@pytest.mark.parametrize("first", [0, 1, 6, 7, 20, 30])
@pytest.mark.parametrize("number", [1, 5, 7, 20])
def test_any_stretch_is_that_of_the_whole_order(first: int, number: int) -> None:
    whole = Epochs(7, 3).indices(0, 50)
    np.testing.assert_array_equal(
        Epochs(7, 3).indices(first, number), whole[first : first + number]
    )


def test_the_order_is_the_seeds_and_the_names() -> None:
    orders = [Epochs(20, *seeds).indices(0, 40).tolist() for seeds in ((3,), (4,), (3, 0), (3, 1))]
    assert len({tuple(order) for order in orders}) == 4
    assert Epochs(20, 3, 1).indices(0, 40).tolist() == orders[3]


def test_a_single_example_and_none() -> None:
    assert Epochs(1, 3).indices(5, 4).tolist() == [0] * 4
    assert Epochs(7, 3).indices(5, 0).shape == (0,)
