"""Perturb single frames. Numbers, rounding and drawing follow the code of DeeperForensics-1.0.

Like there, values are cut off to whole numbers, not rounded, in `saturation`, `contrast` and
`noise`. Unlike there, random numbers follow from a seed, and frames whose shorter side is below 256
pixels get as many blocks as those of 256 (there: none).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from swapset.errors import MediaError
from swapset.media.perturbations.names import FIT
from swapset.types import Floats32, Image

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""BT.601 weights of R, G and B."""
_TO_RGB = np.array([[1, 1, 1], [0, -0.344, 1.773], [1.403, -0.714, 0]], np.float32)
"""R, G and B (columns) of Y, Cb and Cr (rows), as in OpenCV."""
_SPREAD = 255 * np.array([255 / 219, 255 / 224, 255 / 224], np.float32)
"""Y, Cb and Cr in [0, 255] of a difference of 1 in the authors' YCbCr of limited range."""
_BLOCK, _GREY = 8, 128
_UNIT = 256  # pixels of the shorter side for which the number of blocks is stated

Change = Callable[[Image, float, np.random.Generator], Image]
"""Function of a frame (H, W, 3) uint8 RGB, a parameter of `names.PARAMETERS`, and a generator."""


def saturation(image: Image, share: float, generator: np.random.Generator) -> Image:
    """Return a frame with a share of its colour; 0 = grey.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    share : float
        In [0, 1].
    generator : numpy.random.Generator
        Not used.
    """
    grey = np.asarray(image @ _LUMA, np.float32)[..., None]
    return _cut(grey + np.float32(share) * (image - grey))


def contrast(image: Image, share: float, generator: np.random.Generator) -> Image:
    """Return a frame with a share of its brightness and contrast.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    share : float
        In [0, 1].
    generator : numpy.random.Generator
        Not used.
    """
    values = (np.arange(256, dtype=np.float32) * np.float32(share)).astype(np.uint8)
    return np.asarray(cv2.LUT(image, values), np.uint8)


def blocks(image: Image, count: float, generator: np.random.Generator) -> Image:
    """Return a frame with grey blocks of 8x8 pixels at random places.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    count : int
        Blocks for every whole 256 pixels of the shorter side.
    generator : numpy.random.Generator
        Draws the places.
    """
    height, width = image.shape[:2]
    number = int(count) * max(min(height, width) // _UNIT, 1)
    shown = image.copy()
    lefts = generator.integers(0, max(width - _BLOCK, 1), number)
    tops = generator.integers(0, max(height - _BLOCK, 1), number)
    for left, top in zip(lefts, tops, strict=True):
        shown[top : top + _BLOCK, left : left + _BLOCK] = _GREY
    return shown


def noise(image: Image, variance: float, generator: np.random.Generator) -> Image:
    """Return a frame with Gaussian noise in Y, Cb and Cr.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    variance : float
        Of the noise in YCbCr of limited range, on a scale of [0, 1].
    generator : numpy.random.Generator
    """
    drawn = generator.standard_normal(image.shape, dtype=np.float32)
    spread = np.asarray(math.sqrt(variance) * _SPREAD[:, None] * _TO_RGB, np.float32)
    return _cut(np.asarray(image + drawn @ spread, np.float32))


def blur(image: Image, side: float, generator: np.random.Generator) -> Image:
    """Return a frame after a Gaussian blur.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    side : int
        Side of the window in pixels, odd; the standard deviation is a sixth of it.
    generator : numpy.random.Generator
        Not used.
    """
    window = int(side)
    return np.asarray(cv2.GaussianBlur(image, (window, window), window / 6), np.uint8)


def pixelation(image: Image, factor: float, generator: np.random.Generator) -> Image:
    """Return a frame that was made smaller, and larger again (both bilinear).

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    factor : int
    generator : numpy.random.Generator
        Not used.
    """
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(width // int(factor), 1), max(height // int(factor), 1)))
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def jpeg(image: Image, quality: float, generator: np.random.Generator) -> Image:
    """Return a frame as read back from a JPEG file.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    quality : int
        In [1, 100].
    generator : numpy.random.Generator
        Not used.
    """
    reverse = np.ascontiguousarray(image[..., ::-1])  # OpenCV's order is BGR
    done, stored = cv2.imencode(".jpg", reverse, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    shown = cv2.imdecode(stored, cv2.IMREAD_COLOR) if done else None
    if shown is None:
        raise MediaError(f"a frame of {image.shape} could not be stored as JPEG")
    return np.ascontiguousarray(shown[..., ::-1])


def resize(image: Image, share: float, generator: np.random.Generator) -> Image:
    """Return a frame with a share of its width and height, both even.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    share : float
        In (0, 1].
    generator : numpy.random.Generator
        Not used.
    """
    height, width = (max(2 * round(side * share / 2), 2) for side in image.shape[:2])
    if (height, width) == image.shape[:2]:
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def fit(image: Image, side: float, generator: np.random.Generator) -> Image:
    """Return a frame whose shorter side is at most `side` pixels; smaller frames stay as they are.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    side : int
    generator : numpy.random.Generator
        Not used.
    """
    return resize(image, min(side / min(image.shape[:2]), 1.0), generator)


CHANGES: dict[str, Change] = {
    "saturation": saturation,
    "contrast": contrast,
    "blocks": blocks,
    "noise": noise,
    "blur": blur,
    "pixelation": pixelation,
    "jpeg": jpeg,
    "resize": resize,
    FIT: fit,
}
"""All kinds of steps but "video", which needs the whole video."""


def _cut(values: Floats32) -> Image:
    """Return values as uint8, cut off to whole numbers in [0, 255]."""
    return np.clip(values, 0, 255).astype(np.uint8)
