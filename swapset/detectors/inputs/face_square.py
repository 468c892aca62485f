"""Crop and normalisation that Multi-task and Capsule share, both of H. H. Nguyen et al.

github.com/nii-yamagishilab/ClassNSeg: `create_dataset_Deepfakes.py`, `train.py`;
github.com/nii-yamagishilab/Capsule-Forensics-v2: `datascripts/`, `train_binary_ffpp.py`.
"""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor

from swapset.detectors.face import Face

ENLARGED = 1.3
"""Side of a crop in heights of a face's mask."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def face_square(face: Face) -> tuple[slice, slice]:
    """Return rows and columns of the crop in a face's region.

    A square about the centroid of the face's mask, its side 1.3 times the mask's height, cut off
    at the frame's border, as `get_bbox` and `extract_face` of the authors find it. Their masks are
    those of FaceForensics++'s swaps; here the hull of the landmarks, from brows to chin, is the
    mask, for real and fake faces alike.
    """
    hull = cv2.convexHull(np.rint(face.landmarks).astype(np.int32))
    moments = cv2.moments(hull)
    area = moments["m00"] or 1.0
    x, y = int(moments["m10"] / area), int(moments["m01"] / area)
    radius = int(cv2.boundingRect(hull)[3] * ENLARGED / 2)
    height, width = face.pixels.shape[:2]
    left, top = face.origin
    return _within(y - top, radius, height), _within(x - left, radius, width)


def _within(centre: int, radius: int, length: int) -> slice:
    """Return what of an interval lies within [0, length), one pixel at least."""
    first = min(max(centre - radius, 0), length - 1)
    return slice(first, max(min(centre + radius, length), first + 1))


def normalised(crops: Tensor) -> Tensor:
    """Return crops (B, 3, S, S) in [0, 255], RGB, with the mean and deviation of ImageNet."""
    mean = crops.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    deviation = crops.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return (crops / 255 - mean) / deviation
