"""Mask-SSIM: structural similarity of a fake and its original over the head (face and hair)."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from swapset.quality.ssim import RADIUS, Box, ssim_map
from swapset.types import Bytes, Mask


class MaskSsim(NamedTuple):
    """Both variants of Mask-SSIM of one frame, each in [-1, 1]."""

    mask_ssim: float
    masked_frame_ssim: float


def mask_ssim(original: Bytes, fake: Bytes, head: Mask) -> MaskSsim:
    """Return both variants of Mask-SSIM of one frame.

    Parameters
    ----------
    original, fake : (H, W, 3) or (H, W) uint8
        Frames of one shape in [0, 255], in any channel order.
    head : (H, W) bool
        Head region of the original, not empty.

    Returns
    -------
    MaskSsim
        The results of `head_ssim` and `masked_frame_ssim`.

    Raises
    ------
    ValueError
        If the shapes differ or the head is empty.

    References
    ----------
    Celeb-DF chapter, section 4.3.2.
    """
    return MaskSsim(head_ssim(original, fake, head), masked_frame_ssim(original, fake, head))


def head_ssim(original: Bytes, fake: Bytes, head: Mask) -> float:
    """Return the mean of the SSIM map over the head's pixels.

    Parameters
    ----------
    original, fake : (H, W, 3) or (H, W) uint8
        Frames of one shape in [0, 255], in any channel order.
    head : (H, W) bool
        Head region of the original, not empty.

    Returns
    -------
    float
        In [-1, 1]; 1 = equal.

    Raises
    ------
    ValueError
        If the shapes differ or the head is empty.
    """
    box = head_box(head, original.shape)
    x0, y0, x1, y1 = box
    values = ssim_map(original, fake, box=box)
    return float(values[head[y0:y1, x0:x1]].mean(dtype=np.float64))


def masked_frame_ssim(original: Bytes, fake: Bytes, head: Mask) -> float:
    """Return the SSIM of both frames blackened outside the head, averaged over the whole frame.

    This is the first published form of the measure. All pixels away from the head score 1, so the
    smaller the head, the higher the score.

    Parameters
    ----------
    original, fake : (H, W, 3) or (H, W) uint8
        Frames of one shape in [0, 255], in any channel order.
    head : (H, W) bool
        Head region of the original, not empty.

    Returns
    -------
    float
        In [-1, 1]; 1 = equal.

    Raises
    ------
    ValueError
        If the shapes differ or the head is empty.

    References
    ----------
    L. Ma et al., "Pose guided person image generation", NeurIPS 2017, section 4.2.
    """
    box = _grown(head_box(head, original.shape), RADIUS, head.shape)
    x0, y0, x1, y1 = box
    inside = (slice(y0, y1), slice(x0, x1))
    shown = head[inside] if original.ndim == 2 else head[inside][..., None]
    values = ssim_map(original[inside] * shown, fake[inside] * shown)
    # As in scikit-image, a border of 5 pixels of the frame is left out.
    height, width = head.shape
    rows = slice(max(RADIUS - y0, 0), min(height - RADIUS, y1) - y0)
    columns = slice(max(RADIUS - x0, 0), min(width - RADIUS, x1) - x0)
    lost = (1 - values[rows, columns]).sum(dtype=np.float64)
    return float(1 - lost / ((height - 2 * RADIUS) * (width - 2 * RADIUS)))


def head_box(head: Mask, shape: tuple[int, ...]) -> Box:
    """Return the box x0, y0, x1, y1 in pixels around the head, (H, W) bool.

    Raises
    ------
    ValueError
        If `head` is empty or is not as large as an image of `shape`.
    """
    if head.shape != shape[:2]:
        raise ValueError(f"a head mask of {head.shape} does not fit a frame of {shape[:2]}")
    x, y, width, height = cv2.boundingRect(head.view(np.uint8))
    if not width:
        raise ValueError("the head mask is empty: leave out frames without a face")
    return x, y, x + width, y + height


def _grown(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    x0, y0, x1, y1 = box
    height, width = shape[:2]
    return (
        max(x0 - margin, 0),
        max(y0 - margin, 0),
        min(x1 + margin, width),
        min(y1 + margin, height),
    )
