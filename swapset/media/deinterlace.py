"""Deinterlace the frames of a video that are interlaced; all others stay as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.filters import Filters

T = TypeVar("T")

# Codes of libavcodec's AVFieldOrder. The two with different orders of storing and showing (4, 5)
# are read as ffmpeg writes them: by their first letter.
_PARITY = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
_SMALLEST = 8  # pixels; bwdif needs three rows and columns of chroma


class Deinterlacer:
    """Turns each interlaced frame into one full picture by bwdif, which looks at its neighbours.

    A frame is interlaced if its own flag says so. If the container says that the video is, and no
    frame has the flag so far (codecs such as VP9 and ProRes files without it), all frames are.
    The frame rate stays: the picture of the first field is completed.

    Parameters
    ----------
    stream : VideoStream
        The open video stream.

    Attributes
    ----------
    frames : int
        Interlaced frames so far.

    References
    ----------
    J. Weston, BBC R&D; the filter is a mix of w3fdif and yadif.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._parity = _PARITY.get(stream.codec_context.field_order, "")
        self._flagged = False
        self.frames = 0

    def run(self, frames: Iterable[tuple[T, VideoFrame]]) -> Iterator[tuple[T, VideoFrame]]:
        """Yield the same number of items and frames, in the same order; none is interlaced."""
        kind: object = None
        filters: Filters | None = None
        waiting: deque[T] = deque()
        for item, frame in frames:
            interlaced = self._is_interlaced(frame)
            self.frames += interlaced
            new = frame.width, frame.height, frame.format.name, self._flagged
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

    def _is_interlaced(self, frame: VideoFrame) -> bool:
        self._flagged |= frame.interlaced_frame
        if min(frame.width, frame.height) < _SMALLEST:
            return False
        return bool(frame.interlaced_frame or (self._parity and not self._flagged))

    def _arguments(self) -> str:
        which = "deint=interlaced" if self._flagged else f"deint=all:parity={self._parity}"
        return f"mode=send_frame:{which}"
