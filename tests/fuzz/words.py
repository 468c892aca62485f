"""Strategies of Hypothesis for malformed cells, tables, lists and settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from swapset.errors import SwapsetError

NASTY = [
    "", " ", "\0", "\n", "\r\n", "'", '"', '""', ",", ";", "\t", "\ufeff", "..", "../../etc/passwd",
    "/etc/passwd", "/dev/zero", "~", "-rf", "--help", "$(touch ran)", "`touch ran`", "; touch ran",
    "%s%n", "{0.__class__}", "{wildcards}", "a\u0301", "\u202eevil", "\u200b", "😀", "\u0130", "ß",
    "²",
    "٣", "\uff11", "Ⅷ",
    "nan", "NaN", "inf", "-inf", "1e999", "-0", "0x10", "1_000", "9" * 5000,
    "None", "null", "true", "yes", "NO", "a" * 300, "file:a", "http://127.0.0.1:1/a", "a/../b",
    "con", "a.mp4/", "./a.mp4", "link.mp4", "circle", "folder", "1.5", "-1", "1e6", "\x1b[2J",
    "\x85",
]  # fmt: skip
"""Texts that are known to break programs."""

NAMES = (
    "$(touch ran)",
    "`touch ran`",
    "; touch ran;",
    "a & touch ran &",
    "a | touch ran",
    "a > ran",
    'it\'s "q"',
    "a\nb",
    "a\rb\t",
    "-rf",
    "--help",
    "!ran",
    "~",
    "#a",
    "*?[a]",
    "{wildcards}",
    "{0}",
    "%s%05d",
    "$HOME",
    "a\\b",
    "file:a",
    "http:a",
    "concat:a|b",
    "pipe:0",
    " a ",
    "\u202egnp",
    "e\u0301",
    "\u00e9",
    "\u200b",
    "😀",
    "Ünïcödé 日本",
    "a" * 200,
)
"""Hostile file names that are valid text."""

RAW = b"half \xff\xc3 a name"
"""A file name that is not UTF-8."""

LONGEST = 20_000
"""Largest number of characters in a message."""


def attempt(work: Callable[[], Any]) -> tuple[Any, str | None]:
    """Do some work; return its result and the message of its error, which must be clear."""
    try:
        return work(), None
    except SwapsetError as error:
        message = str(error)
    assert message.strip()
    assert len(message) < LONGEST
    return None, message


words = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))
numbers = st.one_of(
    st.integers(-5, 200), st.floats(), st.integers(), st.sampled_from([2**31, 2**63, 10**400])
)


def cells(usual: Sequence[str]) -> st.SearchStrategy[str]:
    """Return cells that are mostly usual, otherwise anything."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), words, numbers.map(_text))


def _text(number: float) -> str:
    try:
        return str(number)
    except ValueError:  # more digits than Python writes
        return "7" * 5000


@st.composite
def tables(draw: st.DrawFn, columns: dict[str, Sequence[str]]) -> bytes:
    """Return a CSV file with mostly these columns and mostly their usual cells."""
    names = list(columns)
    if draw(st.integers(0, 3)) == 0:
        names = draw(st.lists(st.one_of(st.sampled_from(names), words), max_size=len(names) + 2))
    rows = draw(
        st.lists(st.tuples(*(cells(columns.get(name, ("1",))) for name in names)), max_size=5)
    )
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",,,,,;\t")))
    writer.writerow(names)
    writer.writerows(rows)
    return draw(damaged(text.getvalue()))


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """Return a text as a file, usually intact and in UTF-8."""
    coding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "latin-1"]))
    data = text.encode(coding, "replace")
    if draw(st.integers(0, 4)):
        return data
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, len(data)))
    return data[:start] + draw(st.binary(max_size=8)) + data[end:]


def json_values(keys: Sequence[str] = ("a",), usual: Sequence[Any] = ("a",)) -> Any:
    """Return values of the types of JSON and YAML."""
    leaves = st.one_of(st.sampled_from(usual), words, numbers, st.none(), st.booleans())
    names = st.one_of(st.sampled_from(keys), words)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)
        ),
        max_leaves=12,
    )
