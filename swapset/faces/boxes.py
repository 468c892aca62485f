"""Face boxes, and the fixed relation between a face's landmarks and its detector box."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Medians over 2,900 detections of dlib's HOG detector on 34 clips of 14 people. A fixed relation
# follows better than one learnt at each detection: HOG boxes come in steps of 20 % in size, and
# a learnt relation carries that noise into every following frame.
_CENTRE_ABOVE_MEAN = 0.114
_SIDE = 2.81


def landmark_spread(landmarks: ArrayLike) -> tuple[NDArray[np.float64], float]:
    """Return the mean (2,) of (n, 2) landmarks and their root mean square distance to it."""
    points = np.asarray(landmarks, np.float64)
    mean = points.mean(0)
    return mean, float(np.sqrt(((points - mean) ** 2).sum(1).mean()))


def box_from_landmarks(landmarks: ArrayLike) -> NDArray[np.float32]:
    """Return the square that dlib's HOG detector would draw around 68 landmarks.

    Parameters
    ----------
    landmarks : (68, 2) float
        x, y in pixels.

    Returns
    -------
    (4,) float32
        x0, y0, x1, y1 in pixels: from the eyebrows to just below the chin. Its side is what
        this project calls the size or height of a face.
    """
    mean, spread = landmark_spread(landmarks)
    centre = mean - (0.0, _CENTRE_ABOVE_MEAN * spread)
    half = _SIDE * spread / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def box_side(box: ArrayLike) -> float:
    """Return the mean of a box's width and height."""
    x0, y0, x1, y1 = np.asarray(box, np.float64)
    return float((x1 - x0 + y1 - y0) / 2)


def intersection_over_union(box: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
    """Return the overlap (n,) in [0, 1] of one box (4,) with each of n boxes (n, 4)."""
    shared, own, others = _areas(box, boxes)
    return shared / np.maximum(own + others - shared, 1e-9)


def intersection_over_smaller(box: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
    """Return what share (n,) in [0, 1] of the smaller box is covered by the other."""
    shared, own, others = _areas(box, boxes)
    return shared / np.maximum(np.minimum(own, others), 1e-9)


def _areas(
    box: ArrayLike, boxes: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    one = np.asarray(box, np.float64)
    many = np.asarray(boxes, np.float64).reshape(-1, 4)
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return shared, (one[2:] - one[:2]).prod(), (many[:, 2:] - many[:, :2]).prod(1)


def without_overlaps(
    boxes: NDArray[np.float32], scores: NDArray[np.float64], limit: float
) -> NDArray[np.intp]:
    """Return the indices of the boxes that overlap no better one, best first.

    Parameters
    ----------
    boxes : (n, 4) float32
        x0, y0, x1, y1.
    scores : (n,) float64
        Higher is better; equal scores keep their order.
    limit : float
        Largest share of the smaller box that another may cover.
    """
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        if not kept or intersection_over_smaller(boxes[index], boxes[kept]).max() <= limit:
            kept.append(int(index))
    return np.array(kept, np.intp)
