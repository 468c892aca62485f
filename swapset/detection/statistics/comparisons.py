"""Paired differences of AUCs between detectors, methods, datasets and compressions.

Intervals and p-values come from one estimate, see `swapset.jackknife`: people who are in both
count with their own difference, and those of different datasets are independent. The p-value is
below 0.05 exactly if the interval of 95 % leaves out 0. Holm's correction is for all differences of
a kind (such as: between detectors) at a level.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from swapset.detection.auc import estimate_at
from swapset.detection.statistics import delong
from swapset.detection.statistics.levels import Scored
from swapset.holm import holm
from swapset.jackknife import Estimate
from swapset.types import Floats

COLUMNS = [
    *("between", "level", "detector", "dataset", "compression", "first", "second"),
    *("difference", "low", "high", "p", "p_holm", "p_delong", "people", "interval", "faceless"),
]


@dataclass(frozen=True)
class Measured:
    """One detector on one dataset in one compression.

    Attributes
    ----------
    detector, dataset, compression : str
    own : bool
        Whether the dataset is a method of the build, whose people are those of the other methods.
    scored : dict of str to Scored
        By level.
    estimates : dict of str to Estimate
        By level; none where no detector scored both real and fake ones.
    components : (of_fake, of_real) or None
        See `swapset.detection.statistics.delong.components`; None if the test's assumptions do not
        hold.
    """

    detector: str
    dataset: str
    compression: str
    own: bool
    scored: dict[str, Scored]
    estimates: dict[str, Estimate]
    components: tuple[Floats, Floats] | None


def measured(keys: Mapping[str, str], scored: dict[str, Scored], *, own: bool) -> Measured:
    """Return a detector's AUCs on a dataset, as they are compared.

    Parameters
    ----------
    keys : mapping of str to str
        detector, dataset and compression.
    scored : dict of str to Scored
        See `swapset.detection.statistics.levels.all_levels`.
    own : bool
        See `Measured`.
    """
    found = {name: estimate_at(scored, name) for name in scored}
    estimates = {name: part for name, part in found.items() if part is not None}
    video = scored["video"]
    tested = video.both and delong.holds(video)
    components = delong.components(video) if tested else None
    return Measured(**keys, own=own, scored=scored, estimates=estimates, components=components)


def differences(parts: Sequence[Measured], *, level: float, faceless: str) -> pd.DataFrame:
    """Return the table of all differences: columns `COLUMNS`.

    Parameters
    ----------
    parts : sequence of Measured
    level : float
        Of the intervals, in (0, 1).
    faceless : str
        What videos without a face count as.
    """
    rows = []
    for between, one, other in _couples(parts):
        names = [name for name in one.estimates if name in other.estimates]
        rows += [_row(between, one, other, name, level) for name in names]
    table = pd.DataFrame(
        rows, columns=[name for name in COLUMNS if name not in ("p_holm", "faceless")]
    )
    table["faceless"] = faceless
    corrected = table.groupby(["between", "level"])["p"].transform(holm)
    return table.assign(p_holm=corrected)[COLUMNS]


def _couples(parts: Sequence[Measured]) -> Iterator[tuple[str, Measured, Measured]]:
    """Yield the kind of difference and the two that are compared."""
    for settings, between in (
        (lambda part: (part.dataset, part.compression), "detectors"),
        (lambda part: (part.detector, part.compression), "datasets"),
        (lambda part: (part.detector, part.dataset), "compressions"),
    ):
        for group in _grouped(parts, settings):
            for one, other in itertools.combinations(group, 2):
                both_own = between == "datasets" and one.own and other.own
                yield "methods" if both_own else between, one, other


def _grouped(
    parts: Iterable[Measured], key: Callable[[Measured], tuple[str, str]]
) -> list[list[Measured]]:
    groups: dict[tuple[str, str], list[Measured]] = {}
    for part in parts:
        groups.setdefault(key(part), []).append(part)
    return list(groups.values())


def _row(
    between: str, one: Measured, other: Measured, name: str, level: float
) -> dict[str, object]:
    key = {"detectors": "detector", "compressions": "compression"}.get(between, "dataset")
    row: dict[str, object] = {"between": between, "level": name}
    row |= {
        field: getattr(one, field) if field != key else ""
        for field in ("detector", "dataset", "compression")
    }
    row |= {"first": getattr(one, key), "second": getattr(other, key)}
    row |= difference_row(
        one.estimates[name].minus(other.estimates[name]),
        [one.scored[name], other.scored[name]],
        level,
    )
    row["p_delong"] = float("nan")
    if between == "detectors" and name == "video" and one.components and other.components:
        row["p_delong"] = delong.p_value(one.components, other.components)
    return row


def difference_row(
    difference: Estimate, measured_on: Sequence[Scored], level: float
) -> dict[str, object]:
    """Return a difference of AUCs with its interval and p-value, and what it was measured on.

    Parameters
    ----------
    difference : Estimate
    measured_on : sequence of Scored
        The scores behind it.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    dict
        Keys difference, low, high, p, people, interval.
    """
    low, high = difference.interval(level)
    return {
        "difference": difference.value,
        "low": max(low, -1.0),
        "high": min(high, 1.0),
        "p": difference.p_value(),
        "people": min(part.known_people for part in measured_on),
        "interval": " and ".join(dict.fromkeys(part.over for part in measured_on)),
    }
