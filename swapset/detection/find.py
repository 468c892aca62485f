"""Find the face that a video is about, in frames spread evenly over the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from swapset.detection.single_frames import followed_faces, single_faces
from swapset.detection.store import VideoFaces
from swapset.detectors.face import Face, cut_face
from swapset.detectors.margins import MARGIN
from swapset.faces.masks import render_mask
from swapset.faces.track import Tracker
from swapset.media.samples import Samples, with_clip
from swapset.media.timeline import sampled
from swapset.types import Floats, Floats32, Image, Mask, Points

Outlines = Sequence[Floats | None]
"""Outline (p, 2) of the swapped region in each frame of a fake, x and y in pixels; None = none."""

Find = Callable[..., VideoFaces]
"""A function with the parameters of `sampled_faces`."""

_DENSE = 4  # frames per sample up to which it is faster to follow faces through all frames


def video_faces(
    name: str,
    video: Path,
    tracker: Tracker,
    *,
    wanted: int,
    expected: Floats | Floats32 | None = None,
    outlines: Outlines | None = None,
    find: Find | None = None,
) -> VideoFaces:
    """Find the main face in sampled frames of one of our videos, and cut it out.

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
    find : callable, optional
        Finds the faces in the video's frames; by default `sampled_faces`.

    Raises
    ------
    MediaError
        If the video cannot be read.
    """
    work = partial(
        find or sampled_faces,
        name,
        tracker=tracker,
        wanted=wanted,
        expected=expected,
        outlines=outlines,
    )
    return with_clip(video, work)


def sampled_faces(
    name: str,
    video: Samples,
    tracker: Tracker,
    *,
    wanted: int,
    expected: Floats | Floats32 | None = None,
    outlines: Outlines | None = None,
    margin: float = MARGIN,
) -> VideoFaces:
    """Find the main face in sampled frames, and cut it out, as `video_faces` does.

    Faces are followed through the whole video only if most of its frames are needed. Otherwise
    they are detected in the samples, with a few frames before each, and followed through the
    frames around a sample in which they were lost; through all frames if no sample shows one.

    Parameters
    ----------
    name : str
    video : Samples
        The video's frames.
    tracker : Tracker
    wanted : int
    expected : (n, 68, 2) float, optional
    outlines : sequence of (p, 2) float64 or None, optional
    margin : float
        See `video_faces`.
    """
    numbers = sampled(video.frames, wanted)
    cut = partial(_cut, outlines, margin)
    if video.frames <= _DENSE * wanted:
        return VideoFaces(name, numbers, followed_faces(video, numbers, tracker, expected, cut))
    return VideoFaces(name, numbers, single_faces(video, numbers, tracker, expected, cut))


def _cut(
    outlines: Outlines | None, margin: float, number: int, image: Image, landmarks: Points
) -> Face | None:
    mask = None if outlines is None else _mask(outlines, number, image)
    return cut_face(image, landmarks, swapped=mask, margin=margin)


def _mask(outlines: Outlines, number: int, image: Image) -> Mask:
    outline = outlines[number] if len(outlines) else None
    if outline is None:
        return np.zeros(image.shape[:2], bool)
    return render_mask(outline, image.shape[:2], 0) > 0
