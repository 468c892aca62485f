"""Crops of DeepfakeBench: a face turned and scaled by five points onto 256².

github.com/SCLBD/DeepfakeBench, `preprocessing/preprocess.py`, `get_keypts` and
`extract_aligned_face_dlib`; its five positions are those of ArcFace for a side of 112.
"""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor

from swapset.detectors.face import Face
from swapset.faces.align import umeyama
from swapset.types import Floats, Image

SIDE = 256
ENLARGED = 1.3
"""Side of a crop in sides of ArcFace's."""
LANDMARKS = np.array([37, 44, 30, 49, 55])
"""Of the left and right eye, the tip of the nose, and the left and right of the mouth; all but
the nose are one beside the corner, as there."""
_PLACES = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655)]
    + [(70.7299, 92.2041)]
)
_ARCFACE = 112


def goals() -> Floats:
    """Return where the five landmarks go, (5, 2) float64, x and y in pixels of the crop."""
    side = SIDE / _ARCFACE
    return (_PLACES * side + SIDE * (ENLARGED - 1) / 2) / ENLARGED


def aligned_square(face: Face) -> Image:
    """Return the aligned face (256, 256, 3) uint8, RGB; outside the region it is black.

    Landmarks are rounded to whole pixels, as dlib's are. Sampling is bilinear, without a filter
    where the crop is smaller than its region.
    """
    matrix = umeyama(np.rint(face.landmarks[LANDMARKS]) - face.origin, goals())
    return np.asarray(cv2.warpAffine(face.pixels, matrix, (SIDE, SIDE)), np.uint8)


def centred(crops: Tensor) -> Tensor:
    """Return crops (B, 3, S, S) float32 of [0, 255] in [-1, 1]."""
    return crops / 127.5 - 1
