"""Decide which clips are usable, and which of the faces in them is the subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.subjects import (
    CLAIMED,
    Candidate,
    Subject,
    candidates,
    find_subjects,
    nearest,
)
from swapset.faces.verdict import Reason, Verdict, clips_table
from swapset.types import Floats32

if TYPE_CHECKING:
    from swapset.config.sections import AcceptSettings
    from swapset.media.ingest import IngestRecord

__all__ = ["Reason", "Verdict", "accept_clips", "clips_table"]

Clips = Mapping[str, "ClipTracks | IngestRecord"]
Embeddings = Mapping[str, Floats32]

_MARGIN = 0.1  # distance by which a face must be nearer to another subject to count as that one
_RIVAL = 0.6  # share of the subject's presence at which another face might be the subject
_SAME_CLIP = 0.25  # distance below which two tracks of a clip are always one person
_JOIN = 0.8  # share of max_distance within which tracks of a clip are joined


def accept_clips(
    subject_clips: Mapping[str, Clips],
    settings: AcceptSettings,
    names: Mapping[str, str] | None = None,
) -> dict[str, Verdict]:
    """Judge all clips of all subjects together.

    The subject of a clip is the face most similar to the subject's other clips, and more similar
    to them than to any other subject. dlib's threshold alone is not enough, because it takes some
    pairs of subjects (identity morphs, siblings) for one person.

    Parameters
    ----------
    subject_clips : mapping of subject to mapping of clip to ClipTracks or IngestRecord
        Tracks of each clip, or the record of a failed ingest.
    settings : AcceptSettings
        Section `accept` of the config.
    names : mapping of str to str, optional
        The first name of subjects who are one person with another; they are no other people for
        each other.

    Returns
    -------
    dict of str to Verdict
        Verdict by clip, in the order of `subject_clips`.
    """
    tall = {
        subject: {
            clip: [
                each for each in candidates(clip, tracks) if each.height >= settings.min_face_height
            ]
            for clip, tracks in clips.items()
            if isinstance(tracks, ClipTracks)
        }
        for subject, clips in subject_clips.items()
    }
    known = names or {}
    subjects = find_subjects(tall, max_distance=settings.max_distance, names=known)
    everyone = {name: each.embedding() for name, each in subjects.items()}
    verdicts = {}
    for subject, clips in subject_clips.items():
        me = known.get(subject, subject)
        others = {n: v for n, v in everyone.items() if known.get(n, n) != me and v is not None}
        judge = _Judge(subjects[subject], others, settings)
        for clip, tracks_or_record in clips.items():
            verdict = Verdict(clip, subject)
            if isinstance(tracks_or_record, ClipTracks):
                verdicts[clip] = judge.judge(verdict, tracks_or_record, tall[subject][clip])
            else:
                verdicts[clip] = _not_ingested(verdict, tracks_or_record)
    return verdicts


def _not_ingested(verdict: Verdict, record: IngestRecord) -> Verdict:
    verdict.width, verdict.height, verdict.fps = record.width, record.height, record.fps
    if record.reason == "no_video":
        return verdict.reject("no_video", record.detail)
    return verdict.reject("unreadable", record.detail)


class _Judge:
    """Judges the clips of one subject."""

    def __init__(self, subject: Subject, others: Embeddings, settings: AcceptSettings) -> None:
        self._subject = subject
        self._others = others
        self._settings = settings

    def judge(self, verdict: Verdict, tracks: ClipTracks, tall: Sequence[Candidate]) -> Verdict:
        verdict.clip_frames, verdict.fps = tracks.frames, tracks.fps
        verdict.width, verdict.height = tracks.width, tracks.height
        verdict.cuts = len(tracks.cuts)
        if tracks.frames < self._settings.min_frames:
            return verdict.reject(
                "too_few_frames", f"{tracks.frames} frames; needs {self._settings.min_frames}"
            )
        if not tall:
            return self._without_face(verdict, tracks)
        known = self._subject.embedding(without=verdict.clip)
        chosen = self._choose(tall, known)
        _describe(verdict, tracks, chosen)
        return (
            self._check_identity(verdict, chosen[0], known)
            or self._check_rivals(verdict, chosen, tall)
            or self._check_amount(verdict, tracks)
            or self._accept(verdict)
        )

    def _without_face(self, verdict: Verdict, tracks: ClipTracks) -> Verdict:
        least = self._settings.min_face_height
        if len(tracks.track):
            height = float(np.median(tracks.box[:, 3] - tracks.box[:, 1]))
            verdict.face_height = round(height, 1)
            return verdict.reject("face_too_small", f"{height:.0f} pixels high; needs {least}")
        if "upside_down" in tracks.hints:
            degrees = tracks.hints["upside_down"]
            return verdict.reject(
                "upside_down", f"turned clockwise by {degrees:.0f} degrees it would be upright"
            )
        if "tiny_face" in tracks.hints:
            height = verdict.face_height = tracks.hints["tiny_face"]
            return verdict.reject("face_too_small", f"{height:.0f} pixels high; needs {least}")
        return verdict.reject("no_face", "no face was found in any part of the clip")

    def _choose(self, tall: Sequence[Candidate], known: Floats32 | None) -> list[Candidate]:
        """Return the subject's main track, followed by other tracks of the same person."""
        others = list(self._others.values())
        if known is not None:
            main = min(tall, key=lambda each: each.distance(known))
        else:
            free = [each for each in tall if nearest(each, others) >= CLAIMED]
            main = max(free or tall, key=lambda each: each.presence)
        chosen = [main]
        limit = _JOIN * self._settings.max_distance
        for each in sorted(tall, key=lambda each: each.distance(main.vector)):
            alike = each.distance(main.vector) <= limit and not self._is_other(each, main)
            if alike and not any(each.frames & other.frames for other in chosen):
                chosen.append(each)
        return chosen

    def _is_other(self, face: Candidate, main: Candidate) -> bool:
        """Return whether a face is more similar to another subject than to the main face.

        If the main face is as similar to that subject, both subjects are one person.
        """
        distance = face.distance(main.vector)
        return distance > _SAME_CLIP and any(
            face.distance(other) < min(distance, main.distance(other)) - _MARGIN
            for other in self._others.values()
        )

    def _check_identity(
        self, verdict: Verdict, main: Candidate, known: Floats32 | None
    ) -> Verdict | None:
        other = min(self._others, key=lambda name: main.distance(self._others[name]), default=None)
        far = main.distance(self._others[other]) if other is not None else None
        verdict.distance_other = None if far is None else round(far, 4)
        if known is None:
            return None
        near = main.distance(known)
        verdict.distance_own = round(near, 4)
        if near > self._settings.max_distance:
            return verdict.reject(
                "wrong_identity",
                f"distance {near:.2f} to the subject's other clips; at most "
                f"{self._settings.max_distance}",
            )
        if far is not None and far < near - _MARGIN:
            return verdict.reject(
                "wrong_identity",
                f"nearer to subject {other} ({far:.2f}) than to its own other clips ({near:.2f})",
            )
        return None

    def _check_rivals(
        self, verdict: Verdict, chosen: Sequence[Candidate], tall: Sequence[Candidate]
    ) -> Verdict | None:
        """Reject a clip in which another face could also be the subject."""
        seen = frozenset().union(*(each.frames for each in chosen))
        rivals = [
            each
            for each in tall
            if each not in chosen
            and each.frames & seen
            and self._subject.could_be(each, chosen[0], share=_RIVAL)
        ]
        if not rivals:
            return None
        return verdict.reject(
            "several_people",
            f"{1 + len(rivals)} people at once, and no other clip tells which is the subject",
        )

    def _check_amount(self, verdict: Verdict, tracks: ClipTracks) -> Verdict | None:
        least = self._settings.min_frames
        if verdict.frames < least:
            return verdict.reject(
                "too_few_frames", f"{verdict.frames} frames with the face; needs {least}"
            )
        coverage = verdict.frames / _frames_of_shots(tracks, verdict.tracks)
        if coverage < self._settings.min_coverage:
            return verdict.reject(
                "too_few_frames",
                f"the face is in {coverage:.0%} of its shots' frames; "
                f"needs {self._settings.min_coverage:.0%}",
            )
        return None

    def _accept(self, verdict: Verdict) -> Verdict:
        verdict.accepted = True
        return verdict


def _describe(verdict: Verdict, tracks: ClipTracks, chosen: Sequence[Candidate]) -> None:
    """Set a verdict's numbers of frames, face height and gaps from the chosen tracks."""
    verdict.tracks = [each.number for each in sorted(chosen, key=lambda each: min(each.frames))]
    rows = np.isin(tracks.track, verdict.tracks)
    frames = tracks.frame[rows]
    heights = tracks.box[rows, 3] - tracks.box[rows, 1]
    verdict.frames = int(rows.sum())
    verdict.face_height = round(float(np.median(heights)), 1)
    verdict.gaps = int(frames.max() - frames.min() + 1 - verdict.frames)


def _frames_of_shots(tracks: ClipTracks, numbers: Sequence[int]) -> int:
    """Return the number of frames of all shots that contain one of the tracks."""
    bounds = np.array([0, *tracks.cuts.tolist(), tracks.frames])
    frames = tracks.frame[np.isin(tracks.track, numbers)]
    shots = np.unique(np.searchsorted(bounds, frames, side="right") - 1)
    return int((bounds[shots + 1] - bounds[shots]).sum())
