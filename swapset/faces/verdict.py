"""The verdict on a clip: accepted, or rejected with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

Reason = Literal[
    "",
    "unreadable",
    "no_video",
    "too_few_frames",
    "no_face",
    "face_too_small",
    "upside_down",
    "several_people",
    "wrong_identity",
    "same_person",
    "frozen",
]
_TABLE = ["clip", "subject", "accepted", "reason"]
_TABLE += ["frames", "width", "height", "fps", "face_height", "repeated"]


@dataclass
class Verdict:
    """The verdict on one clip, with the tracks of its subject.

    Attributes
    ----------
    clip, subject : str
        Names from the manifest.
    accepted : bool
        Whether the clip is used.
    reason : str
        Why it is not used, one of `Reason`; empty if accepted.
    detail : str
        The reason in words, with its numbers.
    tracks : list of int
        Numbers of the subject's tracks, by time; they share no frame.
    frames : int
        Number of frames with the subject's face.
    clip_frames, width, height : int
        Length of the whole clip in frames and its size in pixels.
    fps : float
        Frames per second.
    face_height : float
        Median side of the subject's box (eyebrows to just below the chin), in pixels.
    repeated : int
        Number of frames that repeat the one before, since the source has no other for their time.
    cuts : int
        Number of hard cuts in the clip.
    gaps : int
        Number of frames without the subject's face between its first and last.
    distance_own, distance_other : float or None
        Embedding distance to the subject's other clips, and to the nearest other subject.
    """

    clip: str
    subject: str
    accepted: bool = False
    reason: Reason = ""
    detail: str = ""
    tracks: list[int] = field(default_factory=list)
    frames: int = 0
    clip_frames: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    face_height: float = 0.0
    repeated: int = 0
    cuts: int = 0
    gaps: int = 0
    distance_own: float | None = None
    distance_other: float | None = None

    def reject(self, reason: Reason, detail: str) -> Verdict:
        """Reject the clip for a reason, and return the verdict."""
        self.accepted, self.reason, self.detail = False, reason, detail
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    def decision(self) -> dict[str, Any]:
        """Return what later jobs use: whether and which tracks, without what was measured."""
        kept = ("subject", "accepted", "reason", "tracks")
        return {key: getattr(self, key) for key in kept}


def clips_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return the table `clips.csv`, with one row per clip in the order of `verdicts`."""
    return pd.DataFrame([asdict(each) for each in verdicts], columns=_TABLE)
