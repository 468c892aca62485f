"""Resources that grow with each attempt of a job, and the lock on a build's results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from swapset.build.times import set_mark
from swapset.errors import SwapsetError


def per_attempt(amount: int | Callable[[Any], int]) -> Callable[[Any, int], int]:
    """Return a resource function for Snakemake: attempt n asks for n times the amount.

    A job that ran out of memory or time would do so again with the same amount.

    Parameters
    ----------
    amount : int or callable
        The amount, or a function that returns it for the job's wildcards.
    """

    def resource(wildcards: Any, attempt: int) -> int:
        return attempt * (amount(wildcards) if callable(amount) else amount)

    return resource


def lock_of(root: str) -> Path:
    """Return the lock file of a build's folder."""
    return Path(root, ".swapset.lock")


def lock_results(root: str) -> IO[str]:
    """Lock a build's results for this process, until it ends or is killed.

    Parameters
    ----------
    root : str
        The build's folder.

    Returns
    -------
    text file
        The lock, released when the file is closed.

    Raises
    ------
    SwapsetError
        If another run holds the lock.
    """
    path = lock_of(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+")
    except OSError as error:
        raise SwapsetError(
            f"results: {path.parent} cannot be written ({error.strerror}); free it, or set "
            "'results' to another folder"
        ) from error
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.seek(0)
        raise SwapsetError(
            f"{root}: another run is working on these results ({stream.read().strip()}); "
            "wait for it or stop it"
        ) from error
    stream.truncate(0)
    print(f"process {os.getpid()} on {os.uname().nodename}", file=stream, flush=True)
    set_mark(path)
    return stream
