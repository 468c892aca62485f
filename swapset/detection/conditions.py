"""Conditions in which a face was filmed and stored, as far as they show in its pixels.

A detector's card has the ranges of the faces that it was fitted on, and `swapset detect` says where
a file is outside.
"""

from __future__ import annotations

import cv2
import numpy as np

from swapset.detectors.face import Face
from swapset.types import Floats

CONDITIONS = ("width", "sharpness", "brightness", "contrast")
"""Width: of the box, in pixels. Sharpness: mean size of the Laplacian over the contrast, with the
box at `SIDE` pixels; blur, enlarging and strong compression of video lower it, noise raises it.
Brightness and contrast: mean and standard deviation of the grey values in [0, 255]."""
SIDE = 128
EVERYDAY = (2.5, 97.5)
"""Percentiles between which a condition is one that was seen."""


def conditions(face: Face | None) -> Floats:
    """Return the `CONDITIONS` of a face, (4,) float64; NaN without a face, or outside the frame."""
    found = np.full(len(CONDITIONS), np.nan)
    if face is None:
        return found
    found[0] = face.side
    x0, y0, x1, y1 = np.maximum(np.round(face.box), 0).astype(int)
    part = face.pixels[y0:y1, x0:x1]
    if min(part.shape[:2]) < 2:
        return found
    shrunk = cv2.INTER_AREA if min(part.shape[:2]) > SIDE else cv2.INTER_LINEAR
    square = cv2.resize(part, (SIDE, SIDE), interpolation=shrunk)
    grey = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(np.float64)
    contrast = float(grey.std())
    edges = cv2.Laplacian(grey, cv2.CV_64F)[1:-1, 1:-1]
    found[1:] = np.abs(edges).mean() / max(contrast, 1.0), grey.mean(), contrast
    return found


def usual(values: Floats) -> dict[str, list[float]]:
    """Return the range of each condition among faces (n, 4) float64, by its name."""
    ends = np.nanpercentile(values, EVERYDAY, axis=0)
    return {
        name: [float(f"{end:.4g}") for end in ends[:, column]]
        for column, name in enumerate(CONDITIONS)
    }
