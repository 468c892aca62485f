"""Counts of scores below others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from swapset.types import Floats

Ints = npt.NDArray[np.int64]


def below(scores: Floats, ranked: Floats) -> Floats:
    """Return how many of the ranked scores are below each score; ties count half.

    Parameters
    ----------
    scores : (...) float64
    ranked : (r,) float64
        In ascending order.

    Returns
    -------
    (...) float64
    """
    low, high = (np.searchsorted(ranked, scores, side) for side in ("left", "right"))
    return np.asarray((low + high) / 2, np.float64)


def groups(numbers: Ints) -> dict[int, slice]:
    """Return where each number lies among numbers (k,) int64 in ascending order."""
    found, starts = np.unique(numbers, return_index=True)
    ends = [*starts.tolist(), len(numbers)][1:]
    return {
        int(number): slice(int(start), end)
        for number, start, end in zip(found, starts, ends, strict=True)
    }


def share(wins: Floats, pairs: npt.NDArray[Any]) -> Floats:
    """Return wins (n,) float64 over the number of pairs (n,) int64; NaN where there is no pair."""
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)
