"""NME: the mean error of a face's landmarks over the distance of its outer eye corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from swapset.types import Floats

EYE_CORNERS: dict[int, tuple[int, int]] = {68: (36, 45), 98: (60, 72)}
"""Landmarks of the outer corners of both eyes, by the number of landmarks."""


def eye_distance(truth: ArrayLike) -> Floats:
    """Return the distance (...,) float64 of the outer eye corners of landmarks (..., K, 2).

    Raises
    ------
    ValueError
        If there are neither 68 nor 98 landmarks.
    """
    points = np.asarray(truth, np.float64)
    if points.ndim < 2 or points.shape[-2] not in EYE_CORNERS or points.shape[-1] != 2:
        raise ValueError(f"landmarks must be (..., 68, 2) or (..., 98, 2), not {points.shape}")
    one, other = EYE_CORNERS[points.shape[-2]]
    return np.asarray(np.linalg.norm(points[..., one, :] - points[..., other, :], axis=-1))


def nme(points: ArrayLike, truth: ArrayLike) -> Floats:
    """Return the normalised mean error of each face.

    Parameters
    ----------
    points : (n, K, 2) array-like
        Predicted landmarks, x, y in any unit; K is 68 or 98.
    truth : (n, K, 2) array-like
        True landmarks, in the same unit. NaN = not labelled; such a landmark does not count.

    Returns
    -------
    (n,) float64
        NaN if a landmark that counts is NaN in `points`, if no landmark counts, and if an outer eye
        corner is not labelled or both are in the same place.

    Raises
    ------
    ValueError
        If the shapes differ, or K is neither 68 nor 98.

    References
    ----------
    HRNet/HRNet-Facial-Landmark-Detection, lib/core/evaluation.py, `compute_nme`; section 4.4.5 of
    the chapter.
    """
    predicted, true = np.asarray(points, np.float64), np.asarray(truth, np.float64)
    if predicted.shape != true.shape or true.ndim != 3:
        raise ValueError(f"nme needs two (n, K, 2), got {predicted.shape} and {true.shape}")
    unit = eye_distance(true)
    labelled = np.isfinite(true).all(-1)
    errors = np.where(labelled, np.linalg.norm(predicted - true, axis=-1), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = errors.sum(1) / labelled.sum(1) / unit
    return np.where(unit > 0, values, np.nan)
