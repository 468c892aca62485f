"""Which of the faces of a video it is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swapset.faces.boxes import box_side
from swapset.faces.clip_tracks import ClipTracks


def track_weights(tracks: ClipTracks) -> dict[int, float]:
    """Return for each track the sum of its face's sides over the frames, in pixels."""
    return {
        number: float(sum(box_side(box) for box in tracks.box[tracks.of_track(number)]))
        for number in tracks.track_numbers()
    }


def main_track(tracks: ClipTracks) -> int | None:
    """Return the track that is seen longest and largest; None if there is none."""
    weights = track_weights(tracks)
    return max(weights, key=weights.__getitem__) if weights else None


def main_face(
    tracks: ClipTracks, numbers: Sequence[int], expected: npt.NDArray[np.floating] | None
) -> npt.NDArray[np.float32]:
    """Return the landmarks (k, 68, 2) of the video's main face in frames `numbers`, NaN = none.

    With `expected`, it is the face nearest to where the person is, not further than its size.
    """
    found = np.full((len(numbers), 68, 2), np.nan, np.float32)
    weights = track_weights(tracks)
    for place, frame in enumerate(numbers):
        here = np.flatnonzero(tracks.frame == frame)
        if not len(here):
            continue
        if expected is None:
            best = max(here, key=lambda index: weights[int(tracks.track[index])])
            found[place] = tracks.landmarks[best]
        elif frame < len(expected) and np.isfinite(expected[frame]).all():
            middle = np.asarray(expected[frame], np.float64).mean(axis=0)
            away = np.linalg.norm(tracks.landmarks[here].mean(axis=1) - middle, axis=1)
            best = here[int(np.argmin(away))]
            if away.min() < box_side(tracks.box[best]):
                found[place] = tracks.landmarks[best]
    return found
