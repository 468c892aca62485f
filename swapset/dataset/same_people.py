"""The table of subjects who are one person: `tables/same_people.csv`. Light to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from swapset.io.files import read_csv, write_csv

_COLUMNS = ["subject", "same_as"]


def write_same_people(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write one row for each two subjects who are one person; the first name is `same_as`."""
    import pandas as pd

    rows = [(second, first) for first, second in pairs]
    write_csv(path, pd.DataFrame(rows, columns=_COLUMNS))


def read_same_people(paths: Sequence[str | Path]) -> list[tuple[str, str]]:
    """Read the table.

    Parameters
    ----------
    paths : sequence of path-like
        The table, or nothing: then nobody is merged.

    Returns
    -------
    list of (str, str)
        The first and the second name.

    Raises
    ------
    DataError
        If the table is damaged.
    """
    rows = [read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    return [(row["same_as"], row["subject"]) for part in rows for row in part.to_dict("records")]


def one_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the first name of everybody who has several, also over a third name.

    Examples
    --------
    >>> one_name([("id0", "id4"), ("id4", "id7"), ("id1", "id2")])
    {'id4': 'id0', 'id7': 'id0', 'id2': 'id1'}
    """
    names: dict[str, str] = {}
    for first, second in pairs:
        target, source = names.get(first, first), names.get(second, second)
        if target != source:
            names = {name: target if one == source else one for name, one in names.items()}
            names[source] = target
    return names


def are_one(pairs: Iterable[tuple[str, str]], one: str, other: str) -> bool:
    """Return whether two subjects are one person.

    Parameters
    ----------
    pairs : iterable of (str, str)
        See `read_same_people`.
    one, other : str
    """
    names = one_name(pairs)
    return names.get(one, one) == names.get(other, other)
