"""Smooth landmarks over time with a Kalman filter and a Rauch-Tung-Striebel smoother.

All coordinates follow the same constant-velocity model with the same noise and the same missing
frames, so they share their covariances and gains. filterpy computes these for one coordinate; the
array pass here applies them to all 136, with the same result as a filter for each point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swapset.types import Floats

# Standard deviation of the speed at the first detection, in face sides per second.
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
        Landmarks x, y in pixels, one row per frame; a row with NaN means no detection.
    fps : float
        Frames per second.
    process_noise : float
        Freedom of the points to accelerate: root of the spectral density of a white acceleration,
        in face sides per second^1.5.
    measurement_noise : float
        Standard deviation of the detector's noise, in face sides.
    restarts : sequence of int
        First frames of new shots; the filter starts afresh at each.
    max_gap : int
        Gaps of at most this many frames inside a shot are filled; longer ones stay NaN, and the
        filter starts afresh after them.

    Returns
    -------
    (n, 68, 2) float64
        Smoothed landmarks in pixels. Frames before the first and after the last detection of a
        shot are NaN.

    Raises
    ------
    ValueError
        If the landmarks are not (n, 68, 2) (any number of points is accepted) or a noise or `fps`
        is not positive.

    Notes
    -----
    The model is linear, and the gains depend only on the ratio of the two noises. Since both are
    in face sides, the side itself cancels: one setting fits all face sizes, and the size of the
    face need not be known.

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

    Returns
    -------
    list of (int, int)
        First frame of each stretch, and the frame after its last.
    """
    frames = np.flatnonzero(present)
    if not len(frames):
        return []
    shot = np.searchsorted(np.sort(np.asarray(restarts, int)), frames, side="right")
    new = (np.diff(frames) > max_gap + 1) | (np.diff(shot) > 0)
    starts = frames[np.concatenate([[True], new])]
    stops = frames[np.concatenate([new, [True]])] + 1
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def shared_gains(
    present: npt.NDArray[np.bool_], dt: float, process_noise: float, measurement_noise: float
) -> tuple[Floats, Floats, Floats]:
    """Run filterpy's filter and smoother for one coordinate of a stretch and return the gains.

    The gains depend on the missing frames only, not on the positions.

    Parameters
    ----------
    present : (n,) bool
        Frames with a detection; the first frame has one.
    dt : float
        Seconds from frame to frame.
    process_noise, measurement_noise : float
        As in `smooth_landmarks`.

    Returns
    -------
    transition : (2, 2) float64
        Matrix that moves position and speed on by one frame.
    gains : (n, 2) float64
        Kalman gains of position and speed; 0 in the first frame and where nothing was detected.
    backward : (n, 2, 2) float64
        Smoother gains from frame k + 1 to frame k; the last one is 0.
    """
    # Imported here because filterpy loads all of scipy.stats, which takes longer than all other
    # imports of this module and its many users.
    from filterpy.common import Q_continuous_white_noise, kinematic_kf

    kalman = kinematic_kf(dim=1, order=1, dt=dt)
    kalman.Q = Q_continuous_white_noise(dim=2, dt=dt, spectral_density=process_noise**2)
    kalman.R = np.array([[measurement_noise**2]])
    # The first detection gives the position; the speed is unknown.
    kalman.P = np.diag([measurement_noise**2, INITIAL_SPEED**2])
    gains, covariances = np.zeros((len(present), 2)), np.zeros((len(present), 2, 2))
    covariances[0] = kalman.P
    for k in range(1, len(present)):
        kalman.predict()
        if present[k]:
            kalman.update(0.0)
            gains[k] = kalman.K[:, 0]
        covariances[k] = kalman.P
    _, _, backward, _ = kalman.rts_smoother(np.zeros((len(present), 2, 1)), covariances)
    return kalman.F, gains, backward


def _filter_and_smooth(
    measured: Floats,
    present: npt.NDArray[np.bool_],
    dt: float,
    process_noise: float,
    measurement_noise: float,
) -> Floats:
    """Smooth one stretch of (n, c) coordinates; its first frame was detected."""
    transition, gains, backward = shared_gains(present, dt, process_noise, measurement_noise)
    states = np.zeros((len(measured), 2, measured.shape[1]))
    states[0, 0] = measured[0]
    for k in range(1, len(measured)):
        states[k] = transition @ states[k - 1]
        if present[k]:
            states[k] += gains[k][:, None] * (measured[k] - states[k, 0])
    for k in range(len(measured) - 2, -1, -1):
        states[k] += backward[k] @ (states[k + 1] - transition @ states[k])
    return states[:, 0]
