"""Tables for the page: numbers of a column have equally many decimals and are right-aligned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

MISSING = "-"
# Texts that are numbers, such as 17.3k, <0.001 and 0.812 [0.790, 0.834].
_PRINTED = re.compile(r"[-+<]?\d[\d.,]*[k%]?( \[[-+\d., ]+\])?|-")


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and whether it is a number."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Table:
    """The heads of a table's columns, and its rows."""

    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def table(frame: pd.DataFrame, heads: Mapping[str, str] | None = None) -> Table:
    """Return a DataFrame as a table of text, with a dash for missing values.

    Parameters
    ----------
    frame : DataFrame
    heads : mapping of str to str, optional
        The head for the name of a column; others keep their name.
    """
    heads = heads or {}
    columns = [_column(list(values)) for _, values in frame.items()]
    numbers = [_all_numbers(column) for column in columns]
    names = [heads.get(str(name), str(name)) for name in frame.columns]
    rows = zip(*columns, strict=True)
    return Table(list(_cells(names, numbers)), [list(_cells(row, numbers)) for row in rows])


def _cells(texts: Sequence[str], numbers: Sequence[bool]) -> Iterator[Cell]:
    return map(Cell, texts, numbers)


def _all_numbers(texts: Sequence[str]) -> bool:
    present = [text for text in texts if text != MISSING]
    return bool(present) and all(map(_PRINTED.fullmatch, present))


def _column(values: Sequence[Any]) -> list[str]:
    places = decimals([value for value in values if _is_number(value)])
    return [_text(value, places) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not pd.isna(value)


def _text(value: Any, places: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pd.isna(value):
        return MISSING
    return f"{value:,.{places}f}" if _is_number(value) else str(value)


def decimals(values: Sequence[float]) -> int:
    """Return the number of decimals of a column: 0 for integers, 1 for large values, else 3."""
    if all(float(value).is_integer() for value in values):
        return 0
    sizes = [abs(value) for value in values if value]
    return 1 if max(sizes) >= 100 and min(sizes) >= 1 else 3


def with_interval(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """Return a number with its interval, alone where that is not known; a dash without a number.

    Parameters
    ----------
    value, low, high : float
        May be NaN.
    signed : bool
        Write a plus before positive numbers.
    """
    if pd.isna(value):
        return MISSING
    sign = "+" if signed else ""
    if pd.isna(low) or pd.isna(high):
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def with_intervals(rows: pd.DataFrame, value: str) -> list[str]:
    """Return the numbers of a column with their intervals, from the columns `_low` and `_high`."""
    ends = zip(rows[value], rows[f"{value}_low"], rows[f"{value}_high"], strict=True)
    return [with_interval(*each) for each in ends]


def probability(value: float) -> str:
    """Return a p-value with three decimals; a dash for NaN."""
    if pd.isna(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"
