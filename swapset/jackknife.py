"""Intervals over people, when a fake shows two of them and everybody is in many videos.

Frames hang on videos, videos on pairs, and pairs on people: a fake of a target and a donor varies
with the target, with the donor and with the pair, and a real video with its one person. Here each
person is left out in turn, with all videos that show the person, and then each pair of people. The
people's variance counts what is special to a pair twice, once for each of the two, so the pairs'
variance is taken off. Student's t with one degree of freedom less than there are people corrects
for their small number. Where people fall apart into groups that are never swapped with each other,
those groups are what is independent, and t counts them instead. docs/detection.md has the measured
coverage (`benchmarks/coverage.py`), also of the bootstraps that are too narrow or too wide.

References
----------
B. Efron, C. Stein, "The jackknife estimate of variance", Annals of Statistics 9(3), 1981.
P. M. Aronow, C. Samii, V. A. Assenova, "Cluster-robust variance estimation for dyadic data",
Political Analysis 23(4), 2015: people minus pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv, expit, logit, stdtr, stdtrit

from swapset.seen import Seen
from swapset.types import Floats

NO_ERROR = 1e-9
"""Standard error of a share that stays the same whoever is left out."""


def reach(independent: int, level: float) -> float:
    """Return half the length of an interval, in standard errors: a quantile of Student's t.

    Parameters
    ----------
    independent : int
        Number of independent people or groups.
    level : float
        Of the interval, in (0, 1).
    """
    return float(stdtrit(max(independent - 1, 1), (1 + level) / 2))


def p_value(value: float, error: float, independent: int) -> float:
    """Return the probability of a value as far from 0, if 0 were true.

    Parameters
    ----------
    value : float
    error : float
        Its standard error.
    independent : int
        Number of independent people or groups.
    """
    if np.isnan(error) or np.isnan(value):
        return float("nan")
    if error == 0:
        return float(value == 0)
    return float(2 * stdtr(max(independent - 1, 1), -abs(value) / error))


@dataclass(frozen=True)
class Estimate:
    """A measure with its changes when a person, or a pair of people, is left out.

    Attributes
    ----------
    value : float
    by_person, by_pair : Series of float64
        By name; their sums of squares are the jackknife's variances over people and over pairs.
    independent : int
        Number of independent people or groups.
    """

    value: float
    by_person: pd.Series
    by_pair: pd.Series
    independent: int

    @property
    def error(self) -> float:
        """Standard error; NaN with fewer than two people."""
        if self.independent < 2:
            return float("nan")
        people, pairs = _squares(self.by_person), _squares(self.by_pair)
        return float(np.sqrt(max(people - pairs, pairs)))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval of any measure, symmetric around its value."""
        half = reach(self.independent, level) * self.error
        return self.value - half, self.value + half

    def share_interval(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval of a share or an AUC, within [0, 1].

        It is symmetric on the scale of the logit. If the share stays the same whoever is left out,
        as one of 0 or 1 does, and one of folds where all or none are, nothing is known of how it
        varies: it is then Clopper and Pearson's interval of this share of the people.
        """
        error = self.error
        if np.isnan(error) or np.isnan(self.value):
            return float("nan"), float("nan")
        if error < NO_ERROR or self.value in (0, 1):
            return exact_interval(self.value, self.independent, level)
        half = reach(self.independent, level) * error / (self.value * (1 - self.value))
        return float(expit(logit(self.value) - half)), float(expit(logit(self.value) + half))

    def p_value(self) -> float:
        """Return the probability of a value as far from 0, if 0 were true.

        It is below 1 - level exactly if the interval of that level leaves out 0.
        """
        return p_value(self.value, self.error, self.independent)

    def minus(self, other: Estimate) -> Estimate:
        """Return the paired difference: people who are in both count with their own difference."""
        return Estimate(
            self.value - other.value,
            _difference(self.by_person, other.by_person),
            _difference(self.by_pair, other.by_pair),
            min(self.independent, other.independent),
        )


def exact_interval(share: float, count: int, level: float) -> tuple[float, float]:
    """Return Clopper and Pearson's interval of a share of independent items.

    Parameters
    ----------
    share : float
        In [0, 1]; it need not be a whole number of the items.
    count : int
        Of the items.
    level : float
        Of the interval, in (0, 1).

    References
    ----------
    C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26(4), 1934.
    """
    some, others, tail = share * count, (1 - share) * count, (1 - level) / 2
    low = betaincinv(some, others + 1, tail) if some > 0 else 0.0
    high = betaincinv(some + 1, others, 1 - tail) if others > 0 else 1.0
    return float(low), float(high)


def weighted_sum(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """Return the sum of paired measures with weights: people count with what they change in all.

    Parameters
    ----------
    parts : sequence of (float, Estimate)
        At least one weight and measure.
    """

    def total(changes: Sequence[pd.Series]) -> pd.Series:
        weighted = [weight * each for (weight, _), each in zip(parts, changes, strict=True)]
        return pd.concat(weighted, axis=1).fillna(0.0).sum(axis=1)

    return Estimate(
        float(sum(weight * each.value for weight, each in parts)),
        total([each.by_person for _, each in parts]),
        total([each.by_pair for _, each in parts]),
        min(each.independent for _, each in parts),
    )


def _squares(changes: pd.Series) -> float:
    return float((changes.to_numpy() ** 2).sum())


def _difference(one: pd.Series, other: pd.Series) -> pd.Series:
    if one.index is other.index or one.index.equals(other.index):
        return pd.Series(one.to_numpy() - other.to_numpy(), index=one.index)
    return one.sub(other, fill_value=0.0)


def estimate(
    value: float,
    people: Seen,
    *,
    without_person: Floats,
    without_pair: Floats,
) -> Estimate:
    """Return the estimate of a measure from its values without each person and each pair.

    Parameters
    ----------
    value : float
    people : Seen
        Of the items that were measured.
    without_person : (n,) float64
        The measure without each person; of those who are not seen, any value.
    without_pair : (m,) float64
        The measure without each pair of `people.pairs`. Values that are not known (NaN), because
        nothing is left, count as no change.
    """
    seen = np.zeros(len(people), bool)
    seen[people.first] = True
    seen[people.second[people.second >= 0]] = True
    return Estimate(
        value,
        pd.Series(_changes(without_person[seen]), index=people.names[seen]),
        pd.Series(_changes(without_pair), index=people.pairs[0]),
        people.independent,
    )


def _changes(without: Floats) -> Floats:
    known = np.isfinite(without)
    count = int(known.sum())
    if not count:
        return np.zeros(len(without))
    mean = without[known].mean()
    return np.asarray(np.where(known, without - mean, 0.0) * np.sqrt((count - 1) / count))


def mean_estimate(
    values: npt.ArrayLike, people: Seen, groups: npt.NDArray[np.int64] | None = None
) -> Estimate:
    """Return the estimate of a mean, or of the mean over groups of their means.

    Parameters
    ----------
    values : (k,) array-like
        A finite number per item.
    people : Seen
        Of the k items.
    groups : (k,) int64, optional
        Group of each item, such as the fold of its detector.
    """
    known = np.asarray(values, np.float64)
    groups = np.zeros(len(known), np.int64) if groups is None else groups
    pair_names, pairs = people.pairs
    means, by_person, by_pair = [], [], []
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        part, of = known[inside], people.take(inside)
        ones = np.ones(len(part))
        means.append(part.mean())
        by_person.append(_ratio(part.sum() - of.sums(part), len(part) - of.sums(ones)))
        shared = pairs[inside] >= 0
        numbers = pairs[inside][shared]
        sums, counts = (
            np.bincount(numbers, what[shared], len(pair_names)) for what in (part, ones)
        )
        by_pair.append(_ratio(part.sum() - sums, len(part) - counts.astype(np.float64)))
    return estimate(
        mean_of(means),
        people,
        without_person=columns_mean(by_person),
        without_pair=columns_mean(by_pair),
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    filled = np.full(len(above), np.nan)
    # Sums of floats may leave 1e-17 where nothing is left; counts are exact.
    return np.divide(above, below, out=filled, where=below > 0.5)


def mean_of(values: Sequence[float]) -> float:
    """Return the mean of the values that are known (not NaN); NaN if none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def columns_mean(rows: Sequence[Floats]) -> Floats:
    """Return the mean over rows (n,) float64 of what is known (not NaN) in each column."""
    if len(rows) == 1:
        return rows[0]
    table = np.array(rows)
    known = np.isfinite(table)
    counts = known.sum(axis=0)
    filled = np.full(table.shape[1], np.nan)
    return np.divide(np.where(known, table, 0).sum(axis=0), counts, out=filled, where=counts > 0)
