"""Choose the main face among the faces of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swapset.faces.boxes import box_side
from swapset.faces.clip_tracks import ClipTracks
from swapset.types import Floats32


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
