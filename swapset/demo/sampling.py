"""Small picture operations that all parts of the demo use."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from swapset.types import Floats32

Kind = TypeVar("Kind", np.uint8, np.float32)


def sample(image: NDArray[Kind], x: Floats32, y: Floats32, *, cubic: bool = False) -> NDArray[Kind]:
    """Return `image` at the pixel positions `x`, `y`; beyond the border it goes on unchanged."""
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    out = cv2.remap(image, x, y, method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=image.dtype)


def blur(image: Floats32, sigma: float) -> Floats32:
    """Return `image` blurred by a Gaussian of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def smoothstep(value: NDArray[np.floating], low: float, high: float) -> Floats32:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between (`low` > `high`: a fall)."""
    t = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)
