"""Flicker of the swapped face: changes from frame to frame that the target does not make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import crop_transform, transform_points, warp_crop
from swapset.faces.masks import render_mask
from swapset.types import Bytes, Floats, Floats32, Mask

FRAMES = 3
"""Consecutive frames that one measurement needs."""
SIZE = 256
"""Side in pixels of the aligned crops that are compared."""
CONTEXT = 1.6
"""Side of these crops in face widths, so that they hold every blending mask."""


class AlignedSwap(NamedTuple):
    """One frame of original and fake, in the aligned crop of the target.

    Attributes
    ----------
    original, fake : (SIZE, SIZE) float32
        Grey, in [0, 255].
    inside : (SIZE, SIZE) bool
        Pixels inside the outline of the blending mask.
    """

    original: Floats32
    fake: Floats32
    inside: Mask


class AlignedOriginal:
    """The aligned crop of one frame of the original, in grey.

    The alignment takes the movement of the head away, so that a swap that moves with the head
    looks the same in each frame.

    Parameters
    ----------
    picture : (H, W, 3) uint8
        The frame, RGB in [0, 255].
    landmarks : (68, 2) float
        The target's smoothed landmarks, x, y in pixels.
    """

    def __init__(self, picture: Bytes, landmarks: npt.NDArray[np.floating]) -> None:
        self._matrix = crop_transform(landmarks, SIZE, CONTEXT)
        self._original = self._crop(picture)

    def with_fake(self, picture: Bytes, outline: Floats) -> AlignedSwap:
        """Return this frame together with the same frame of a fake.

        Parameters
        ----------
        picture : (H, W, 3) uint8
            The fake's frame, RGB in [0, 255].
        outline : (p, 2) float64
            Outline of the blending mask, x, y in pixels of the frame.
        """
        inside = render_mask(transform_points(self._matrix, outline), (SIZE, SIZE), 0) > 0
        return AlignedSwap(self._original, self._crop(picture), inside)

    def _crop(self, picture: Bytes) -> Floats32:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return warp_crop(grey, self._matrix, SIZE).astype(np.float32)


def flicker(swaps: Sequence[AlignedSwap]) -> float:
    """Return how much more the fake changes from frame to frame than the original.

    The change of a pixel is the size of its second difference over time. The difference of both
    videos would not do: it also changes where the target moves and a steady fake does not.

    Parameters
    ----------
    swaps : sequence of three AlignedSwap
        Consecutive frames.

    Returns
    -------
    float
        Mean of max(fake's change - original's change, 0) in grey levels, over the pixels inside
        any of the three outlines. 0 for the original itself and for a fake that changes evenly;
        NaN if no pixel is inside.
    """
    inside = np.any([swap.inside for swap in swaps], axis=0)
    if not inside.any():
        return float("nan")
    own = _change(swap.original[inside] for swap in swaps)
    more = np.maximum(_change(swap.fake[inside] for swap in swaps) - own, 0)
    return float(more.mean(dtype=np.float64))


def _change(values: Iterable[Floats32]) -> Floats32:
    """Return the size of the second difference of three frames' values."""
    before, now, after = values
    return np.asarray(np.abs(before - 2 * now + after))
