"""Laws' texture energies, as in `pipeline/laws_texture.py` of Exploiting-Visual-Artifacts.

K. I. Laws, "Textured image segmentation", 1980; F. Matern, C. Riess, M. Stamminger, "Exploiting
Visual Artifacts to Expose Deepfakes and Face Manipulations", WACVW 2019, section 4.2; code at
github.com/FalkoMatern/Exploiting-Visual-Artifacts. The original computes everything in uint8:
differences and sums wrap around at 256, and filters cut off below 0 and above 255. The functions
here do the same.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from swapset.types import Bytes, Floats, Floats32, Image, Mask

ENERGIES = ("L5E5", "L5R5", "E5S5", "L5S5", "E5R5", "S5R5", "S5S5", "R5R5", "E5E5")
"""Energies in the order of the original's code."""

PYTHON2_ORDER = ("E5R5", "R5R5", "L5R5", "E5E5", "L5S5", "S5S5", "L5E5", "S5R5", "E5S5")
"""Energies in the order of the original's features. The original runs on Python 2 and iterates over
a dictionary, and there the order is that of the keys' hashes, always the same."""

_VECTORS = {
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "R5": (1, -4, 6, -4, 1),
}
_SURROUNDINGS = 15
_WINDOW = 10


def laws_features(image: Image, mask: Mask) -> Floats32:
    """Return the mean texture energies of an image's masked part.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    mask : (H, W) bool
        Not empty.

    Returns
    -------
    (9,) float32 in [0, 255]
        In the order of `ENERGIES`. An energy of two different vectors is the mean over both
        directions.
    """
    rows, columns = (_reach(np.flatnonzero(mask.any(axis=axis))) for axis in (1, 0))
    energies = _energies(np.ascontiguousarray(image[rows, columns]))
    chosen = mask[rows, columns]
    return np.array([np.mean(part[chosen], dtype=np.float32) for part in energies], np.float32)


def _reach(occupied: npt.NDArray[np.intp]) -> slice:
    """Return the rows or columns that affect the energies of the occupied ones."""
    first, last = occupied[[0, -1]]
    margin = _SURROUNDINGS // 2 + len(_VECTORS["L5"]) // 2 + _WINDOW // 2
    return slice(max(int(first) - margin, 0), int(last) + margin + 1)


def _energies(image: Image) -> list[Floats]:
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    centred = grey - _filtered(grey, _mean_kernel(_SURROUNDINGS))
    return [_energy(centred, name[:2], name[2:]) for name in ENERGIES]


def _energy(centred: Bytes, one: str, other: str) -> Floats:
    first = _directed(centred, one, other)
    if one == other:
        return first.astype(np.float64)
    return np.asarray((first + _directed(centred, other, one)) / 2.0, np.float64)


def _directed(centred: Bytes, across: str, down: str) -> Bytes:
    kernel = np.outer(_VECTORS[down], _VECTORS[across]).astype(np.float32)
    return _filtered(_filtered(centred, kernel), _mean_kernel(_WINDOW))


def _filtered(image: Bytes, kernel: Floats32) -> Bytes:
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def _mean_kernel(side: int) -> Floats32:
    return np.full((side, side), np.float32(1) / np.float32(side * side), np.float32)
