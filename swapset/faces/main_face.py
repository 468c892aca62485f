"""Choose the main face among the faces of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swapset.faces.boxes import box_side, intersection_over_union
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.identity import SAME_PERSON
from swapset.types import Floats32

_SAME_PLACE = 0.2  # by how much an embedding counts as nearer to that of a person at the same place


def track_weights(tracks: ClipTracks) -> dict[int, float]:
    """Return the sum over the frames of the face's side in pixels, by track."""
    return {
        number: float(sum(box_side(box) for box in tracks.box[tracks.of_track(number)]))
        for number in tracks.track_numbers()
    }


def main_track(tracks: ClipTracks) -> int | None:
    """Return the number of the track with the largest weight; None without tracks."""
    weights = track_weights(tracks)
    return max(weights, key=weights.__getitem__) if weights else None


def main_face(
    tracks: ClipTracks, numbers: Sequence[int], expected: npt.NDArray[np.floating] | None
) -> Floats32:
    """Return the landmarks of a video's main face in some of its frames.

    Parameters
    ----------
    tracks : ClipTracks
        All faces of the video.
    numbers : sequence of int
        Numbers of the k frames.
    expected : (n, 68, 2) float or None
        Landmarks x, y in pixels of the person in all frames, NaN = not there: the main face is
        the nearest one, at most its own size away. None: the face of the track with the largest
        weight.

    Returns
    -------
    (k, 68, 2) float32
        x, y in pixels; NaN = no such face.
    """
    main = np.full((len(numbers), 68, 2), np.nan, np.float32)
    weights = track_weights(tracks)
    for place, frame in enumerate(numbers):
        here = np.flatnonzero(tracks.frame == frame)
        if not len(here):
            continue
        if expected is None:
            best = max(here, key=lambda index: weights[int(tracks.track[index])])
            main[place] = tracks.landmarks[best]
        elif frame < len(expected) and np.isfinite(expected[frame]).all():
            middle = np.asarray(expected[frame], np.float64).mean(axis=0)
            away = np.linalg.norm(tracks.landmarks[here].mean(axis=1) - middle, axis=1)
            best = here[int(np.argmin(away))]
            if away.min() < box_side(tracks.box[best]):
                main[place] = tracks.landmarks[best]
    return main


def people_in_samples(
    boxes: Sequence[Sequence[Floats32]], embeddings: Sequence[Floats32]
) -> list[list[int]]:
    """Return the number of the person of each face in frames that lie apart.

    A face belongs to the person with the nearest mean embedding, if that is near enough; a face at
    the place where the person was in the frame before counts as nearer. Nobody is twice in a frame.

    Parameters
    ----------
    boxes : sequence of sequences of (4,) float32
        For each frame, the faces' boxes x0, y0, x1, y1 in pixels.
    embeddings : sequence of (n, 128) float32
        For each frame, the embeddings of its n faces.
    """
    known: list[_Person] = []
    people = []
    for frame, (places, vectors) in enumerate(zip(boxes, embeddings, strict=True)):
        persons = [-1] * len(places)
        costs = [
            (person.cost(frame, place, vector), face, number)
            for number, person in enumerate(known)
            for face, (place, vector) in enumerate(zip(places, vectors, strict=True))
        ]
        for cost, face, number in sorted(costs):
            if cost < SAME_PERSON and persons[face] < 0 and number not in persons:
                persons[face] = number
        for face, (place, vector) in enumerate(zip(places, vectors, strict=True)):
            if persons[face] < 0:
                persons[face] = len(known)
                known.append(_Person())
            known[persons[face]].add(frame, place, vector)
        people.append(persons)
    return people


class _Person:
    """A person by the faces seen so far: where the last one was, and their mean embedding."""

    def __init__(self) -> None:
        self._count, self._sum = 0, np.zeros(128)
        self._frame, self._box = -2, np.zeros(4, np.float32)

    def add(self, frame: int, box: Floats32, embedding: Floats32) -> None:
        self._count, self._sum = self._count + 1, self._sum + embedding
        self._frame, self._box = frame, box

    def cost(self, frame: int, box: Floats32, embedding: Floats32) -> float:
        """Return how far a face in a frame is from the person, by embedding and place."""
        away = float(np.linalg.norm(self._sum / self._count - embedding))
        if frame - self._frame > 1:
            return away
        return away - _SAME_PLACE * float(intersection_over_union(self._box, [box])[0])
