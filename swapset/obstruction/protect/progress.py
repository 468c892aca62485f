"""Show how far the work on a video is, and about how long all of its passes still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

EVERY = 10.0
"""Smallest number of seconds between two lines where the output is no terminal."""

Item = TypeVar("Item")


class Progress:
    """Shows the frames that are done and the time left, in a terminal by a bar, else by lines.

    The time left is that of the whole file: passes that have not begun count with the seconds that
    `expect` gave them.

    Parameters
    ----------
    name : str
        Name of the file.
    """

    def __init__(self, name: str) -> None:
        self._name, self._terminal = name, sys.stderr.isatty()
        self._expected: dict[str, float] = {}
        self._began = time.monotonic()
        self._said: float | None = None

    def expect(self, **seconds: float) -> None:
        """Set the expected seconds of passes that have not begun, by their names."""
        self._expected.update(seconds)

    def frames(
        self,
        items: Iterable[Item],
        doing: str,
        total: int | None,
        work: Callable[[int], float] = float,
    ) -> Iterator[Item]:
        """Yield the frames of a pass; a frame is done when the next one is asked for.

        Parameters
        ----------
        items : iterable
        doing : str
            Name of the pass.
        total : int or None
            Number of frames, if it is known.
        work : callable
            Returns how much of the pass a number of its first frames takes, in any unit; by default
            all frames take alike.
        """
        self._expected.pop(doing, None)
        start = time.monotonic()
        with tqdm(
            total=total, desc=f"{self._name}: {doing}", unit="frame", disable=not self._terminal
        ) as bar:
            for count, item in enumerate(items, 1):
                yield item
                left = None
                if total is not None and work(count) > 0:
                    more = max(work(total) / work(count) - 1, 0)
                    seconds = more * (time.monotonic() - start) + sum(self._expected.values())
                    left = f"about {_rounded(seconds)}"
                bar.set_postfix_str("" if left is None else f"{left} left in all", refresh=False)
                bar.update()
                self._say(doing, count, total, left)

    def close(self, frames: int) -> None:
        """Say that the file is done, and how long it took."""
        if self._said is not None:
            took = _rounded(time.monotonic() - self._began)
            print(f"{self._name}: done, {frames} frames in {took}", file=sys.stderr, flush=True)

    def _say(self, doing: str, count: int, total: int | None, left: str | None) -> None:
        now = time.monotonic()
        if self._terminal or (self._said is not None and now - self._said < EVERY):
            return
        self._said = now
        of = "" if total is None else f" of {total}"
        time_left = "" if left is None else f", {left} left"
        line = f"{self._name}: {doing}: {count}{of} frames{time_left}"
        print(line, file=sys.stderr, flush=True)


def _rounded(seconds: float) -> str:
    """Return a time in words, to the second below a minute and a half, else in minutes or hours."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
