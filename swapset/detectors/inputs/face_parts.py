"""Cut out a face's eyes and teeth as Exploiting-Visual-Artifacts does.

Follows `pipeline/face_utils.py`, `pipeline_utils.py` and `texture.py` of
github.com/FalkoMatern/Exploiting-Visual-Artifacts (Matern, Riess, Stamminger, WACVW 2019) with the
versions that it pins (scikit-image 0.14, scikit-learn 0.19).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from swapset.detectors.face import Face
from swapset.types import Bytes, Image, Mask

PixelPoints = npt.NDArray[np.int32]
"""Landmarks in whole pixels, x before y: (n, 2) int32."""

RIGHT_EYE, LEFT_EYE, INNER_LIPS = slice(36, 42), slice(42, 48), slice(60, 68)
LONG_SIDE = 256
_EYE_OPEN, _MOUTH_OPEN = 0.25, 0.15
_LEAST_EYE_PIXELS = 10
_LEAST_TEETH = 0.01


class Parts(NamedTuple):
    """A face resized to 256 pixels along its longer side, with masks of its eyes and teeth.

    Attributes
    ----------
    image : (h, w, 3) uint8, RGB
    eyes, teeth : (h, w) bool
    """

    image: Image
    eyes: Mask
    teeth: Mask


def cut_parts(face: Face, box: npt.ArrayLike | None = None) -> Parts | None:
    """Return a face's eyes and teeth, or None where the original gives no score.

    Parameters
    ----------
    face : Face
    box : (4,) float, optional
        See `face_crop`.

    Returns
    -------
    Parts or None
        None where an eye or the mouth is closed, where the eyes cover fewer than 10 pixels, or
        where the brighter of two groups of grey values fills less than 1 % of the mouth's opening.
    """
    image, points = face_crop(face, box)
    if not (eyes_open(points) and mouth_open(points)) or not image.size:
        return None
    shape = image.shape[:2]
    height, width = resized(shape)
    if not height or not width:
        return None
    eyes = convex_mask(shape, points[LEFT_EYE]) | convex_mask(shape, points[RIGHT_EYE])
    eyes = _nearest(eyes, (height, width))
    mouth = _nearest(convex_mask(shape, points[INNER_LIPS]), (height, width))
    image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    if np.count_nonzero(eyes) < _LEAST_EYE_PIXELS or np.count_nonzero(mouth) < 2:
        return None
    teeth = bright_part(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)), mouth)
    if np.count_nonzero(teeth) / np.count_nonzero(mouth) < _LEAST_TEETH:
        return None
    return Parts(image, eyes, teeth)


def face_crop(face: Face, box: npt.ArrayLike | None = None) -> tuple[Image, PixelPoints]:
    """Return the face's box (h, w, 3) uint8, RGB, and its landmarks (68, 2) int32 in whole pixels.

    Its right column and bottom row are left out, as in the original.

    Parameters
    ----------
    face : Face
    box : (4,) float, optional
        x0, y0, x1, y1 in pixels of the frame. The original takes it from dlib's HOG detector
        (`hog_box`); by default it is the one that this detector draws on average around landmarks.
    """
    x, y = face.origin
    chosen = np.asarray(face.box + (x, y, x, y) if box is None else box, np.float64)
    left, top, right, bottom = (round(float(value)) for value in chosen)
    left, top = max(left, x), max(top, y)
    image = face.pixels[top - y : max(bottom - y, 0), left - x : max(right - x, 0)]
    return image, np.rint(face.landmarks).astype(np.int32) - np.array((left, top), np.int32)


def eyes_open(points: PixelPoints) -> bool:
    """Return whether both eyes are more than 0.25 times as high as wide; points (68, 2) int32."""
    return _eye_ratio(points[RIGHT_EYE]) > _EYE_OPEN and _eye_ratio(points[LEFT_EYE]) > _EYE_OPEN


def mouth_open(points: PixelPoints) -> bool:
    """Return whether the lips are more than 0.15 times as far apart as the mouth is wide.

    Parameters
    ----------
    points : (68, 2) int32
        Landmarks.
    """
    return _ratio(points[66] - points[62], points[64] - points[60]) > _MOUTH_OPEN


def _eye_ratio(eye: PixelPoints) -> float:
    return _ratio((eye[4] + eye[5]) / 2.0 - (eye[1] + eye[2]) / 2.0, eye[3] - eye[0])


def _ratio(high: npt.NDArray[np.generic], wide: npt.NDArray[np.generic]) -> float:
    """Return the quotient of two lengths; 0 for a width of 0, which counts as closed."""
    width = float(np.sqrt(np.sum(np.square(wide))))
    return float(np.sqrt(np.sum(np.square(high)))) / width if width else 0.0


def resized(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width (h, w) scaled so that the larger is 256."""
    ratio = float(shape[1]) / float(shape[0])
    return (int(LONG_SIDE / ratio), LONG_SIDE) if ratio > 1 else (LONG_SIDE, int(LONG_SIDE * ratio))


def convex_mask(shape: tuple[int, int], points: PixelPoints) -> Mask:
    """Return the mask (H, W) bool of the convex hull of pixels, each a small diamond.

    As `skimage.morphology.convex_hull_image` of version 0.14: pixels on the hull's left or upper
    border are inside, those on its right or lower border outside; later versions differ there.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    points : (n, 2) int32
        x, y; clipped to the mask.
    """
    mask = np.zeros(shape, bool)
    inside = np.clip(points, 0, (shape[1] - 1, shape[0] - 1))
    ends = np.array(((-1, 0), (1, 0), (0, -1), (0, 1)), np.int32)
    doubled = (2 * inside[:, None] + ends).reshape(-1, 1, 2).astype(np.int32)
    hull = cv2.convexHull(doubled)[:, 0].astype(np.float64) / 2
    x0, y0 = inside.min(axis=0)
    x1, y1 = inside.max(axis=0)
    y, x = np.mgrid[y0 : y1 + 1, x0 : x1 + 1].astype(np.float64)
    within = np.zeros(x.shape, bool)
    for (xa, ya), (xb, yb) in zip(hull, np.roll(hull, 1, axis=0), strict=True):
        if xa != xb:
            spanned = ((xa <= x) & (x < xb)) | ((xb <= x) & (x < xa))
            within ^= spanned & (y < (yb - ya) * (x - xa) / (xb - xa) + ya)
    mask[y0 : y1 + 1, x0 : x1 + 1] = within
    return mask


def bright_part(grey: Bytes, mask: Mask) -> Mask:
    """Return the brighter of two groups of a mask's pixels.

    The groups are those with the least variance within (k-means, k = 2), found exactly from the
    histogram. The original takes the best of ten runs of scikit-learn's `KMeans`, which ends in
    the same groups, apart from a few pixels.

    Parameters
    ----------
    grey : (H, W) uint8
    mask : (H, W) bool

    Returns
    -------
    (H, W) bool
    """
    counts = np.bincount(grey[mask], minlength=256).astype(np.float64)
    values = np.arange(256.0)
    below, above = np.cumsum(counts)[:-1], counts.sum() - np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * values)
    both = np.maximum(below, 1) * np.maximum(above, 1)
    gap = (sums[-1] - sums[:-1]) * below - sums[:-1] * above
    between = np.where((below > 0) & (above > 0), gap**2 / both, -1.0)
    cut = int(np.argmax(between))
    return mask if between[cut] < 0 else mask & (grey > cut)


def _nearest(mask: Mask, shape: tuple[int, int]) -> Mask:
    small = cv2.resize(mask.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, bool)
