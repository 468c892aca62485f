"""Read tables that people made (CSV), in every form in which spreadsheets save them.

Standard library only, because every cluster job parses the Snakefile, which reads the manifest.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from swapset.errors import DataError, SwapsetError
from swapset.io.untrusted import MOST_TEXT, lines

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""Characters that may separate cells: semicolons do where commas are decimal."""
_MARKS = "".join(_NAMES)
_SHOWN = 6


class Table:
    """A table with a header, read row by row.

    Cells and headers are stripped of spaces around them. Cells are separated by commas, semicolons
    or tabs, as the header is. Rows without any content are ignored, and so are columns without a
    name and without content: spreadsheets write both where cells were used once.

    Parameters
    ----------
    path : Path
        A UTF-8 file, with or without a mark at its start, and with the line ends of any system.
    expected : sequence of str
        Some of the columns, by which the separator is recognised.
    error_type : type of SwapsetError
        Type of the errors.
    largest : int, optional
        Largest file that is read, in bytes; None: any.

    Attributes
    ----------
    columns : list of str
        Names of the columns in the file's order, without empty ones at the end.

    Raises
    ------
    error_type
        If the file cannot be read or is not CSV, or a column has no name or that of another one;
        the message names the line.
    """

    def __init__(
        self,
        path: Path,
        expected: Sequence[str],
        error_type: type[SwapsetError] = DataError,
        *,
        largest: int | None = MOST_TEXT,
    ) -> None:
        self._path, self._error = path, error_type
        self._before = 0
        """Lines above those that `csv` reads."""
        texts = lines(path, error_type, largest=largest, ends=True)
        first, self._mark = self._find_header(texts, expected)
        self._reader = csv.reader(_chained(first, texts), delimiter=self._mark, strict=True)
        self._width = 0
        cells = next(self._filled(), [])
        self._header_line = self._line if cells else 1
        self.columns = self._named(cells)

    @property
    def _line(self) -> int:
        return self._before + self._reader.line_num

    def _find_header(self, texts: Iterator[str], expected: Sequence[str]) -> tuple[str, str]:
        """Return the first line with content, and the character that separates its cells."""
        for text in texts:
            bare = text.strip()
            if bare.lower() in [f"sep={mark}".strip() for mark in _MARKS]:  # a hint to Excel
                self._before += 1
            elif bare.strip(_MARKS + ' "'):
                return text, max(_MARKS, key=lambda mark: _fitting(bare, mark, expected))
            else:
                self._before += 1
        return "", ","

    def _filled(self) -> Iterator[list[str]]:
        """Yield the stripped cells of rows with content."""
        try:
            for cells in self._reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield stripped
        except csv.Error as error:
            raise self._error(
                f"{self._path}, line {self._line}: not a valid CSV file ({error})"
            ) from error

    def _named(self, cells: list[str]) -> list[str]:
        while cells and not cells[-1]:
            cells.pop()
        for place, name in enumerate(cells):
            if not name:
                raise self.wrong_header(f"column {place + 1} has no name; name or remove it")
            if name in cells[:place]:
                raise self.wrong_header(f"column {name[:40]!r} appears twice; remove one")
        return cells

    def wrong_header(self, reason: str) -> SwapsetError:
        """Return an error that names the line of the header."""
        return self._error(f"{self._path}, line {self._header_line}: {reason}")

    def check_columns(
        self, required: Sequence[str], optional: Sequence[str], *, others: bool = False
    ) -> None:
        """Check that all required columns are there.

        Parameters
        ----------
        required, optional : sequence of str
            Columns that must be there, and columns that may be.
        others : bool
            Whether there may be other columns, too.
        """
        wrong = [f"column {name!r} is missing" for name in required if name not in self.columns]
        known = (*required, *optional)
        unknown = [] if others else [name for name in self.columns if name not in known]
        wrong += [f"unknown column {name[:40]!r}" for name in unknown]
        if wrong:
            more = f"; optional: {', '.join(optional)}" if optional else ""
            listed = ", ".join(wrong[:_SHOWN]) + (", ..." if len(wrong) > _SHOWN else "")
            raise self.wrong_header(f"{listed}; required: {', '.join(required)}{more}")

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the number of the line and the cells by column, for each row with content."""
        count = len(self.columns)
        for cells in self._filled():
            where = f"{self._path}, line {self._line}"
            if any(cells[count:]):
                raise self._error(f"{where}: more cells than the header has columns")
            if len(cells) < count:
                raise self._error(
                    f"{where}: fewer cells than the header has columns{self._why(cells)}"
                )
            yield self._line, dict(zip(self.columns, cells, strict=False))

    def _why(self, cells: Sequence[str]) -> str:
        """Return the end of a message: how a row is separated, if not as the header is."""
        others = [mark for mark in _MARKS if mark != self._mark and mark in cells[0]]
        if len(cells) > 1 or not others:
            return ""
        return f", whose cells are separated by {_NAMES[self._mark]}, not {_NAMES[others[0]]}"


def _fitting(header: str, mark: str, expected: Sequence[str]) -> tuple[int, int]:
    """Return how many expected names a header has, and how many marks, if they separate cells."""
    cells = [cell.strip().strip('"').strip() for cell in header.split(mark)]
    return len(set(cells) & set(expected)), len(cells)


def _chained(first: str, rest: Iterable[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    error_type: type[SwapsetError] = DataError,
    *,
    others: bool = False,
) -> list[tuple[int, dict[str, str]]]:
    """Read a table of at most 64 MB and check its columns; see `Table`.

    Parameters
    ----------
    path : Path
    required, optional : sequence of str
        Columns that must be there, and columns that may be.
    error_type : type of SwapsetError
        Type of the errors.
    others : bool
        Whether there may be other columns, too.

    Returns
    -------
    list of (int, dict of str to str)
        Number of the line and stripped cells by column, for each row.

    Raises
    ------
    error_type
        If the file cannot be read, has no rows, or a row or column is wrong.
    """
    table = Table(path, required, error_type)
    table.check_columns(required, optional, others=others)
    rows = list(table.rows())
    if not rows:
        raise error_type(f"{path}: has no rows below its header")
    return rows
