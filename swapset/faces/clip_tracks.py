"""All faces of a clip as arrays, and their file."""

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
from swapset.types import Floats32

_SCALARS = ("frames", "width", "height", "fps")


@dataclass
class ClipTracks:
    """The faces of one clip, each followed through the clip.

    Attributes
    ----------
    frames, width, height : int
        Length of the clip in frames and its size in pixels.
    fps : float
        Frames per second.
    cuts : (c,) int32
        First frame of each shot except the first.
    track : (N,) int32
        Per observation: number of the track. Tracks never run across a cut.
    frame : (N,) int32
        Per observation: number of the frame. Observations are sorted by track, then by frame.
    box : (N, 4) float32
        Per observation: x0, y0, x1, y1 of the face in pixels, eyebrows to below the chin.
    landmarks : (N, 68, 2) float32
        Per observation: x, y in pixels.
    detected : (N,) bool
        Per observation: whether the detector saw the face in this frame; otherwise the landmarks
        were followed from the frame before.
    embeddings : (M, 128) float32
        Face embeddings of some observations.
    embedding_track, embedding_frame : (M,) int32
        Track and frame of each embedding.
    hints : dict
        For a clip without a track in which such a face was seen: `tiny_face` (height in pixels) or
        `upside_down` (degrees by which the clip must be turned clockwise).
    """

    frames: int
    width: int
    height: int
    fps: float
    cuts: NDArray[np.int32]
    track: NDArray[np.int32]
    frame: NDArray[np.int32]
    box: Floats32
    landmarks: Floats32
    detected: NDArray[np.bool_]
    embeddings: Floats32
    embedding_track: NDArray[np.int32]
    embedding_frame: NDArray[np.int32]
    hints: dict[str, float] = field(default_factory=dict)

    def track_numbers(self) -> list[int]:
        """Return the numbers of the tracks, ascending."""
        return [int(number) for number in np.unique(self.track)]

    def of_track(self, number: int) -> NDArray[np.intp]:
        """Return the indices of one track's observations, (n,) int64, by frame."""
        return np.flatnonzero(self.track == number)

    def embeddings_of(self, number: int) -> Floats32:
        """Return the embeddings of one track, (m, 128) float32."""
        return self.embeddings[self.embedding_track == number]

    def landmarks_of(self, numbers: list[int]) -> Floats32:
        """Return one person's landmarks in every frame, from several tracks.

        Parameters
        ----------
        numbers : list of int
            Tracks that share no frame.

        Returns
        -------
        (frames, 68, 2) float32
            NaN in frames without an observation.
        """
        landmarks = np.full((self.frames, 68, 2), np.nan, np.float32)
        chosen = np.isin(self.track, numbers)
        landmarks[self.frame[chosen]] = self.landmarks[chosen]
        return landmarks

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all fields to one .npz file, whole or not at all."""
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
            If the file is missing, damaged or not a file of tracks.
        """
        try:
            archive = read_arrays(path)
            values: dict[str, Any] = {each.name: archive[each.name] for each in fields(cls)}
            values.update({name: values[name].item() for name in _SCALARS})
            values["hints"] = json.loads(str(values["hints"]))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: not a file of tracks ({error})") from error
        return cls(**values)
