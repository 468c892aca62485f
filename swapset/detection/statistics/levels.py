"""Scores by frame, by video and by person, and what counts for a video without a face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.seen import Seen, units
from swapset.types import Floats

Ints = npt.NDArray[np.int64]
Measured = TypeVar("Measured", float, Floats)
LEVELS = ("frame", "video")
PERSON = "person"
"""A third level: the means over the videos of each person, real ones and fakes apart."""
Faceless = Literal["middle", "exclude", "real"]
"""Ways to count videos without any score, see `at_level`."""
FACELESS = get_args(Faceless)


@dataclass(frozen=True)
class Scored:
    """Scores by frame, by video or by person.

    Attributes
    ----------
    scores : (n,) float64
        Higher = more likely fake; all finite.
    labels : (n,) int64
        1 = fake, 0 = real.
    folds : (n,) int64
        Fold of the detector that gave each score.
    people : Seen
        Who is seen: what intervals are taken over.
    over : {"people", "videos", "fakes"}
        What the intervals are over: people; videos, if nobody is known by name; or fakes (and real
        videos), if the people are fewer than eight.
    known_people : int
        Number of people who are known by name.
    count : int
        Number of videos, with and without scores.
    frames : int
        Number of frames, with and without scores.
    coverage : float
        Share, in [0, 1], of the frames, videos or people with a score of their own.
    """

    scores: Floats
    labels: Ints
    folds: Ints
    people: Seen
    over: str
    known_people: int
    count: int
    frames: int
    coverage: float

    @property
    def both(self) -> bool:
        """Return whether some detector scored both real and fake videos or frames."""
        return any(True for _ in self.parts())

    def parts(self) -> Iterator[Ints]:
        """Yield the indices (k,) int64 of each fold that has both real and fake scores."""
        for fold in np.unique(self.folds):
            inside = np.flatnonzero(self.folds == fold)
            if 0 < int(self.labels[inside].sum()) < len(inside):
                yield inside

    def mean(self, measure: Callable[[Ints, Floats], Measured]) -> Measured:
        """Return the mean of a measure over the folds: over the detectors that were fitted.

        Parameters
        ----------
        measure : callable
            Takes labels (k,) int64 and scores (k,) float64; returns a float or an array of float64.
        """
        values = [measure(self.labels[part], self.scores[part]) for part in self.parts()]
        return sum(values[1:], start=values[0]) / len(values)


def at_level(table: pd.DataFrame, level: str, faceless: Faceless = "middle") -> Scored:
    """Return the scores by frame, by video, or by person.

    Parameters
    ----------
    table : DataFrame
        Columns video, frame, label, score; NaN = no face, or the detector cannot score it. An
        optional column fold gives the fold of the detector that scored the row: a video that
        several of them scored has rows of each. Optional columns target and donor name the people
        ("" = not known); without them, each video counts as one person.
    level : {"frame", "video", "person"}
        The score of a video is the mean over its frames; of a person, the mean over the person's
        real videos, and apart from it the mean over the fakes that show the person as target.
    faceless : {"middle", "exclude", "real"}
        "middle": a video without any score gets the middle rank (the median of the others in its
        fold), and frames without one are left out. "exclude": both are left out. "real": both
        count as the realest score of their fold, as if the detector had said "real". Coverage is
        lower in all three.
    """
    rows = _Rows.of(table)
    if level == "frame":
        return rows.by_frame(faceless)
    by_video = rows.by_video(faceless)
    return by_video if level == "video" else by_people(by_video)


def all_levels(table: pd.DataFrame, faceless: Faceless = "middle") -> dict[str, Scored]:
    """Return the scores by frame, by video and, if intervals are over people, by person.

    Parameters
    ----------
    table, faceless
        See `at_level`.
    """
    rows = _Rows.of(table)
    levels = {"frame": rows.by_frame(faceless), "video": rows.by_video(faceless)}
    if rows.over == "people":
        levels[PERSON] = by_people(levels["video"])
    return levels


@dataclass(frozen=True)
class _Rows:
    """A table of scores as arrays: a row per frame and fold."""

    scores: Floats
    labels: Ints
    folds: Ints
    videos: Ints
    people: Seen
    over: str
    known_people: int
    count: int
    frames: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> _Rows:
        videos, names = pd.factorize(table["video"])
        people, known = _people_of(table, videos, names)
        chosen, over = units(people, list(names)) if known else (people, "videos")
        folds = table["fold"].to_numpy(np.int64) if "fold" in table else np.zeros(len(table), int)
        scores = table["score"].to_numpy(np.float64)
        labels = table["label"].to_numpy(np.int64)
        single = len(np.unique(folds)) < 2
        frames = len(table if single else table.drop_duplicates(["video", "frame"]))
        return cls(scores, labels, folds, videos, chosen, over, known, len(names), frames)

    def scored(self, scores: Floats, rows: Ints, coverage: float) -> Scored:
        """Return scores with what is known of their rows."""
        return Scored(
            scores,
            self.labels[rows],
            self.folds[rows],
            self.people.take(self.videos[rows]),
            over=self.over,
            known_people=self.known_people,
            count=self.count,
            frames=self.frames,
            coverage=coverage,
        )

    def by_frame(self, faceless: Faceless) -> Scored:
        known = np.isfinite(self.scores)
        coverage = float(known.mean()) if len(known) else float("nan")
        if faceless != "real":
            return self.scored(self.scores[known], np.flatnonzero(known), coverage)
        filled = _filled(self.scores, self.folds, np.min)
        return self.scored(filled, np.arange(len(filled)), coverage)

    def by_video(self, faceless: Faceless) -> Scored:
        size = int(self.folds.max(initial=0)) + 1
        _, first, unit = np.unique(
            self.videos * size + self.folds, return_index=True, return_inverse=True
        )
        known = np.isfinite(self.scores)
        total = np.bincount(unit, np.where(known, self.scores, 0), len(first))
        frames = np.bincount(unit, known, len(first))
        seen = frames > 0
        means = np.divide(total, frames, out=np.full(len(first), np.nan), where=seen)
        coverage = float(seen.mean()) if len(seen) else float("nan")
        if faceless == "exclude":
            return self.scored(means[seen], first[seen], coverage)
        fill = np.median if faceless == "middle" else np.min
        return self.scored(_filled(means, self.folds[first], fill), first, coverage)


def _filled(scores: Floats, folds: Ints, fill: Callable[[Floats], float]) -> Floats:
    """Return scores with a fold's median or lowest one where there is none; 0 if there are none."""
    filled = scores.copy()
    for fold in np.unique(folds):
        known = (folds == fold) & np.isfinite(scores)
        missing = (folds == fold) & ~np.isfinite(scores)
        filled[missing] = fill(scores[known]) if known.any() else 0.0
    return filled


