"""Key frames: evenly spaced runs of frames of the people who are protected.

The chapter attacks the key frames of each video (section 4.4.5). Video compression needs frames
that follow each other, so that they come in runs here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from swapset.config.landmark_breaker import RUN
from swapset.errors import DataError
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.prepare import ClipLandmarks
from swapset.io.arrays import read_arrays
from swapset.media.decode import frames as decode
from swapset.media.timeline import sampled
from swapset.types import Frames, Points

LANDMARKS = "landmarks.npz"


@dataclass(frozen=True)
class Run:
    """Frames of a clip that follow each other.

    Attributes
    ----------
    clip : str
    first : int
        Number of its first frame in the clip.
    landmarks : (n, 68, 2) float32
        Of the clean frames, x, y in pixels: where the face detector would find the face.
    """

    clip: str
    first: int
    landmarks: Points

    @property
    def name(self) -> str:
        """Return the name of its file, without the ending."""
        return f"{self.clip}-{self.first:05d}"

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """Return the faces' boxes (n, 4), x0, y0, x1, y1 in pixels."""
        return np.stack([box_from_landmarks(points) for points in self.landmarks])


def subject_landmarks(
    verdicts: Mapping[str, Mapping[str, Any]], landmarks: Path
) -> dict[str, Points]:
    """Return the smoothed landmarks (n, 68, 2) of each accepted clip of a person.

    Parameters
    ----------
    verdicts : mapping
        Verdict per clip, as rule `accept` wrote it.
    landmarks : Path
        Folder with `<clip>.npz` (`ClipLandmarks`).
    """
    return {
        clip: ClipLandmarks.load(landmarks / f"{clip}.npz").smooth
        for clip, verdict in verdicts.items()
        if verdict["accepted"]
    }


def choose_runs(landmarks: Mapping[str, Points], wanted: int) -> list[Run]:
    """Return up to `wanted` runs, evenly spread over clips and within each.

    Parameters
    ----------
    landmarks : mapping of str to (n, 68, 2) float32
        Of each clip; NaN in frames without the face. A run has the face in every frame.
    wanted : int
    """
    blocks = {clip: _blocks(points) for clip, points in landmarks.items()}
    shares = _shares({clip: len(own) for clip, own in blocks.items()}, wanted)
    return [
        Run(clip, first, np.asarray(landmarks[clip][first : first + RUN], np.float32))
        for clip, share in shares.items()
        for first in (blocks[clip][k] for k in sampled(len(blocks[clip]), share))
    ]


def _blocks(points: Points) -> list[int]:
    """Return the first frames of all runs that fit side by side between frames without a face."""
    seen = np.isfinite(points).all(axis=(1, 2))
    edges = np.flatnonzero(np.diff(np.r_[False, seen, False]))
    return [
        first
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        for first in range(int(start), int(end) - RUN + 1, RUN)
    ]


def _shares(room: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Deal runs to clips one by one until there are enough, or no clip has room."""
    shares = dict.fromkeys(room, 0)
    left = min(wanted, sum(room.values()))
    while left:
        for clip, most in room.items():
            if left and shares[clip] < most:
                shares[clip] += 1
                left -= 1
    return shares


def write_key_frames(folder: Path, clips: Path, runs: list[Run]) -> None:
    """Write the frames of runs, (n, H, W, 3) uint8 RGB in a file each, and their landmarks.

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
        own = [run for run in runs if run.clip == clip]
        kept = _decoded(clips / f"{clip}.mkv", own)
        for run, images in zip(own, kept, strict=True):
            if len(images) != len(run.landmarks):
                raise DataError(f"{clips / clip}.mkv: the clip ends before its landmarks do")
            np.save(folder / f"{run.name}.npy", np.stack(images))
    np.savez(folder / LANDMARKS, **{run.name: run.landmarks for run in runs})  # type: ignore[arg-type]


def _decoded(clip: Path, runs: list[Run]) -> list[list[Frames]]:
    kept: list[list[Frames]] = [[] for _ in runs]
    for number, image in enumerate(decode(clip)):
        for place, run in enumerate(runs):
            if run.first <= number < run.first + len(run.landmarks):
                kept[place].append(image)
    return kept


def read_runs(folder: Path) -> list[Run]:
    """Return the runs that `write_key_frames` wrote, in order; there may be none.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    path = folder / LANDMARKS
    try:
        found = sorted(read_arrays(path).items())
        return [Run(name[:-6], int(name[-5:]), points) for name, points in found]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: holds no key frames ({error})") from error


def read_frames(folder: Path, runs: list[Run]) -> Iterator[Frames]:
    """Yield the frames (n, H, W, 3) uint8 of each run, clean or noisy, memory-mapped.

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
