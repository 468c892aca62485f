"""300-W: 68 landmarks in a `.pts` file beside each picture."""

from __future__ import annotations

import re
from pathlib import Path

from swapset.errors import DataError
from swapset.extractors.labels.faces import LabelledFaces, LabelRows
from swapset.io.untrusted import whole_text

POINTS = 68
_PICTURES = (".jpg", ".png", ".jpeg", ".bmp")
_TESTED = {"testset", "ibug", "01_indoor", "02_outdoor"}
_COUNT = re.compile(r"n_points:\s*(\d+)")


def read_300w(root: Path) -> LabelledFaces:
    """Read folders of pictures with `.pts` files beside them.

    Pictures in a folder `testset`, `ibug`, `01_Indoor` or `02_Outdoor` are for tests, as published
    (afw, helen/trainset and lfpw/trainset are for training); all others are for training. The
    people's identities are not published. The mirrored pictures in some archives (`…_mirror`) are
    left out.

    Files count pixels from 1; here 0 is the centre of the first pixel.

    Raises
    ------
    DataError
        Naming each wrong line, or the folder if it has no such files.

    References
    ----------
    C. Sagonas et al., "300 faces in-the-wild challenge", IVC 2016. Counting from 1:
    menpo/menpo, issue 160 and menpo/io/input/landmark.py, `PTSImporter`. The split:
    D-X-Y/landmark-detection, SAN/cache_data/generate_300W.py.
    """
    if not root.is_dir():
        raise DataError(f"{root}: is not a folder; give the one with 300-W's pictures")
    rows = LabelRows(root, POINTS)
    for path in sorted(root.rglob("*.pts")):
        if not path.stem.endswith("_mirror"):
            _read_file(path, root, rows)
    return rows.faces(source=root)


def _read_file(path: Path, root: Path, rows: LabelRows) -> None:
    picture = next((p for end in _PICTURES if (p := path.with_suffix(end)).is_file()), None)
    if picture is None:
        rows.reject(str(path), f"has no picture beside it ({', '.join(_PICTURES)})")
        return
    try:
        values = _values(path)
    except ValueError as error:
        rows.reject(str(path), str(error))
        return
    folders = {part.lower() for part in path.relative_to(root).parts[:-1]}
    name = str(picture.relative_to(root))
    rows.add(str(path), name, values, split="test" if folders & _TESTED else "train")


def _values(path: Path) -> list[str]:
    """Return a file's coordinates, counted from 0.

    Raises
    ------
    ValueError
        Naming the wrong line.
    """
    lines = [line.strip() for line in whole_text(path).splitlines()]
    opening, closing = (lines.index(mark) if mark in lines else -1 for mark in "{}")
    if opening < 0 or closing < opening:
        raise ValueError("has no landmarks between { and }")
    for number, line in enumerate(lines[:opening], 1):
        if (count := _COUNT.fullmatch(line)) and int(count[1]) != POINTS:
            raise ValueError(f"line {number}: has {count[1]} landmarks; 300-W has {POINTS}")
    values: list[str] = []
    for number, line in enumerate(lines[opening + 1 : closing], opening + 2):
        values += [_from_zero(text, number) for text in _pair(line, number)]
    return values


def _pair(line: str, number: int) -> list[str]:
    cells = line.split()
    if cells and len(cells) != 2:
        raise ValueError(f"line {number}: {line!r} is not a pair of coordinates")
    return cells


def _from_zero(text: str, number: int) -> str:
    try:
        return repr(float(text) - 1)
    except ValueError:
        raise ValueError(f"line {number}: {text!r} is not a number") from None
