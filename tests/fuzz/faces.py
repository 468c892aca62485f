"""Large pictures with faces, which cost more than pictures without."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from material.faces import placed


def lost(width: int, dtype: type[np.generic] = np.uint8) -> bytes:
    """Return a PNG file that does not compress, with one face of 240 pixels."""
    image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (8000, width, 3), dtype)
    face = placed("astronaut", (480, 360), 240, size=(720, 960)).astype(dtype)
    image[1000:1720, 1000:1960] = face[..., ::-1] * (257 if dtype is np.uint16 else 1)
    return _png(image)


@cache
def crowd() -> bytes:
    """Return a PNG file of 24 megapixels with 40 faces."""
    face = placed("astronaut", (370, 330), 200, size=(800, 740))
    return _png(np.tile(face, (5, 8, 1))[..., ::-1])


@cache
def filling() -> bytes:
    """Return a PNG file of 24 megapixels filled by one face."""
    return _png(placed("hopper", (3000, 2000), 2800, size=(4000, 6000))[..., ::-1])


def _png(image: np.ndarray) -> bytes:
    """Return the PNG file of an image (H, W, 3), BGR."""
    done, stored = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return stored.tobytes()
