"""Clips of a protected person, all frames with noise, and the landmarks that are found in them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TextIO

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
from swapset.obstruction.evaluation import find
from swapset.obstruction.keyframes import Run
from swapset.types import Image, Points

Verdicts = Mapping[str, Mapping[str, Any]]

BATCH = 16
"""Frames that an extractor looks at together."""


class Protects(Protocol):
    """What puts noise on the faces of frames; see `swapset.obstruction.protect.noise.Protector`."""

    def protect(self, frames: Iterable[Image], landmarks: Iterable[Points]) -> Iterator[Image]:
        """Yield each frame with noise; landmarks are (faces, 68, 2), NaN where one is not seen."""


@dataclass(frozen=True)
class PersonFiles:
    """Where a person's clips lie, and what is known of them.

    Attributes
    ----------
    clips, landmarks : Path
        Folders with `<clip>.mkv` and `ingest.json`, and with `<clip>.npz` (`ClipLandmarks`).
    verdicts : mapping
        Verdict per clip, as rule `accept` wrote it.
    """

    clips: Path
    landmarks: Path
    verdicts: Verdicts

    def accepted(self) -> Iterator[tuple[str, Path, Points]]:
        """Yield name, file and smoothed landmarks (n, 68, 2) of each accepted clip."""
        for clip, verdict in self.verdicts.items():
            if verdict["accepted"]:
                known = ClipLandmarks.load(self.landmarks / f"{clip}.npz")
                yield clip, self.clips / f"{clip}.mkv", known.smooth


def write_protected_clips(
    folder: Path,
    person: PersonFiles,
    protector: Protects | None,
    *,
    compression: str,
    log: TextIO | None = None,
) -> None:
    """Write a person's accepted clips with noise, in the form of ingested ones.

    Parameters
    ----------
    folder : Path
        An existing folder.
    person : PersonFiles
        The landmarks of clean frames: face detection is not what is attacked.
    protector : Protects or None
        None: no noise. All else is done as with noise, for a comparison.
    compression : {"none", "mpeg4", "mpeg4+h264"}
        What the videos go through before they are stored without loss; see
        `swapset.obstruction.attacks.codecs`.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    DataError
        If a clip has not as many frames as landmarks.
    """
    records = read_json(person.clips / "ingest.json")
    kept = {}
    for clip, source, points in person.accepted():
        pictures = _counted(source, len(points))
        noisy = pictures if protector is None else protector.protect(pictures, points[:, None])
        shown = tqdm(noisy, clip, len(points), file=log, unit="frame", mininterval=2)
        _store(shown, folder / source.name, records[clip], compression)
        kept[clip] = records[clip]
    write_json(folder / "ingest.json", kept)


def _counted(clip: Path, frames: int) -> Iterator[Image]:
    """Yield the frames of a clip, of which there must be so many."""
    left = frames
    for picture in decode(clip):
        left -= 1
        if left < 0:
            break
        yield picture
    if left:
        raise DataError(f"{clip}: has not as many frames as landmarks ({frames}); make both again")


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
    """Write a person's tracks with the landmarks that an extractor finds instead of dlib's.

    Parameters
    ----------
    folder : Path
        An existing folder; gets `<clip>.npz` (`ClipTracks`) of each accepted clip.
    person : PersonFiles
        Clips to look at, and landmarks of the clean ones: the face is looked for where it is.
    tracks : Path
        Folder of the clean clips' tracks.
    extractor : Extractor
    log : TextIO or None
        Gets a progress bar.
    """
    for clip, source, points in person.accepted():
        found = find_in_clip(extractor, _counted(source, len(points)), points, log=log)
        known = ClipTracks.load(tracks / f"{clip}.npz")
        own = np.isin(known.track, person.verdicts[clip]["tracks"])
        landmarks = known.landmarks.copy()
        landmarks[own] = found[known.frame[own]]
        replace(known, landmarks=landmarks).save(folder / f"{clip}.npz")


def find_in_clip(
    extractor: Extractor, pictures: Iterable[Image], around: Points, *, log: TextIO | None = None
) -> Points:
    """Return the landmarks (n, 68, 2) that an extractor finds in the frames of a clip.

    Parameters
    ----------
    extractor : Extractor
    pictures : iterable of (H, W, 3) uint8, RGB
    around : (n, 68, 2) float32
        Landmarks that tell where the face is; NaN where there is none.
    log : TextIO, optional
        Gets a progress bar.

    Returns
    -------
    (n, 68, 2) float32
        NaN in frames without a face, and where all points fall together: no face can be aligned
        by them.
    """
    found = np.full(around.shape, np.nan, np.float32)
    seen = np.asarray(np.isfinite(around).all(axis=(1, 2)))
    numbered = ((k, own) for k, own in zip(range(len(around)), pictures, strict=True) if seen[k])
    bar = tqdm(numbered, total=int(seen.sum()), file=log, unit="frame", mininterval=2)
    left = iter(bar)
    while batch := list(itertools.islice(left, BATCH)):
        numbers = [number for number, _ in batch]
        shown = np.stack([picture for _, picture in batch])
        found[numbers] = find(extractor, shown, Run("", numbers[0], around[numbers]))
    found[np.ptp(found, axis=1).max(axis=1) < 1] = np.nan
    return found
