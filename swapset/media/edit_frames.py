"""Change some pixels of any video's frames; all others stay as they were decoded, to the bit."""

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
"""Change of an RGB picture: (H, W, 3) int16 in [-255, 255]."""

LAYOUTS = {
    "yuv420p": 8,
    "yuv422p": 8,
    "yuv444p": 8,
    "yuv420p10le": 10,
    "yuv422p10le": 10,
    "yuv444p10le": 10,
}
"""Pixel formats that H.264 can store, and their bits per value; all others are converted to one."""

_FULL = "yuvj"  # ffmpeg's prefix of full-range formats; here `ColourTags` hold the range

_BT601 = 6


@dataclass(frozen=True)
class ColourTags:
    """Colour tags of a video.

    Attributes
    ----------
    range : int
        0 = unknown, 1 = limited, 2 = full.
    matrix, primaries, transfer : int
        Codes of ITU-T H.273; 0 and 2 = unknown.
    """

    range: int
    matrix: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, frame: VideoFrame) -> ColourTags:
        """Return a frame's tags; BT.601 for RGB and grey frames, which are converted to it."""
        if _rgb_like(frame):
            return cls(int(ColorRange.MPEG), _BT601, _BT601, _BT601)
        full = frame.format.name.startswith(_FULL)
        return cls(
            int(ColorRange.JPEG if full else frame.color_range),
            int(frame.colorspace),
            int(frame.color_primaries),
            int(frame.color_trc),
        )


class FrameEditor:
    """Shows a video's frames as upright RGB, and adds changes of that RGB to the stored frames.

    A change is converted to YCbCr and added to the planes as they were decoded, whatever their
    colour matrix, range, depth and subsampling. Pixels without a change keep their exact values.

    Parameters
    ----------
    path : path-like
        The video, for error messages.
    first : VideoFrame
        The video's first frame; it fixes size, orientation and pixel format.
    stream : VideoStream
        The video's stream, for its pixel aspect ratio.
    turn : {0, 90, 180, 270}
        Clockwise degrees by which to turn the view in addition to the metadata, if these are wrong.

    Attributes
    ----------
    orientation : Orientation
        Orientation of the frames by the metadata.
    colours : ColourTags
        Tags that the encoded frames must get.
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
        """Return a frame as RGB, (H, W, 3) uint8: upright, with square pixels and even sides.

        Raises
        ------
        MediaError
            If its size or pixel format differs from the first frame's.
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
        """Return a frame ready to be encoded: with its change, in one of `LAYOUTS`.

        Parameters
        ----------
        frame : VideoFrame
            The decoded frame.
        change : (H, W, 3) int16, optional
            What is added to the frame's `view`, which has the same size; in [-255, 255].

        Returns
        -------
        VideoFrame
            Without the last row or column if the chroma subsampling does not divide the size.
        """
        layout = _encodable(frame)
        name = layout.format.name.replace(_FULL, "yuv")
        width, height = _whole(layout)
        bits = LAYOUTS[name]
        edited = VideoFrame(width, height, name)
        planes = [_array(plane, bits) for plane in edited.planes]
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
        return edited

    def _as_stored(self, change: Change, width: int, height: int) -> Change:
        """Return a change of the view turned and scaled to match the stored frames."""
        back = self.orientation.undo(self._further.undo(change))
        wide, high = self._square
        # The view has even sides: an odd last row or column does not change.
        whole = np.zeros((high, wide, 3), np.int16)
        whole[: back.shape[0], : back.shape[1]] = back
        if (wide, high) != self._kind[:2]:
            whole = np.asarray(cv2.resize(whole, self._kind[:2]), np.int16)
        return whole[:height, :width]


def _encodable(frame: VideoFrame) -> VideoFrame:
    """Return a frame converted to one of `LAYOUTS`, with the same colours."""
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
    """Return width and height rounded down to multiples of the chroma subsampling."""
    planes = frame.planes
    across, down = planes[1].width < planes[0].width, planes[1].height < planes[0].height
    return frame.width - frame.width % (1 + across), frame.height - frame.height % (1 + down)


def _array(plane: VideoPlane, bits: int) -> npt.NDArray[np.integer]:
    """Return a view of a plane, (H, W) uint8 or uint16."""
    kind = np.dtype(np.uint8 if bits == 8 else "<u2")
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    return np.asarray(rows[: plane.height, : plane.width], kind)
