"""Child process that reads hostile files with the project's code, one request per line.

    python worker.py RESULTS TEMPORARY

A request is {"jobs": [...], "path": ...}; the answer {"result", "problems", "memory"}. An error of
the project with a message is a result; any other exception is a problem, and so is an audit event
(PEP 578) beyond the task: a file written elsewhere, a socket, a foreign program.
"""

from __future__ import annotations

import faulthandler
import json
import os
import platform
import re
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

import imageio_ffmpeg  # noqa: E402
import readers  # noqa: E402

from swapset.errors import SwapsetError  # noqa: E402
from swapset.faces import trial  # noqa: E402

_ENCODER = imageio_ffmpeg.get_ffmpeg_exe()
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod"}
_FORBIDDEN = {"os.system", "os.exec", "os.fork", "os.posix_spawn", "os.startfile", "pty.spawn"}
_FORBIDDEN |= {"pickle.find_class", "marshal.loads", "webbrowser.open"}


class Guard:
    """Audit hook that records forbidden events while a file is read."""

    def __init__(self, allowed: list[Path]) -> None:
        self._allowed = [*(str(path.resolve()) for path in allowed), os.devnull]
        self.active = False
        self.problems: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "open" and isinstance(arguments[0], str | bytes):
            if (arguments[2] or 0) & _WRITING:
                self._check(event, arguments[0])
        elif event in _CHANGES:
            self._check_all(event, arguments)
        elif event == "subprocess.Popen" and not _known(arguments):
            self.problems.append(f"starts {arguments[0]!r}")
        elif event in _FORBIDDEN and not (event == "marshal.loads" and _importing()):
            self.problems.append(f"{event} {arguments!r:.200}")
        elif event.startswith("socket.") and event != "socket.__new__":
            self.problems.append(f"{event} {arguments[1:]!r:.200}")

    def _check_all(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check all paths of an event; its last arguments are the open folders they start from."""
        paths = [path for path in arguments if isinstance(path, str | bytes)]
        folders = arguments[-len(paths) :] if event != "os.chmod" else (-1,)
        for path, folder in zip(paths, folders, strict=False):
            start = f"/proc/self/fd/{folder}" if isinstance(folder, int) and folder >= 0 else ""
            self._check(event, os.path.realpath(start) + "/" + os.fsdecode(path) if start else path)

    def _check(self, event: str, path: str | bytes) -> None:
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - without reading the disk
        if not any(name == root or name.startswith(root + os.sep) for root in self._allowed):
            self.problems.append(f"{event} of {name}")


def _known(arguments: tuple[Any, ...]) -> bool:
    """Return True for the encoder and for the process that tries dlib's files."""
    return arguments[0] == _ENCODER or arguments[1][:3] == [sys.executable, "-P", trial.__file__]


def _importing() -> bool:
    """Return True while Python reads the byte code of a module, which is not a weights file."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _peak() -> int:
    """Return the peak memory of this process in bytes since the last reset."""
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) << 10 if peak else 0


def _answer(request: dict[str, Any], guard: Guard, results: Path) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")
    outcomes, problems = [], []
    guard.problems.clear()
    guard.active = True
    for job in request["jobs"]:
        try:
            outcomes.append(readers.JOBS[job](Path(request["path"]), results))
        except SwapsetError as error:
            outcomes.append(type(error).__name__)
            if not str(error).strip():
                problems.append(f"{job}: an error without a message")
        except Exception:
            problems.append(f"{job}: {traceback.format_exc()}")
    guard.active = False
    result = "read" if "read" in outcomes else next(iter(outcomes), "")
    return {"result": result, "problems": problems + guard.problems, "memory": _peak()}


def main() -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()
    results, temporary = map(Path, sys.argv[1:3])
    guard = Guard([results, temporary])
    readers.warm_up()
    platform.processor()  # starts a program, at the first call only
    sys.addaudithook(guard)
    print("ready", file=channel, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), guard, results)), file=channel, flush=True)


if __name__ == "__main__":
    main()
