"""Turn pictures upright by a file's display matrix, which decoders do not apply."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Orientation:
    """The steps that turn a stored picture upright: transpose first, then mirror.

    Attributes
    ----------
    transpose, flip_x, flip_y : bool
        Swap rows and columns; then mirror left-right; then mirror top-bottom.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def rotation(self) -> int:
        """Clockwise degrees (0, 90, 180, 270) that turn the picture upright."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    @classmethod
    def turned(cls, degrees: int) -> Orientation:
        """Return the orientation that turns a picture clockwise by 0, 90, 180 or 270 degrees."""
        turns = {
            0: cls(),
            90: cls(transpose=True, flip_x=True),
            180: cls(flip_x=True, flip_y=True),
            270: cls(transpose=True, flip_y=True),
        }
        return turns[degrees % 360]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of the upright picture."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, plane: np.ndarray) -> np.ndarray:
        """Return the upright view of an array, (H, W) or (H, W, C), uint8 or any other dtype."""
        if self.transpose:
            plane = plane.swapaxes(0, 1)
        rows = slice(None, None, -1 if self.flip_y else None)
        columns = slice(None, None, -1 if self.flip_x else None)
        return plane[rows, columns]

    def undo(self, plane: np.ndarray) -> np.ndarray:
        """Return the stored view of an upright array, (H, W) or (H, W, C), uint8 or any other."""
        rows = slice(None, None, -1 if self.flip_y else None)
        columns = slice(None, None, -1 if self.flip_x else None)
        plane = plane[rows, columns]
        return plane.swapaxes(0, 1) if self.transpose else plane

    def apply_planes(self, planes: np.ndarray) -> np.ndarray:
        """Return 4:2:0 planes, (H * 3 // 2, W) uint8, turned upright without loss."""
        if self == Orientation():
            return planes
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        upright = [self.apply(plane).ravel() for plane in (planes[:height], *chroma)]
        return np.concatenate(upright).reshape(-1, self.size(width, height)[0])


def orientation_of(matrix: bytes) -> Orientation:
    """Return the orientation by the display matrix of a frame; upright if it is empty.

    Angles between quarter turns are rounded to the nearest one.

    References
    ----------
    ISO/IEC 14496-12, section 6.2.2: x' = a x + c y, y' = b x + d y, both axes pointing right and
    down, with the matrix stored as rows (a, b, u), (c, d, v), (x, y, w).
    """
    if not matrix:
        return Orientation()
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(flip_x=a < 0, flip_y=d < 0)
    return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)
