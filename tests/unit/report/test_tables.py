"""Tables of the page: text and numbers, aligned by column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from swapset.report.page.section import render
from swapset.report.page.tables import (
    MISSING,
    Cell,
    Table,
    decimals,
    probability,
    table,
    with_interval,
    with_intervals,
)


def column(*values: object) -> list[str]:
    return [row[0].text for row in table(pd.DataFrame({"x": values})).rows]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((1234, 5), ["1,234", "5"]),
        ((30.0, 25.0), ["30", "25"]),
        ((1.0, 0.80181, -0.0004), ["1.000", "0.802", "-0.000"]),
        ((90.5, 193.25, np.nan), ["90.5", "193.2", "-"]),
        ((1234.5, 0.051), ["1,234.500", "0.051"]),
        ((True, False), ["yes", "no"]),
        (("", None, "a"), ["", "-", "a"]),
        (("17.3k", "2018.11"), ["17.3k", "2018.11"]),
    ],
)
def test_a_column_has_equally_many_decimals(values: tuple[object, ...], shown: list[str]) -> None:
    assert column(*values) == shown


def test_whole_numbers_that_may_be_missing() -> None:
    frame = pd.DataFrame({"x": pd.array([2, None], dtype="Int64")})
    assert table(frame).rows == [[Cell("2", True)], [Cell("-", True)]]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ((1, 2), True),
        ((0.5, np.nan), True),
        (("17.3k", "-"), True),
        (("0.999 [0.996, 1.000]", "-"), True),
        (("+0.164 [+0.027, +0.301]", "-0.032 [-0.189, +0.125]"), True),
        (("id0_0000", "1"), False),
        ((np.nan, np.nan), False),
        (("", ""), False),
        ((True, False), False),
        (("1\nx",), False),
    ],
)
def test_numbers_stand_right_with_their_head(values: tuple[object, ...], number: bool) -> None:
    made = table(pd.DataFrame({"x": values}), {"x": "name"})
    assert made.heads == [Cell("name", number)]
    assert {cell.number for row in made.rows for cell in row} == {number}


def test_empty_tables_have_their_heads() -> None:
    assert table(pd.DataFrame(columns=["a", "b"])) == Table([Cell("a"), Cell("b")], [])
    assert decimals([]) == 0


def test_columns_may_have_equal_names() -> None:
    frame = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    assert table(frame).rows == [[Cell("1", True), Cell("x")]]


def test_numbers_are_marked_in_the_page() -> None:
    rows = pd.DataFrame({"caption": ["x"], "value": [0.5]})
    section = type("Section", (), {"source": "s", "tables": [("Table 1", table(rows))]})
    text = render("quoted", section=section)
    assert '<th scope="col">caption</th><th scope="col" class="number">value</th>' in text
    assert '<tr><td>x</td><td class="number">0.500</td></tr>' in text


@pytest.mark.parametrize(
    ("ends", "shown", "signed"),
    [
        ((0.7, 0.9), "0.800 [0.700, 0.900]", "+0.800 [+0.700, +0.900]"),
        ((np.nan, np.nan), "0.800", "+0.800"),
    ],
)
def test_a_number_stands_alone_where_its_interval_is_not_known(
    ends: tuple[float, float], shown: str, signed: str
) -> None:
    assert with_interval(0.8, *ends) == shown
    assert with_interval(0.8, *ends, signed=True) == signed
    assert with_interval(np.nan, *ends) == MISSING
    rows = pd.DataFrame({"auc": [0.8], "auc_low": ends[0], "auc_high": ends[1]})
    assert with_intervals(rows, "auc") == [shown]


def test_small_p_values_are_not_shown_as_zero() -> None:
    assert [probability(p) for p in (0.0004, 0.04, np.nan)] == ["<0.001", "0.040", MISSING]
