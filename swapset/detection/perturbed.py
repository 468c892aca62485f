"""Faces of perturbed videos: whole frames are perturbed before faces are found and cut out."""

from __future__ import annotations

import numpy as np

from swapset.detection.find import Outlines, sampled_faces
from swapset.detection.store import VideoFaces
from swapset.detectors.margins import MARGIN
from swapset.faces.track import Tracker
from swapset.media.perturbations.names import Perturbation
from swapset.media.perturbations.videos import with_perturbed
from swapset.media.samples import Samples
from swapset.types import Floats, Floats32


def perturbed_faces(
    name: str,
    video: Samples,
    tracker: Tracker,
    *,
    wanted: int,
    perturbation: Perturbation,
    seed: int,
    expected: Floats | Floats32 | None = None,
    outlines: Outlines | None = None,
    margin: float = MARGIN,
) -> VideoFaces:
    """Find the main face in sampled frames of a perturbed video, and cut it out.

    Parameters
    ----------
    name : str
    video : Samples
        The video's frames before they are perturbed.
    tracker : Tracker
    wanted : int
        Number of frames to sample.
    perturbation : Perturbation
    seed : int
        Of the perturbation's random numbers.
    expected : (n, 68, 2) float, optional
    outlines : sequence of (p, 2) float64 or None, optional
        See `swapset.detection.find.video_faces`; in pixels of the video before it is perturbed.
    margin : float
        Side of the faces' regions, in sides of their boxes.
    """
    size = _size(video)

    def find(shown: Samples) -> VideoFaces:
        scale = _size(shown) / size
        return sampled_faces(
            name,
            shown,
            tracker,
            wanted=wanted,
            expected=None if expected is None else _scaled(expected, scale),
            outlines=outlines and [None if o is None else _scaled(o, scale) for o in outlines],
            margin=margin,
        )

    return with_perturbed(video, perturbation, name, seed, find)


def _size(video: Samples) -> Floats:
    """Return width and height of a video in pixels, (2,) float64."""
    height, width, _ = next(iter(video.read([0]))).shape
    return np.array([width, height], np.float64)


def _scaled(points: Floats | Floats32, scale: Floats) -> Floats:
    """Return points (..., 2) in pixels of a picture that was made smaller; 0 = a pixel's centre."""
    return np.asarray((points + 0.5) * scale - 0.5, np.float64)
