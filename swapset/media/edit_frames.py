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
from swapset.media.container import UnusableMedia
from swapset.media.decode import PlaneConverter
from swapset.media.deinterlace import FieldOrder
from swapset.media.frame_shape import Cropper, FrameShape, ShapeReader
from swapset.media.hdr_metadata import dynamic_metadata, x264_parameters
from swapset.media.layout import kind_of, matrix_of, relayout
from swapset.media.orientation import Orientation
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
        """Return a frame's tags; BT.601 for frames that are converted to it."""
        if _made_anew(frame):
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
    HDR and wide-gamut frames are shown as software sees them that ignores their tags, which is
    most of it, so that a change is as large in their values as in any others.

    Parameters
    ----------
    path : path-like
        The video, for error messages.
    first : VideoFrame
        The video's first frame; it fixes all properties of the picture.
    stream : VideoStream
        The video's stream.
    turn : {0, 90, 180, 270}
        Clockwise degrees by which to turn the view in addition to the metadata, if these are wrong.

    Attributes
    ----------
    orientation : Orientation
        Orientation of the frames by the metadata.
    colours : ColourTags
        Tags that the encoded frames must get.
    field_order : {"", "tff", "bff"}
        For interlaced video: whether the top or the bottom field is first.
    hdr : str
        Static HDR metadata, as parameters of x264.
    left_out : list of str
        Properties that the encoded frames cannot carry.

    Raises
    ------
    MediaError
        If a property of the picture can neither be stored nor converted.
    """

    def __init__(
        self, path: str | Path, first: VideoFrame, stream: VideoStream, *, turn: int = 0
    ) -> None:
        self._path, self._stream = path, stream
        self._further = Orientation.turned(turn)
        self._shapes, self._crop, self._fields = (
            ShapeReader(stream, started=True),
            Cropper(),
            FieldOrder(stream),
        )
        self._kind = self._kind_of(first)
        shape = self._shape(first)
        self.orientation, self.field_order = shape.orientation, self._fields.of(first)
        self.colours = ColourTags.of(first)
        self.hdr, self.left_out = x264_parameters(first), dynamic_metadata(first)
        self._square = shape.square_size
        self._convert = PlaneConverter(self._square, as_shown=_made_anew(first))
        self._anew = PlaneConverter()

    def check(self, frame: VideoFrame) -> None:
        """Refuse a frame that is unlike the first one.

        Raises
        ------
        MediaError
            With the property of the picture that differs.
        """
        kind = self._kind_of(frame)
        if kind == self._kind:
            return
        name = next(each for each, value in kind.items() if value != self._kind[each])
        raise MediaError(
            f"{self._path}: its picture changes at {frame.time} s: {name} from {self._kind[name]} "
            f"to {kind[name]}; cut it there, or convert it to one kind"
        )

    def view(self, frame: VideoFrame) -> Image:
        """Return a frame as RGB, (H, W, 3) uint8: upright, with square pixels and even sides.

        Raises
        ------
        MediaError
            If its size or pixel format differs from the first frame's.
        """
        if any(self._kind[name] != value for name, value in _form(frame).items()):
            self.check(frame)
        cut = self._crop(frame, self._shape(frame))
        upright = self.orientation.apply_planes(self._convert(cut))
        return i420_to_rgb(self._further.apply_planes(upright))

    def stored(self, frame: VideoFrame, change: Change | None = None) -> VideoFrame:
        """Return a frame ready to be encoded: cropped, with its change, in one of `LAYOUTS`.

        Parameters
        ----------
        frame : VideoFrame
            The decoded frame.
        change : (H, W, 3) int16, optional
            What is added to the frame's `view`, which has the same size; in [-255, 255].

        Returns
        -------
        VideoFrame
            Without the last rows or columns if the chroma subsampling does not divide the size;
            in interlaced video, that of each field.
        """
        frame = self._crop(frame, self._shape(frame))
        layout = self._encodable(frame)
        name = layout.format.name.replace(_FULL, "yuv")
        width, height = _whole(layout, fields=2 if self.field_order else 1)
        bits = LAYOUTS[name]
        edited = VideoFrame(width, height, name)
        planes = [_array(plane, bits) for plane in edited.planes]
        for plane, old in zip(planes, layout.planes, strict=True):
            plane[:] = _array(old, bits)[: plane.shape[0], : plane.shape[1]]
        if change is not None:
            self._add(planes, self._as_stored(change, frame, (width, height)), frame, bits)
        return edited

    def _add(
        self,
        planes: list[npt.NDArray[np.integer]],
        change: Change,
        frame: VideoFrame,
        bits: int,
    ) -> None:
        """Add a change to planes in place; in interlaced video, to each field by itself."""
        step = 2 if self.field_order else 1
        for field in range(step):
            add_to_planes(
                [plane[field::step] for plane in planes],
                change[field::step],
                matrix=_BT601 if _made_anew(frame) else matrix_of(frame),
                full_range=self.colours.range == ColorRange.JPEG,
                bits=bits,
            )

    def _as_stored(self, change: Change, frame: VideoFrame, size: tuple[int, int]) -> Change:
        """Return a change of the view turned and scaled to match the stored frames."""
        back = self.orientation.undo(self._further.undo(change))
        wide, high = self._square
        # The view has even sides: an odd last row or column does not change.
        whole = np.zeros((high, wide, 3), np.int16)
        whole[: back.shape[0], : back.shape[1]] = back
        if (wide, high) != (frame.width, frame.height):
            whole = np.asarray(cv2.resize(whole, (frame.width, frame.height)), np.int16)
        return whole[: size[1], : size[0]]

    def _encodable(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame converted to one of `LAYOUTS`, with the same colours."""
        if frame.format.name.replace(_FULL, "yuv") in LAYOUTS:
            return frame
        size = frame.width, frame.height
        if _made_anew(frame):
            return VideoFrame.from_ndarray(self._anew(frame), format="yuv420p")
        deep = max(part.bits for part in frame.format.components) > 8
        rows = "0"
        if self.field_order and frame.format.chroma_height(frame.height) == frame.height:
            rows = "2"  # the chroma of two fields must not be mixed
        return relayout(frame, f"yuv42{rows}p{'10le' if deep else ''}", size)

    def _shape(self, frame: VideoFrame) -> FrameShape:
        """Return a frame's shape; refuse stereo pictures, whose layout H.264 would lose."""
        try:
            shape = self._shapes.of(frame)
            matrix_of(frame)
            self._fields.check(frame)
        except UnusableMedia as error:
            raise MediaError(f"{self._path}: {error}") from error
        if shape.stereo:
            raise MediaError(
                f"{self._path}: holds two views of a stereo picture ({shape.stereo}); export one "
                "view of it and protect that"
            )
        return shape

    def _kind_of(self, frame: VideoFrame) -> dict[str, object]:
        """Return what must not change within the video, by name."""
        shape = self._shape(frame)
        return _form(frame) | {
            "pixel aspect": str(shape.aspect),
            "orientation": shape.orientation,
            "field order": self._fields.of(frame) or "progressive",
            "colour tags": ColourTags.of(frame),
        }


def _form(frame: VideoFrame) -> dict[str, object]:
    return {"size": f"{frame.width}x{frame.height}", "pixel format": frame.format.name}


def _made_anew(frame: VideoFrame) -> bool:
    """Return whether a frame is converted to BT.601: H.264 holds no grey, and RGB rarely plays."""
    kind = kind_of(frame.format.name)
    return kind.colours != "yuv" or kind.alpha


def _whole(frame: VideoFrame, fields: int) -> tuple[int, int]:
    """Return width and height rounded down to multiples of the chroma subsampling."""
    planes = frame.planes
    across, down = planes[1].width < planes[0].width, planes[1].height < planes[0].height
    rows = (1 + down) * fields
    return frame.width - frame.width % (1 + across), frame.height - frame.height % rows


def _array(plane: VideoPlane, bits: int) -> npt.NDArray[np.integer]:
    """Return a view of a plane, (H, W) uint8 or uint16."""
    kind = np.dtype(np.uint8 if bits == 8 else "<u2")
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    return np.asarray(rows[: plane.height, : plane.width], kind)
