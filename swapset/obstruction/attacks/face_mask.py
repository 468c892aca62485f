"""Masks that restrict noise to faces and their surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from swapset.faces.masks import render_mask
from swapset.types import Floats32, Points

GROWN = 1.6
"""Size of the outline of the noise, in sizes of the landmarks' hull, which ends at the eyebrows.

The hull alone is too small: extractors that look at the whole head would see much of it clean.
"""
FEATHER = 0.04
"""Width of the noise's soft edge, in widths of the outline."""


def face_masks(points: Points, shape: tuple[int, int]) -> Floats32:
    """Return the share of epsilon that each pixel may change by.

    Parameters
    ----------
    points : (n, 68, 2) float32
        Landmarks, x and y in pixels.
    shape : (int, int)
        Height and width of the masks in pixels.

    Returns
    -------
    (n, 1, H, W) float32 in [0, 1]
        1 inside the landmarks' hull enlarged by `GROWN`, 0 outside, with a soft edge between.
    """
    centres = points.mean(1, keepdims=True)
    hulls = [cv2.convexHull(face)[:, 0] for face in centres + GROWN * (points - centres)]
    masks = [render_mask(hull, shape, FEATHER * float(np.ptp(hull[:, 0]))) for hull in hulls]
    return np.stack(masks)[:, None]
