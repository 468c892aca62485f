"""Change some pixels of any video's frames; all others stay as they were decoded, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.media.colour import add_to_planes, i420_to_rgb
from swapset.media.decode import RGB_LIKE, PlaneConverter, matrix_of, relayout
from swapset.media.orientation import Orientation, orientation_of
from swapset.media.probe import square_size
from swapset.types import Image

Change = npt.NDArray[np.int16]

LAYOUTS = {
    "yuv420p": 8,
    "yuv422p": 8,
    "yuv444p": 8,
    "yuv420p10le": 10,
    "yuv422p10le": 10,
    "yuv444p10le": 10,
}
"""Pixel formats that H.264 holds, and the bits of a value. Others become one of these."""

_FULL = "yuvj"  # the same formats with all values; here the tags say that

_BT601 = 6


@dataclass(frozen=True)
class ColourTags:
    """What a video says of its colours, as the numbers of ITU-T H.273; 0 and 2 = nothing."""

    range: int
    matrix: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, frame: VideoFrame) -> ColourTags:
        """Return the tags of a frame; those of BT.601 where it is turned into that."""
        if _rgb_like(frame):
            return cls(int(ColorRange.MPEG), _BT601, _BT601, _BT601)
        full = frame.format.name.startswith(_FULL)
        return cls(
            int(ColorRange.JPEG if full else frame.color_range),
            int(frame.colorspace),
            int(frame.color_primaries),
            int(frame.color_trc),
        )


class Retouch:
    """Shows the frames of a video as RGB, and puts changes of that back into the frames.

    A change is turned into YCbCr and added to the planes as they were decoded, whatever their
    colour matrix, range, depth and subsampling: where nothing changes, no value does.

    Parameters
    ----------
    path : path-like
        For messages.
    first : VideoFrame
        The video's first frame; it fixes size, orientation and pixel format.
    stream : VideoStream
    turn : {0, 90, 180, 270}
        Clockwise degrees to turn the view further than the metadata say, where these are wrong.

    Attributes
    ----------
    orientation : Orientation
        How its frames become upright, as the metadata say.
    colours : ColourTags
        What the frames to be encoded must be tagged with.
    """

    def __init__(
        self, path: str | Path, first: VideoFrame, stream: VideoStream, *, turn: int = 0
    ) -> None:
        self.orientation, self._further = orientation_of(first), Orientation.turned(turn)
        self._path = path
        self._kind = first.width, first.height, first.format.name
        self.colours = ColourTags.of(first)
        self._square = square_size(first, stream)
        self._convert = PlaneConverter(self._square)

    def view(self, frame: VideoFrame) -> Image:
        """Return a frame as RGB (H, W, 3) uint8: upright, with square pixels, of even size.

        Raises
        ------
        MediaError
            If its size or pixel format is not the first one's.
        """
        if (frame.width, frame.height, frame.format.name) != self._kind:
            raise MediaError(
                f"{self._path}: its picture changes from {self._kind} to "
                f"{(frame.width, frame.height, frame.format.name)} at {frame.time} s; "
                "cut it there, or convert it to one size"
            )
        upright = self.orientation.apply_planes(self._convert(frame))
        return i420_to_rgb(self._further.apply_planes(upright))

    def stored(self, frame: VideoFrame, change: Change | None = None) -> VideoFrame:
        """Return a frame as it is to be encoded, in one of `LAYOUTS`.

        Parameters
        ----------
        frame : VideoFrame
        change : (H, W, 3) int16, optional
            What is added to `view`; its size.

        Returns
        -------
        VideoFrame
            Without the last row or column where subsampling would need half a value of it.
        """
        layout = _encodable(frame)
        name = layout.format.name.replace(_FULL, "yuv")
        width, height = _whole(layout)
        bits = LAYOUTS[name]
        made = VideoFrame(width, height, name)
        planes = [_array(plane, bits) for plane in made.planes]
        for plane, old in zip(planes, layout.planes, strict=True):
            plane[:] = _array(old, bits)[: plane.shape[0], : plane.shape[1]]
        if change is not None:
            add_to_planes(
                planes,
                self._as_stored(change, width, height),
                matrix=_BT601 if _rgb_like(frame) else matrix_of(frame),
                full_range=self.colours.range == ColorRange.JPEG,
                bits=bits,
            )
        return made

    def _as_stored(self, change: Change, width: int, height: int) -> Change:
        """Return a change as the frames are stored: turned back, in their size and pixel aspect."""
        back = self.orientation.undo(self._further.undo(change))
        wide, high = self._square
        # The view is of even size: what it lacks does not change.
        whole = np.zeros((high, wide, 3), np.int16)
        whole[: back.shape[0], : back.shape[1]] = back
        if (wide, high) != self._kind[:2]:
            whole = np.asarray(cv2.resize(whole, self._kind[:2]), np.int16)
        return whole[:height, :width]


def _encodable(frame: VideoFrame) -> VideoFrame:
    """Return a frame in one of `LAYOUTS`, of the same colours."""
    name = frame.format.name
    if name.replace(_FULL, "yuv") in LAYOUTS:
        return frame
    if _rgb_like(frame):
        planes = PlaneConverter()(frame)
        return VideoFrame.from_ndarray(planes, format="yuv420p")
    depth = max(part.bits for part in frame.format.components)
    size = frame.width, frame.height
    return relayout(frame, "yuv420p" if depth <= 8 else "yuv420p10le", size)


def _rgb_like(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.name.startswith(RGB_LIKE)


def _whole(frame: VideoFrame) -> tuple[int, int]:
    """Return width and height without what is no multiple of the subsampling."""
    planes = frame.planes
    across, down = planes[1].width < planes[0].width, planes[1].height < planes[0].height
    return frame.width - frame.width % (1 + across), frame.height - frame.height % (1 + down)


def _array(plane: VideoPlane, bits: int) -> npt.NDArray[np.integer]:
    """Return a plane (H, W), without copying it."""
    kind = np.dtype(np.uint8 if bits == 8 else "<u2")
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    return np.asarray(rows[: plane.height, : plane.width], kind)
