"""Sample, blur and ramp arrays, and read traced points: small steps of all parts of the demo."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from swapset.types import Floats, Floats32

Kind = TypeVar("Kind", np.uint8, np.float32)


def sample(image: NDArray[Kind], x: Floats32, y: Floats32, *, cubic: bool = False) -> NDArray[Kind]:
    """Return an image's values at any pixel positions; beyond its border, border pixels repeat.

    Parameters
    ----------
    image : (H, W) or (H, W, C) uint8 or float32
        Values of any range.
    x, y : (h, w) float32
        Positions in pixels of `image`.
    cubic : bool
        Whether to interpolate by cubic instead of linear functions.

    Returns
    -------
    (h, w) or (h, w, C) array, dtype of `image`
    """
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    out = cv2.remap(image, x, y, method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=image.dtype)


def traced_points(text: str) -> Floats:
    """Return traced points "x,y x,y …" as (n, 2) float64."""
    return np.array([point.split(",") for point in text.split()], dtype=np.float64)


def blur(image: Floats32, sigma: float) -> Floats32:
    """Return an image, (H, W) or (H, W, C) float32, blurred by a Gaussian of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def smoothstep(value: NDArray[np.floating], low: float, high: float) -> Floats32:
    """Return a smooth ramp from 0 to 1 between two limits.

    Parameters
    ----------
    value : (n,) or (h, w) float
        Numbers of any range.
    low, high : float
        Values at which the ramp is 0 and 1; `low` may be the larger one.

    Returns
    -------
    (n,) or (h, w) float32
        In [0, 1], with the shape of `value`.
    """
    t = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)
