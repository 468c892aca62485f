"""What surrounds every job: its log, errors as one clear line, and no second try in vain."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from swapset.errors import SwapsetError

RUN_ID = "SWAPSET_RUN"
"""Environment variable: names the run of the workflow that a job belongs to."""


@contextmanager
def job(name: str, log: str, given: Iterable[str] = ()) -> Iterator[TextIO]:
    """Run a job's work: log to a file, warnings also to stderr, errors of the user's as one line.

    A job that failed by an error that would come again (not `SwapsetError.retryable`) fails at once
    when the same run tries it again; killed jobs and failures of the machine are tried again.

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
    path = Path(log)
    logging.raiseExceptions = False  # a log that is too much for the disk is no error of its own
    with _opened(path, name) as stream:
        kept, shown = logging.StreamHandler(stream), logging.StreamHandler(sys.stderr)
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        shown.setFormatter(logging.Formatter(f"swapset: {name}: %(message)s"))
        shown.setLevel(logging.WARNING)
        logging.basicConfig(level=logging.INFO, handlers=[kept, shown], force=True)
        try:
            yield stream
        except SwapsetError as error:
            _fail(str(error) + _advice(str(error), log, given), None if error.retryable else path)
        except ImportError as error:
            if not isinstance(error, ModuleNotFoundError):
                _fail(str(error), path)
            raise
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _fail(f"no space left on the disk of {error.filename or 'the results'}")


@contextmanager
def _opened(log: Path, name: str) -> Iterator[TextIO]:
    """Give a job's log to write to; what the disk has no room for is left out."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        _stop_if_in_vain(log)
        stream = log.open("w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"swapset: {name}: no space left on the disk of {log}", file=sys.stderr)
        raise SystemExit(1) from None
    try:
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


def _note(log: Path) -> Path:
    """Return the file, beside a job's log, that a failure for good leaves for its next try.

    Not the log itself, which Snakemake deletes before a job starts.
    """
    return log.with_suffix(".failed")


def _stop_if_in_vain(log: Path) -> None:
    """End with status 1, silently, if this run knows already that the job fails."""
    note = _note(log)
    if not note.exists():
        return
    run, _, message = note.read_text(encoding="utf-8", errors="replace").partition("\n")
    if run and run == os.environ.get(RUN_ID):
        again = f"{message}not tried again in run {run}\n"
        log.write_text(again, encoding="utf-8")
        raise SystemExit(1)
    note.unlink()


def _advice(message: str, log: str, given: Iterable[str]) -> str:
    """Return what to delete where a message begins with a file of the results (or inside one)."""
    results = log.partition("/logs/")[0]
    for path in given:
        if path.startswith(f"{results}/") and message.startswith((f"{path}:", f"{path}/")):
            return f"; delete {path} and run again"
    return ""


def _fail(message: str, log: Path | None = None) -> NoReturn:
    """Say what failed and, beside the log if one is given, that another try would fail as well."""
    logging.error(message)
    if log and os.environ.get(RUN_ID):
        text = f"{os.environ[RUN_ID]}\n{message}\n"
        with suppress(OSError):
            _note(log).write_text(text, encoding="utf-8", errors="backslashreplace")
    raise SystemExit(1)