def _people_of(table: pd.DataFrame, videos: Ints, names: pd.Index) -> tuple[Seen, int]:
    """Return the people of each video, and how many are known by name."""
    own = np.array([f"video:{name}" for name in names], dtype=object)
    empty = np.full(len(names), "", dtype=object)
    if "target" not in table:
        return Seen.of(own, empty), 0
    _, first = np.unique(videos, return_index=True)
    target, donor = (table[key].to_numpy(object)[first] for key in ("target", "donor"))
    target, donor = np.where(target == "", donor, target), np.where(target == "", "", donor)
    known = {str(name) for name in (*target, *donor)} - {""}
    return Seen.of(np.where(target == "", own, target), donor), len(known)


def by_people(scored: Scored) -> Scored:
    """Return the mean score of each person's real videos, and of the fakes that show the person.

    Parameters
    ----------
    scored : Scored
        By video. Where people are not known, or fewer than eight, units are videos.
    """
    size = len(scored.people)
    key = (scored.folds * size + scored.people.first) * 2 + scored.labels
    keys, first, unit = np.unique(key, return_index=True, return_inverse=True)
    means = np.bincount(unit, scored.scores, len(keys)) / np.bincount(unit, minlength=len(keys))
    alone = Seen(scored.people.names, scored.people.first[first], np.full(len(keys), -1, np.int64))
    about = (scored.labels[first], scored.folds[first], alone, scored.over, scored.known_people)
    return Scored(means, *about, scored.count, scored.frames, scored.coverage)
