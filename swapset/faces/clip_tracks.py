"""All faces of a clip as arrays, and the file that keeps them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swapset.errors import DataError
from swapset.io.arrays import read_arrays
from swapset.io.files import atomic_output

_SCALARS = ("frames", "width", "height", "fps")


@dataclass
class ClipTracks:
    """The faces of one clip, each followed through it.

    Attributes
    ----------
    frames, width, height : int
        Length of the clip in frames and its size in pixels.
    fps : float
        Frames per second.
    cuts : (c,) int32
        First frame of each shot but the first.
    track : (N,) int32
        Per observation: number of the track. Tracks never run over a cut.
    frame : (N,) int32
        Per observation: frame. Observations are sorted by track, then frame.
    box : (N, 4) float32
        Per observation: x0, y0, x1, y1 of the face in pixels, eyebrows to below the chin.
    landmarks : (N, 68, 2) float32
        Per observation: x, y in pixels.
    detected : (N,) bool
        Per observation: whether the detector saw the face in this very frame; else the landmarks
        follow from the frame before.
    embeddings : (M, 128) float32
        Face embeddings at some observations.
    embedding_track, embedding_frame : (M,) int32
        Track and frame of each embedding.
    hints : dict
        For a clip without a track: `tiny_face` (height in pixels) or `upside_down` (degrees by
        which the clip must be turned clockwise), if such a face was seen.
    """

    frames: int
    width: int
    height: int
    fps: float
    cuts: NDArray[np.int32]
    track: NDArray[np.int32]
    frame: NDArray[np.int32]
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    detected: NDArray[np.bool_]
    embeddings: NDArray[np.float32]
    embedding_track: NDArray[np.int32]
    embedding_frame: NDArray[np.int32]
    hints: dict[str, float] = field(default_factory=dict)

    def track_numbers(self) -> list[int]:
        """Return the numbers of the tracks, ascending."""
        return [int(number) for number in np.unique(self.track)]

    def of_track(self, number: int) -> NDArray[np.intp]:
        """Return the indices of one track's observations, by frame."""
        return np.flatnonzero(self.track == number)

    def embeddings_of(self, number: int) -> NDArray[np.float32]:
        """Return the embeddings (m, 128) of one track."""
        return self.embeddings[self.embedding_track == number]

    def landmarks_of(self, numbers: list[int]) -> NDArray[np.float32]:
        """Return landmarks per frame of one person's tracks.

        Parameters
        ----------
        numbers : list of int
            Tracks that share no frame.

        Returns
        -------
        (frames, 68, 2) float32
            NaN in frames without an observation.
        """
        found = np.full((self.frames, 68, 2), np.nan, np.float32)
        chosen = np.isin(self.track, numbers)
        found[self.frame[chosen]] = self.landmarks[chosen]
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all to one .npz file, whole or not at all."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["hints"] = np.array(json.dumps(self.hints, sort_keys=True))
        with atomic_output(path) as scratch, open(scratch, "wb") as stream:
            np.savez_compressed(stream, **values)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClipTracks:
        """Read a file written by `save`.

        Raises
        ------
        DataError
            If the file is missing, damaged or of another kind.
        """
        try:
            archive = read_arrays(path)
            values: dict[str, Any] = {each.name: archive[each.name] for each in fields(cls)}
            values.update({name: values[name].item() for name in _SCALARS})
            values["hints"] = json.loads(str(values["hints"]))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: not a file of tracks ({error})") from error
        return cls(**values)
