"""Training examples of FWA: regions of heads, and faces that were shrunk and warped back.

Landmarks are whole pixels here, as dlib gives them and the originals use them.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from swapset.detectors.face import Face
from swapset.faces.align import umeyama
from swapset.faces.masks import EYEBROWS, LOWER_LIP
from swapset.types import Bytes

Draw = Callable[[int], int]
"""Draws an integer in [0, n) for an argument n."""

SMALLEST, LARGEST = 64, 128
"""Side of the shrunk face in pixels, the upper end excluded."""
KERNEL = (5, 5)
COLOUR = (0.8, 1.2)

# Landmarks 17-67 of the mean face in the unit square, as dlib's `get_face_chip_details` has them.
# fmt: off
_MEAN_X = (
    0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991,
    0.98004, 0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217,
    0.613373, 0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743, 0.645647, 0.714428,
    0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985, 0.428858, 0.490127, 0.551395,
    0.639268, 0.726104, 0.642159, 0.556721, 0.490127, 0.423532, 0.338094, 0.290379, 0.428096,
    0.490127, 0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
)
_MEAN_Y = (
    0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915,
    0.106454, 0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345,
    0.587326, 0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852,
    0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388,
    0.745405, 0.780233, 0.864805, 0.902192, 0.909281, 0.902192, 0.864805, 0.784792, 0.778746,
    0.785343, 0.778746, 0.784792, 0.824182, 0.831803, 0.824182,
)
# fmt: on
STANDARD = np.stack([_MEAN_X, _MEAN_Y], axis=1)


def whole_points(face: Face) -> npt.NDArray[np.int64]:
    """Return the landmarks (68, 2) int64, rounded to whole pixels of the frame."""
    return np.rint(face.landmarks).astype(np.int64)


def head_region(face: Face, draw: Draw) -> tuple[slice, slice]:
    """Return rows and columns, in the face's region, of a head with a random margin.

    The landmarks' box grows by [0, w/8) to the left and right and [0, h/5) upward, half of that
    downward, all in whole pixels, and is cut off at the frame's border: `cut_head` of the original,
    where the last row and column are one pixel inside the box.

    Parameters
    ----------
    face : Face
    draw : callable
        Draws an integer in [0, n); called for the margin at the sides, then for the one above.

    Notes
    -----
    Two things differ, both where the original fails: a face smaller than 8 pixels has no margin,
    and at least one pixel of a face outside the frame is kept.

    References
    ----------
    yuezunli/CVPRW2019_Face_Artifacts, py_utils/face_utils/lib.py, `cut_head`; the paper's
    section 3.2.
    """
    points = whole_points(face)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    beside = draw(max(1, int((x2 - x1) / 8)))
    above = draw(max(1, int((y2 - y1) / 5)))
    width, height = face.frame_size
    columns = max(0, x1 - beside), min(width - 1, x2 + beside)
    rows = max(0, y1 - above), min(height - 1, int(y2 + above * 0.5))
    left, top = face.origin
    h, w = face.pixels.shape[:2]
    return _inside(rows, top, h), _inside(columns, left, w)


def _inside(ends: tuple[int, int], first: int, length: int) -> slice:
    """Return pixels of the frame as a slice of `length` pixels from `first` on, never empty."""
    start = min(max(int(ends[0]) - first, 0), length - 1)
    return slice(start, min(max(int(ends[1]) - first, start + 1), length))


def warped_back(face: Face, generator: np.random.Generator) -> Bytes:
    """Return the face's region (h, w, 3) uint8 with the face shrunk, blurred and warped back.

    The face is warped to the standard configuration with a random side of 64 to 127 pixels,
    blurred by a Gaussian of 5×5, and warped back to its place; in half of the cases the whole
    square stays, in the others only the convex hull of eyebrows and lower lip.

    Notes
    -----
    As in the original, sampling is bilinear on the way there and nearest pixel on the way back: its
    flag for the inverse map is passed alone, without an interpolation.

    References
    ----------
    yuezunli/CVPRW2019_Face_Artifacts, data_proc_train.py, `_face_blur` and `get_batch`, and
    py_utils/face_utils/lib.py, `align` and `get_face_mask`; the paper's section 3.1.
    """
    points = whole_points(face) - face.origin
    size = int(generator.integers(SMALLEST, LARGEST))
    matrix = umeyama(points[17:], STANDARD) * size
    small = cv2.GaussianBlur(cv2.warpAffine(face.pixels, matrix, (size, size)), KERNEL, 0)
    warped = face.pixels.copy()
    cv2.warpAffine(
        small,
        matrix,
        warped.shape[1::-1],
        warped,
        cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST,
        cv2.BORDER_TRANSPARENT,
    )
    if generator.random() < 0.5:
        inner = np.zeros(warped.shape[:2], np.uint8)
        outline = cv2.convexHull(points[np.concatenate([EYEBROWS, LOWER_LIP])].astype(np.int32))
        cv2.fillConvexPoly(inner, outline, 1)
        warped = np.where(inner[..., None] > 0, warped, face.pixels)
    return warped


def recoloured(pixels: Bytes, generator: np.random.Generator) -> Bytes:
    """Change brightness, contrast, colour and sharpness, each by a factor in [0.8, 1.2).

    As in the original, PIL gets the image in BGR order, so that the greys of contrast and colour
    weigh blue as red.

    Parameters
    ----------
    pixels : (h, w, 3) uint8, RGB
    generator : numpy.random.Generator

    Returns
    -------
    (h, w, 3) uint8, RGB

    References
    ----------
    yuezunli/CVPRW2019_Face_Artifacts, py_utils/img_utils/proc_img.py, `aug`.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    for change in (
        ImageEnhance.Brightness,
        ImageEnhance.Contrast,
        ImageEnhance.Color,
        ImageEnhance.Sharpness,
    ):
        image = change(image).enhance(generator.uniform(*COLOUR))
    return np.asarray(image)[..., ::-1]
