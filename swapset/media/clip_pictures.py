"""Convert a source's frames to pictures of one size, as people see them: upright, not squeezed."""

from __future__ import annotations

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.container import UnusableMedia
from swapset.media.decode import PlaneConverter
from swapset.media.frame_shape import Cropper, FrameShape, ShapeReader
from swapset.media.orientation import Orientation


class ClipPictures:
    """Converts frames to planes of one size, that of the first one.

    Each frame is cropped, scaled to square pixels and turned by its own properties. One of another
    size or shape fills as much of the clip's picture as it can without being squeezed; the rest is
    black.

    Parameters
    ----------
    stream : VideoStream
        The stream of an open file.
    turn : {0, 90, 180, 270}
        Clockwise degrees by which to turn the picture in addition to its metadata.

    Attributes
    ----------
    rotation : int
        Clockwise degrees by which the first frame was turned.
    is_cut : bool
        Whether the last frame differs from the one before in size, shape or orientation.
    """

    def __init__(self, stream: VideoStream, turn: int) -> None:
        self._shapes, self._crop = ShapeReader(stream), Cropper()
        self._convert = PlaneConverter()
        self._turn, self._further = turn, Orientation.turned(turn)
        self._size: tuple[int, int] | None = None
        self._last: FrameShape | None = None
        self._said: list[str] = []
        self.rotation = 0
        self.is_cut = False

    @property
    def converted(self) -> list[str]:
        """Conversions so far that change what software would show that ignores the properties."""
        return [*self._said, *self._convert.converted]

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Return a frame as planes, (H * 3 // 2, W) uint8 of BT.601 4:2:0.

        Raises
        ------
        UnusableMedia
            If the frame's pixel format or a property of it is not supported.
        """
        shape = self._shapes.of(frame)
        if self._last is None:
            self.rotation = (shape.orientation.rotation + self._turn) % 360
        self.is_cut = self._last is not None and self._last != shape
        if self._last != shape:
            self._describe(frame, shape)
        self._last = shape
        size = shape.square_size
        across = shape.orientation.transpose != self._further.transpose
        if self._size is None:
            self._size = size[::-1] if across else size
        whole = self._size[::-1] if across else self._size
        if size != whole:
            size = _fitted(size, whole)
        planes = self._converted_planes(self._crop(frame, shape), size)
        upright = self._further.apply_planes(shape.orientation.apply_planes(planes))
        return _on_black(upright, self._size)

    def _converted_planes(self, frame: VideoFrame, size: tuple[int, int]) -> np.ndarray:
        try:
            return self._convert(frame, size)
        except (av.error.FFmpegError, ValueError) as error:
            message = f"frames of pixel format {frame.format.name} do not convert ({error})"
            raise UnusableMedia(message, "unreadable") from error

    def _describe(self, frame: VideoFrame, shape: FrameShape) -> None:
        said = []
        if shape.stereo:
            said.append(f"the left view of a stereo picture ({shape.stereo})")
        elif (shape.width, shape.height) != (frame.width, frame.height):
            said.append(f"cropped to {shape.width}x{shape.height}, as the container says")
        if self._last is not None:
            wide, high = shape.square_size
            said.append(f"its picture changes to {wide}x{high}")
        self._said += [each for each in said if each not in self._said]


def _fitted(size: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
    """Return the largest even size of the same shape within another size."""
    scale = min(whole[0] / size[0], whole[1] / size[1])
    wide, high = (max(2, 2 * round(side * scale / 2)) for side in size)
    return min(wide, whole[0] & ~1), min(high, whole[1] & ~1)


def _on_black(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return planes, (h * 3 // 2, w) uint8, in the middle of a black picture of another size."""
    width, height = size[0] & ~1, size[1] & ~1
    high, wide = planes.shape[0] * 2 // 3, planes.shape[1]
    if (wide, high) == (width, height):
        return planes
    out = np.full((height * 3 // 2, width), 128, np.uint8)
    out[:height] = 16
    left, top = (width - wide) // 4 * 2, (height - high) // 4 * 2
    out[top : top + high, left : left + wide] = planes[:high]
    chroma = out[height:].reshape(2, height // 2, width // 2)
    part = planes[high:].reshape(2, high // 2, wide // 2)
    chroma[:, top // 2 : (top + high) // 2, left // 2 : (left + wide) // 2] = part
    return out
