"""Which of the faces in a subject's clips is the subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.identity import distances, reference

CLAIMED = 0.4  # nearer than this to another subject, a face is probably that subject's


@dataclass(frozen=True)
class Candidate:
    """One track of a clip, as a candidate for being the clip's subject.

    Attributes
    ----------
    clip : str
        Name of the clip.
    number : int
        Number of the track in it.
    vector : (128,) float32
        Mean embedding of the track.
    frames : frozenset of int
        Frames in which it was seen.
    height : float
        Median height of the face, in pixels.
    presence : float
        Share of the clip's frames times share of its height.
    """

    clip: str
    number: int
    vector: NDArray[np.float32]
    frames: frozenset[int]
    height: float
    presence: float

    def distance(self, vector: NDArray[np.float32]) -> float:
        """Return the embedding distance to a vector (128,)."""
        return float(distances(self.vector, vector)[0, 0])


def candidates(clip: str, tracks: ClipTracks) -> list[Candidate]:
    """Return the tracks of a clip that have embeddings."""
    found = []
    for number in tracks.track_numbers():
        embeddings = tracks.embeddings_of(number)
        if not len(embeddings):
            continue
        rows = tracks.of_track(number)
        height = float(np.median(tracks.box[rows, 3] - tracks.box[rows, 1]))
        presence = len(rows) / tracks.frames * height / tracks.height
        frames = frozenset(tracks.frame[rows].tolist())
        found.append(Candidate(clip, number, reference(embeddings), frames, height, presence))
    return found


@dataclass(frozen=True)
class Subject:
    """A person, as the faces in the person's clips tell.

    Attributes
    ----------
    exemplars : dict of str to Candidate
        Per clip that shows the person: the track most like the person.
    everyone : tuple of Candidate
        All faces in the person's clips.
    max_distance : float
        Largest embedding distance of one person.
    """

    exemplars: dict[str, Candidate]
    everyone: tuple[Candidate, ...]
    max_distance: float

    def embedding(self, *, without: str | None = None) -> NDArray[np.float32] | None:
        """Return the person's embedding (128,), optionally from all clips but one; or None."""
        vectors = [each.vector for clip, each in self.exemplars.items() if clip != without]
        return reference(vectors) if vectors else None

    def could_be(self, rival: Candidate, main: Candidate, *, share: float) -> bool:
        """Tell whether a rival is seen in as many clips as the main face, and about as much.

        Parameters
        ----------
        rival, main : Candidate
            Faces of one clip.
        share : float
            Of the main face's presence, summed over all clips, that makes a rival.
        """
        of_rival, of_main = self._presence(rival, main), self._presence(main, rival)
        as_often = len(of_rival) >= len(of_main)
        return as_often and sum(of_rival.values()) >= share * sum(of_main.values())

    def _presence(self, face: Candidate, other: Candidate) -> dict[str, float]:
        """Return a face's presence in each clip that shows it, and where it is not the other."""
        found: dict[str, float] = {}
        for each in self.everyone:
            distance = each.distance(face.vector)
            if distance < self.max_distance and distance <= each.distance(other.vector):
                found[each.clip] = max(each.presence, found.get(each.clip, 0.0))
        return found


def find_subjects(
    clips: Mapping[str, Mapping[str, Sequence[Candidate]]], *, max_distance: float
) -> dict[str, Subject]:
    """Find the person that each subject's clips have in common.

    Parameters
    ----------
    clips : mapping of subject to mapping of clip to candidates
        All subjects: a face that is known as another's weighs half.
    max_distance : float
        Largest embedding distance of one person.

    Returns
    -------
    dict of str to Subject
        Without exemplars where no clip has a candidate.
    """
    first = {name: _common(own, [], max_distance) for name, own in clips.items()}
    embeddings = {name: each.embedding() for name, each in first.items()}
    subjects = {}
    for name, own in clips.items():
        others = [v for other, v in embeddings.items() if other != name and v is not None]
        subjects[name] = _common(own, others, max_distance)
    return subjects


def _common(
    clips: Mapping[str, Sequence[Candidate]],
    others: Sequence[NDArray[np.float32]],
    max_distance: float,
) -> Subject:
    everyone = tuple(each for clip in clips.values() for each in clip)
    if not everyone:
        return Subject({}, everyone, max_distance)
    support = _support(everyone, max_distance) * [
        0.5 if nearest(each, others) < CLAIMED else 1.0 for each in everyone
    ]
    person = everyone[int(np.argmax(support))]
    exemplars = {}
    for clip, own in clips.items():
        best = min(own, key=lambda each: each.distance(person.vector), default=None)
        if best is not None and best.distance(person.vector) <= max_distance:
            exemplars[clip] = best
    return Subject(exemplars, everyone, max_distance)


def _support(everyone: Sequence[Candidate], max_distance: float) -> NDArray[np.float64]:
    """Return per candidate the sum over clips of the presence of the most similar face."""
    vectors = [each.vector for each in everyone]
    alike = np.clip(1 - distances(vectors, vectors) / max_distance, 0, None)
    weights = alike * [each.presence for each in everyone]
    clips = np.array([each.clip for each in everyone])
    support = np.zeros(len(everyone))
    for clip in dict.fromkeys(clips.tolist()):
        support += weights[:, clips == clip].max(1)
    return support


def nearest(candidate: Candidate, vectors: Sequence[NDArray[np.float32]]) -> float:
    """Return the distance to the nearest of some vectors, infinite if there is none."""
    return min((candidate.distance(vector) for vector in vectors), default=float("inf"))
