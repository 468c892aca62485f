"""Find the face that a video is about, in frames spread evenly over the video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from swapset.detection.store import VideoFaces
from swapset.detectors.face import cut_face
from swapset.faces.main_face import main_face
from swapset.faces.masks import render_mask
from swapset.faces.track import Tracker
from swapset.media.decode import frames as decode
from swapset.media.timeline import sampled
from swapset.types import Floats, Floats32, Image, Mask

Outlines = Sequence[Floats | None]
"""Outline (p, 2) of the swapped region in each frame of a fake, x and y in pixels; None = none."""


def video_faces(
    name: str,
    video: Path,
    tracker: Tracker,
    *,
    wanted: int,
    expected: Floats | Floats32 | None = None,
    outlines: Outlines | None = None,
) -> VideoFaces:
    """Follow the faces through a video and cut one out of each sampled frame.

    Parameters
    ----------
    name : str
    video : Path
    tracker : Tracker
    wanted : int
        Number of frames to sample.
    expected : (n, 68, 2) float, optional
        Landmarks in each frame, in pixels, of the person that the video is about; by default it is
        about the face that is seen longest and largest.
    outlines : sequence of (p, 2) float64 or None, optional
        Outline of the swapped region in each frame of a fake, in pixels; an empty sequence for a
        real video. By default it is not known which pixels are swapped.

    Raises
    ------
    MediaError
        If the video cannot be read.
    """
    tracks = tracker.track(decode(video))
    numbers = sampled(tracks.frames, wanted)
    points = main_face(tracks, numbers, expected)
    faces = []
    for number, image, landmarks in zip(numbers, _chosen(video, numbers), points, strict=True):
        mask = None if outlines is None else _mask(outlines, number, image)
        faces.append(cut_face(image, landmarks, swapped=mask))
    return VideoFaces(name, numbers, faces)


def _chosen(video: Path, numbers: Sequence[int]) -> Iterator[Image]:
    wanted = set(numbers)
    return (image for number, image in enumerate(decode(video)) if number in wanted)


def _mask(outlines: Outlines, number: int, image: Image) -> Mask:
    outline = outlines[number] if len(outlines) else None
    if outline is None:
        return np.zeros(image.shape[:2], bool)
    return render_mask(outline, image.shape[:2], 0) > 0
