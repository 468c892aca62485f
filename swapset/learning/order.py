"""Order in which a training sees its examples: epoch after epoch, each shuffled differently."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from swapset.seeds import derive_seed


class Epochs:
    """An endless order of examples, in which all come once before any comes again.

    Any part of it can be computed directly, so a resumed training needs no state of it.

    Parameters
    ----------
    count : int
        Number of examples.
    seed : int
    *names : object
        Further seeds of the order, such as the class of the examples.
    """

    def __init__(self, count: int, seed: int, *names: object):
        self._count, self._seed, self._names = count, seed, names

    def indices(self, first: int, number: int) -> npt.NDArray[np.int64]:
        """Return `number` examples from position `first` on, (number,) int64 in [0, count)."""
        positions = np.arange(first, first + number)
        epochs, within = positions // self._count, positions % self._count
        return np.array(
            [self._epoch(int(k))[place] for k, place in zip(epochs, within, strict=True)], np.int64
        )

    def _epoch(self, number: int) -> npt.NDArray[np.int64]:
        return _shuffled(self._count, derive_seed(self._seed, "order", *self._names, number))


@lru_cache(maxsize=16)
def _shuffled(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return 0 to count - 1 (count,) int64, shuffled; cached, because an epoch has many steps."""
    order = np.random.default_rng(seed).permutation(count)
    order.flags.writeable = False
    return order
