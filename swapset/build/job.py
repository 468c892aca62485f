"""Wrap every rule script: logging, one-line errors, no retry of a failure that would repeat."""

from __future__ import annotations

import errno
import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from swapset.errors import SwapsetError
from swapset.io.files import content_hash, write_json

RUN_ID = "SWAPSET_RUN"
"""Environment variable with the name of the workflow run that a job belongs to."""

_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def job(
    name: str, log: str, inputs: Iterable[str] = (), outside: Iterable[str] = ()
) -> Iterator[TextIO]:
    """Run a job: log to a file, print warnings to stderr too, and report user errors in one line.

    If a job failed with an error that would repeat (not `SwapsetError.retryable`), it fails at once
    when the same run tries it again. Killed jobs and failures of the machine are tried again.

    Parameters
    ----------
    name : str
        The rule, for messages.
    log : str
        Path of the log file.
    inputs : iterable of str
        The job's input files and folders. If one that the build made is damaged, the message says
        what to delete, so that it is made again.
    outside : iterable of str
        Files from outside the build that the job reads; they must be there.

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
    logging.raiseExceptions = False  # a log that does not fit on the disk is not an error
    with _opened(path, name) as stream:
        kept, shown = logging.StreamHandler(stream), logging.StreamHandler(sys.stderr)
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        shown.setFormatter(logging.Formatter(f"swapset: {name}: %(message)s"))
        shown.setLevel(logging.WARNING)
        logging.basicConfig(level=logging.INFO, handlers=[kept, shown], force=True)
        try:
            _check_there(outside)
            yield stream
        except SwapsetError as error:
            _fail(str(error) + _advice(str(error), log, inputs), None if error.retryable else path)
        except ImportError as error:
            if not isinstance(error, ModuleNotFoundError):
                _fail(str(error), path)
            raise
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE:
                raise
            _fail(_machine_fault(error))


def _machine_fault(error: OSError) -> str:
    """Return a message about a full disk, or a file that may not be read or written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        temporary = tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")  # noqa: S108
        place = error.filename or f"the results, or of TMPDIR, {temporary}"
        return f"no space left on the disk of {place}"
    return f"{error.filename}: {error.strerror}; change its permissions, or use another folder"


def _check_there(paths: Iterable[str]) -> None:
    """Check that files exist which did when the run began; Snakemake does not know them.

    Raises
    ------
    SwapsetError
        Naming the first one that does not.
    """
    for path in paths:
        if not Path(path).exists():
            raise SwapsetError(f"{path}: no longer exists; put it back and run again")


def record_hashes(note: str, files: Mapping[str, str]) -> None:
    """Write the hashes of files from outside that a job has read, for later runs.

    Parameters
    ----------
    note : str
        The JSON file to write.
    files : mapping of str to str
        Paths by key, see `swapset.build.outside.OutsideFiles.keys`.
    """
    hashes = {}
    for key, path in files.items():
        with suppress(OSError):  # it is gone meanwhile, and will count as changed
            hashes[key] = content_hash(path)
    write_json(note, hashes)


@contextmanager
def _opened(log: Path, name: str) -> Iterator[TextIO]:
    """Open a job's log for writing; lines that do not fit on the disk are lost."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        _stop_if_it_would_repeat(log)
        stream = log.open("w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        error.filename = error.filename or str(log)
        print(f"swapset: {name}: {_machine_fault(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    try:
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


def _note(log: Path) -> Path:
    """Return the file that notes, beside a job's log, a failure that would repeat.

    It is not the log itself, because Snakemake deletes that before a job starts.
    """
    return log.with_suffix(".failed")


def _stop_if_it_would_repeat(log: Path) -> None:
    """Exit with status 1 and no message if the job already failed for good in this run."""
    note = _note(log)
    if not note.exists():
        return
    run, _, message = note.read_text(encoding="utf-8", errors="replace").partition("\n")
    if run and run == os.environ.get(RUN_ID):
        again = f"{message}not tried again in run {run}\n"
        log.write_text(again, encoding="utf-8")
        raise SystemExit(1)
    note.unlink()


def _advice(message: str, log: str, inputs: Iterable[str]) -> str:
    """Return what to delete, if a message begins with an input that the build made."""
    results = log.partition("/logs/")[0]
    for path in inputs:
        if path.startswith(f"{results}/") and message.startswith((f"{path}:", f"{path}/")):
            return f"; delete {path} and run again"
    return ""


def _fail(message: str, log: Path | None = None) -> NoReturn:
    """Log a failure and exit; if a log is given, note beside it that the failure would repeat."""
    logging.error(message)
    if log and os.environ.get(RUN_ID):
        text = f"{os.environ[RUN_ID]}\n{message}\n"
        with suppress(OSError):
            _note(log).write_text(text, encoding="utf-8", errors="backslashreplace")
    raise SystemExit(1)
