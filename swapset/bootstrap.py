"""Percentile bootstrap of means and of paired differences.

B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


def bootstrap_interval(
    values: npt.ArrayLike, *, seed: int, level: float = 0.95, resamples: int = 2000
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean.

    Parameters
    ----------
    values : (n,) array-like
        One finite number per video: whole videos are resampled, not their frames.
    seed : int
        Seed of the resampling.
    level : float
        Confidence level of the interval, within (0, 1).
    resamples : int
        Number of resamples.

    Returns
    -------
    low, high : float
        Ends of the interval; NaN for a single value, of whose spread nothing is known.

    Raises
    ------
    ValueError
        If there are no values, a value is not finite, or `level` is not within (0, 1).

    References
    ----------
    B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.
    """
    known = np.asarray(values, np.float64)
    if known.ndim != 1 or not len(known) or not np.isfinite(known).all():
        raise ValueError("the bootstrap needs at least one value, all of them finite")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if len(known) == 1:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    means = [known[generator.integers(0, len(known), len(known))].mean() for _ in range(resamples)]
    return percentile_interval(means, level)


def percentile_interval(replicates: Sequence[float], level: float) -> tuple[float, float]:
    """Return the interval between the percentiles of a measure over bootstrap samples.

    Parameters
    ----------
    replicates : sequence of r floats
        The measure on each bootstrap sample.
    level : float
        Probability between the two ends, in (0, 1).
    """
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class PairedDifference:
    """The difference between two methods on the same fakes.

    Attributes
    ----------
    pairs : int
        Number of fakes that both methods made.
    mean : float
        Mean difference.
    low, high : float
        Ends of its bootstrap interval.
    share_higher : float
        Share of the fakes with a positive difference, in [0, 1].
    """

    pairs: int
    mean: float
    low: float
    high: float
    share_higher: float


def paired_difference(
    first: Mapping[str, float],
    second: Mapping[str, float],
    *,
    seed: int,
    level: float = 0.95,
) -> PairedDifference:
    """Compare two methods on the fakes that both made: first - second.

    Parameters
    ----------
    first, second : mapping of str to float
        Each method's values by the name of the fake.
    seed : int
        Seed of the bootstrap.
    level : float
        Confidence level of the interval of the mean difference.

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        If no fake is in both.
    """
    names = sorted(set(first) & set(second))
    if not names:
        raise ValueError("no fake was made by both methods: nothing can be compared in pairs")
    differences = np.array([first[name] - second[name] for name in names])
    low, high = bootstrap_interval(differences, seed=seed, level=level)
    return PairedDifference(
        len(names), float(differences.mean()), low, high, float((differences > 0).mean())
    )
