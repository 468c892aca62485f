"""Find out which of the faces in a subject's clips is the subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.identity import distances, reference
from swapset.types import Floats, Floats32

CLAIMED = 0.4  # a face nearer than this to another subject is probably that subject


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
        Frames with the face.
    height : float
        Median height of the face, in pixels.
    presence : float
        Share of the clip's frames times share of its height, in [0, 1].
    """

    clip: str
    number: int
    vector: Floats32
    frames: frozenset[int]
    height: float
    presence: float

    def distance(self, vector: Floats32) -> float:
        """Return the embedding distance to another embedding, (128,) float32."""
        return float(distances(self.vector, vector)[0, 0])


def candidates(clip: str, tracks: ClipTracks) -> list[Candidate]:
    """Return the tracks of a clip that have embeddings."""
    usable = []
    for number in tracks.track_numbers():
        embeddings = tracks.embeddings_of(number)
        if not len(embeddings):
            continue
        rows = tracks.of_track(number)
        height = float(np.median(tracks.box[rows, 3] - tracks.box[rows, 1]))
        presence = len(rows) / tracks.frames * height / tracks.height
        frames = frozenset(tracks.frame[rows].tolist())
        usable.append(Candidate(clip, number, reference(embeddings), frames, height, presence))
    return usable


@dataclass(frozen=True)
class Subject:
    """A person, described by the faces in the person's clips.

    Attributes
    ----------
    exemplars : dict of str to Candidate
        For each clip that shows the person: the track most similar to the person.
    everyone : tuple of Candidate
        All faces in the person's clips.
    max_distance : float
        Largest embedding distance between faces of one person.
    """

    exemplars: dict[str, Candidate]
    everyone: tuple[Candidate, ...]
    max_distance: float

    def embedding(self, *, without: str | None = None) -> Floats32 | None:
        """Return the person's embedding, (128,) float32, from all clips except `without`.

        It is None if no other clip shows the person.
        """
        vectors = [each.vector for clip, each in self.exemplars.items() if clip != without]
        return reference(vectors) if vectors else None

    def could_be(self, rival: Candidate, main: Candidate, *, share: float) -> bool:
        """Return whether a rival is in as many clips as the main face, and about as present.

        Parameters
        ----------
        rival, main : Candidate
            Faces of one clip.
        share : float
            Least presence of the rival over that of the main face, each summed over all clips.

        Returns
        -------
        bool
        """
        of_rival, of_main = self._presence(rival, main), self._presence(main, rival)
        as_often = len(of_rival) >= len(of_main)
        return as_often and sum(of_rival.values()) >= share * sum(of_main.values())

    def _presence(self, face: Candidate, other: Candidate) -> dict[str, float]:
        """Return a face's presence by clip, where it is more similar to the face than the other."""
        presence: dict[str, float] = {}
        for each in self.everyone:
            distance = each.distance(face.vector)
            if distance < self.max_distance and distance <= each.distance(other.vector):
                presence[each.clip] = max(each.presence, presence.get(each.clip, 0.0))
        return presence


def find_subjects(
    clips: Mapping[str, Mapping[str, Sequence[Candidate]]],
    *,
    max_distance: float,
    names: Mapping[str, str],
) -> dict[str, Subject]:
    """Find the person that each subject's clips have in common.

    Parameters
    ----------
    clips : mapping of subject to mapping of clip to candidates
        The faces of all subjects' clips. A face that probably is another subject counts half.
    max_distance : float
        Largest embedding distance between faces of one person.
    names : mapping of str to str
        The first name of subjects who are one person with another.

    Returns
    -------
    dict of str to Subject
        Without exemplars for a subject with no candidates.
    """
    first = {name: _common(faces, [], max_distance) for name, faces in clips.items()}
    embeddings = {name: each.embedding() for name, each in first.items()}
    subjects = {}
    for name, faces in clips.items():
        me = names.get(name, name)
        others = [
            v for other, v in embeddings.items() if names.get(other, other) != me and v is not None
        ]
        subjects[name] = _common(faces, others, max_distance)
    return subjects


def _common(
    clips: Mapping[str, Sequence[Candidate]],
    others: Sequence[Floats32],
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
    for clip, faces in clips.items():
        best = min(faces, key=lambda each: each.distance(person.vector), default=None)
        if best is not None and best.distance(person.vector) <= max_distance:
            exemplars[clip] = best
    return Subject(exemplars, everyone, max_distance)


def _support(everyone: Sequence[Candidate], max_distance: float) -> Floats:
    """Return for each candidate the sum over clips of its best match's weighted presence."""
    vectors = [each.vector for each in everyone]
    alike = np.clip(1 - distances(vectors, vectors) / max_distance, 0, None)
    weights = alike * [each.presence for each in everyone]
    clips = np.array([each.clip for each in everyone])
    support = np.zeros(len(everyone))
    for clip in dict.fromkeys(clips.tolist()):
        support += weights[:, clips == clip].max(1)
    return support


def nearest(candidate: Candidate, vectors: Sequence[Floats32]) -> float:
    """Return the distance to the nearest of some embeddings, (128,) float32; infinite if none."""
    return min((candidate.distance(vector) for vector in vectors), default=float("inf"))
