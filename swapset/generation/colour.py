"""Colour transfer from the target's face to the synthesised face."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage.exposure import match_histograms

from swapset.config.recipes import ColourTransfer
from swapset.types import Bytes, Floats, Floats32, Image, Mask

LARGEST_GAINS = (1.5, 1.0, 1.0)
"""Most by which `transfer_colour` scales L, a and b about their means."""
SMOOTHING = 1 / 12
"""Side of the squares that `transfer_colour` averages over, as a share of the mask's width."""


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
    """Give `source` the mean of `target`'s colours in CIELAB, and their spread within limits.

    Each channel is scaled about its mean by the target's spread over the source's, as in the
    reference, with two differences, so that no noise is added:

    - Spreads are those of the smooth part of both faces. A decoded face has no fine detail; where
      that lowers its spread, the rest of the face would get too much contrast.
    - The scale is at most `LARGEST_GAINS`. A face in one even colour beside one in warm and cold
      light would get orange lips and purple shadows, and the noise of its colours with them.

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
    and 11.
    """
    mask = inside.view(np.uint8)
    if not cv2.countNonZero(mask):
        return source
    x, y, width, height = cv2.boundingRect(mask)
    box = slice(y, y + height), slice(x, x + width)
    lab = to_lab(source)
    mean, spread = _mean_and_smooth_spread(lab[box], mask[box])
    target_mean, target_spread = _mean_and_smooth_spread(to_lab(target[box]), mask[box])
    # A flat channel has nothing to scale.
    scale = np.divide(target_spread, spread, out=np.ones_like(spread), where=spread > 1e-3)
    scale = np.minimum(scale, np.reshape(LARGEST_GAINS, (3, 1)))
    shift = target_mean - scale * mean
    changed = cv2.transform(lab, np.hstack([np.diagflat(scale), shift]))
    return from_lab(np.asarray(changed, np.float32))


def _mean_and_smooth_spread(lab: Floats32, mask: Bytes) -> tuple[Floats, Floats]:
    """Return the mean of each channel, and the standard deviation of local averages.

    Parameters
    ----------
    lab : (H, W, 3) float32, CIELAB
    mask : (H, W) uint8, 0 or 1
        Pixels that count, also in the local averages. It fills its bounding box.

    Returns
    -------
    mean, spread : (3, 1) float64
    """
    size = (max(1, round(SMOOTHING * mask.shape[1])),) * 2
    sums = cv2.blur(cv2.copyTo(lab, mask), size, borderType=cv2.BORDER_CONSTANT)
    counts = cv2.blur(np.asarray(mask, np.float32), size, borderType=cv2.BORDER_CONSTANT)
    smooth = cv2.divide(sums, cv2.merge([counts] * 3))  # not a number far outside, not counted
    mean, spread = cv2.meanStdDev(lab, mask=mask)[0], cv2.meanStdDev(smooth, mask=mask)[1]
    return np.asarray(mean, np.float64), np.asarray(spread, np.float64)


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
