"""Flicker of the swapped face: changes from frame to frame that the target does not make."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import crop_transform, transform_points, warp_crop
from swapset.faces.masks import render_mask
from swapset.types import Bytes, Floats, Floats32

FRAMES = 3
"""Consecutive frames that one measurement needs."""
SIZE = 192
"""Side in pixels of the aligned crops that are compared."""
CONTEXT = 1.6
"""Side of these crops in face widths, so that they hold every blending mask."""


def aligned_difference(
    original: Bytes, fake: Bytes, landmarks: npt.NDArray[np.floating], outline: Floats
) -> Floats32:
    """Return the change that a swap made to a face, in the aligned crop of the target.

    The alignment takes the movement of the head away, so that a swap that moves with the head
    shows the same difference in each frame.

    Parameters
    ----------
    original, fake : (H, W, 3) uint8
        The same frame of both videos, RGB in [0, 255].
    landmarks : (68, 2) float
        The target's smoothed landmarks, x, y in pixels.
    outline : (p, 2) float64
        Outline of the blending mask, x, y in pixels.

    Returns
    -------
    (SIZE, SIZE) float32
        Fake minus original in grey levels; NaN outside the outline.
    """
    matrix = crop_transform(landmarks, SIZE, CONTEXT)
    crops = [
        cv2.cvtColor(warp_crop(each, matrix, SIZE), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for each in (original, fake)
    ]
    inside = render_mask(transform_points(matrix, outline), (SIZE, SIZE), 0) > 0
    return np.where(inside, crops[1] - crops[0], np.float32(np.nan))


def flicker(differences: Sequence[Floats32]) -> float:
    """Return the mean absolute second difference over time of a swap's change.

    Parameters
    ----------
    differences : sequence of three (H, W) float32
        Results of `aligned_difference` for consecutive frames.

    Returns
    -------
    float
        In grey levels, over the pixels inside any of the three outlines. 0 for the original
        itself and for a change that grows evenly; NaN if no pixel is inside.
    """
    before, now, after = differences
    inside = ~(np.isnan(before) & np.isnan(now) & np.isnan(after))
    if not inside.any():
        return float("nan")
    # Outside its own outline a swap changes nothing.
    first, second, third = (np.nan_to_num(each[inside]) for each in differences)
    return float(np.abs(first - 2 * second + third).mean(dtype=np.float64))
