"""Run decoded frames through ffmpeg's own filters."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from swapset.media.colour import LUMA_WEIGHTS

_NOTHING_YET = (av.error.BlockingIOError, av.error.EOFError)
_FULL = "yuvj"  # ffmpeg's prefix of full-range formats


class Filters:
    """A chain of filters for frames of one size and pixel format.

    Parameters
    ----------
    first : VideoFrame
        A frame of the size and pixel format that all frames have.
    *chain : (str, str)
        ffmpeg's name and arguments of each filter.
    """

    def __init__(self, first: VideoFrame, *chain: tuple[str, str]) -> None:
        self._graph = Graph()
        last = self._graph.add("buffer", _buffer(first))
        for name, arguments in (*chain, ("buffersink", "")):
            step = self._graph.add(name, arguments)
            last.link_to(step)
            last = step
        self._graph.configure()

    def run(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Put in a frame, or None at the end; yield the frames that come out by then."""
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except _NOTHING_YET:
                return


def _buffer(frame: VideoFrame) -> str:
    """Return the arguments of the filter `buffer` for frames like this one."""
    name = frame.format.name
    words = [f"video_size={frame.width}x{frame.height}", f"pix_fmt={name}", "time_base=1/1000"]
    if not frame.format.is_rgb:  # otherwise a change of the pixel format would change the range
        full = 2 if name.startswith(_FULL) else int(frame.color_range)
        matrix = int(frame.colorspace)
        words += [f"colorspace={matrix if matrix in LUMA_WEIGHTS else 2}", f"range={full}"]
    return ":".join(words)
