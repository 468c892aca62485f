"""Check whether a fake shows the frames of a real video, if its dataset does not guarantee it."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.media.decode import frames
from swapset.types import Floats, Floats32, Image

LOOKED_AT = 16
"""Number of frames that are compared."""
INNER, OUTER = 1.6, 3.0
"""Inner and outer side of the square ring around the face that is compared, in sides of the face:
swaps do not reach it, while movements of the body do."""
BLUR = 0.05
"""Sigma of the blur that hides the effects of recompression, in sides of the face."""
ALIKE = 2.5
"""Largest mean difference of equal frames, in grey levels. Fakes at c40 differ by 0.5 to 1.4 from
their originals, and by 3.2 to 25 from other videos of the same person before the same background
(15 pairs)."""


def same_frames(original: Path, fake: Path, landmarks: npt.NDArray[np.floating]) -> bool:
    """Return whether two videos show the same frames around the face.

    Parameters
    ----------
    original, fake : Path
        Clips of one frame rate.
    landmarks : (n, 68, 2) float32
        Landmarks x, y in pixels of the face in the original's n frames; NaN = no face.

    Returns
    -------
    bool
        Whether lengths and sizes are the same, and the median difference around the face is less
        than `ALIKE`.
    """
    seen = np.flatnonzero(np.isfinite(landmarks).all(axis=(1, 2)))
    places = np.linspace(0, len(seen) - 1, min(LOOKED_AT, len(seen))).round().astype(int)
    chosen = set(seen[places].tolist())
    differences = []
    pictures = itertools.zip_longest(frames(original), frames(fake))
    for index, (one, other) in enumerate(pictures):
        if one is None or other is None or one.shape != other.shape:
            return False
        if index in chosen:
            differences.append(_difference(one, other, landmarks[index]))
    return bool(differences) and float(np.median(differences)) < ALIKE


def _difference(one: Image, other: Image, points: npt.NDArray[np.floating]) -> float:
    """Return the mean difference of two frames around a face, in grey levels; inf = unknown."""
    box = box_from_landmarks(points).astype(np.float64)
    around = np.zeros(one.shape[:2], bool)
    for scale in (OUTER, INNER):
        around[_scaled(box, scale)] = scale == OUTER
    if not around.any():
        return float("inf")
    sigma = max(1.0, BLUR * box_side(box))
    grey, other_grey = (_blurred(picture, sigma) for picture in (one, other))
    return float(np.abs(grey - other_grey)[around].mean())


def _scaled(box: Floats, scale: float) -> tuple[slice, slice]:
    """Return the rows and columns of a box (x0, y0, x1, y1) scaled about its middle."""
    middle, half = (box[:2] + box[2:]) / 2, scale * (box[2:] - box[:2]) / 2
    (x0, y0), (x1, y1) = np.maximum(middle - half, 0).astype(int), (middle + half).astype(int)
    return slice(y0, max(y1, 0)), slice(x0, max(x1, 0))


def _blurred(picture: Image, sigma: float) -> Floats32:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float32)
