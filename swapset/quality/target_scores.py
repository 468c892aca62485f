"""Scores of all fakes of one target, by every method, gathered from the build's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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

# Fakes of a clip that are open at the same time; each holds a decoder and a few frames.
AT_ONCE = 32


@dataclass(frozen=True)
class TargetFiles:
    """Where everything about a target's fakes lies.

    Attributes
    ----------
    clips, landmarks : Path
        The target's folders.
    tracks, verdicts : mapping of str to Path
        Of the target and of every donor.
    videos, labels : sequence of Path
        Of the fakes, in the same order.
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
    """Score all fakes of a target; write one row per fake, and the head's region in each clip.

    Parameters
    ----------
    target : str
    files : TargetFiles
    scores : Path
        A table with the columns of `FakeScore` and `reason`, which is not empty for a fake that
        was not made and has no scores.
    heads : Path
        Folder for the head masks of the clips that fakes were made of.
    every, identity_frames : int
        See `score_fakes`.
    """
    people = _references(files)
    by_clip: dict[str, list[FakeToScore]] = {}
    rows: list[dict[str, Any]] = []
    for video, labels in zip(files.videos, files.labels, strict=True):
        table, facts = read_labels(labels)
        if facts["reason"]:
            nothing = FakeScore(facts["method"], video.stem)
            rows.append(asdict(nothing) | {"reason": facts["reason"]})
            continue
        outlines = [_points(values) for values in table.column("mask").to_pylist()]
        fake = FakeToScore(facts["method"], video.stem, video, outlines, people[facts["donor"]])
        by_clip.setdefault(facts["clip"], []).append(fake)
    with atomic_output(heads, directory=True) as folder:
        for clip, fakes in by_clip.items():
            source = files.clips / f"{clip}.mkv"
            points = ClipLandmarks.load(files.landmarks / f"{clip}.npz")
            masks = head_masks(frames(source), points.smooth, restarts=points.cuts.tolist())
            masks.save(folder / f"{clip}.npz")
            for start in range(0, len(fakes), AT_ONCE):
                found = score_fakes(
                    source,
                    masks,
                    points.smooth,
                    people[target],
                    fakes[start : start + AT_ONCE],
                    every=every,
                    identity_frames=identity_frames,
                )
                rows += [asdict(score) | {"reason": ""} for score in found]
    write_csv(scores, pd.DataFrame(rows).sort_values(["method", "fake"], ignore_index=True))


def _references(files: TargetFiles) -> dict[str, npt.NDArray[np.float32]]:
    """Return a reference embedding for everyone who has an accepted clip."""
    found = {}
    for subject, folder in files.tracks.items():
        embeddings = [
            ClipTracks.load(folder / f"{clip}.npz").embeddings_of(track)
            for clip, verdict in read_json(files.verdicts[subject]).items()
            if verdict["accepted"]
            for track in verdict["tracks"]
        ]
        known = [part for part in embeddings if len(part)]
        if known:
            found[subject] = reference(np.concatenate(known))
        elif embeddings:
            raise DataError(f"{folder}: has no face embedding of {subject}")
    return found


def _points(values: list[float] | None) -> npt.NDArray[np.float64] | None:
    return None if values is None else np.array(values, np.float64).reshape(-1, 2)
