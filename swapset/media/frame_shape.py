"""The part of a decoded frame that players show, and the shape of its pixels."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from fractions import Fraction

import av.logging
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.container import MAX_PIXELS, MAX_SIDE, UNSUPPORTED, UnusableMedia
from swapset.media.filters import Filters

_MAX_ASPECT = 4  # more elongated pixels mean a damaged header
_SQUARE = Fraction(1, 50)  # a smaller deviation from square is rounding, not worth a resampling
_EQUAL = Fraction(1, 1000)
_STEPS = 4096  # widths that stand for the shape of a pixel: 4 : 1 is the widest that fits

_STEREO = {
    1: "side by side",
    2: "top-bottom",
    3: "frame by frame",
    4: "checkerboard",
    5: "side by side, quincunx",
    6: "rows",
    7: "columns",
}
"""ffmpeg's codes of stereo layouts in one stream; 0 is no stereo, 8 any other stream."""
_WIDE = Fraction(5, 2)  # two whole pictures side by side are wider than this; two squeezed are not
_FLAT = Fraction(23, 20)  # two whole pictures, one above the other, are narrower than this

_PROJECTIONS = {0: "equirectangular", 1: "cube map", 2: "equirectangular tile"}
_PROJECTIONS |= {3: "half equirectangular", 5: "fisheye", 6: "parametric immersive"}
"""ffmpeg's codes of projections other than the usual one (4)."""

_logging = threading.Lock()


@dataclass(frozen=True)
class FrameShape:
    """The part of a stored frame that is shown.

    Attributes
    ----------
    left, top, width, height : int
        The part, in pixels of the stored frame.
    aspect : Fraction
        Width of a pixel over its height.
    """

    left: int
    top: int
    width: int
    height: int
    aspect: Fraction

    @property
    def square_size(self) -> tuple[int, int]:
        """Width and height with square pixels, before the picture is turned upright.

        Anamorphic video (DV, DVD, some phones) stores pixels that are not square. Faces in it are
        distorted until its width is scaled by the pixel aspect ratio.
        """
        if abs(self.aspect - 1) <= _SQUARE:
            return self.width, self.height
        return max(round(self.width * self.aspect), 2), self.height


class ShapeReader:
    """Tells the shape of each frame of a stream: crop, stereo layout and pixel aspect may change.

    Parameters
    ----------
    stream : VideoStream
        The stream of an open file.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._crop = described(stream).crop
        self._aspect = Fraction(stream.sample_aspect_ratio or 1)
        self._own: Fraction | None = None
        self._measuring = False
        self._meter: tuple[object, Filters] | None = None

    def of(self, frame: VideoFrame) -> FrameShape:
        """Return the shape of the frame that was read last.

        Raises
        ------
        UnusableMedia
            If it is a stereo or spherical picture that cannot be shown flat, or too small or large.
        """
        top, bottom, left, right = self._crop
        width, height = frame.width - left - right, frame.height - top - bottom
        if width < 2 or height < 2:  # a damaged header
            left, top, width, height = 0, 0, frame.width, frame.height
        shape = FrameShape(left, top, width, height, self._aspect_of(frame))
        shape = self._flat(frame, shape)
        wide, high = shape.square_size
        if min(wide, high) < 2 or max(wide, high) > MAX_SIDE or wide * high > MAX_PIXELS:
            raise UnusableMedia(
                f"pictures of {wide}x{high} pixels cannot be used; sides must be 2 "
                f"to {MAX_SIDE:,} pixels, and pictures at most {MAX_PIXELS:,} pixels",
                "unreadable",
            )
        return shape

    def _aspect_of(self, frame: VideoFrame) -> Fraction:
        """Return the frame's pixel aspect ratio: the container's, until the frames' own changes.

        PyAV tells only that of the frame decoded last, which may be later than this one. As long as
        it is that of the first frame, so is this one's.
        """
        if self._own is None:
            self._own = self._measured(frame)
        latest = Fraction(self._stream.codec_context.sample_aspect_ratio or 1)
        self._measuring |= abs(latest - self._own) > _EQUAL
        aspect = self._measured(frame) if self._measuring else self._own
        if abs(aspect - self._own) <= _EQUAL:
            aspect = self._aspect
        return aspect if Fraction(1, _MAX_ASPECT) <= aspect <= _MAX_ASPECT else Fraction(1)

    def _measured(self, frame: VideoFrame) -> Fraction:
        """Return a frame's own pixel aspect ratio: the width of a picture scaled by it."""
        kind = frame.width, frame.height, frame.format.name
        if self._meter is None or self._meter[0] != kind:
            scale = f"w='clip(round(sar*{_STEPS}),1,{MAX_SIDE})':h=2:eval=frame:flags=neighbor"
            self._meter = kind, Filters(frame, ("scale", scale))
        (small,) = self._meter[1].run(frame)
        return Fraction(small.width, _STEPS).limit_denominator(200)

    def _flat(self, frame: VideoFrame, shape: FrameShape) -> FrameShape:
        """Return the left eye's part of a stereo picture; other pictures as they are."""
        projection = _first_numbers(frame, "SPHERICAL", 1)
        if projection and projection[0] in _PROJECTIONS:
            raise UnusableMedia(
                f"its picture is spherical ({_PROJECTIONS[projection[0]]}), which "
                "bends faces; export a flat view of it",
                UNSUPPORTED,
            )
        stereo = stereo_of(frame)
        if stereo is None:
            return shape
        kind, inverted = stereo
        whole = Fraction(shape.width, shape.height) * shape.aspect
        left, top, width, height, aspect = (
            shape.left,
            shape.top,
            shape.width,
            shape.height,
            shape.aspect,
        )
        if kind == _STEREO[1]:
            width //= 2
            aspect *= 1 if whole >= _WIDE else 2
            left += width * inverted
        elif kind == _STEREO[2]:
            height //= 2
            aspect /= 1 if whole <= _FLAT else 2
            top += height * inverted
        else:
            raise UnusableMedia(
                f"holds two views of a stereo picture ({kind}) that are not "
                "separated; export one view of it",
                UNSUPPORTED,
            )
        return FrameShape(left, top, width, height, aspect)


