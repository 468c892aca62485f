"""Draw band-limited random motion of a talking head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from swapset.demo.specs import FPS
from swapset.demo.warp import Pose
from swapset.types import Floats


def band_limited(rng: np.random.Generator, frames: int, low: float, high: float) -> Floats:
    """Return a smooth random series in [-1, 1] with frequencies from `low` to `high` hertz.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of frequencies and phases.
    frames : int
        Length of the series.
    low, high : float
        Band in hertz.

    Returns
    -------
    ndarray of float64, shape (frames,)
        Sum of six sinusoids, shifted and scaled to span [-1, 1].
    """
    time = np.arange(frames) / FPS
    rates = rng.uniform(low, high, 6)
    phases = rng.uniform(0, 2 * np.pi, 6)
    wave = np.cos(2 * np.pi * np.outer(time, rates) + phases).sum(axis=1)
    wave -= (wave.max() + wave.min()) / 2
    return wave / max(float(np.abs(wave).max()), 1e-9)


@dataclass(frozen=True)
class Motion:
    """Pose and expression of the head in each frame.

    Attributes
    ----------
    poses : list of Pose
        Head pose and smooth expression.
    lips : ndarray of float64, shape (frames,)
        Gap between the lips, in eye distances.
    closure : ndarray of float64, shape (frames,)
        Closure of the eyes: 0 = open, 1 = closed.
    gaze : ndarray of float64, shape (frames,)
        Shift of the irises to the right, in eye distances.
    """

    poses: list[Pose]
    lips: Floats
    closure: Floats
    gaze: Floats


def _speech(rng: np.random.Generator, frames: int) -> Floats:
    """Return the lips' gap: syllables of three to five hertz in phrases with pauses."""
    rate = 4.0 + band_limited(rng, frames, 0.4, 1.2)
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * np.cumsum(rate) / FPS + rng.uniform(0, 2 * np.pi))
    stress = 0.72 + 0.28 * band_limited(rng, frames, 1.0, 2.5)
    phrase = np.clip(0.62 + 0.75 * band_limited(rng, frames, 0.3, 0.7), 0, 1)
    return rng.uniform(0.15, 0.19) * phrase * stress * syllables**1.3


def _blinks(rng: np.random.Generator, frames: int) -> Floats:
    """Return the eyelids' closure: a blink about every 1.2 s, faster down than up."""
    time = np.arange(frames) / FPS
    closure = 0.07 + 0.07 * band_limited(rng, frames, 0.3, 0.9)
    start = rng.uniform(0.25, 0.6)
    while start < time[-1]:
        since = time - start
        blink = np.interp(since, [0.0, 0.1, 0.16, 0.33], [0.0, 1.0, 1.0, 0.0])
        closure = np.maximum(closure, blink * blink * (3 - 2 * blink))
        start += rng.uniform(0.85, 1.6)
    return closure


def _glances(rng: np.random.Generator, frames: int) -> Floats:
    """Return the gaze: jumps of about two frames between fixations of half a second."""
    gaze = np.empty(frames)
    first = 0
    while first < frames:
        gaze[first:] = rng.uniform(-0.026, 0.026)
        first += int(rng.uniform(0.35, 0.9) * FPS)
    padded = np.pad(gaze, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def draw_motion(rng: np.random.Generator, frames: int) -> Motion:
    """Draw the motion of one clip.

    Parameters
    ----------
    rng : numpy.random.Generator
        Seeded source of all randomness.
    frames : int
        Number of frames at 30 fps.
    """

    def wave(low: float, high: float) -> Floats:
        return band_limited(rng, frames, low, high)

    yaw = np.radians(rng.uniform(-4, 4) + rng.uniform(8, 12) * wave(0.15, 0.6))
    pitch = np.radians(rng.uniform(-2, 2) + 5.5 * wave(0.2, 0.8))
    roll = np.radians(rng.uniform(-1.5, 1.5) + rng.uniform(3.5, 6) * wave(0.15, 0.5))
    across, down = 0.07 * wave(0.1, 0.4), 0.035 * wave(0.2, 0.6)
    scale = 1 + 0.035 * wave(0.1, 0.4)
    brows = 0.2 + 0.8 * wave(0.3, 1.1)
    smile, pucker = 0.7 * wave(0.2, 0.8), 0.6 * wave(0.8, 2.2)
    lips = _speech(rng, frames)
    columns = yaw, pitch, roll, across, down, scale, brows, smile, pucker
    poses = [
        Pose(y, p, r, (x, d), s, b, m, u)
        for y, p, r, x, d, s, b, m, u in zip(*(c.tolist() for c in columns), strict=True)
    ]
    return Motion(poses, lips, _blinks(rng, frames), _glances(rng, frames))
