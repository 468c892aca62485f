"""Means over fakes with intervals over people, who are told from the fakes' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from swapset.bootstrap import bootstrap_interval
from swapset.jackknife import mean_estimate
from swapset.seen import Seen, units

_NAME = re.compile(r"([^_]+)_([^_]+)_\d+")
"""Target, donor and number, as this project and Celeb-DF name fakes."""


@dataclass(frozen=True)
class Mean:
    """A mean over fakes.

    Attributes
    ----------
    value : float
    low, high : float
        Ends of the interval.
    p : float
        Probability of a mean as far from 0 if 0 were true; NaN if the interval is over fakes.
    over : str
        What the interval is over: "people", or "fakes" if there are fewer than eight people or
        their names are not known. "" without values.
    """

    value: float
    low: float
    high: float
    p: float
    over: str


def mean_of_fakes(
    values: npt.ArrayLike, names: Sequence[str], *, seed: int, level: float, resamples: int
) -> Mean:
    """Return the mean of a measure over fakes; NaN without values.

    Parameters
    ----------
    values : (k,) array-like
        Finite numbers.
    names : sequence of k str
        Of the fakes.
    seed : int
        Of the bootstrap.
    level : float
        Of the interval, in (0, 1).
    resamples : int
        Of the bootstrap over fakes, which is used where there are too few people.
    """
    known = np.asarray(values, np.float64)
    nan = float("nan")
    if not len(known):
        return Mean(nan, nan, nan, nan, "")
    people, over = people_of_fakes(names)
    if over == "people":
        found = mean_estimate(known, people)
        return Mean(found.value, *found.interval(level), found.p_value(), over)
    ends = bootstrap_interval(known, seed=seed, level=level, resamples=resamples)
    return Mean(float(known.mean()), *ends, nan, over)


def people_of_fakes(names: Sequence[str]) -> tuple[Seen, str]:
    """Return what intervals are taken over, and its name: see `swapset.seen.units`.

    The people of fakes are told from their names; if somebody's is not known, it is the fakes.

    Parameters
    ----------
    names : sequence of str
    """
    found = [_NAME.fullmatch(name) for name in names]
    pairs = [match.groups() for match in found if match]
    if len(pairs) < len(names):
        return Seen.of(names, [""] * len(names)), "fakes"
    targets, donors = zip(*pairs, strict=True)
    return units(Seen.of(targets, donors), names)
