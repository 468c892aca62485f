"""A face with its surroundings, cut from a frame without resizing: the input of all detectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from swapset.detectors.margins import MARGIN
from swapset.faces.boxes import box_from_landmarks
from swapset.types import Floats, Image, Mask, Points


@dataclass(frozen=True)
class Face:
    """A face in one frame.

    Attributes
    ----------
    pixels : (h, w, 3) uint8, RGB
        The region around the face, not resized; it ends at the frame's border.
    origin : (int, int)
        x, y of the region's top left pixel in the frame.
    landmarks : (68, 2) float32
        x, y in pixels of the frame (0 = centre of its first pixel).
    frame_size : (int, int)
        Width and height of the frame.
    swapped : (h, w) bool or None
        The swapped pixels of a fake; all False in a real frame; None = unknown.
    """

    pixels: Image
    origin: tuple[int, int]
    landmarks: Points
    frame_size: tuple[int, int]
    swapped: Mask | None = None

    @property
    def points(self) -> Floats:
        """Landmarks (68, 2) float64 in pixels of the region."""
        return np.asarray(self.landmarks, np.float64) - self.origin

    @property
    def box(self) -> Floats:
        """The face's box x0, y0, x1, y1, (4,) float64 in pixels of the region, as dlib draws it."""
        return np.asarray(box_from_landmarks(self.points), np.float64)

    @property
    def side(self) -> float:
        """Side of the face's box in pixels."""
        x0, _, x1, _ = self.box
        return float(x1 - x0)

    def narrowed(self, margin: float) -> Face:
        """Return the face with no more surroundings than `cut_face` leaves with a margin."""
        left, top, right, bottom = _region(self.landmarks, self.frame_size, margin)
        x, y = self.origin
        height, width = self.pixels.shape[:2]
        rows = slice(max(top - y, 0), min(bottom - y, height))
        columns = slice(max(left - x, 0), min(right - x, width))
        if (rows.start, columns.start, rows.stop, columns.stop) == (0, 0, height, width):
            return self
        return replace(
            self,
            pixels=np.ascontiguousarray(self.pixels[rows, columns]),
            origin=(x + columns.start, y + rows.start),
            swapped=None
            if self.swapped is None
            else np.ascontiguousarray(self.swapped[rows, columns]),
        )


def _region(
    landmarks: Points, frame_size: tuple[int, int], margin: float
) -> tuple[int, int, int, int]:
    """Return the first and last pixels x0, y0, x1, y1 of a region, the last ones excluded."""
    x0, y0, x1, y1 = np.asarray(box_from_landmarks(landmarks), np.float64)
    grow = (margin - 1) / 2 * (x1 - x0)
    width, height = frame_size
    return (
        max(int(np.floor(x0 - grow)), 0),
        max(int(np.floor(y0 - grow)), 0),
        min(int(np.ceil(x1 + grow)) + 1, width),
        min(int(np.ceil(y1 + grow)) + 1, height),
    )


def cut_face(
    frame: Image,
    landmarks: npt.ArrayLike,
    *,
    swapped: Mask | None = None,
    margin: float = MARGIN,
) -> Face | None:
    """Cut a face and its surroundings out of a frame.

    Parameters
    ----------
    frame : (H, W, 3) uint8, RGB
    landmarks : (68, 2) float
        x, y in pixels; NaN = no face.
    swapped : (H, W) bool, optional
        The swapped pixels of the frame.
    margin : float
        Side of the region, in sides of the face's box.

    Returns
    -------
    Face or None
        None if there is no face, or it lies outside the frame.
    """
    points = np.asarray(landmarks, np.float32)
    if not np.isfinite(points).all():
        return None
    height, width = frame.shape[:2]
    left, top, right, bottom = _region(points, (width, height), margin)
    if right - left < 2 or bottom - top < 2:
        return None
    part = (slice(top, bottom), slice(left, right))
    return Face(
        pixels=np.ascontiguousarray(frame[part]),
        origin=(left, top),
        landmarks=points,
        frame_size=(width, height),
        swapped=None if swapped is None else np.ascontiguousarray(swapped[part]),
    )
