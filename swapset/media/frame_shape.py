"""The part of a decoded frame that players show, and the shape of its pixels."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from fractions import Fraction

import av.logging
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.container import MAX_PIXELS, MAX_SIDE, UNSUPPORTED, UnusableMedia
from swapset.media.filters import Filters
from swapset.media.orientation import Orientation, orientation_of
from swapset.media.side_data import SideData

_MAX_ASPECT = 4  # more elongated pixels mean a damaged header
_SQUARE = Fraction(1, 50)  # a smaller deviation from square is rounding, not worth a resampling
_NO_TAGS = "colorspace=unknown:color_primaries=unknown:color_trc=unknown"
_EQUAL = Fraction(1, 1000)
_STEPS = 4096  # widths that stand for the shape of a pixel: 4 : 1 is the widest that fits

_SIDE_DATA = ("DISPLAYMATRIX", "STEREO3D", "SPHERICAL")
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
_ACROSS, _DOWN, _IN_TURN = 1, 2, 3
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
    orientation : Orientation
        The steps that turn the part upright.
    stereo : str
        For a stereo picture, of which one view is shown, its layout.
    """

    left: int
    top: int
    width: int
    height: int
    aspect: Fraction
    orientation: Orientation
    stereo: str = ""

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
    started : bool
        Whether frames of it have been read already.
    """

    def __init__(self, stream: VideoStream, *, started: bool = False) -> None:
        self._stream, self._side = stream, SideData()
        self._before = Fraction(stream.codec_context.sample_aspect_ratio or 1)
        self._started = started
        about = described(stream)
        self._crop, self._dolby_only = about.crop, about.dolby_only
        # Matroska's pixel aspect is that of one view of a stereo picture.
        self._view_is_squeezed = not stream.container.format.name.startswith("matroska")
        self._aspect = Fraction(stream.sample_aspect_ratio or 1)
        self._own: Fraction | None = None
        self._last: tuple[object, FrameShape] | None = None
        self._measuring = False
        self._meter: tuple[object, Filters] | None = None

    def of(self, frame: VideoFrame) -> FrameShape:
        """Return the shape of the frame that was read last.

        Raises
        ------
        UnusableMedia
            If it is a stereo or spherical picture that cannot be shown flat, or too small or large.
        """
        side = tuple(self._side.of(frame, kind) for kind in _SIDE_DATA)
        latest = self._stream.codec_context.sample_aspect_ratio
        facts = frame.width, frame.height, latest, side
        if self._last is None or self._last[0] != facts or self._measuring:
            self._last = facts, self._new(frame, *side)
        return self._last[1]

    def _new(self, frame: VideoFrame, matrix: bytes, stereo: bytes, sphere: bytes) -> FrameShape:
        """Return the shape of a frame with these side data."""
        if self._dolby_only:
            raise UnusableMedia(
                "its colours can only be read by Dolby Vision (profile 5); export it as HDR10, HLG "
                "or SDR",
                UNSUPPORTED,
            )
        left, right, top, bottom = self._crop
        width, height = frame.width - left - right, frame.height - top - bottom
        if width < 2 or height < 2:  # a damaged header
            left, top, width, height = 0, 0, frame.width, frame.height
        turn = orientation_of(matrix)
        shape = FrameShape(left, top, width, height, self._aspect_of(frame), turn)
        shape = self._one_view(shape, stereo, sphere)
        wide, high = shape.square_size
        if min(wide, high) < 2 or max(wide, high) > MAX_SIDE or wide * high > MAX_PIXELS:
            raise UnusableMedia(
                f"pictures of {wide}x{high} pixels cannot be used; sides must be 2 to {MAX_SIDE:,} "
                f"pixels, and pictures at most {MAX_PIXELS:,} pixels",
                "unreadable",
            )
        return shape

    def _aspect_of(self, frame: VideoFrame) -> Fraction:
        """Return the frame's pixel aspect ratio: the container's, until the frames' own changes.

        PyAV tells only that of the frame decoded last, which may be later than this one. As long as
        it is that of the first frame, so is this one's.
        """
        latest = Fraction(self._stream.codec_context.sample_aspect_ratio or 1)
        if self._own is None:
            self._own = self._before
            if self._started or abs(latest - self._before) > _EQUAL:
                self._own = self._measured(frame)
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
            # Without its colour tags: ffmpeg scales no pictures with some of them.
            self._meter = kind, Filters(frame, ("setparams", _NO_TAGS), ("scale", scale))
        (small,) = self._meter[1].run(frame)
        return Fraction(small.width, _STEPS).limit_denominator(200)

    def _one_view(self, shape: FrameShape, stereo: bytes, sphere: bytes) -> FrameShape:
        """Return the left eye's part of a stereo picture; other pictures as they are."""
        projection = _first_numbers(sphere)
        if projection and projection[0] in _PROJECTIONS:
            raise UnusableMedia(
                f"its picture is spherical ({_PROJECTIONS[projection[0]]}), which bends faces; "
                "export a flat view of it",
                UNSUPPORTED,
            )
        kind, flags, view = _first_numbers(stereo) or (0, 0, 0)
        one_eye = kind == _IN_TURN and view and self._stream.codec_context.name == "hevc"
        if kind not in _STEREO or one_eye:  # of HEVC's views, ffmpeg decodes the first one alone
            return shape
        words, inverted = _STEREO[kind], flags & 1
        whole = Fraction(shape.width, shape.height) * shape.aspect
        if kind == _ACROSS:
            squeezed = self._view_is_squeezed and whole < _WIDE
            width = shape.width // 2
            left, aspect = shape.left + width * inverted, shape.aspect * (2 if squeezed else 1)
            return replace(shape, left=left, width=width, aspect=aspect, stereo=words)
        if kind == _DOWN:
            squeezed = self._view_is_squeezed and whole > _FLAT
            height = shape.height // 2
            top, aspect = shape.top + height * inverted, shape.aspect / (2 if squeezed else 1)
            return replace(shape, top=top, height=height, aspect=aspect, stereo=words)
        raise UnusableMedia(
            f"holds two views of a stereo picture that are not separated ({words}); export one "
            "view of it",
            UNSUPPORTED,
        )


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


@dataclass(frozen=True)
class Described:
    """Properties of a stream that PyAV shows only in ffmpeg's description of the file.

    Attributes
    ----------
    crop : (int, int, int, int)
        Columns and rows that the container hides: left, right, top and bottom (Matroska's
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
    left, right, top, bottom = (int(each) for each in crop.groups()) if crop else (0, 0, 0, 0)
    return Described((left, right, top, bottom), dolby is not None)


def _first_numbers(data: bytes) -> list[int]:
    """Return the first three numbers (int32) of side data, or nothing."""
    return np.frombuffer(data[:12], np.int32).tolist()
