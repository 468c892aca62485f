"""Parent of the process that reads hostile files, with limits of time and memory."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import Sandbox

WORKER = Path(__file__).with_name("worker.py")
MOST_MEMORY = 2 << 30
"""Largest number of bytes in memory of a process and its children together."""
MOST_SECONDS = 60.0
"""Limit of processor time for one file; wall time depends on other load."""
MOST_WAITING = 240.0
"""Limit of wall time for one file, in seconds."""
_TIRED = 700 << 20  # a child that keeps so many bytes between two files is replaced
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_LOOK = 0.01


@dataclass
class Outcome:
    """Outcome of reading one file.

    Attributes
    ----------
    result : str
        "read", or the reason of the rejection.
    problems : list of str
        Events that must not happen.
    seconds : float
        Processor time.
    memory : int
        Largest number of bytes in memory of the child and its children.
    """

    result: str = ""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory: int = 0


class Child:
    """A process that answers requests until it is closed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, jobs: list[str], path: Path) -> Outcome:
        """Let the child run jobs on a file; return the outcome."""
        before = path.read_bytes()
        process = self._running()
        outcome = Outcome()
        answer = self._answer(process, {"jobs": jobs, "path": str(path)}, outcome)
        if answer is not None:
            outcome.result = answer["result"]
            outcome.problems += answer["problems"]
            outcome.memory = max(outcome.memory, answer["memory"])
        if outcome.memory > MOST_MEMORY:
            outcome.problems.append(f"{outcome.memory >> 20} MiB of memory")
        outcome.problems += self._sandbox.reached() + self._sandbox.strays()
        if path.read_bytes() != before:
            outcome.problems.append("the source was changed")
        if answer is None or self._tree()[0] > _TIRED:
            self.close()
        return outcome

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            box = self._sandbox
            places = {"HOME": box.home, "TMPDIR": box.temporary, "XDG_CACHE_HOME": box.home}
            # Standard input is a pipe: a hostile file could name it as "pipe:0".
            self._process = subprocess.Popen(
                [sys.executable, str(WORKER), str(box.results), str(box.temporary)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=box.work,
                env={**os.environ, **{k: str(v) for k, v in places.items()}, **_QUIET},
            )
            self._wait(self._process, Outcome(), MOST_WAITING)
            self._sandbox.strays()
        return self._process

    def _answer(
        self, process: subprocess.Popen[bytes], request: dict[str, Any], outcome: Outcome
    ) -> dict[str, Any] | None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line = self._wait(process, outcome, MOST_SECONDS)
        if line:
            return dict(json.loads(line))
        if not outcome.problems:
            outcome.problems.append(f"the process died with status {process.wait()}")
        return None

    def _wait(self, process: subprocess.Popen[bytes], outcome: Outcome, most: float) -> bytes:
        """Return the child's next line; empty, with a problem, if the child had to be ended."""
        assert process.stdout is not None
        started, (_, first) = time.monotonic(), self._tree()
        while True:
            ready, _, _ = select.select([process.stdout], [], [], _LOOK)
            memory, used = self._tree()
            outcome.memory = max(outcome.memory, memory)
            outcome.seconds = used - first
            if ready:
                return process.stdout.readline()
            waited = time.monotonic() - started
            if memory > MOST_MEMORY or outcome.seconds > most or waited > MOST_WAITING:
                what = f"{outcome.seconds:.0f} s of work, {waited:.0f} s, {memory >> 20} MiB"
                outcome.problems.append(f"had to be ended: {what}")
                self.close()
                return b""

    def _tree(self) -> tuple[int, float]:
        """Return bytes in memory and processor time of the child and its children."""
        if self._process is None:
            return 0, 0.0
        memory, seconds, waiting = 0, 0.0, [self._process.pid]
        while waiting:
            place = Path("/proc", str(waiting.pop()))
            try:
                numbers = (place / "stat").read_text().rpartition(")")[2].split()
                pages = int((place / "statm").read_text().split()[1])
                waiting += map(int, (place / "task" / place.name / "children").read_text().split())
            except (OSError, IndexError):
                continue  # it has ended in the meantime
            ticks = sum(map(int, numbers[11:15]))  # including its ended children
            memory, seconds = memory + pages * _PAGE, seconds + ticks / _TICK
        return memory, seconds

    def close(self) -> None:
        """End the process; the next request starts a new one."""
        if self._process is None:
            return
        process, self._process = self._process, None
        for pid in [*_children(process.pid), process.pid]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        process.communicate()


_QUIET = {
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENCV_LOG_LEVEL": "OFF",
    "TQDM_DISABLE": "1",
}


def _children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
