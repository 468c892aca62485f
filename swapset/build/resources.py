"""Resources of rules that grow with each attempt, and the lock on a build's results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from swapset.errors import SwapsetError


def per_attempt(amount: int | Callable[[Any], int]) -> Callable[[Any, int], int]:
    """Return a rule's resource of which each retry gets as much again.

    What is too little once (memory, minutes) is too little the next time. The amount may depend on
    the job's wildcards.
    """

    def resource(wildcards: Any, attempt: int) -> int:
        return attempt * (amount(wildcards) if callable(amount) else amount)

    return resource


def lock_results(root: str) -> IO[str]:
    """Claim a build's results for this process; the claim ends with it, also when killed.

    Raises
    ------
    SwapsetError
        If another run holds them.
    """
    path = Path(root, ".swapset.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a+")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.seek(0)
        raise SwapsetError(
            f"{root}: another run works on these results ({stream.read().strip()}); "
            "wait for it or stop it"
        ) from error
    stream.truncate(0)
    print(f"process {os.getpid()} on {os.uname().nodename}", file=stream, flush=True)
    return stream
