"""Labelled faces in a plain CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from swapset.errors import DataError
from swapset.extractors.labels.faces import LabelledFaces, LabelRows
from swapset.extractors.stored import POINTS
from swapset.io.untrusted import lines

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
    reader = csv.reader(lines(path), strict=True)
    try:
        rows = LabelRows(path.parent, _landmarks(path, next(reader, [])))
        for cells in reader:
            if not cells:
                continue
            where = f"{path}, line {reader.line_num}"
            split, person, image, *values = [cell.strip() for cell in (*cells, "", "", "")]
            rows.add(where, image, values[:-3], split=split or "train", person=person)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from error
    return rows.faces(source=path, may_be_empty=may_be_empty)


def header(count: int) -> list[str]:
    """Return the columns of a file with `count` landmarks."""
    return [*COLUMNS, *(f"{axis}{k}" for k in range(count) for axis in "xy")]


def _landmarks(path: Path, columns: list[str]) -> int:
    """Return the number of landmarks in a header."""
    names = [column.strip() for column in columns]
    for count in POINTS:
        if names == header(count):
            return count
    wanted = " or ".join(f"…,x{count - 1},y{count - 1}" for count in POINTS)
    raise DataError(
        f"{path}, line 1: the columns must be {','.join(COLUMNS)},x0,y0,{wanted}, not "
        f"{','.join(names[:5])},… ({len(names)} columns)"
    )
