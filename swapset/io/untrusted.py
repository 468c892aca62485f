"""Read untrusted text files with size limits."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from swapset.errors import DataError, SwapsetError

MOST_TEXT = 64_000_000
"""Largest text file that is read as a whole, in bytes."""
MOST_LINE = 1_000_000
"""Longest line of a text file that is read line by line, in bytes."""
HOW_TO_SAVE = "save it as UTF-8 (spreadsheets call that 'CSV UTF-8')"
_MARK = codecs.BOM_UTF8
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Marks at the start of UTF-16; UTF-32 (little-endian) starts with the first one, too."""
_ENDS = b"\r\n"
_CHUNK = 1 << 16


def whole_text(path: Path, error_type: type[SwapsetError] = DataError) -> str:
    """Return the text of a file of at most `MOST_TEXT` bytes.

    Raises
    ------
    error_type
        If it is larger, cannot be read, or is not a regular file of UTF-8 text.
    """
    with _opened(path, error_type) as stream:
        _check_size(stream, MOST_TEXT)
        data = stream.read(MOST_TEXT)
        _refuse_utf16(data)
        try:
            return data.removeprefix(_MARK).decode("utf-8")
        except UnicodeDecodeError as error:
            before = data.removeprefix(_MARK)[: error.start]
            number = len((before + b"-").splitlines())
            raise _not_utf8(path, number, error_type) from error


def lines(
    path: Path,
    error_type: type[SwapsetError] = DataError,
    *,
    largest: int | None = None,
    ends: bool = False,
) -> Iterator[str]:
    """Yield the lines of a text file of any length; they may end as on any system.

    Parameters
    ----------
    path : Path
    error_type : type of SwapsetError
        Type of the errors.
    largest : int, optional
        Largest file that is read, in bytes; by default there is no limit.
    ends : bool
        Whether to keep the line ends.

    Raises
    ------
    error_type
        If it cannot be read or is not a regular file; with the line's number, if a line is not
        UTF-8 text or longer than `MOST_LINE`.
    """
    with _opened(path, error_type) as stream:
        if largest is not None:
            _check_size(stream, largest)
        for number, line in enumerate(_raw_lines(stream), start=1):
            if len(line.rstrip(_ENDS)) > MOST_LINE:
                raise error_type(f"{path}, line {number}: is longer than {MOST_LINE:,} bytes")
            try:
                yield (line if ends else line.rstrip(_ENDS)).decode("utf-8")
            except UnicodeDecodeError as error:
                raise _not_utf8(path, number, error_type) from error


def _raw_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines with their ends (CR LF, LF or CR); one that is too long is cut and the last."""
    rest = stream.read(_CHUNK)
    _refuse_utf16(rest)
    rest = rest.removeprefix(_MARK)
    while more := stream.read(_CHUNK):
        *whole, rest = (rest + more).splitlines(keepends=True)
        yield from whole
        if len(rest) > MOST_LINE + len(_ENDS):
            break
    yield from rest.splitlines(keepends=True)


def _check_size(stream: BinaryIO, most: int) -> None:
    if os.fstat(stream.fileno()).st_size > most:
        raise ValueError(f"is larger than {most // 10**6} MB, the most that is read")


def _refuse_utf16(start: bytes) -> None:
    """Refuse UTF-16, by its mark, or by every second byte being 0 and no other one."""
    even, odd = start[:64:2], start[1:64:2]
    bare = odd and ((all(even) and not any(odd)) or (all(odd) and not any(even)))
    if bare or start.startswith(_WIDE):
        raise ValueError(f"is UTF-16 text; {HOW_TO_SAVE}")


def _not_utf8(path: Path, number: int, error_type: type[SwapsetError]) -> SwapsetError:
    return error_type(f"{path}, line {number}: is not UTF-8 text; {HOW_TO_SAVE}")


@contextmanager
def _opened(path: Path, error_type: type[SwapsetError]) -> Iterator[BinaryIO]:
    """Open a regular file; raise errors of opening and of the `with` block as `error_type`."""
    try:
        if not stat.S_ISREG(_mode(path, error_type)):  # reading a device may never end
            raise ValueError("is not a regular file")
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise error_type(f"{path}: cannot be read ({error.strerror}){search_note(path)}") from error
    except OSError as error:
        raise error_type(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise error_type(f"{path}: {error}") from error


def _mode(path: Path, error_type: type[SwapsetError]) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:  # a NUL or half a character
        raise error_type(f"{str(path)!r}: cannot be the name of a file ({error})") from error


def search_note(path: Path) -> str:
    """Return the end of a message: the folder searched for a relative path, "" for an absolute one.

    Examples
    --------
    >>> search_note(Path("/data/clips.csv"))
    ''
    """
    return "" if path.is_absolute() else f" (looked for in {Path.cwd()})"
