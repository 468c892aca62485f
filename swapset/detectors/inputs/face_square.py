"""Crop and normalisation that Multi-task and Capsule share, both by H. H. Nguyen et al.

github.com/nii-yamagishilab/ClassNSeg: `create_dataset_Deepfakes.py`, `train.py`;
github.com/nii-yamagishilab/Capsule-Forensics-v2: `datascripts/`, `train_binary_ffpp.py`.
"""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor

from swapset.detectors.face import Face

ENLARGED = 1.3
"""Side of a crop over the height of the face's mask."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def face_square(face: Face) -> tuple[slice, slice]:
    """Return rows and columns of the crop in a face's region.

    The crop is a square about the centroid of the face's mask; its side is 1.3 times the mask's
    height, and the frame's border cuts it off, as in `get_bbox` and `extract_face` of the authors.
    Their masks are those of FaceForensics++'s swaps; here the mask is the hull of the landmarks,
    from brows to chin, for real and fake faces alike.
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
    """Return the part of an interval within [0, length), at least one pixel long."""
    first = min(max(centre - radius, 0), length - 1)
    return slice(first, max(min(centre + radius, length), first + 1))


def normalised(crops: Tensor) -> Tensor:
    """Normalise crops by ImageNet's mean and standard deviation.

    Parameters
    ----------
    crops : (B, 3, S, S) float32 in [0, 255], RGB

    Returns
    -------
    (B, 3, S, S) float32
        From about -2.1 to 2.6.
    """
    mean = crops.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    deviation = crops.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return (crops / 255 - mean) / deviation
