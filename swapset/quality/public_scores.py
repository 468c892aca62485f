"""Scores of a public dataset's fakes, each compared with its original."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.config.sections import TrackSettings
from swapset.errors import DataError
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.head_masks import head_masks
from swapset.faces.identity import reference
from swapset.faces.main_face import main_face, main_track
from swapset.faces.masks import polygon
from swapset.faces.track import Tracker
from swapset.io.files import write_csv
from swapset.media.any_source import FPS, converted_clip
from swapset.media.decode import frames
from swapset.quality.fake_scores import FakeScore, FakeToScore, score_fakes
from swapset.quality.same_frames import same_frames

logger = logging.getLogger(__name__)

UNKNOWN = np.full(128, np.nan, np.float32)


@dataclass(frozen=True)
class Pair:
    """A fake with its original.

    Attributes
    ----------
    name : str
    fake, original : Path
    donor : Path or None
        A real video of the donor; None = not published, and identity is not measured.
    exact : bool
        The dataset promises that the original shows the same frames. Otherwise it is looked at,
        and a fake of other frames is not scored.
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
    """Score fakes against their originals; write one row per fake.

    Parameters
    ----------
    dataset : str
        Goes to the column `method`.
    pairs : sequence of Pair
    output : Path
        Columns as of `swapset.quality.target_scores`; a pair that cannot be compared has a reason.
    settings : TrackSettings
    every, identity_frames : int
        See `score_fakes`.
    """
    tracker = Tracker(settings)

    @lru_cache(maxsize=256)
    def person(video: Path) -> npt.NDArray[np.float32]:
        with converted_clip(video) as (clip, reason):
            return UNKNOWN if reason else _reference(tracker.track(frames(clip), fps=FPS))

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
    donor: npt.NDArray[np.float32],
    every: int,
    identity_frames: int,
) -> tuple[FakeScore, str]:
    nothing = FakeScore(dataset, pair.name)
    with (
        converted_clip(pair.original) as (original, one),
        converted_clip(pair.fake) as (fake, other),
    ):
        if one or other:
            return nothing, one or other
        tracks = tracker.track(frames(original), fps=FPS)
        points = main_face(tracks, range(tracks.frames), None)
        seen = np.asarray(np.isfinite(points).all(axis=(1, 2)))
        if not seen.any():
            return nothing, "no face"
        if not (pair.exact or same_frames(original, fake, points)):
            return nothing, "other frames than the original's"
        outlines = [polygon(p, "smooth") if s else None for p, s in zip(points, seen, strict=True)]
        try:
            (score,) = score_fakes(
                original,
                head_masks(frames(original), points, restarts=tracks.cuts.tolist()),
                points,
                _reference(tracks),
                [FakeToScore(dataset, pair.name, fake, outlines, donor)],
                every=every,
                identity_frames=identity_frames,
            )
        except DataError:
            return nothing, "the original has another length"
    return score, ""


def _reference(tracks: ClipTracks) -> npt.NDArray[np.float32]:
    """Return the embedding of the person that a video is about; NaN if there is none."""
    number = main_track(tracks)
    found = UNKNOWN[None][:0] if number is None else tracks.embeddings_of(number)
    return reference(found) if len(found) else UNKNOWN
