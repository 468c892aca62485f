"""Find subjects who are one person: the same face under two names of the manifest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.identity import distances, reference
from swapset.faces.verdict import Verdict
from swapset.types import Floats32

NEAR = 0.27
"""Distance between the mean faces of two subjects below which they are one person.

Measured with dlib's network: parts of one recording are 0.09 to 0.22 apart, the demo's identity
morphs and their parents 0.32 or more, other people 0.63 or more."""
_MOST = 0.45
_SHOWN = 4


@dataclass(frozen=True)
class SamePeople:
    """Two subjects who seem to be one person.

    Attributes
    ----------
    first, second : str
        The subjects, in the order of the manifest.
    clips : (list of str, list of str)
        Their accepted clips.
    distance : float
        Distance between their mean faces.
    within : float or None
        Distance between the clips of one of them; None if both have a single clip.
    """

    first: str
    second: str
    clips: tuple[list[str], list[str]]
    distance: float
    within: float | None

    def notice(self, policy: str) -> str:
        """Return a sentence with both names, their clips, and what is done about it."""
        clips = " and ".join(_listed(names) for names in self.clips)
        beside = "" if self.within is None else f" (clips of one name differ by {self.within:.2f})"
        done = {
            "notice": "detectors may be tested on a person from their training; give them one "
            "subject in the manifest, or set accept.same_person to reject or merge",
            "reject": f"the clips of {self.second} are rejected",
            "merge": "both are in one part of every split and are not swapped with each other",
        }
        return (
            f"{self.first} and {self.second} seem to be one person, at a distance of "
            f"{self.distance:.2f}{beside}: {clips}; {done[policy]}"
        )


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])


def find_same_people(
    clips: Mapping[str, Mapping[str, object]], verdicts: Mapping[str, Verdict]
) -> list[SamePeople]:
    """Compare the faces of all subjects in their accepted clips.

    Two subjects are one person if their mean faces are nearer than `NEAR`, or no farther from each
    other than the clips of one of them are from each other, within 0.45.

    Parameters
    ----------
    clips : mapping of subject to mapping of clip to ClipTracks
        Clips that were not ingested have another value.
    verdicts : mapping of str to Verdict
        Verdict by clip.
    """
    faces = {subject: _faces(tracks, verdicts) for subject, tracks in clips.items()}
    faces = {subject: vectors for subject, vectors in faces.items() if vectors}
    if len(faces) < 2:
        return []
    names = list(faces)
    means = [reference(list(vectors.values())) for vectors in faces.values()]
    within = [_within(list(vectors.values())) for vectors in faces.values()]
    table = distances(means, means)
    found = []
    for one, other in itertools.combinations(range(len(names)), 2):
        spread = max((each for each in (within[one], within[other]) if each), default=None)
        if table[one, other] < max(NEAR, min(_MOST, spread or 0.0)):
            both = names[one], names[other]
            shown = list(faces[both[0]]), list(faces[both[1]])
            found.append(SamePeople(*both, shown, float(table[one, other]), spread))
    return found


def _faces(tracks: Mapping[str, object], verdicts: Mapping[str, Verdict]) -> dict[str, Floats32]:
    """Return the mean embedding, (128,) float32, of the subject in each accepted clip."""
    return {
        clip: reference(np.concatenate([each.embeddings_of(n) for n in verdicts[clip].tracks]))
        for clip, each in tracks.items()
        if isinstance(each, ClipTracks) and verdicts[clip].accepted
    }


def _within(vectors: list[Floats32]) -> float | None:
    """Return the median distance of each clip to the mean of the others; None for a single one."""
    if len(vectors) < 2:
        return None
    apart = [
        distances(vector, reference(vectors[:place] + vectors[place + 1 :]))[0, 0]
        for place, vector in enumerate(vectors)
    ]
    return float(np.median(apart))
