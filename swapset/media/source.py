"""Read the frames of an untrusted, perhaps damaged video with their times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.stamps import WINDOW, Stamped, in_order

_MAX_ERRORS = 64  # consecutive errors of the container after which the rest of it is given up
_DEFAULT_RATE = Fraction(30)
_SEEK_MARGIN = 5  # seconds; starts this near are reached by decoding instead
_LONGEST = 1  # seconds; a frame's duration above this is not believed
_MEMORY = 1 << 28  # bytes of decoded frames whose stamps are sorted
_TIMED = ("matroska", "flv", "rm", "mxf", "gxf")  # those whose header has the end of all streams
_EARLY = Fraction(1, 10)  # seconds before its header's end at which a file may end


class SourceReader:
    """Iterates over a video's undamaged frames and counts the damaged ones.

    Damage is told by the decoder, and by exact counts of frames; never by durations.

    Parameters
    ----------
    container : InputContainer
        The open file, from `swapset.media.container.open_video`.
    stream : VideoStream
        Its video stream.

    Attributes
    ----------
    frames : int
        Undamaged frames so far.
    errors : int
        Packets that do not decode, frames that the decoder marks as damaged, and container errors.
    leading : int
        Pictures before the first whole one, of a file that begins in the middle of a recording.
        Players do not show them, either.
    interval : Fraction
        Usual time from one frame to the next, in seconds.
    finished : bool
        Whether the file was read to its end.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self.frames = self.errors = self.leading = 0
        self.finished = False
        self._sought: Fraction | None = None
        self.interval = 1 / Fraction(rate_of(container, stream) or _DEFAULT_RATE)
        self._begin()

    def _begin(self) -> None:
        """Forget all packets, before reading from the start."""
        self._packets_read = self._early_errors = 0
        self._started = self._stamped = False  # whether a whole picture, and a stamp, was seen
        self._key: int | None = None
        self._before: list[int] = []  # stamps of packets before the first picture
        self._shift = 0
        self._end = Fraction(0)

    @property
    def origin(self) -> Fraction | None:
        """Time stamp that players show as 0:00, in seconds; None if the file does not tell."""
        if self._container.start_time is None:
            return None
        return Fraction(self._container.start_time, av.time_base)

    @property
    def damaged(self) -> int:
        """Frames lost to damage: errors, or counted frames missing from a fully read file."""
        missing = 0
        if self.finished and self._sought is None:
            missing = self._counted() - self._packets_read
        return max(self.errors, missing)

    @property
    def early(self) -> float:
        """Seconds by which a fully read file ends before the end that its header states."""
        stated = self._container.duration
        known = self._container.format.name.split(",")[0] in _TIMED
        if stated is None or not (known and self.finished and self._sought is None):
            return 0.0
        missing = Fraction(stated, av.time_base) - self._end
        return float(missing) if missing > _EARLY + 2 * self.interval else 0.0

    def notes(self) -> list[str]:
        """Return what a fully read file lacks at its ends, in words."""
        notes = []
        if self.leading:
            notes.append(
                f"begins inside a recording: {self.leading} pictures before the first whole one "
                "cannot be shown"
            )
        if self.early:
            notes.append(f"was cut off {self.early:.1f} s before the end that its header states")
        return notes

    def seek(self, time: Fraction) -> None:
        """Go to a key frame before `time` (in seconds), or stay at the start if there is none."""
        if self.origin is None or time - self.origin <= _SEEK_MARGIN:
            return  # files without time stamps are decoded up to the time
        try:
            self._container.seek(int((time - _SEEK_MARGIN) * av.time_base), backward=True)
            self._sought = time
        except av.error.FFmpegError:
            self._rewind()

    def _rewind(self) -> None:
        self._container.seek(self._container.start_time or 0, backward=True)
        self._sought = None
        self._begin()

    def __iter__(self) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Yield (time in seconds, frame); times strictly increase."""
        for time, frame in self._from_seek():
            self.frames += 1
            yield time, frame
        self.finished = True

    def _from_seek(self) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Decode from the frame that `seek` went to, or from the start if it went too far."""
        if self._sought is not None:
            frames = self._ordered()
            first = next(frames, None)
            if first is not None and self._stamped and first[0] <= self._sought:
                yield first
                yield from frames
                return
            self._rewind()
        yield from self._ordered()

    def _ordered(self) -> Iterator[tuple[Fraction, VideoFrame]]:
        size = self._stream.width * self._stream.height * 3 // 2
        window = max(2, min(WINDOW, _MEMORY // max(size, 1)))
        return in_order(self._decoded(), interval=self.interval, window=window)

    def _decoded(self) -> Iterator[Stamped[VideoFrame]]:
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self._count_damage(packet.pts)
                continue
            for frame in decoded:
                if not isinstance(frame, VideoFrame) or frame.is_corrupt:
                    self._count_damage(frame.pts)
                else:
                    self._start(frame)
                    yield self._stamp(frame)
        if not self._started:
            self.errors += self._early_errors

    def _counted(self) -> int:
        """Return the exact number of packets by the index or header; 0 if there is none."""
        kind = self._container.format.name.split(",")[0]
        if kind == "mov":
            return len(self._stream.index_entries)  # without what an edit list leaves out
        return self._stream.frames if kind == "avi" else 0

    def _count_damage(self, stamp: int | None) -> None:
        """Count a damaged picture, unless it lacks what came before the beginning of the file."""
        early = self._key is None or (stamp is not None and stamp < self._key)
        if early and not self._started:
            self._early_errors += 1
        else:
            self.errors += 1

    def _start(self, first: VideoFrame) -> None:
        """Count the packets of earlier pictures when the first whole one was decoded."""
        if self._started:
            return
        self._started = True
        if self._sought is None and first.pts is not None:
            self.leading = sum(stamp < first.pts for stamp in self._before)
            if self.origin is None:
                self._shift = first.pts  # players show the first picture at 0:00
        self._before = []

    def _stamp(self, frame: VideoFrame) -> Stamped[VideoFrame]:
        """Return a frame with its time stamp and duration in seconds."""
        self._stamped |= frame.pts is not None
        stamp = frame.dts if frame.pts is None else frame.pts
        unit = Fraction(frame.time_base or 0)
        duration = (frame.duration or 0) * unit
        return Stamped(
            None if stamp is None or not unit else (stamp - self._shift) * unit,
            duration if 0 < duration <= _LONGEST else self.interval,
            frame,
        )

    def _packets(self) -> Iterator[Packet]:
        """Yield the packets of the stream; note where those of all streams end."""
        in_a_row = 0
        packets = self._container.demux()
        while in_a_row < _MAX_ERRORS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, IndexError):  # IndexError: a stream the header lacks
                in_a_row += 1
                self.errors += 1
                packets = self._container.demux()
                continue
            in_a_row = 0
            if packet.pts is not None:
                end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
                self._end = max(self._end, end)
            if packet.stream is self._stream:
                self._note(packet)
                yield packet

    def _note(self, packet: Packet) -> None:
        """Note a packet of the stream: its number, and those before the first picture."""
        if self._container.format.name == "avi":
            # It has no time stamps, only numbers of packets; empty ones are numbered, but skipped.
            packet.pts = packet.dts
            self._packets_read = max(self._packets_read, 1 + (packet.dts or 0))
        elif packet.dts is not None or packet.size:
            self._packets_read += 1
        if self._started or not packet.size:
            return
        if packet.pts is not None and not packet.is_discard:
            self._before.append(packet.pts)
        if packet.is_keyframe and self._key is None:
            self._key = packet.pts or 0


def rate_of(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Return a stream's usual frames per second; None if neither container nor codec tells.

    For raw streams, which have no duration, ffmpeg's "average" is a constant, and some containers
    state impossible averages: then the codec's header counts.
    """
    average, guessed = stream.average_rate, stream.guessed_rate
    if guessed and (container.duration is None or not average or average > 4 * guessed):
        return Fraction(guessed)
    return Fraction(average) if average else None
