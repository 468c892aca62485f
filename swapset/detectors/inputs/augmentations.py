"""Changes of training pictures, as albumentations makes them, which SBI and DeepfakeBench use.

Pictures are (H, W, 3) uint8, RGB, in and out. Those who want the same change on several pictures
draw its numbers once and call the function for each.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from swapset.types import Floats, Image


def through(picture: Image, tables: Sequence[Floats]) -> Image:
    """Return a picture whose values are looked up.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    tables : sequence of (256,) float
        New values of each channel; they are clipped to [0, 255] and cut to whole numbers.
    """
    lookup = np.stack([np.clip(table, 0, 255).astype(np.uint8) for table in tables], axis=-1)
    return np.asarray(cv2.LUT(picture, lookup[None]), np.uint8)


def shifted(picture: Image, by: Floats) -> Image:
    """Return a picture (H, W, 3) uint8, RGB, with numbers (3,) float added to its channels."""
    return through(picture, [np.arange(256.0) + float(each) for each in by])


def recoloured(picture: Image, by: Floats) -> Image:
    """Return a picture with numbers added to hue, saturation and value.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    by : (3,) float
        Hue is in [0, 180) and wraps around, the other two are in [0, 255].
    """
    values = np.arange(256.0)
    tables = [np.mod(values + by[0], 180), values + by[1], values + by[2]]
    colours = through(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV), np.uint8), tables)
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_HSV2RGB), np.uint8)


def relit(picture: Image, brightness: float, contrast: float) -> Image:
    """Return a picture times 1 + contrast, plus 255 times brightness.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    brightness, contrast : float
        0 changes nothing.
    """
    return through(picture, [np.arange(256.0) * (1 + contrast) + 255 * brightness] * 3)


def as_jpeg(picture: Image, quality: int) -> Image:
    """Return a picture (H, W, 3) uint8, RGB, after JPEG of a quality in [1, 100]."""
    _, stream = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR_RGB), np.uint8)


def coarse(picture: Image, factor: int) -> Image:
    """Return a picture with every factor-th pixel only, and straight lines between them.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    factor : int
    """
    height, width = picture.shape[:2]
    size = (max(width // factor, 1), max(height // factor, 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def sharpened(picture: Image, share: float, lightness: float) -> Image:
    """Return a mix of a picture with its edges.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    share : float
        Of the edges, in [0, 1].
    lightness : float
        Share of the picture in its edges; 1 leaves its brightness as it is.
    """
    kernel = np.full((3, 3), -share)
    kernel[1, 1] = 1 - share + share * (8 + lightness)
    return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def tinted(picture: Image, strengths: Floats) -> Image:
    """Return a picture with its principal colours made stronger or weaker (AlexNet's "PCA").

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    strengths : (3,) float
        Of the principal colours, the least varied first.
    """
    colours = picture.reshape(-1, 3) / 255.0
    variances, axes = np.linalg.eigh(np.cov(colours, rowvar=False))
    shift = axes @ (strengths * np.clip(variances, 0, None))
    return shifted(picture, 255 * shift)


def turned(picture: Image, degrees: float) -> Image:
    """Return a picture (H, W, 3) uint8, RGB, turned about its middle; its borders are mirrored."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=border), np.uint8
    )


def varied(picture: Image, generator: np.random.Generator) -> Image:
    """Return a training picture changed as DeepfakeBench does.

    Half of the pictures are mirrored, half turned by up to 10°, half blurred (3 to 7 pixels), half
    relit, tinted or recoloured, and half compressed to JPEG of a quality of 40 to 100.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    generator : numpy.random.Generator

    References
    ----------
    github.com/SCLBD/DeepfakeBench, `training/dataset/abstract_dataset.py`, `init_data_aug_method`,
    and `data_aug` in `training/config/detector/spsl.yaml`.
    """
    if generator.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if generator.random() < 0.5:
        picture = turned(picture, generator.uniform(-10, 10))
    if generator.random() < 0.5:
        side = int(generator.choice([3, 5, 7]))
        picture = np.asarray(cv2.GaussianBlur(picture, (side, side), 0), np.uint8)
    if generator.random() < 0.5:
        picture = _in_another_light(picture, generator)
    if generator.random() < 0.5:
        picture = as_jpeg(picture, int(generator.integers(40, 101)))
    return picture


def _in_another_light(picture: Image, generator: np.random.Generator) -> Image:
    kind = generator.integers(3)
    if kind == 0:
        return relit(picture, *generator.uniform(-0.1, 0.1, 2))
    if kind == 1:
        return tinted(picture, generator.normal(0, 0.1, 3))
    return recoloured(picture, generator.uniform((-20, -30, -20), (20, 30, 20)))
