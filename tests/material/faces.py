"""Small clips of public-domain portraits in motion, with known positions."""

from __future__ import annotations

import cv2
import matplotlib.cbook
import numpy as np
from PIL import Image
from skimage import data

ASTRONAUT_BOX = (166.0, 79.0, 273.0, 186.0)
HOPPER_BOX = (174.0, 109.0, 359.0, 294.0)


def portrait(name: str) -> np.ndarray:
    """Return a portrait, (H, W, 3) uint8 RGB."""
    if name == "astronaut":
        return np.ascontiguousarray(data.astronaut())
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        return np.array(Image.open(stream).convert("RGB"))


def placed(
    name: str,
    centre: tuple[float, float],
    side: float,
    *,
    size: tuple[int, int] = (240, 320),
    onto: np.ndarray | None = None,
    degrees: float = 0.0,
) -> np.ndarray:
    """Return a frame (H, W, 3) uint8 RGB with a portrait's face of `side` pixels at `centre`.

    With `onto`, only an ellipse around the head is drawn, over that frame.
    """
    x0, y0, x1, y1 = ASTRONAUT_BOX if name == "astronaut" else HOPPER_BOX
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    matrix = cv2.getRotationMatrix2D(middle, degrees, side / (x1 - x0))
    matrix[:, 2] += np.array(centre) - middle
    height, width = size
    frame = cv2.warpAffine(
        portrait(name), matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    if onto is None:
        return frame
    mask = np.zeros((height, width), np.uint8)
    axes = round(0.75 * side), round(0.95 * side)
    cv2.ellipse(mask, (round(centre[0]), round(centre[1])), axes, 0, 0, 360, 255, -1)
    return np.where(mask[..., None] > 0, frame, onto)


def background(size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """Return a frame (H, W, 3) uint8 RGB without a face."""
    return cv2.resize(data.coffee(), size[::-1], interpolation=cv2.INTER_AREA)
