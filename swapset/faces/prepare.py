"""Prepare accepted clips for later stages: landmarks over time, and aligned faces."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swapset.errors import DataError
from swapset.faces.align import crop_transform, transform_points, warp_crop
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.smooth import smooth_landmarks
from swapset.io.arrays import read_arrays
from swapset.io.files import atomic_output
from swapset.media.decode import frames
from swapset.types import Floats32, Frames, Image

if TYPE_CHECKING:
    from swapset.config.sections import AlignSettings, SmoothingSettings

_POINTS = ".points.npy"


@dataclass(frozen=True)
class ClipLandmarks:
    """The subject's landmarks through a clip.

    Attributes
    ----------
    raw : (n, 68, 2) float32
        As detected, x, y in pixels; NaN in frames without the face.
    smooth : (n, 68, 2) float32
        Smoothed over time with short gaps filled, x, y in pixels; NaN elsewhere.
    cuts : (c,) int32
        First frame of each shot except the first.
    """

    raw: Floats32
    smooth: Floats32
    cuts: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def chosen(self, smoothing: str) -> Floats32:
        """Return landmarks (n, 68, 2) float32 by a recipe's `smoothing`: "kalman" or "none"."""
        return self.smooth if smoothing == "kalman" else self.raw

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all fields to one .npz file, whole or not at all."""
        with atomic_output(path) as scratch, open(scratch, "wb") as stream:
            np.savez_compressed(stream, raw=self.raw, smooth=self.smooth, cuts=self.cuts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClipLandmarks:
        """Read a file written by `save`.

        Raises
        ------
        DataError
            If the file is missing, damaged or not a file of landmarks.
        """
        try:
            archive = read_arrays(path)
            return cls(archive["raw"], archive["smooth"], archive["cuts"])
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: not a file of landmarks ({error})") from error


def write_faces(
    path: Path,
    pictures: Iterable[Image],
    landmarks: npt.NDArray[np.floating],
    *,
    size: int,
    context: float,
    every: int = 1,
) -> int:
    """Write a clip's aligned faces to one .npy file for memory mapping.

    Their landmarks are written to a second file beside it, see `load_points`.

    Parameters
    ----------
    path : Path
        The file: (m, size, size, 3) uint8, RGB, in the clip's order.
    pictures : iterable of (H, W, 3) uint8, RGB
        Frames of the clip.
    landmarks : (n, 68, 2) float32
        Landmarks x, y in pixels; NaN where there is no face.
    size : int
        Side of the crops in pixels.
    context : float
        Side of the crops in sides of the mean face's box.
    every : int
        Keep every n-th of the frames with a face.

    Returns
    -------
    int
        Number of faces written.

    Raises
    ------
    DataError
        If the clip has fewer frames than landmarks.
    """
    matrices = crop_transform(landmarks, size, context)
    kept = np.flatnonzero(np.isfinite(matrices).all(axis=(1, 2)))[::every]
    with atomic_output(path) as scratch:
        faces = np.lib.format.open_memmap(
            scratch, mode="w+", dtype=np.uint8, shape=(len(kept), size, size, 3)
        )
        wanted = {int(frame): place for place, frame in enumerate(kept)}
        written = 0
        for index, frame in enumerate(itertools.islice(pictures, len(landmarks))):
            if index in wanted:
                faces[wanted[index]] = warp_crop(frame, matrices[index], size)
                written += 1
        faces.flush()
        del faces
        if written != len(kept):
            raise DataError(f"{path}: the clip ends before its landmarks do; make it again")
    points = transform_points(matrices[kept], landmarks[kept]).astype(np.float32)
    with atomic_output(_points_of(path)) as scratch, open(scratch, "wb") as stream:
        np.save(stream, points, allow_pickle=False)
    return written


def _points_of(path: Path) -> Path:
    return path.with_suffix(_POINTS)


def load_faces(folder: Path, most: int | None = None) -> Frames:
    """Return the aligned faces of a subject, (m, S, S, 3) uint8 RGB; m is 0 without clips.

    Parameters
    ----------
    folder : Path
        The subject's folder of faces.
    most : int, optional
        Read at most this many faces, spread evenly over all clips.

    Raises
    ------
    DataError
        If a file of faces is damaged.
    """
    return _load(folder, _face_files(folder), most, np.empty((0, 1, 1, 3), np.uint8))


def load_points(folder: Path, most: int | None = None) -> Floats32:
    """Return the landmarks of the faces of `load_faces`, (m, 68, 2) float32, in pixels of the crop.

    Raises
    ------
    DataError
        If a file of landmarks is damaged or missing.
    """
    files = [_points_of(path) for path in _face_files(folder)]
    return _load(folder, files, most, np.empty((0, 68, 2), np.float32))


def _face_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npy") if not path.name.endswith(_POINTS))


def _load(folder: Path, files: list[Path], most: int | None, nothing: Any) -> Any:
    """Return the rows of all files, or `most` of them spread evenly."""
    parts = []
    for path in files:
        try:
            parts.append(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: not a file of faces ({error})") from error
    count = sum(map(len, parts))
    if not count:
        return nothing
    if most is None or count <= most:
        return np.concatenate(parts)
    wanted = np.linspace(0, count - 1, most).round().astype(int)
    starts = np.cumsum([0, *map(len, parts)])
    chosen = [
        wanted[(wanted >= low) & (wanted < high)] - low for low, high in itertools.pairwise(starts)
    ]
    return np.concatenate([part[places] for part, places in zip(parts, chosen, strict=True)])


def prepare_subject(
    verdicts: dict[str, dict[str, Any]],
    *,
    clips: Path,
    tracks: Path,
    landmarks: Path,
    faces: Path,
    smoothing: SmoothingSettings,
    align: AlignSettings,
) -> None:
    """Smooth and align every accepted clip of a subject.

    Parameters
    ----------
    verdicts : dict
        Verdict by clip, as rule `accept` wrote it.
    clips, tracks : Path
        Folders to read, with `<clip>.mkv` and `<clip>.npz`.
    landmarks, faces : Path
        Folders to fill, with `<clip>.npz` (`ClipLandmarks`), and with `<clip>.npy` and
        `<clip>.points.npy` (`write_faces`).
    smoothing : SmoothingSettings
        Section `smoothing` of the config.
    align : AlignSettings
        Section `align` of the config.
    """
    for clip, verdict in verdicts.items():
        if not verdict["accepted"]:
            continue
        clip_tracks = ClipTracks.load(tracks / f"{clip}.npz")
        raw = clip_tracks.landmarks_of(verdict["tracks"])
        smooth = smooth_landmarks(
            raw,
            fps=clip_tracks.fps,
            process_noise=smoothing.process_noise,
            measurement_noise=smoothing.measurement_noise,
            restarts=clip_tracks.cuts.tolist(),
            max_gap=smoothing.max_gap,
        ).astype(np.float32)
        ClipLandmarks(raw, smooth, clip_tracks.cuts).save(landmarks / f"{clip}.npz")
        write_faces(
            faces / f"{clip}.npy",
            frames(clips / f"{clip}.mkv"),
            smooth,
            size=align.size,
            context=align.context,
            every=align.every,
        )
