"""Key frames: evenly spaced runs of frames of the people who are protected.

The chapter attacks the key frames of each video (section 4.4.5). Here key frames come in runs of
consecutive frames, because video compression needs consecutive frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swapset.errors import DataError
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.prepare import ClipLandmarks
from swapset.io.arrays import read_arrays
from swapset.media.decode import frames as decode
from swapset.media.timeline import sampled
from swapset.obstruction.runs import RUN_FRAMES
from swapset.types import Floats32, Frames, Image, Points

LANDMARKS = "landmarks.npz"
"""File beside the frames: the landmarks (n, 68, 2) float32 of each run, by its name."""


@dataclass(frozen=True)
class Run:
    """Consecutive frames of a clip.

    Attributes
    ----------
    clip : str
    first : int
        Number of its first frame in the clip, from 0.
    landmarks : (n, 68, 2) float32
        Landmarks in the clean frames, x and y in pixels; they stand in for the face detector.
    """

    clip: str
    first: int
    landmarks: Points

    @property
    def name(self) -> str:
        """Return the name of the run's file, without the extension."""
        return f"{self.clip}-{self.first:05d}"

    @property
    def boxes(self) -> Floats32:
        """Return the faces' boxes (n, 4) float32, x0, y0, x1, y1 in pixels."""
        return np.stack([box_from_landmarks(points) for points in self.landmarks])


def subject_landmarks(
    verdicts: Mapping[str, Mapping[str, Any]], landmarks: Path
) -> dict[str, Points]:
    """Return the smoothed landmarks (n, 68, 2) float32 of each accepted clip of a person.

    Parameters
    ----------
    verdicts : mapping
        The verdict of each clip, as rule `accept` writes it.
    landmarks : Path
        Folder with `<clip>.npz` (`ClipLandmarks`).

    Returns
    -------
    dict of str to (n, 68, 2) float32
        x and y in pixels by clip, NaN in frames without the face.
    """
    return {
        clip: ClipLandmarks.load(landmarks / f"{clip}.npz").smooth
        for clip, verdict in verdicts.items()
        if verdict["accepted"]
    }


def choose_runs(landmarks: Mapping[str, Points], wanted: int) -> list[Run]:
    """Return up to `wanted` runs, evenly spread over the clips and within each clip.

    Parameters
    ----------
    landmarks : mapping of str to (n, 68, 2) float32
        Landmarks of each clip, x and y in pixels, NaN in frames without the face. A run is only
        chosen where every frame has the face.
    wanted : int
        Largest number of runs.
    """
    blocks = {clip: _blocks(points) for clip, points in landmarks.items()}
    shares = _shares({clip: len(starts) for clip, starts in blocks.items()}, wanted)
    return [
        Run(clip, first, np.asarray(landmarks[clip][first : first + RUN_FRAMES], np.float32))
        for clip, share in shares.items()
        for first in (blocks[clip][k] for k in sampled(len(blocks[clip]), share))
    ]


def _blocks(points: Points) -> list[int]:
    """Return the first frames of all runs that fit, end to end, between frames without a face."""
    seen = np.isfinite(points).all(axis=(1, 2))
    edges = np.flatnonzero(np.diff(np.r_[False, seen, False]))
    return [
        first
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        for first in range(int(start), int(end) - RUN_FRAMES + 1, RUN_FRAMES)
    ]


def _shares(room: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Deal runs to the clips in turn until there are enough, or no clip has room for more."""
    shares = dict.fromkeys(room, 0)
    left = min(wanted, sum(room.values()))
    while left:
        for clip, most in room.items():
            if left and shares[clip] < most:
                shares[clip] += 1
                left -= 1
    return shares


def write_key_frames(folder: Path, clips: Path, runs: list[Run]) -> None:
    """Write the frames of each run to a file, (n, H, W, 3) uint8 RGB, and all landmarks to another.

    Parameters
    ----------
    folder : Path
        An existing folder.
    clips : Path
        Folder of the ingested clips, `<clip>.mkv`.
    runs : list of Run

    Raises
    ------
    DataError
        If a clip ends before its landmarks do.
    """
    for clip in dict.fromkeys(run.clip for run in runs):
        clip_runs = [run for run in runs if run.clip == clip]
        decoded = _decoded(clips / f"{clip}.mkv", clip_runs)
        for run, images in zip(clip_runs, decoded, strict=True):
            if len(images) != len(run.landmarks):
                raise DataError(f"{clips / clip}.mkv: the clip ends before its landmarks do")
            np.save(folder / f"{run.name}.npy", np.stack(images))
    np.savez(folder / LANDMARKS, **{run.name: run.landmarks for run in runs})  # type: ignore[arg-type]


def _decoded(clip: Path, runs: list[Run]) -> list[list[Image]]:
    """Return the frames of each run of a clip."""
    kept: list[list[Image]] = [[] for _ in runs]
    for number, image in enumerate(decode(clip)):
        for place, run in enumerate(runs):
            if run.first <= number < run.first + len(run.landmarks):
                kept[place].append(image)
    return kept


def read_runs(folder: Path) -> list[Run]:
    """Read the runs that `write_key_frames` wrote, sorted by name; there may be none.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    path = folder / LANDMARKS
    try:
        landmarks = sorted(read_arrays(path).items())
        return [Run(name[:-6], int(name[-5:]), points) for name, points in landmarks]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: holds no key frames ({error})") from error


def read_frames(folder: Path, runs: list[Run]) -> Iterator[Frames]:
    """Yield the frames (n, H, W, 3) uint8 RGB of each run, clean or noisy, memory-mapped.

    Raises
    ------
    DataError
        If a file is missing or damaged.
    """
    for run in runs:
        path = folder / f"{run.name}.npy"
        try:
            yield np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: holds no frames ({error})") from error
