"""Read untrusted text files with size limits."""

from __future__ import annotations

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
_MARK = b"\xef\xbb\xbf"
_ENDS = b"\r\n"


def whole_text(path: Path, error_type: type[SwapsetError] = DataError) -> str:
    """Return the text of a file of at most `MOST_TEXT` bytes.

    Raises
    ------
    error_type
        If it is larger, cannot be read, or is not a regular file of UTF-8 text.
    """
    with _opened(path, error_type) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_TEXT:
            raise ValueError(f"is larger than {MOST_TEXT // 10**6} MB, the most that is read")
        return stream.read(MOST_TEXT).decode("utf-8-sig")


def lines(path: Path, error_type: type[SwapsetError] = DataError) -> Iterator[str]:
    """Yield the lines of a text file of any length, without line ends.

    Raises
    ------
    error_type
        If it cannot be read or is not a regular file; with the line's number, if a line is not
        UTF-8 text or longer than `MOST_LINE`.
    """
    with _opened(path, error_type) as stream:
        if stream.read(len(_MARK)) != _MARK:
            stream.seek(0)
        number = 0
        while line := stream.readline(MOST_LINE + len(_ENDS)):
            number += 1
            line = line.rstrip(_ENDS)
            if len(line) > MOST_LINE:
                raise error_type(f"{path}, line {number}: is longer than {MOST_LINE:,} bytes")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise error_type(
                    f"{path}, line {number}: is not UTF-8 text; save it as UTF-8"
                ) from error


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
    except UnicodeDecodeError as error:
        raise error_type(f"{path}: is not UTF-8 text") from error
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
