"""HTML elements from Python values; every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

_VOID = {"img", "meta"}


class Markup(str):
    """Text that is HTML already."""


def element(tag: str, *children: str | Iterable[str], **attributes: str) -> Markup:
    """Return an element; children that are no `Markup` are escaped, and so are attributes.

    Parameters
    ----------
    tag : str
    *children : str, or iterable of str
    **attributes : str
        A trailing underscore in a name is dropped (`class_`), others become hyphens.
    """
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    opening = tag + "".join(f' {name}="{html.escape(value)}"' for name, value in pairs)
    if tag in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(children)}</{tag}>")


def joined(children: Iterable[str | Iterable[str]]) -> Markup:
    """Return children one after the other, escaped where they are no `Markup`."""
    parts = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, str):
            parts.append(html.escape(child))
        else:
            parts.append(str(joined(child)))
    return Markup("".join(parts))


def table(frame: pd.DataFrame, heads: Mapping[str, str] | None = None) -> Markup:
    """Return a DataFrame as an HTML table.

    Parameters
    ----------
    frame : DataFrame
        Numbers are right-aligned with three decimals, NaN is a dash.
    heads : mapping of str to str, optional
        Words for column names.
    """
    heads = heads or {}
    top = element("tr", (element("th", heads.get(str(name), str(name))) for name in frame.columns))
    body = (element("tr", map(_cell, row)) for row in frame.itertuples(index=False, name=None))
    return element(
        "div", element("table", element("thead", top), element("tbody", body)), class_="scroll"
    )


def _cell(value: Any) -> Markup:
    if isinstance(value, bool):
        return element("td", "yes" if value else "no")
    if pd.isna(value):
        return element("td", "-", class_="number")
    if isinstance(value, int | float):
        return element("td", number(value), class_="number")
    return element("td", str(value))


def number(value: float) -> str:
    """Return a number as readers like it: 1,234, 0.812, 193.2."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.1f}"
