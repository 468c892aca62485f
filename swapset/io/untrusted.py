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
"""Bytes of a text that is read as a whole."""
MOST_LINE = 1_000_000
"""Bytes of a line of a text that is read line by line."""
_MARK = b"\xef\xbb\xbf"
_ENDS = b"\r\n"


def whole_text(path: Path, wrong: type[SwapsetError] = DataError) -> str:
    """Return what a file of at most `MOST_TEXT` bytes says.

    Raises
    ------
    wrong
        If it is no file of text (UTF-8), cannot be read, or is larger.
    """
    with _opened(path, wrong) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_TEXT:
            raise ValueError(f"is larger than the {MOST_TEXT // 10**6} MB that are read")
        return stream.read(MOST_TEXT).decode("utf-8-sig")


def lines(path: Path, wrong: type[SwapsetError] = DataError) -> Iterator[str]:
    """Yield the lines of a file, however many, without their ends.

    Raises
    ------
    wrong
        If it is no file or cannot be read; naming the line, if one is no text (UTF-8) or longer
        than `MOST_LINE`.
    """
    with _opened(path, wrong) as stream:
        if stream.read(len(_MARK)) != _MARK:
            stream.seek(0)
        number = 0
        while line := stream.readline(MOST_LINE + len(_ENDS)):
            number += 1
            line = line.rstrip(_ENDS)
            if len(line) > MOST_LINE:
                raise wrong(f"{path}, line {number}: is longer than {MOST_LINE:,} bytes")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise wrong(
                    f"{path}, line {number}: is not UTF-8 text; save it as UTF-8"
                ) from error


@contextmanager
def _opened(path: Path, wrong: type[SwapsetError]) -> Iterator[BinaryIO]:
    """Open a regular file; what goes wrong with it, then or later, is said as `wrong`."""
    try:
        if not stat.S_ISREG(_mode(path, wrong)):  # a device may never end
            raise ValueError("is no file")
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise wrong(f"{path}: cannot be read ({error.strerror}){searched(path)}") from error
    except OSError as error:
        raise wrong(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise wrong(f"{path}: is not UTF-8 text") from error
    except ValueError as error:
        raise wrong(f"{path}: {error}") from error


def _mode(path: Path, wrong: type[SwapsetError]) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:  # a NUL or half a character
        raise wrong(f"{str(path)!r}: no file can be called so ({error})") from error


def searched(path: Path) -> str:
    """Return where a relative path was looked for, to end a message with; "" for an absolute one.

    Examples
    --------
    >>> searched(Path("/data/clips.csv"))
    ''
    """
    return "" if path.is_absolute() else f" (looked for in {Path.cwd()})"
