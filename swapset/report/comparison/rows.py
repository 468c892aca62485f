"""Rows of the comparison of two builds: two numbers, and their paired difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from swapset.holm import holm
from swapset.jackknife import Estimate, p_value, reach

COLUMNS = [
    *("table", "about", "measure", "a", "b", "difference", "low", "high", "p", "p_holm"),
    *("pairs", "unit", "people", "interval", "faceless"),
]
"""Columns of the comparison. `difference` is b - a; `pairs` is the number of `unit`s of both; the
rest is as in the tables of detectors."""
Row = dict[str, object]
Folders = Sequence[Path]


@dataclass(frozen=True)
class Gap:
    """A paired difference.

    Attributes
    ----------
    value, low, high : float
        The difference and the ends of its interval; NaN where there is none.
    p : float
        Below 1 - level exactly if the interval leaves out 0.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    p: float = float("nan")

    @classmethod
    def of(cls, estimate: Estimate, level: float, *, share: bool = False) -> Self:
        """Return the difference that an estimate gives.

        Parameters
        ----------
        estimate : Estimate
        level : float
            Of the interval, in (0, 1).
        share : bool
            Whether it is between shares, so that it lies between -1 and 1.
        """
        return cls.with_error(
            estimate.value, estimate.error, estimate.independent, level, share=share
        )

    @classmethod
    def with_error(
        cls, value: float, error: float, independent: int, level: float, *, share: bool
    ) -> Self:
        """Return a difference with a known standard error.

        Parameters
        ----------
        value, error : float
        independent : int
            Number of independent people or groups.
        level, share
            See `of`.
        """
        half = reach(independent, level) * error
        low, high = value - half, value + half
        if share:
            low, high = max(low, -1.0), min(high, 1.0)  # NaN stays: it is the first argument
        return cls(value, low, high, p_value(value, error, independent))


def row(
    label: Sequence[object], a: float, b: float, gap: Gap | None = None, **facts: object
) -> Row:
    """Return one row of the comparison.

    Parameters
    ----------
    label : (table, about, measure)
    a, b : float
        The measure in each build.
    gap : Gap, optional
        None if only the two numbers are compared.
    **facts : object
        Columns from `pairs` on.
    """
    gap = gap or Gap(b - a)
    found: Row = dict(zip(COLUMNS[:3], label, strict=True))
    found |= {"a": a, "b": b, "difference": gap.value}
    return found | {"low": gap.low, "high": gap.high, "p": gap.p} | facts


def as_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return rows as a table with `COLUMNS`, by table; p is corrected in each table and measure."""
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "p_holm"])
    place = pd.Series(pd.factorize(table["table"])[0]).argsort(kind="stable")
    table = table.iloc[place].reset_index(drop=True)
    corrected = table.groupby(["table", "measure"])["p"].transform(holm)
    table = table.assign(p_holm=corrected.astype(float))[COLUMNS]
    return table.astype({"pairs": "Int64", "people": "Int64"})


def files(folder: Path, pattern: str) -> set[str]:
    """Return the files in a folder that fit a pattern, as paths from there."""
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern)}


def shared(folders: Folders, pattern: str) -> list[str]:
    """Return the files that fit a pattern and are in all folders, in order."""
    return sorted(set.intersection(*(files(folder, pattern) for folder in folders)))
