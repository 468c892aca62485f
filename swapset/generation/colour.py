"""Colour transfer from the target's face to the synthesised face."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage.exposure import match_histograms

from swapset.config.recipes import ColourTransfer
from swapset.types import Floats32, Image, Mask


def to_lab(image: Image) -> Floats32:
    """Convert an image (H, W, 3) uint8, RGB, to CIELAB, (H, W, 3) float32.

    L is in [0, 100], a and b about in [-128, 127].
    """
    unit = np.multiply(image, np.float32(1 / 255), dtype=np.float32)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: Floats32) -> Image:
    """Convert CIELAB (H, W, 3) float32 to an image (H, W, 3) uint8, RGB; clip to the gamut."""
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(cv2.convertScaleAbs(np.clip(rgb, 0, 1), alpha=255), np.uint8)


def match_colour(kind: ColourTransfer, source: Image, target: Image, inside: Mask) -> Image:
    """Match a synthesised face's colours to the target's by one of four methods.

    Parameters
    ----------
    kind : {"none", "mean", "reinhard", "histogram"}
    source, target : (H, W, 3) uint8 in [0, 255], RGB
        The synthesised face and the target's face, aligned alike.
    inside : (H, W) bool
        The mask; statistics are taken strictly inside, of both images.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
        `source` unchanged if nothing is inside.
    """
    if not inside.any():
        return source
    return _METHODS[kind](source, target, inside)


def match_mean(source: Image, target: Image, inside: Mask) -> Image:
    """Shift each RGB channel of `source` to the mean of `target`'s.

    Parameters
    ----------
    source, target : (H, W, 3) uint8 in [0, 255], RGB
        See `match_colour`.
    inside : (H, W) bool
        Where the means are taken.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    mask = inside.view(np.uint8)
    shift = np.subtract(cv2.mean(target, mask=mask)[:3], cv2.mean(source, mask=mask)[:3])
    return np.clip(np.rint(source + shift), 0, 255).astype(np.uint8)


def match_histogram(source: Image, target: Image, inside: Mask) -> Image:
    """Give each RGB channel of `source` the distribution of `target`'s, inside the mask only.

    Parameters
    ----------
    source, target : (H, W, 3) uint8 in [0, 255], RGB
        See `match_colour`.
    inside : (H, W) bool

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    result = source.copy()
    matched = match_histograms(source[inside], target[inside], channel_axis=-1)
    result[inside] = np.clip(np.rint(matched), 0, 255)
    return result


def transfer_colour(source: Image, target: Image, inside: Mask) -> Image:
    """Give `source` the mean and standard deviation of `target`'s colours, in CIELAB.

    Parameters
    ----------
    source, target : (H, W, 3) uint8 in [0, 255], RGB
        See `match_colour`.
    inside : (H, W) bool
        Where the statistics are taken; if it is empty, `source` is returned.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB

    References
    ----------
    E. Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001, equations 10
    and 11: each channel is scaled by sigma_target / sigma_source about its mean.
    """
    mask = inside.view(np.uint8)
    if not cv2.countNonZero(mask):
        return source
    lab = to_lab(source)
    x, y, width, height = cv2.boundingRect(mask)
    box = slice(y, y + height), slice(x, x + width)
    mean, spread = cv2.meanStdDev(lab[box], mask=mask[box])
    target_mean, target_spread = cv2.meanStdDev(to_lab(target[box]), mask=mask[box])
    # A flat channel has nothing to scale.
    scale = np.divide(target_spread, spread, out=np.ones_like(spread), where=spread > 1e-3)
    shift = target_mean - scale * mean
    changed = cv2.transform(lab, np.hstack([np.diagflat(scale), shift]))
    return from_lab(np.asarray(changed, np.float32))


_METHODS: dict[str, Callable[[Image, Image, Mask], Image]] = {
    "none": lambda source, target, inside: source,
    "mean": match_mean,
    "reinhard": transfer_colour,
    "histogram": match_histogram,
}


def lab_distance(first: Image, second: Image, inside: Mask) -> float:
    """Return the distance between the mean CIELAB colours of two images inside a mask (CIE76).

    Parameters
    ----------
    first, second : (H, W, 3) uint8 in [0, 255], RGB
    inside : (H, W) bool
    """
    mask = inside.view(np.uint8)
    one, other = (np.array(cv2.mean(to_lab(image), mask=mask)[:3]) for image in (first, second))
    return float(np.linalg.norm(one - other))
