"""What surrounds every job: its log, and errors as one clear line."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from swapset.errors import SwapsetError


@contextmanager
def job(name: str, log: str, given: Iterable[str] = ()) -> Iterator[TextIO]:
    """Run a job's work: log to a file, warnings also to stderr, errors of the user's as one line.

    Parameters
    ----------
    name : str
        The rule, for messages.
    log : str
        Path of the log file.
    given : iterable of str
        The job's input files and folders: an error in one that the build has made itself says what
        to delete, so that it is made again.

    Yields
    ------
    TextIO
        The open log file, for a progress bar.

    Raises
    ------
    SystemExit
        With status 1 after a `SwapsetError` or when the disk is full; the message is on stderr
        and in the log.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as stream:
        kept, shown = logging.StreamHandler(stream), logging.StreamHandler(sys.stderr)
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        shown.setFormatter(logging.Formatter(f"swapset: {name}: %(message)s"))
        shown.setLevel(logging.WARNING)
        logging.basicConfig(level=logging.INFO, handlers=[kept, shown], force=True)
        try:
            yield stream
        except SwapsetError as error:
            _fail(str(error) + _advice(str(error), log, given))
        except ImportError as error:
            if not isinstance(error, ModuleNotFoundError):
                _fail(str(error))
            raise
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _fail(f"no space left on the disk of {error.filename or 'the results'}")


def _advice(message: str, log: str, given: Iterable[str]) -> str:
    """Return what to delete where a message begins with a file of the results (or inside one)."""
    results = log.partition("/logs/")[0]
    for path in given:
        if path.startswith(f"{results}/") and message.startswith((f"{path}:", f"{path}/")):
            return f"; delete {path} and run again"
    return ""


def _fail(message: str) -> None:
    logging.error(message)
    raise SystemExit(1)
