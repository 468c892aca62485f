"""Sharpness of the swapped face, compared with the target's own face in the same frame."""

from __future__ import annotations

import math

import cv2
import numpy as np

from swapset.types import Bytes, Floats32, Mask

BLUR = 0.012
"""Standard deviation of the blur, in face widths. Without it, grain counts as detail."""
_REACH = 3
"""Radius of the blur's kernel, in standard deviations."""


def sharpness(original: Bytes, fake: Bytes, inside: Mask, face_width: float) -> float:
    """Return the variance of the Laplacian of the swapped face, fake over original.

    Both pictures are blurred first, so that grain does not count as detail. The pixels are those
    of `inside` that neither blur nor Laplacian connects with a pixel outside.

    Parameters
    ----------
    original, fake : (H, W, 3) or (H, W) uint8
        Frames of one shape in [0, 255], RGB or grey.
    inside : (H, W) bool
        Pixels that show the synthesised face alone: where the blending mask is 1.
    face_width : float
        Width of the face in pixels, see `swapset.faces.align.face_width`.

    Returns
    -------
    float
        0 for a face of one colour, 1 for the original itself, above 1 for a sharper one. NaN if
        too few pixels are inside, or if the original has no detail there.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `face_width` is not positive.
    """
    if original.shape != fake.shape or inside.shape != original.shape[:2]:
        raise ValueError(f"shapes differ: {original.shape}, {fake.shape}, mask {inside.shape}")
    if not face_width > 0:
        raise ValueError(f"face_width must be positive, got {face_width}")
    x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
    if not width:
        return math.nan
    box = slice(y, y + height), slice(x, x + width)
    sigma = BLUR * face_width
    radius = math.ceil(_REACH * sigma)
    deep = _eroded(inside[box], radius + 1)
    if np.count_nonzero(deep) < 2:
        return math.nan
    detail = [float(_laplacian(each[box], sigma, radius)[deep].var()) for each in (original, fake)]
    return detail[1] / detail[0] if detail[0] > 0 else math.nan


def _eroded(inside: Mask, radius: int) -> Mask:
    """Return the pixels whose square of `radius` pixels around them is inside."""
    side = 2 * radius + 1
    kernel = np.ones((side, side), np.uint8)
    eroded = cv2.erode(
        inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return eroded > 0


def _laplacian(picture: Bytes, sigma: float, radius: int) -> Floats32:
    """Return the Laplacian of a picture in grey, blurred."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    side = 2 * radius + 1
    blurred = cv2.GaussianBlur(grey.astype(np.float32), (side, side), sigma)
    return np.asarray(cv2.Laplacian(blurred, cv2.CV_32F), np.float32)
