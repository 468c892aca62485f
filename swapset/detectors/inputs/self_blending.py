"""Self-blended images: fakes made of one real face and a slightly changed copy of itself.

K. Shiohara, T. Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022, section 3;
github.com/mapooon/SelfBlendedImages: `src/utils/sbi.py`, `blend.py`, `funcs.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from swapset.detectors.face import Face
from swapset.detectors.inputs.augmentations import (
    as_jpeg,
    coarse,
    recoloured,
    relit,
    sharpened,
    shifted,
)
from swapset.faces.masks import polygon
from swapset.types import Floats, Floats32, Image

HEADROOM = 0.3
"""Height of a face above its landmarks, as a share of theirs: up to the hairline, where the box
begins that the authors' detector draws."""
MARGIN = 0.25
"""Largest margin of a crop, as a share of that box's sides; a test has half of it."""
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
"""Shares of the changed copy in the blended region, equally likely."""
ONLY_LANDMARKS = 0.25
"""Share of the masks that end at the eyebrows, not on the forehead."""


class Pair(NamedTuple):
    """A real face and the fake made from it, (H, W, 3) uint8 RGB each, changed in the same way."""

    real: Image
    fake: Image


def face_region(face: Face, margins: Floats | None = None) -> tuple[slice, slice]:
    """Return rows and columns of a crop in a face's region.

    Parameters
    ----------
    face : Face
    margins : (4,) float64, optional
        Shares of the largest margin to the left, to the right, above and below; by default a half.

    Notes
    -----
    The authors' box is drawn by RetinaFace; here it is the landmarks' with `HEADROOM`.
    """
    left, top = face.points.min(axis=0)
    right, bottom = face.points.max(axis=0)
    top -= HEADROOM * (bottom - top)
    before_x, after_x, above, below = np.full(4, 0.5) if margins is None else margins
    width, height = MARGIN * (right - left), MARGIN * (bottom - top)
    rows, columns = face.pixels.shape[:2]
    return (
        _within(top - above * height, bottom + below * height, rows),
        _within(left - before_x * width, right + after_x * width, columns),
    )


def _within(first: float, last: float, length: int) -> slice:
    start = min(max(int(first), 0), length - 1)
    return slice(start, max(min(int(last) + 1, length), start + 1))


def self_blended(face: Face, generator: np.random.Generator) -> Pair:
    """Return a random crop of a real face, and a fake blended from it and a changed copy.

    Half of the faces are mirrored. The copy or the face gets other colours and sharpness; the copy
    is moved and scaled by a few per cent; a soft, distorted mask of the face blends both. In the
    end, both pictures get the same colours and compression.

    Parameters
    ----------
    face : Face
    generator : numpy.random.Generator
    """
    picture, points = np.ascontiguousarray(face.pixels), face.points
    region = face_region(face, generator.uniform(0.2, 0.8, 4))
    if generator.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        points = np.column_stack([picture.shape[1] - 1 - points[:, 0], points[:, 1]])
        columns = region[1]
        width = picture.shape[1]
        region = region[0], slice(width - columns.stop, width - columns.start)
    mask = face_mask(points, picture.shape[:2], generator)
    pair = _finished(Pair(*blended(picture, mask, generator)), generator)
    return Pair(*(part[region] for part in pair))


