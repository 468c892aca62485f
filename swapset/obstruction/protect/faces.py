"""Find and follow the faces of a video or picture that is to be protected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from swapset.config.sections import SmoothingSettings, TrackSettings
from swapset.errors import DataError
from swapset.faces.boxes import box_from_landmarks, box_side, intersection_over_union
from swapset.faces.detect import make_detector
from swapset.faces.diagnose import diagnose
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.main_face import main_track
from swapset.faces.smooth import smooth_landmarks
from swapset.faces.track import Tracker
from swapset.types import Image, Points

Which = Literal["all", "largest"]

SMALLEST = 48
"""Smallest face in pixels from eyebrows to chin, as `accept.min_face_height`.

Smaller faces are not swapped either.
"""

_SEARCH_EVERY = 30
_SAME = 0.7  # smallest overlap of two tracks that follow the same face


@dataclass(frozen=True)
class FoundFaces:
    """Faces followed through a video.

    Attributes
    ----------
    frames : int
        Number of frames of the video.
    paths : list of (int, (m, 68, 2) float32)
        For each face its first frame, and its landmarks from there on, x and y in pixels; NaN
        where it is not visible.
    hints : dict
        Possible reasons why there is no face, see `swapset.faces.diagnose`.
    """

    frames: int
    paths: list[tuple[int, Points]]
    hints: dict[str, float] = field(default_factory=dict)

    def at(self, frame: int) -> Points:
        """Return the landmarks (n, 68, 2) float32 of all faces in a frame, NaN = not visible."""
        points = np.full((len(self.paths), 68, 2), np.nan, np.float32)
        for face, (first, path) in enumerate(self.paths):
            if first <= frame < first + len(path):
                points[face] = path[frame - first]
        return _without_doubles(points)

    def with_a_face(self) -> list[int]:
        """Return the numbers of the frames that show a face, ascending."""
        seen = np.zeros(self.frames, bool)
        for first, path in self.paths:
            seen[first : first + len(path)] |= np.isfinite(path).all(axis=(1, 2))
        return np.flatnonzero(seen).tolist()

    def work(self, restart: float) -> Callable[[int], float]:
        """Return a function of a number of first frames: the number of faces that they show.

        A face that was not seen before counts `restart`. Frames without one count a little, because
        they are decoded and encoded.
        """
        work = np.full(self.frames, 0.05)
        for first, path in self.paths:
            seen = np.isfinite(path).all(axis=(1, 2))
            new = np.diff(seen, prepend=False) & seen
            work[first : first + len(path)] += np.where(new, restart, seen)
        total = np.append(0, work.cumsum())
        return lambda frames: float(total[min(frames, self.frames)])

    def facts(self) -> dict[str, int]:
        """Return the numbers of frames, of frames with a face, and of faces."""
        seen = self.with_a_face()
        return {"frames": self.frames, "frames_with_faces": len(seen), "faces": len(self.paths)}


def follow_faces(images: Iterable[Image], *, fps: float, which: Which = "all") -> FoundFaces:
    """Follow the faces of a video and smooth their landmarks.

    Parameters
    ----------
    images : iterable of (H, W, 3) uint8, RGB
        Frames of the video; read once, one at a time.
    fps : float
        Frames per second.
    which : {"all", "largest"}
        "largest": only the face that is visible longest and largest.
    """
    tracks, smoothing = _tracker().track(images, fps=fps), SmoothingSettings()
    numbers = tracks.track_numbers()
    if which == "largest" and numbers:
        numbers = [number for number in numbers if number == main_track(tracks)]
    paths = []
    for number in numbers:
        places = tracks.of_track(number)
        first, last = int(tracks.frame[places[0]]), int(tracks.frame[places[-1]])
        raw = np.full((last - first + 1, 68, 2), np.nan, np.float32)
        raw[tracks.frame[places] - first] = tracks.landmarks[places]
        smooth = smooth_landmarks(
            raw,
            fps=fps,
            process_noise=smoothing.process_noise,
            measurement_noise=smoothing.measurement_noise,
            max_gap=smoothing.max_gap,
        )
        paths.append((first, smooth.astype(np.float32)))
    return FoundFaces(tracks.frames, paths, tracks.hints)


def search_work(frames: int) -> float:
    """Return how much work it is to find the faces in a number of a video's first frames.

    A search takes about as long as following a face through 30 frames of half a megapixel.
    """
    return frames + 29.0 * math.ceil(frames / _SEARCH_EVERY)


def picture_faces(image: Image, *, which: Which = "all") -> FoundFaces:
    """Find the faces of one picture (H, W, 3) uint8 RGB, the largest first."""
    detector = make_detector("hog")
    boxes, _ = detector.detect(image, min_face=SMALLEST)
    boxes = np.array(sorted(boxes, key=box_side, reverse=True)).reshape(-1, 4)
    if not len(boxes):
        return FoundFaces(1, [], diagnose([image], detector, min_face=SMALLEST))
    predict = predictor().predict
    # Twice, as in videos: the second time in the box that fits the landmarks.
    first = [predict(image, box) for box in boxes[: 1 if which == "largest" else None]]
    second = [predict(image, box_from_landmarks(points)) for points in first]
    return FoundFaces(1, [(0, points[None]) for points in second])


def check_found(path: Path, faces: FoundFaces) -> None:
    """Raise an error if no face was found in a file.

    Raises
    ------
    DataError
        With the likely reason.
    """
    if faces.paths:
        return
    if "tiny_face" in faces.hints:
        raise DataError(
            f"{path}: its faces are {faces.hints['tiny_face']:.0f} pixels high from eyebrows to "
            f"chin; at least {SMALLEST} are needed, so take a larger version of it"
        )
    raise DataError(f"{path}: no face was found in it, so there is nothing to protect")


@cache
def predictor() -> LandmarkPredictor:
    """Return dlib's landmark predictor; cached for all files, because loading it takes long."""
    return LandmarkPredictor()


@cache
def _tracker() -> Tracker:
    settings = TrackSettings(min_face=SMALLEST, search_every=_SEARCH_EVERY)
    return Tracker(settings, everyone=True)


def _without_doubles(points: Points) -> Points:
    """Set a face to NaN where it lies on an earlier one: two tracks may end up on the same face."""
    seen = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
    if len(seen) < 2:
        return points
    boxes = np.stack([box_from_landmarks(points[face]) for face in seen])
    for place in range(1, len(seen)):
        if intersection_over_union(boxes[place], boxes[:place]).max() > _SAME:
            points[seen[place]] = np.nan
    return points
