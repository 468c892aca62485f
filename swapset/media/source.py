"""Read the frames of an untrusted, perhaps damaged video with their times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.decode import expected_frames

_MAX_ERRORS = 64  # consecutive errors of the container after which the rest of it is given up
_DEFAULT_RATE = Fraction(30)
_SEEK_MARGIN = 5  # seconds; starts this near are reached by decoding instead


class SourceReader:
    """Iterates over a video's undamaged frames and counts the damaged ones.

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
    finished : bool
        Whether the file was read to its end.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self.frames = self.errors = 0
        self.finished = False
        self._hidden = 0
        self._sought: Fraction | None = None
        rate = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
        self._interval = 1 / Fraction(rate)

    @property
    def origin(self) -> Fraction | None:
        """Time stamp that players show as 0:00, in seconds; None if the file does not tell."""
        if self._container.start_time is None:
            return None
        return Fraction(self._container.start_time, av.time_base)

    @property
    def damaged(self) -> int:
        """Frames lost to damage: errors, or announced frames missing from a fully read file."""
        missing = 0
        if self.finished and self._sought is None:
            announced = expected_frames(self._container, self._stream) or 0
            missing = announced - self.frames - self._hidden
            # Only a count is exact; duration times frame rate is an estimate.
            if missing <= (0 if self._stream.frames else max(1, announced // 50)):
                missing = 0
        return max(self.errors, missing)

    def seek(self, time: Fraction) -> None:
        """Go to a key frame before `time` (in seconds), or stay at the start if there is none."""
        if time - (self.origin or 0) <= _SEEK_MARGIN:
            return
        try:
            self._container.seek(int((time - _SEEK_MARGIN) * av.time_base), backward=True)
            self._sought = time
        except av.error.FFmpegError:
            self._container.seek(0)

    def __iter__(self) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Yield (time in seconds, frame); times strictly increase."""
        last: Fraction | None = None
        offset = Fraction(0)
        for frame in self._from_seek():
            time = self._time(frame, last, offset)
            if last is not None and last - time > 1:  # two recordings were joined here
                offset += last + self._interval - time
                time = last + self._interval
            if last is not None and time <= last:
                self.errors += 1
                continue
            last = time
            self.frames += 1
            yield time, frame
        self.finished = True

    def _time(self, frame: VideoFrame, last: Fraction | None, offset: Fraction) -> Fraction:
        if frame.pts is None or frame.time_base is None:
            return Fraction(0) if last is None else last + self._interval
        return frame.pts * frame.time_base + offset

    def _from_seek(self) -> Iterator[VideoFrame]:
        """Decode from the frame that `seek` went to, or from the start if it went too far."""
        frames = self._decoded()
        if self._sought is not None:
            first = next(frames, None)
            if first is not None and self._time(first, None, Fraction(0)) <= self._sought:
                yield first
            else:
                self._container.seek(0)
                frames = self._decoded()
        yield from frames

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.errors += 1
                continue
            for frame in decoded:
                if not isinstance(frame, VideoFrame) or frame.is_corrupt:
                    self.errors += 1
                else:
                    yield frame

    def _packets(self) -> Iterator[Packet]:
        in_a_row = 0
        packets = self._container.demux(self._stream)
        while in_a_row < _MAX_ERRORS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, IndexError):  # IndexError: a stream the header lacks
                in_a_row += 1
                self.errors += 1
                packets = self._container.demux(self._stream)
                continue
            in_a_row = 0
            self._hidden += bool(packet.is_discard)
            yield packet
