"""Choose frames by their time stamps for a constant frame rate, or evenly spread."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from statistics import median
from typing import Generic, TypeVar

from swapset.media.stamps import leap_of

T = TypeVar("T")

_RECENT = 9  # steps whose median is the usual one


class WithoutLeaps(Generic[T]):
    """Iterates over (time, item), and closes up times that leap forward, as in joined recordings.

    Without this, the frame before the leap would be repeated for seconds or hours.

    Parameters
    ----------
    stamped : iterable of (time, item)
        Times in seconds, strictly increasing.
    interval : Fraction
        Usual time from one frame to the next, in seconds, until enough frames are known.
    start : Fraction, optional
        Time before which nothing is closed up, because nothing is shown.
    end : Fraction, optional
        Time by `stamped` at which to stop after a leap.

    Attributes
    ----------
    leaps : int
        Number of leaps that were closed up.
    seconds : Fraction
        Their length in all.
    """

    def __init__(
        self,
        stamped: Iterable[tuple[Fraction, T]],
        *,
        interval: Fraction,
        start: Fraction | None = None,
        end: Fraction | None = None,
    ) -> None:
        self._stamped, self._interval, self._start, self._end = stamped, interval, start, end
        self.leaps, self.seconds = 0, Fraction(0)

    def __iter__(self) -> Iterator[tuple[Fraction, T]]:
        last = self._start
        recent: deque[Fraction] = deque(maxlen=_RECENT)
        for time, item in self._stamped:
            step = None if last is None else time - last
            usual = median(recent) if recent else self._interval
            if step is not None and step > leap_of(usual):
                if self._end is not None and time >= self._end:
                    return
                self.leaps += 1
                self.seconds += step - usual
            elif step is not None and step > 0 and last != self._start:
                recent.append(step)
            last = time if last is None else max(time, last)
            yield time - self.seconds, item


def nearest_frames(
    stamped: Iterable[tuple[Fraction, T]],
    *,
    fps: Fraction,
    start: Fraction | None = None,
    limit: int,
) -> Iterator[tuple[T, int]]:
    """Yield how often each source frame is shown, so that output frame k is nearest to k / fps.

    Every output time is compared with the source's own time stamps, so rounding errors never add
    up. A time midway between two source frames takes the earlier one. The last source frame is
    shown for as long as the one before it.

    Parameters
    ----------
    stamped : iterable of (time, item)
        Times in seconds, strictly increasing.
    fps : Fraction
        Output frames per second.
    start : Fraction, optional
        Source time of output frame 0; by default the first frame's, and never before it.
    limit : int
        Largest number of output frames.

    Yields
    ------
    item
        Each source frame up to the last one needed, in order.
    copies : int
        Number of output frames that show it; 0 for a frame that is dropped.
    """
    held: tuple[Fraction, T] | None = None
    shown, interval = 0, 1 / fps
    origin = Fraction(0)
    for time, item in stamped:
        if held is None:
            origin = time if start is None else max(start, time)
        else:
            interval = time - held[0]
            until = math.floor((held[0] + interval / 2 - origin) * fps) + 1
            copies = max(min(until, limit) - shown, 0)
            yield held[1], copies
            shown += copies
            if shown >= limit:
                return
        held = (time, item)
    if held is not None:
        # Half a frame of tolerance, for containers that round their time stamps.
        until = math.ceil((held[0] + interval - origin) * fps - Fraction(1, 2))
        yield held[1], max(min(until, limit) - shown, 0)


def sampled(count: int, wanted: int) -> list[int]:
    """Return up to `wanted` frame numbers evenly spread over `count` frames, away from both ends.

    Examples
    --------
    >>> sampled(100, 4)
    [12, 37, 62, 87]
    """
    if count <= wanted:
        return list(range(count))
    return [int((k + 0.5) * count / wanted) for k in range(wanted)]