class Cropper:
    """Cuts out of frames the part that is shown, without copying."""

    def __init__(self) -> None:
        self._kind: object = None
        self._filters: Filters | None = None

    def __call__(self, frame: VideoFrame, shape: FrameShape) -> VideoFrame:
        """Return the part of a frame; the frame itself if that is all of it."""
        if (shape.width, shape.height) == (frame.width, frame.height):
            return frame
        kind = frame.width, frame.height, frame.format.name, shape
        if self._filters is None or kind != self._kind:
            part = f"{shape.width}:{shape.height}:{shape.left}:{shape.top}:exact=1"
            self._kind, self._filters = kind, Filters(frame, ("crop", part))
        (cut,) = self._filters.run(frame)
        return cut


def stereo_of(frame: VideoFrame) -> tuple[str, bool] | None:
    """Return a frame's stereo layout in words, and whether the right eye comes first; or None."""
    numbers = _first_numbers(frame, "STEREO3D", 2)
    if not numbers or numbers[0] not in _STEREO:
        return None
    return _STEREO[numbers[0]], bool(numbers[1] & 1)


@dataclass(frozen=True)
class Described:
    """Properties of a stream that PyAV shows only in ffmpeg's description of the file.

    Attributes
    ----------
    crop : (int, int, int, int)
        Rows and columns that the container hides: top, bottom, left and right (Matroska's
        PixelCrop elements, and the `clap` box of .mp4 and .mov).
    dolby_only : bool
        Whether its colours can only be read by Dolby Vision.
    """

    crop: tuple[int, int, int, int]
    dolby_only: bool


def described(stream: VideoStream) -> Described:
    """Return properties of a stream by ffmpeg's description of its file."""
    with _logging:
        level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            text: str = stream.container.dumps_format()  # type: ignore[attr-defined]
        finally:
            av.logging.set_level(level)
    parts = re.split(r"^  Stream #0:(\d+)", text, flags=re.MULTILINE)
    mine = dict(zip(parts[1::2], parts[2::2], strict=False)).get(str(stream.index), "")
    # Metadata, which anybody can write, stand before this line, and none of them looks like it.
    side_data = mine.partition("\n    Side data:\n")[2]
    crop = re.search(r"^ +Frame Cropping: (\d+)/(\d+)/(\d+)/(\d+)$", side_data, re.MULTILINE)
    dolby = re.search(r"DOVI configuration record:.* compatibility id: 0\b", side_data)
    top, bottom, left, right = (int(each) for each in crop.groups()) if crop else (0, 0, 0, 0)
    return Described((top, bottom, left, right), dolby is not None)


def _first_numbers(frame: VideoFrame, kind: str, count: int) -> list[int]:
    """Return the first numbers (int32) of a frame's side data of a kind; empty if there is none."""
    data = frame.side_data.get(kind)
    return [] if data is None else np.frombuffer(bytes(data), np.int32)[:count].tolist()
