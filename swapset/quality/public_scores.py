"""Score the fakes of a public dataset, each against its original."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.config.sections import TrackSettings
from swapset.errors import DataError
from swapset.faces.align import face_width
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.head_masks import head_masks
from swapset.faces.identity import reference
from swapset.faces.main_face import main_face, main_track
from swapset.faces.masks import polygon
from swapset.faces.track import Tracker
from swapset.io.files import write_csv
from swapset.media.any_source import FPS, converted_clip
from swapset.media.decode import frames, planar_frames
from swapset.quality.fake_scores import FakeScore, FakeToScore, score_fakes
from swapset.quality.same_frames import same_frames
from swapset.types import Floats32

logger = logging.getLogger(__name__)

UNKNOWN = np.full(128, np.nan, np.float32)
"""Embedding of a person who is not known."""

FEATHER = 0.12
"""Width of the masks' soft edge in face widths: theirs is not published, so the widest of ours."""


@dataclass(frozen=True)
class Pair:
    """A fake with its original.

    Attributes
    ----------
    name : str
        Name of the fake.
    fake, original : Path
        The two videos.
    donor : Path or None
        A real video of the donor; None = not published, so that identity is not measured.
    exact : bool
        Whether the dataset guarantees that both videos show the same frames. Otherwise this is
        checked, and a fake with other frames is not scored.
    """

    name: str
    fake: Path
    original: Path
    donor: Path | None
    exact: bool = True


def score_pairs(
    dataset: str,
    pairs: Sequence[Pair],
    output: Path,
    settings: TrackSettings,
    *,
    every: int,
    identity_frames: int,
) -> None:
    """Score fakes against their originals and write a table with one row per fake.

    Parameters
    ----------
    dataset : str
        Name of the dataset, for the column `method`.
    pairs : sequence of Pair
        The fakes with their originals.
    output : Path
        The table (CSV), with the columns of `swapset.quality.target_scores.score_target`; `reason`
        tells why a pair could not be compared.
    settings : TrackSettings
        Section `track` of the config.
    every, identity_frames : int
        See `score_fakes`.
    """
    tracker = Tracker(settings)

    @lru_cache(maxsize=256)
    def person(video: Path) -> Floats32:
        with converted_clip(video) as (clip, reason):
            return UNKNOWN if reason else _reference(tracker.track(planar_frames(clip), fps=FPS))

    rows = []
    for pair in pairs:
        donor = UNKNOWN if pair.donor is None else person(pair.donor)
        score, reason = _one(dataset, pair, tracker, donor, every, identity_frames)
        if reason:
            logger.warning("%s of %s is not compared: %s", pair.name, dataset, reason)
        rows.append(asdict(score) | {"reason": reason})
    columns = [*asdict(FakeScore("", "")), "reason"]
    write_csv(output, pd.DataFrame(rows, columns=columns))


def _one(
    dataset: str,
    pair: Pair,
    tracker: Tracker,
    donor: Floats32,
    every: int,
    identity_frames: int,
) -> tuple[FakeScore, str]:
    no_score = FakeScore(dataset, pair.name)
    with (
        converted_clip(pair.original) as (original, original_reason),
        converted_clip(pair.fake) as (fake, fake_reason),
    ):
        if original_reason or fake_reason:
            return no_score, original_reason or fake_reason
        tracks = tracker.track(planar_frames(original), fps=FPS)
        points = main_face(tracks, range(tracks.frames), None)
        seen = np.asarray(np.isfinite(points).all(axis=(1, 2)))
        if not seen.any():
            return no_score, "no face"
        if not (pair.exact or same_frames(original, fake, points)):
            return no_score, "other frames than the original's"
        feathers = (FEATHER * face_width(points)).tolist()
        outlines = [polygon(p, "smooth") if s else None for p, s in zip(points, seen, strict=True)]
        try:
            (score,) = score_fakes(
                original,
                head_masks(frames(original), points, restarts=tracks.cuts.tolist()),
                points,
                _reference(tracks),
                [FakeToScore(dataset, pair.name, fake, outlines, feathers, donor)],
                every=every,
                identity_frames=identity_frames,
            )
        except DataError:
            return no_score, "the original has another length"
    return score, ""


def _reference(tracks: ClipTracks) -> Floats32:
    """Return the reference embedding of a video's main person; NaN if there is none."""
    number = main_track(tracks)
    embeddings = UNKNOWN[None][:0] if number is None else tracks.embeddings_of(number)
    return reference(embeddings) if len(embeddings) else UNKNOWN
