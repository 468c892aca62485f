"""Time landmark smoothing beside filterpy point by point, on one core.

Run `python benchmarks/smoothing.py [--frames 390]`. Both smooth the same noisy motion with gaps.
Prints both times, the part of our time that filterpy takes (the gains of one coordinate), the ratio
and the largest difference between the results.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from filterpy.kalman import KalmanFilter

from swapset.faces.smooth import INITIAL_SPEED, shared_gains, smooth_landmarks

DT, PROCESS, MEASUREMENT = 1 / 30, 0.5, 0.004


def noisy_motion(frames: int, points: int) -> np.ndarray:
    """Return (frames, points, 2) float64 noisy positions, every 40th detection NaN."""
    rng = np.random.default_rng(0)
    t = np.arange(frames)[:, None, None] / 30
    track = rng.uniform(100, 300, (1, points, 2)) + 30 * np.sin(4 * t)
    track = track + rng.normal(0, 0.8, track.shape)
    track[20::40] = np.nan
    return track


def point_by_point(landmarks: np.ndarray) -> np.ndarray:
    """Smooth each point of (n, points, 2) with filterpy's four-state filter and RTS smoother."""
    one = np.array([[1, DT], [0, 1]])
    noise = PROCESS**2 * np.array([[DT**3 / 3, DT**2 / 2], [DT**2 / 2, DT]])
    result = np.empty_like(landmarks)
    for p in range(landmarks.shape[1]):
        kalman = KalmanFilter(dim_x=4, dim_z=2)
        kalman.F, kalman.Q = np.kron(np.eye(2), one), np.kron(np.eye(2), noise)
        kalman.H = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0]])
        kalman.R = MEASUREMENT**2 * np.eye(2)
        track = landmarks[:, p]
        start = np.array([[track[0, 0]], [0], [track[0, 1]], [0]])
        spread = np.diag([MEASUREMENT**2, INITIAL_SPEED**2] * 2)
        kalman.x, kalman.P = start.copy(), spread.copy()
        later = [None if np.isnan(z).any() else z[:, None] for z in track[1:]]
        means, covariances, _, _ = kalman.batch_filter(later)
        means = np.concatenate([start[None], means])
        covariances = np.concatenate([spread[None], covariances])
        result[:, p] = kalman.rts_smoother(means, covariances)[0][:, [0, 2], 0]
    return result


def ours(landmarks: np.ndarray) -> np.ndarray:
    """Smooth all points of (n, points, 2) at once."""
    return smooth_landmarks(landmarks, process_noise=PROCESS, measurement_noise=MEASUREMENT)


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median run time of `work`."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print both times, their ratio and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=390)
    parser.add_argument("--points", type=int, default=68)
    options = parser.parse_args()
    landmarks = noisy_motion(options.frames, options.points)
    conventional = median_seconds(lambda: point_by_point(landmarks), 3)
    fast = median_seconds(lambda: ours(landmarks), 15)
    present = np.isfinite(landmarks).all(axis=(1, 2))
    gains = median_seconds(lambda: shared_gains(present, DT, PROCESS, MEASUREMENT), 15)
    difference = np.abs(ours(landmarks) - point_by_point(landmarks)).max()
    print(f"{options.frames} frames x {options.points} points, medians, one core")
    print(f"filterpy point by point  {conventional * 1e3:10.1f} ms")
    print(f"all points at once       {fast * 1e3:10.1f} ms")
    print(f"  gains by filterpy      {gains * 1e3:10.1f} ms")
    print(f"ratio                    {conventional / fast:10.1f} x")
    print(f"largest difference       {difference:10.1e} px")


if __name__ == "__main__":
    main()
