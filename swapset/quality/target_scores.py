"""Score all fakes of one target, made by all methods, from the build's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from swapset.dataset.labels import read_labels
from swapset.errors import DataError
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.head_masks import head_masks
from swapset.faces.identity import reference
from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import atomic_output, read_json, write_csv
from swapset.media.decode import frames
from swapset.quality.fake_scores import FakeScore, FakeToScore, score_fakes
from swapset.types import Floats, Floats32

# Fakes of a clip that are open at the same time; each needs a decoder and a few frames.
AT_ONCE = 32


@dataclass(frozen=True)
class TargetFiles:
    """Files and folders that belong to a target's fakes.

    Attributes
    ----------
    clips, landmarks : Path
        The target's folders of clips and of landmarks.
    tracks, verdicts : mapping of str to Path
        Folder of tracks and file of verdicts, of the target and of every donor, by subject.
    videos, labels : sequence of Path
        The fakes and their labels, in the same order.
    """

    clips: Path
    landmarks: Path
    tracks: Mapping[str, Path]
    verdicts: Mapping[str, Path]
    videos: Sequence[Path]
    labels: Sequence[Path]


def score_target(
    target: str,
    files: TargetFiles,
    *,
    scores: Path,
    heads: Path,
    every: int,
    identity_frames: int,
) -> None:
    """Score all fakes of a target; write a table of scores, and the head masks of each clip.

    Parameters
    ----------
    target : str
        The subject.
    files : TargetFiles
        The files to read.
    scores : Path
        The table to write (CSV): one row per fake with the columns of `FakeScore` and `reason`,
        which tells why a fake without scores was not made and is empty otherwise.
    heads : Path
        The folder to write, with the head masks of the clips from which fakes were made.
    every, identity_frames : int
        See `score_fakes`.

    Raises
    ------
    DataError
        If a file is damaged, or a subject with accepted clips has no face embedding.
    """
    people = _references(files)
    by_clip, rows = _read_fakes(files, people)
    with atomic_output(heads, directory=True) as folder:
        for clip, fakes in by_clip.items():
            source = files.clips / f"{clip}.mkv"
            points = ClipLandmarks.load(files.landmarks / f"{clip}.npz")
            masks = head_masks(frames(source), points.smooth, restarts=points.cuts.tolist())
            masks.save(folder / f"{clip}.npz")
            for start in range(0, len(fakes), AT_ONCE):
                fake_scores = score_fakes(
                    source,
                    masks,
                    points.smooth,
                    people[target],
                    fakes[start : start + AT_ONCE],
                    every=every,
                    identity_frames=identity_frames,
                )
                rows += [asdict(score) | {"reason": ""} for score in fake_scores]
    write_csv(scores, pd.DataFrame(rows).sort_values(["method", "fake"], ignore_index=True))


def _read_fakes(
    files: TargetFiles, people: Mapping[str, Floats32]
) -> tuple[dict[str, list[FakeToScore]], list[dict[str, Any]]]:
    """Return the fakes to score by clip, and the table's rows of fakes that were not made."""
    by_clip: dict[str, list[FakeToScore]] = {}
    rows = []
    for video, labels in zip(files.videos, files.labels, strict=True):
        table, facts = read_labels(labels)
        if facts["reason"]:
            no_score = FakeScore(facts["method"], video.stem)
            rows.append(asdict(no_score) | {"reason": facts["reason"]})
            continue
        outlines = [_points(values) for values in table.column("mask").to_pylist()]
        feathers = [value or 0.0 for value in table.column("feather").to_pylist()]
        fake = FakeToScore(
            facts["method"], video.stem, video, outlines, feathers, people[facts["donor"]]
        )
        by_clip.setdefault(facts["clip"], []).append(fake)
    return by_clip, rows


def _references(files: TargetFiles) -> dict[str, Floats32]:
    """Return the reference embedding of every subject with an accepted clip."""
    references = {}
    for subject, folder in files.tracks.items():
        embeddings = [
            ClipTracks.load(folder / f"{clip}.npz").embeddings_of(track)
            for clip, verdict in read_json(files.verdicts[subject]).items()
            if verdict["accepted"]
            for track in verdict["tracks"]
        ]
        known = [part for part in embeddings if len(part)]
        if known:
            references[subject] = reference(np.concatenate(known))
        elif embeddings:
            raise DataError(f"{folder}: has no face embedding of {subject}")
    return references


def _points(values: list[float] | None) -> Floats | None:
    return None if values is None else np.array(values, np.float64).reshape(-1, 2)
