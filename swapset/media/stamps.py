"""Put the times of decoded frames in order, whatever a container's time stamps say.

Decoders give frames in the order in which they are shown, but their stamps are not always in that
order: AVI has none, so that ffmpeg numbers packets as they are stored, B-frames after the frames
that they refer to; raw streams have none at all; others are missing, repeated, or leap where
recordings were joined. No frame is dropped for its stamp.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile
from typing import Generic, TypeVar

T = TypeVar("T")

WINDOW = 17
"""Frames among which stamps are sorted; H.264 and H.265 reorder at most 16."""

LEAP = Fraction(1)
"""Seconds from one frame to the next above which time stamps leap, at usual frame rates."""


def leap_of(interval: Fraction) -> Fraction:
    """Return the step between frames, in seconds, above which stamps leap instead of running on.

    Parameters
    ----------
    interval : Fraction
        Usual time from one frame to the next, in seconds.
    """
    return max(LEAP, 8 * min(interval, LEAP))


@dataclass(frozen=True)
class Stamped(Generic[T]):
    """A frame, its time stamp in seconds (None if it has none), and how long it is shown."""

    stamp: Fraction | None
    duration: Fraction
    item: T


def in_order(
    frames: Iterable[Stamped[T]], *, interval: Fraction, window: int = WINDOW
) -> Iterator[tuple[Fraction, T]]:
    """Yield (time, frame) in the given order, with times in seconds that strictly increase.

    - Stamps out of order are sorted, and the frames get them in turn.
    - A missing or repeated stamp is replaced by a time between its neighbours.
    - A single stamp that leaps away and back counts as missing.
    - Where stamps leap back, or the same times come again, recordings were joined: the second one
      goes on after the first. A short delay by that is made up for where stamps leave a gap.
    - Leaps forward stay, see `swapset.media.timeline.without_leaps`.

    Parameters
    ----------
    frames : iterable of Stamped
        Frames in the order in which they are shown.
    interval : Fraction
        Usual time from one frame to the next, in seconds.
    window : int
        Number of frames among which stamps are sorted; as many are held in memory.
    """
    part = _Part[T](window)
    for frame, joined in _with_joints(frames, leap_of(interval)):
        if joined:
            yield from part.rest()
            part = _Part(window, part)
        yield from part.add(frame)
    yield from part.rest()


def _with_joints(frames: Iterable[Stamped[T]], leap: Fraction) -> Iterator[tuple[Stamped[T], bool]]:
    """Yield each frame, and whether another recording begins with it.

    Single stamps that leap while the next one goes on as before are taken away.
    """
    recent: deque[Fraction] = deque(maxlen=2 * WINDOW)
    for frame, after in _with_next(frames):
        stamp, joined = frame.stamp, False
        if stamp is not None and recent:
            before = recent[-1]
            goes_on = after is not None and abs(after - before) <= leap
            if abs(stamp - before) > leap and goes_on:
                stamp = None
            else:
                joined = before - stamp > leap or _comes_again(stamp, after, recent)
        if stamp is not None:
            recent = deque(maxlen=recent.maxlen) if joined else recent
            recent.append(stamp)
        yield replace(frame, stamp=stamp), joined


def _comes_again(stamp: Fraction, after: Fraction | None, recent: Sequence[Fraction]) -> bool:
    """Return whether two stamps run through times that recent ones ran through already.

    Stamps of B-frames out of order step back, too, but no time comes twice.
    """
    if after is None or not stamp < after <= recent[-1]:
        return False
    return sum(each >= stamp for each in recent) > 1


def _with_next(
    frames: Iterable[Stamped[T]],
) -> Iterator[tuple[Stamped[T], Fraction | None]]:
    """Yield each frame and the stamp of the next one."""
    held: Stamped[T] | None = None
    for frame in frames:
        if held is not None:
            yield held, frame.stamp
        held = frame
    if held is not None:
        yield held, None


class _Part(Generic[T]):
    """Frames of one recording, some of which wait until enough stamps are known.

    Parameters
    ----------
    window : int
        Number of frames that wait.
    before : _Part, optional
        The part that this one follows; by default the first frame is shown at its stamp.
    """

    def __init__(self, window: int, before: _Part[T] | None = None) -> None:
        self._window, self._before = window, before
        self._waiting: deque[Stamped[T]] = deque()
        self._stamps: list[Fraction] = []  # one for each waiting frame that has one: a heap
        self._last: tuple[Fraction, Fraction] | None = None  # stamp and duration
        self._shift = self._lent = Fraction(0)  # lent: the part of it that a gap may take back

    def add(self, frame: Stamped[T]) -> Iterator[tuple[Fraction, T]]:
        """Take a frame in; yield the first one if enough frames wait behind it."""
        stamp = frame.stamp
        if stamp in self._stamps or (stamp is not None and self._last and stamp <= self._last[0]):
            stamp = None  # repeated, or later than sorting can mend
        if stamp is not None:
            heapq.heappush(self._stamps, stamp)
        self._waiting.append(replace(frame, stamp=stamp))
        if len(self._waiting) > self._window:
            yield self._first()

    def rest(self) -> Iterator[tuple[Fraction, T]]:
        """Yield all frames that wait."""
        while self._waiting:
            yield self._first()

    def _first(self) -> tuple[Fraction, T]:
        frame = self._waiting.popleft()
        stamp = self._between(frame) if frame.stamp is None else heapq.heappop(self._stamps)
        if self._last is not None:
            back = min(self._lent, max(stamp - sum(self._last), Fraction(0)))
            self._shift, self._lent = self._shift - back, self._lent - back
        elif self._before is not None:
            self._follow(self._before, stamp)
            self._before = None
        self._last = stamp, frame.duration
        return stamp + self._shift, frame.item

    def _follow(self, before: _Part[T], stamp: Fraction) -> None:
        """Shift the first stamp, and all others, so that the part begins where `before` ends."""
        if before._last is not None:
            self._shift = sum(before._last, before._shift) - stamp
            step = self._shift - before._shift
            self._lent = before._lent + step if step <= LEAP else Fraction(0)

    def _between(self, frame: Stamped[T]) -> Fraction:
        """Return a stamp for a frame without one: between its neighbours, or after the last."""
        count = 1 + sum(1 for _ in takewhile(lambda each: each.stamp is None, self._waiting))
        until = self._stamps[0] if self._stamps else None
        if self._last is None:
            return Fraction(0) if until is None else until - count * frame.duration
        last, duration = self._last
        if until is None:
            return last + duration
        return last + min((until - last) / (count + 1), duration)
