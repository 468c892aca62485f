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
EVERY = 5
"""Smallest distance in frames between the beginnings of two measurements, to save time."""
SIZE = 256
"""Side in pixels of the aligned crops that are compared."""
CONTEXT = 1.6
"""Side of these crops in face widths, so that they hold every blending mask."""


class AlignedGrey:
    """The target's aligned crops of one frame, in grey.

    The alignment takes the movement of the head away, so that a swap that moves with the head
    looks the same in each frame.

    Parameters
    ----------
    original : (H, W, 3) uint8
        The target's frame, RGB in [0, 255].
    landmarks : (68, 2) float
        The target's smoothed landmarks, x, y in pixels.
    """

    def __init__(self, original: Bytes, landmarks: npt.NDArray[np.floating]) -> None:
        self._matrix = crop_transform(landmarks, SIZE, CONTEXT)
        self._original = self._crop(original)

    def change(self, fake: Bytes, outline: Floats) -> Floats32:
        """Return the change that a swap made.

        Parameters
        ----------
        fake : (H, W, 3) uint8
            The same frame of the fake, RGB in [0, 255].
        outline : (p, 2) float64
            Outline of the blending mask, x, y in pixels of the frame.

        Returns
        -------
        (SIZE, SIZE) float32
            Fake minus original in grey levels; NaN outside the outline.
        """
        inside = render_mask(transform_points(self._matrix, outline), (SIZE, SIZE), 0) > 0
        return np.where(inside, self._crop(fake) - self._original, np.float32(np.nan))

    def _crop(self, picture: Bytes) -> Floats32:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return warp_crop(grey, self._matrix, SIZE).astype(np.float32)


def flicker(changes: Sequence[Floats32]) -> float:
    """Return the mean absolute second difference over time of a swap's change.

    Parameters
    ----------
    changes : sequence of three (H, W) float32
        Results of `AlignedGrey.change` for consecutive frames.

    Returns
    -------
    float
        In grey levels, over the pixels inside any of the three outlines. 0 for the original
        itself and for a change that grows evenly; NaN if no pixel is inside.
    """
    inside = np.isfinite(changes).any(axis=0)
    if not inside.any():
        return float("nan")
    # Outside its own outline a swap changes nothing.
    before, now, after = (np.nan_to_num(each[inside]) for each in changes)
    return float(np.abs(before - 2 * now + after).mean(dtype=np.float64))
