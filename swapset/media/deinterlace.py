"""Deinterlace the frames of a video that are interlaced; all others stay as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.container import UNSUPPORTED, UnusableMedia
from swapset.media.filters import Filters

T = TypeVar("T")

# Codes of libavcodec's AVFieldOrder. The two with different orders of storing and showing (4, 5)
# are read as ffmpeg writes them: by their first letter.
_PARITY = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
_SMALLEST = 8  # pixels; bwdif needs three rows and columns of chroma


class FieldOrder:
    """Tells which frames of a stream are interlaced, and in which order their fields come.

    A frame is interlaced if its own flag says so. If the container says that the video is, and no
    frame has the flag so far (as in VP9, or in ProRes files without it), all frames are.

    Parameters
    ----------
    stream : VideoStream
        The stream of an open file.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.of_container = _PARITY.get(stream.codec_context.field_order, "")
        self.flagged = False
        self._codec = stream.codec_context.name
        self._meter: tuple[object, Filters] | None = None

    def is_interlaced(self, frame: VideoFrame) -> bool:
        """Return whether a frame is interlaced; frames are asked about in their order."""
        self.flagged |= frame.interlaced_frame
        if min(frame.width, frame.height) < _SMALLEST:
            return False
        return bool(frame.interlaced_frame or (self.of_container and not self.flagged))

    def of(self, frame: VideoFrame) -> str:
        """Return "tff" or "bff", the field that comes first; empty for a progressive frame."""
        if not self.is_interlaced(frame):
            return ""
        return self._stated(frame) if frame.interlaced_frame else self.of_container

    def check(self, frame: VideoFrame) -> None:
        """Refuse HEVC with a picture for each field: only these have the flag.

        Raises
        ------
        UnusableMedia
            If the frame is one.
        """
        if frame.interlaced_frame and self._codec == "hevc":
            raise UnusableMedia(
                "each field is a picture of its own (interlaced HEVC), which ffmpeg does not join; "
                "convert it by other software",
                UNSUPPORTED,
            )

    def _stated(self, frame: VideoFrame) -> str:
        """Return the order of an interlaced frame by its own flags."""
        kind = frame.width, frame.height, frame.format.name
        if self._meter is None or self._meter[0] != kind:  # PyAV does not tell, but filters know
            self._meter = kind, Filters(frame, ("select", "eq(interlace_type,TOPFIRST)"))
        return "tff" if list(self._meter[1].run(frame)) else "bff"


class Deinterlacer:
    """Turns each interlaced frame into one full picture by bwdif, which looks at its neighbours.

    The frame rate stays: the picture of the first field is completed.

    Parameters
    ----------
    stream : VideoStream
        The stream of an open file.

    Attributes
    ----------
    frames : int
        Interlaced frames so far.

    References
    ----------
    J. Weston, BBC R&D; the filter is a mix of w3fdif and yadif.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._fields = FieldOrder(stream)
        self.frames = 0

    def run(self, frames: Iterable[tuple[T, VideoFrame]]) -> Iterator[tuple[T, VideoFrame]]:
        """Yield the same number of items and frames, in the same order; none is interlaced."""
        kind: object = None
        filters: Filters | None = None
        waiting: deque[T] = deque()
        for item, frame in frames:
            self._fields.check(frame)
            interlaced = self._fields.is_interlaced(frame)
            self.frames += interlaced
            new = frame.width, frame.height, frame.format.name, self._fields.flagged
            if filters is not None and new != kind:
                yield from zip(waiting.copy(), filters.run(None), strict=False)
                waiting.clear()
                filters = None
            if filters is None and not interlaced:
                yield item, frame
                continue
            if filters is None:
                filters, kind = Filters(frame, ("bwdif", self._arguments())), new
            waiting.append(item)
            for done in filters.run(frame):
                yield waiting.popleft(), done
        if filters is not None:
            yield from zip(waiting, filters.run(None), strict=False)

    def _arguments(self) -> str:
        fields = self._fields
        which = "interlaced" if fields.flagged else f"all:parity={fields.of_container}"
        return f"mode=send_frame:deint={which}"
