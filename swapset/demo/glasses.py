"""Take the glasses off Grace Hopper's portrait."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from swapset.demo.sampling import blur, traced_points
from swapset.types import Floats, Floats32, Image

# Frame of the glasses in source pixels (polyline, width), traced by eye. The rims below an eye and
# the bars above it come first: together they enclose what is behind a lens.
_BARS = "179,179 194,178 213,177 232,179 246,181", "281,180 291,176 303,172 317,171 331,172 348,172"
_RIMS = (
    "186,196 191,206 197,217 206,226 218,231 232,231 244,225 250,215 254,202 257,192",
    "275,192 279,204 285,216 293,224 304,228 317,226 329,220 335,211 339,197 340,188",
)
_FRAME: tuple[tuple[str, int], ...] = (
    *((bar, 9) for bar in _BARS),
    *((rim, 7) for rim in _RIMS),
    ("178,181 189,186 191,195", 13),
    ("174,189 181,194", 9),
    ("205,182 209,183", 7),
    ("251,184 265,186 278,185", 11),
    ("329,178 334,181", 10),
    ("337,177 350,177 355,186", 15),
    ("351,179 360,187", 14),
    ("195,183 200,186", 7),
    ("340,180 341,188", 12),
)
_EVENED = 0.7
"""Share of the difference from the skin around that is taken away behind the lenses."""
_EYES = (36, 42)


def take_off_glasses(image: Image, landmarks: Floats) -> Image:
    """Return Grace Hopper's picture, (H, W, 3) uint8 RGB, with skin in place of her glasses.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB in [0, 255].
    landmarks : (68, 2) float64
        x and y in pixels.
    """
    frame = _drawn(image.shape[:2], _FRAME)
    painted = cv2.inpaint(image, frame, 5, cv2.INPAINT_TELEA).astype(np.float32)
    # the picture's grain, without which the painted skin would stand out as a smooth patch
    grain = blur(np.random.default_rng(0).normal(0, 1, frame.shape).astype(np.float32), 0.8)
    painted = np.where(frame[..., None] > 0, blur(painted, 1.5) + 12 * grain[..., None], painted)
    soft = blur((frame / 255).astype(np.float32), 1.2)[..., None]
    without = soft * painted + (1 - soft) * image.astype(np.float32)
    even = _evened(without, frame, landmarks)
    return np.clip(np.rint(even), 0, 255).astype(np.uint8)


def _evened(image: Floats32, frame: npt.NDArray[np.uint8], landmarks: Floats) -> Floats32:
    """Return the picture without the frame's shadows and the lenses' reflections.

    Behind the lenses, coarse lightness and colour come nearer to those of the skin around. The eyes
    themselves stay.
    """
    shape = image.shape[:2]
    glasses = frame.copy()
    for bar, rim in zip(_BARS, _RIMS, strict=True):
        for outline in (rim, f"{bar} {rim}"):
            _fill(glasses, traced_points(outline))
    glasses = np.asarray(cv2.dilate(glasses, np.ones((5, 5))), np.uint8)
    eyes, face = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for first in _EYES:
        _fill(eyes, landmarks[first : first + 6])
    _fill(face, np.vstack([landmarks[:17], landmarks[17:27] - (0, 12)]))
    no_eye = cv2.dilate(eyes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))) == 0
    skin = _mean_where((cv2.erode(face, np.ones((15, 15))) > 0) & (glasses == 0), image, 18.0)
    here = _mean_where(no_eye, image, 5.0)
    weight = blur(((glasses > 0) & no_eye).astype(np.float32), 3.0)[..., None]
    return np.asarray(image + _EVENED * weight * (skin - here), np.float32)


def _mean_where(chosen: npt.NDArray[np.bool_], image: Floats32, sigma: float) -> Floats32:
    """Return the picture blurred by a Gaussian of `sigma` pixels that sees chosen pixels alone."""
    share = chosen.astype(np.float32)
    total = blur(image * share[..., None], sigma)
    return np.asarray(total / np.maximum(blur(share, sigma), 1e-3)[..., None], np.float32)


def _drawn(shape: tuple[int, ...], lines: tuple[tuple[str, int], ...]) -> npt.NDArray[np.uint8]:
    """Return a mask, 255 on traced lines of their widths in pixels, else 0."""
    mask = np.zeros(shape, np.uint8)
    for text, width in lines:
        cv2.polylines(mask, [traced_points(text).astype(np.int32)], False, 255, width)
    return mask


def _fill(mask: npt.NDArray[np.uint8], points: Floats) -> None:
    """Set a mask to 255 inside the convex hull of points (n, 2)."""
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 255)
