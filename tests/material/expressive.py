"""Faces drawn from landmarks, with known expressions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from material.generation import CPU

from swapset.faces.align import MEAN_FACE, SHARE_ABOVE
from swapset.generation.bank import FaceBank
from swapset.generation.expressions import describe
from swapset.types import Floats, Floats32

SIDE, CONTEXT = 96, 1.6
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


def expression(
    *,
    eyes: float = 1.0,
    mouth: float = 0.0,
    wide: float = 0.0,
    brows: float = 0.0,
    aside: float = 0.0,
    down: float = 0.0,
    corners: float = 0.0,
) -> Floats:
    """Return landmarks (68, 2) in the units of `MEAN_FACE`.

    Parameters
    ----------
    eyes : float
        Factor on the distance of the lids.
    mouth, wide, brows : float
        How far the lower lip is lower, the mouth wider, and brows higher.
    aside, down : float
        How far the nose's tip lies to the right and lower, as when the head turns.
    corners : float
        How far the mouth's corners are lower.
    """
    points = MEAN_FACE.copy()
    for lids in map(list, LIDS):
        middle = points[lids].mean(axis=0)
        points[lids] = middle + eyes * (points[lids] - middle)
    points[[*range(55, 60), *range(65, 68)], 1] += mouth
    points[[48, 54], 0] += np.array([-wide / 2, wide / 2])
    points[[48, 54], 1] += corners
    points[17:27, 1] -= brows
    points[30] += [aside, down]
    return points


def placed(points: Floats) -> Floats32:
    """Return landmarks (..., 68, 2) in pixels of a stored face."""
    margin = [(CONTEXT - 1) / 2, SHARE_ABOVE * (CONTEXT - 1)]
    return ((points + margin) * (SIDE / CONTEXT) - 0.5).astype(np.float32)


def drawn(points: Floats32, skin: tuple[int, int, int]) -> np.ndarray:
    """Return a face (SIDE, SIDE, 3) uint8, RGB, with landmarks (68, 2) in pixels."""
    face = np.full((4 * SIDE, 4 * SIDE, 3), 70, np.uint8)
    p = np.round((points + 0.5) * 4 - 0.5).astype(np.int32)
    outline = cv2.convexHull(np.concatenate([p[:27], p[17:27] - [0, 4 * SIDE // 8]]))
    cv2.fillPoly(face, [outline], skin)
    for eye in (p[36:42], p[42:48]):
        cv2.fillPoly(face, [eye], (240, 240, 240))
        if np.ptp(eye[:, 1]) > 5:
            cv2.circle(face, [int(each) for each in eye.mean(axis=0)], 5, (30, 30, 60), -1)
        cv2.polylines(face, [eye], True, (40, 30, 30), 2)
    cv2.polylines(face, [p[17:22], p[22:27]], False, (50, 40, 30), 8)
    cv2.polylines(face, [p[27:31], p[31:36]], False, (150, 100, 80), 6)
    cv2.fillPoly(face, [p[48:60]], (190, 60, 70))
    cv2.fillPoly(face, [p[60:68]], (40, 10, 10))
    return cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def person(
    shown: Sequence[dict[str, float]],
    skin: tuple[int, int, int] = (220, 180, 150),
    *,
    resolution: int = 64,
    share: float = 0.75,
) -> FaceBank:
    """Return a bank of one person's faces, with their expressions.

    Parameters
    ----------
    shown : sequence of dict of str to float
        Arguments of `expression` for each face.
    skin : tuple of int, int, int
        RGB.
    resolution : int
    share : float
        See `FaceBank`.
    """
    points = placed(np.stack([expression(**each) for each in shown]))
    faces = np.stack([drawn(each, skin) for each in points])
    return FaceBank.from_faces(
        faces,
        resolution=resolution,
        share=share,
        device=CPU,
        points=points,
        expressions=describe(points),
    )


def talking(count: int, seed: int = 0) -> list[dict[str, float]]:
    """Return expressions of somebody who talks and blinks, in every sixth face."""
    rng = np.random.default_rng(seed)
    return [
        {
            "eyes": 0.0 if number % 6 == 5 else float(rng.uniform(0.9, 1.1)),
            "mouth": float(max(0, rng.normal(0.04, 0.05))),
            "aside": float(rng.normal(0, 0.02)),
            "wide": float(rng.normal(0, 0.01)),
        }
        for number in range(count)
    ]
