"""Smooth landmarks over time: a Kalman filter and a Rauch-Tung-Striebel smoother.

Every coordinate follows a constant-velocity model with the same noise and the same missing frames,
hence with the same covariances and gains: these are computed once per frame and applied to all 136
coordinates at a time, which is as exact as 68 separate filters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Standard deviation of the speed before anything is known of it, in face sides per second.
INITIAL_SPEED = 2.0


def smooth_landmarks(
    landmarks: npt.ArrayLike,
    *,
    fps: float = 30.0,
    process_noise: float = 0.5,
    measurement_noise: float = 0.004,
    restarts: Sequence[int] = (),
    max_gap: int = 15,
) -> Floats:
    """Smooth the landmarks of one face through a clip, without lag.

    Parameters
    ----------
    landmarks : (n, 68, 2) array-like
        Landmarks x, y in pixels, one row per frame; a row with NaN was not detected.
    fps : float
        Frames per second.
    process_noise : float
        How freely points accelerate: root of the spectral density of a white acceleration, in face
        sides per second^1.5.
    measurement_noise : float
        Standard deviation of the detector's noise, in face sides.
    restarts : sequence of int
        First frames of new shots; nothing is carried over them.
    max_gap : int
        Gaps of at most this many frames inside a shot are filled by prediction; longer ones stay
        NaN, and the filter restarts behind them.

    Returns
    -------
    (n, 68, 2) float64
        Smoothed landmarks. Frames before the first and after the last detection of a shot are NaN.

    Raises
    ------
    ValueError
        If the landmarks are not (n, 68, 2) (any number of points is accepted) or a noise or `fps`
        is not positive.

    Notes
    -----
    The model is linear, and the gains depend on the ratio of the two noises only. As both are in
    face sides, the side itself cancels: one setting fits all face sizes, and the face size need
    not be known.

    References
    ----------
    Celeb-DF chapter, section 4.3.1 "Temporal flickering".
    H. E. Rauch, F. Tung, C. T. Striebel, "Maximum likelihood estimates of linear dynamic systems",
    AIAA Journal 3(8), 1965.
    """
    points = np.asarray(landmarks, np.float64)
    if points.ndim != 3 or points.shape[2] != 2:
        raise ValueError(f"landmarks must be (n, 68, 2), got {points.shape}")
    if min(fps, process_noise, measurement_noise) <= 0:
        raise ValueError("fps, process_noise and measurement_noise must be positive")
    present = np.asarray(np.isfinite(points).all(axis=(1, 2)))
    measured = points.reshape(len(points), 2 * points.shape[1])
    smoothed = np.full_like(measured, np.nan)
    for start, stop in segments(present, restarts, max_gap):
        part = slice(start, stop)
        smoothed[part] = _filter_and_smooth(
            measured[part], present[part], 1 / fps, process_noise, measurement_noise
        )
    return smoothed.reshape(points.shape)


def segments(
    present: npt.NDArray[np.bool_], restarts: Sequence[int], max_gap: int
) -> list[tuple[int, int]]:
    """Return the stretches `[start, stop)` to smooth, each beginning and ending with a detection.

    Parameters
    ----------
    present : (n,) bool
        Frames with a detection.
    restarts : sequence of int
        First frames of new shots.
    max_gap : int
        Longest run of missing frames inside a stretch.
    """
    frames = np.flatnonzero(present)
    if not len(frames):
        return []
    shot = np.searchsorted(np.sort(np.asarray(restarts, int)), frames, side="right")
    new = (np.diff(frames) > max_gap + 1) | (np.diff(shot) > 0)
    starts = frames[np.concatenate([[True], new])]
    stops = frames[np.concatenate([new, [True]])] + 1
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def motion_model(dt: float, process_noise: float) -> tuple[Floats, Floats]:
    """Return transition F and process noise Q, both (2, 2), of one coordinate and its speed."""
    transition = np.array([[1.0, dt], [0.0, 1.0]])
    noise = process_noise**2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    return transition, noise


def _covariances(
    present: npt.NDArray[np.bool_], dt: float, process_noise: float, measurement_noise: float
) -> tuple[Floats, Floats]:
    """Run the covariance half of both passes: it depends on the missing pattern only.

    Returns
    -------
    gains : (n, 2) float64
        Kalman gains; zero where nothing was detected.
    backward : (n, 2, 2) float64
        Smoother gains from frame k + 1 to frame k.
    """
    transition, noise = motion_model(dt, process_noise)
    variance = measurement_noise**2
    covariance = np.diag([variance, INITIAL_SPEED**2])
    gains, backward = np.zeros((len(present), 2)), np.zeros((len(present), 2, 2))
    for k in range(1, len(present)):
        predicted = transition @ covariance @ transition.T + noise
        backward[k - 1] = covariance @ transition.T @ np.linalg.inv(predicted)
        if present[k]:
            gains[k] = predicted[:, 0] / (predicted[0, 0] + variance)
        covariance = predicted - np.outer(gains[k], predicted[0])
    return gains, backward


def _filter_and_smooth(
    measured: Floats,
    present: npt.NDArray[np.bool_],
    dt: float,
    process_noise: float,
    measurement_noise: float,
) -> Floats:
    """Smooth one stretch of (n, c) coordinates; its first frame was detected."""
    gains, backward = _covariances(present, dt, process_noise, measurement_noise)
    transition, _ = motion_model(dt, process_noise)
    states = np.zeros((len(measured), 2, measured.shape[1]))
    states[0, 0] = measured[0]
    for k in range(1, len(measured)):
        states[k] = transition @ states[k - 1]
        if present[k]:
            states[k] += gains[k][:, None] * (measured[k] - states[k, 0])
    for k in range(len(measured) - 2, -1, -1):
        states[k] += backward[k] @ (states[k + 1] - transition @ states[k])
    return states[:, 0]
