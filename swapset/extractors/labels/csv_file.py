"""Labelled faces in a plain CSV file."""

from __future__ import annotations

from pathlib import Path

from swapset.extractors.labels.faces import LabelledFaces, LabelRows
from swapset.extractors.stored import POINTS
from swapset.io.tables import Table

COLUMNS = ("split", "person", "image")


def read_csv(path: Path, *, may_be_empty: bool = False) -> LabelledFaces:
    """Read `split,person,image,x0,y0,…,x67,y67`, or up to `x97,y97`.

    `split` is train, val or test; empty = train. `person` may be empty. `image` is a path relative
    to the file's folder, and inside it. Coordinates are pixels of the picture; 0 is the centre of
    the first one.

    Parameters
    ----------
    path : Path
    may_be_empty : bool
        Whether a file without faces is accepted.

    Raises
    ------
    DataError
        Naming each wrong line, or if the columns are others.
    """
    table = Table(path, COLUMNS, largest=None)
    count = _landmarks(table)
    rows = LabelRows(path.parent, count)
    for line, row in table.rows():
        split, person, image, *values = row.values()
        rows.add(f"{path}, line {line}", image, values, split=split or "train", person=person)
    return rows.faces(source=path, may_be_empty=may_be_empty)


def header(count: int) -> list[str]:
    """Return the columns of a file with `count` landmarks."""
    return [*COLUMNS, *(f"{axis}{k}" for k in range(count) for axis in "xy")]


def _landmarks(table: Table) -> int:
    """Return the number of landmarks in a table's header."""
    for count in POINTS:
        if table.columns == header(count):
            return count
    wanted = " or ".join(f"…,x{count - 1},y{count - 1}" for count in POINTS)
    raise table.wrong_header(
        f"the columns must be {','.join(COLUMNS)},x0,y0,{wanted}, not "
        f"{','.join(table.columns[:5])},… ({len(table.columns)} columns)"
    )
