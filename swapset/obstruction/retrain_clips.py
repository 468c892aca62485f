"""A protected person's clips with noise on every frame, and the landmarks found in them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from swapset.errors import DataError
from swapset.extractors.base import Extractor
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import read_json, write_json
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.obstruction.attacks.codecs import write_compressed
from swapset.obstruction.evaluation import find_landmarks
from swapset.obstruction.keyframes import Run
from swapset.obstruction.protect.interface import ProtectsFrames
from swapset.types import Image, Points

Verdicts = Mapping[str, Mapping[str, Any]]

BATCH = 16
"""Frames in a batch of an extractor."""


@dataclass(frozen=True)
class PersonFiles:
    """Files of a person's clips, with their verdicts.

    Attributes
    ----------
    clips, landmarks : Path
        Folders with `<clip>.mkv` and `ingest.json`, and with `<clip>.npz` (`ClipLandmarks`).
    verdicts : mapping
        The verdict of each clip, as rule `accept` writes it.
    """

    clips: Path
    landmarks: Path
    verdicts: Verdicts

    def accepted(self) -> Iterator[tuple[str, Path, Points]]:
        """Yield name, file and smoothed landmarks (n, 68, 2) float32 of each accepted clip."""
        for clip, verdict in self.verdicts.items():
            if verdict["accepted"]:
                landmarks = ClipLandmarks.load(self.landmarks / f"{clip}.npz")
                yield clip, self.clips / f"{clip}.mkv", landmarks.smooth


def write_protected_clips(
    folder: Path,
    person: PersonFiles,
    protector: ProtectsFrames | None,
    *,
    compression: str,
    log: TextIO | None = None,
) -> None:
    """Write a person's accepted clips with noise, in the format of ingested clips.

    Parameters
    ----------
    folder : Path
        An existing folder; gets `<clip>.mkv` and `ingest.json`.
    person : PersonFiles
        The clean clips and their landmarks. Faces are placed by the clean landmarks, because the
        noise does not attack face detection.
    protector : ProtectsFrames or None
        None: no noise, but the same processing, for a comparison.
    compression : {"none", "mpeg4", "mpeg4+h264"}
        Compression of the videos before they are stored losslessly; see
        `swapset.obstruction.attacks.codecs`.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    DataError
        If a clip does not have as many frames as landmarks.
    """
    records = read_json(person.clips / "ingest.json")
    kept = {}
    for clip, source, points in person.accepted():
        pictures = _exactly(source, len(points))
        noisy = pictures if protector is None else protector.protect(pictures, points[:, None])
        shown = tqdm(noisy, clip, len(points), file=log, unit="frame", mininterval=2)
        _store(shown, folder / source.name, records[clip], compression)
        kept[clip] = records[clip]
    write_json(folder / "ingest.json", kept)


def _exactly(clip: Path, frames: int) -> Iterator[Image]:
    """Yield the frames of a clip; raise an error unless it has exactly `frames` of them."""
    left = frames
    for picture in decode(clip):
        left -= 1
        if left < 0:
            break
        yield picture
    if left:
        raise DataError(
            f"{clip}: does not have the {frames} frames of its landmarks; make both again"
        )


def _store(
    pictures: Iterable[Image], path: Path, record: Mapping[str, Any], compression: str
) -> None:
    size, fps = (record["width"], record["height"]), round(record["fps"])
    with tempfile.TemporaryDirectory() as scratch:
        if compression != "none":
            twice = compression == "mpeg4+h264"
            pictures = decode(write_compressed(pictures, Path(scratch), size, twice=twice, fps=fps))
        with VideoWriter(path, *size, fps=fps, codec="lossless") as writer:
            for picture in pictures:
                writer.write(picture)


def write_found_tracks(
    folder: Path, person: PersonFiles, tracks: Path, extractor: Extractor, *, log: TextIO | None
) -> None:
    """Write a person's tracks with an extractor's landmarks in place of dlib's.

    Parameters
    ----------
    folder : Path
        An existing folder; gets `<clip>.npz` (`ClipTracks`) of each accepted clip.
    person : PersonFiles
        The clips to search, and the landmarks of the clean clips, which tell where the face is.
    tracks : Path
        Folder of the clean clips' tracks.
    extractor : Extractor
    log : TextIO or None
        Gets a progress bar.

    Raises
    ------
    DataError
        If a clip does not have as many frames as landmarks.
    """
    for clip, source, points in person.accepted():
        frame_landmarks = find_in_clip(extractor, _exactly(source, len(points)), points, log=log)
        clean = ClipTracks.load(tracks / f"{clip}.npz")
        of_person = np.isin(clean.track, person.verdicts[clip]["tracks"])
        landmarks = clean.landmarks.copy()
        landmarks[of_person] = frame_landmarks[clean.frame[of_person]]
        replace(clean, landmarks=landmarks).save(folder / f"{clip}.npz")


def find_in_clip(
    extractor: Extractor, pictures: Iterable[Image], around: Points, *, log: TextIO | None = None
) -> Points:
    """Find the landmarks of the face in every frame of a clip by an extractor.

    Parameters
    ----------
    extractor : Extractor
    pictures : iterable of (H, W, 3) uint8 in [0, 255], RGB
        The n frames of the clip.
    around : (n, 68, 2) float32
        Landmarks, x and y in pixels, that tell where the face is; NaN where there is none.
    log : TextIO, optional
        Gets a progress bar.

    Returns
    -------
    (n, 68, 2) float32
        x and y in pixels. NaN in frames without a face, and where all points lie within a pixel,
        because no face can be aligned by them.
    """
    landmarks = np.full(around.shape, np.nan, np.float32)
    seen = np.asarray(np.isfinite(around).all(axis=(1, 2)))
    numbered = (
        (k, picture) for k, picture in zip(range(len(around)), pictures, strict=True) if seen[k]
    )
    bar = tqdm(numbered, total=int(seen.sum()), file=log, unit="frame", mininterval=2)
    left = iter(bar)
    while batch := list(itertools.islice(left, BATCH)):
        numbers = [number for number, _ in batch]
        shown = np.stack([picture for _, picture in batch])
        landmarks[numbers] = find_landmarks(extractor, shown, Run("", numbers[0], around[numbers]))
    landmarks[np.ptp(landmarks, axis=1).max(axis=1) < 1] = np.nan
    return landmarks