def face_mask(points: Floats, shape: tuple[int, ...], generator: np.random.Generator) -> Floats32:
    """Return the hull of a face's landmarks, in a quarter of cases without the forehead.

    Parameters
    ----------
    points : (68, 2) float
        Landmarks x, y in pixels of the picture. In a mirrored one their order is mirrored, which
        the hull does not depend on.
    shape : (int, int)
        Height and width.
    generator : numpy.random.Generator

    Returns
    -------
    (H, W) float32
        0 or 1.
    """
    outline = points
    if generator.random() >= ONLY_LANDMARKS:
        outline = polygon(points, "face-hull")
    hull = cv2.convexHull(np.rint(outline).astype(np.int32))
    mask = np.zeros(shape, np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask


def blended(picture: Image, mask: Floats32, generator: np.random.Generator) -> tuple[Image, Image]:
    """Return a picture, which may have other colours, and the same with a changed copy blended in.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    mask : (H, W) float32
        1 = face.
    generator : numpy.random.Generator

    Returns
    -------
    real, fake : (H, W, 3) uint8, RGB
    """
    copy = picture
    if generator.random() < 0.5:
        copy = _changed(copy, generator)
    else:
        picture = _changed(picture, generator)
    copy, mask = _moved(copy, mask, generator)
    share = softened(_distorted(mask, generator), generator)[..., None]
    share = share * RATIOS[generator.integers(len(RATIOS))]
    return picture, (share * copy + (1 - share) * picture).astype(np.uint8)


def _changed(picture: Image, generator: np.random.Generator) -> Image:
    """Change colours slightly, and sharpness strongly."""
    if generator.random() < 0.3:
        picture = shifted(picture, generator.uniform(-20, 20, 3))
    picture = recoloured(picture, generator.uniform(-0.3, 0.3, 3))
    picture = relit(picture, *generator.uniform(-0.1, 0.1, 2))
    if generator.random() < 0.5:
        return coarse(picture, int(generator.choice([2, 4])))
    return sharpened(picture, generator.uniform(0.2, 0.5), generator.uniform(0.5, 1))


def _finished(pair: Pair, generator: np.random.Generator) -> Pair:
    """Change colours and compression of both pictures in the same way."""
    if generator.random() < 0.3:
        by = generator.uniform(-20, 20, 3)
        pair = Pair(*(shifted(part, by) for part in pair))
    if generator.random() < 0.3:
        by = generator.uniform(-0.3, 0.3, 3)
        pair = Pair(*(recoloured(part, by) for part in pair))
    if generator.random() < 0.3:
        brightness, contrast = generator.uniform(-0.3, 0.3, 2)
        pair = Pair(*(relit(part, brightness, contrast) for part in pair))
    if generator.random() < 0.5:
        quality = int(generator.integers(40, 101))
        pair = Pair(*(as_jpeg(part, quality) for part in pair))
    return pair


def _moved(
    picture: Image, mask: Floats32, generator: np.random.Generator
) -> tuple[Image, Floats32]:
    """Shift and scale a picture and its mask; outside the picture it is black."""
    height, width = mask.shape
    x, y = generator.uniform((-0.03, -0.015), (0.03, 0.015)) * (width, height)
    across, down = generator.uniform(0.95, 1 / 0.95, 2)
    middle = np.array([width, height]) / 2 - 0.5
    matrix = np.array([[across, 0, 0], [0, down, 0]])
    matrix[:, 2] = middle - matrix[:, :2] @ middle + np.rint((x, y))
    moved = cv2.warpAffine(picture, matrix, (width, height))
    moved_mask = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(moved, np.uint8), np.asarray(moved_mask, np.float32)


def _distorted(mask: Floats32, generator: np.random.Generator) -> Floats32:
    """Bend a mask by smooth random shifts (P. Simard et al., ICDAR 2003)."""
    strength, smoothness = 50, 7
    down, across = np.indices(mask.shape, np.float32)
    x, y = (
        (place + strength * gaussian_filter(generator.uniform(-1, 1, mask.shape), smoothness))
        for place in (across, down)
    )
    bent = cv2.remap(
        mask,
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(bent, np.float32)


def softened(mask: Floats32, generator: np.random.Generator) -> Floats32:
    """Shrink a mask by a random width, and blur its edge by another.

    Parameters
    ----------
    mask : (H, W) float32
        1 = face.
    generator : numpy.random.Generator

    Returns
    -------
    (H, W) float32 in [0, 1]
        All 0 if the mask is too small to shrink.
    """
    height, width = generator.integers(192, 257, 2)
    inner, outer = (int(side) for side in 2 * generator.integers(2, 13, 2) + 1)
    small = cv2.resize(mask, (int(width), int(height)))
    soft = cv2.GaussianBlur(small, (inner, inner), 0)
    inside = (soft >= (1 - 1e-6) * (soft.max() or 1)).astype(np.float32)
    kept = cv2.GaussianBlur(inside, (outer, outer), float(generator.integers(5, 46)))
    share = cv2.resize(kept / (kept.max() or 1), mask.shape[::-1])
    return np.clip(share, 0, 1).astype(np.float32) * bool(mask.any())
