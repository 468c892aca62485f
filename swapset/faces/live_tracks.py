"""Tracks under construction: the observations of each face while a clip is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from swapset.faces.boxes import (
    box_from_landmarks,
    boxes_from_landmarks,
    intersection_over_smaller,
)
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.identity import FaceEmbedder, distances
from swapset.types import Floats32, Image, Points

_TOUCHING = 0.3  # covered share of the smaller of two faces above which tracks may swap them
_TWO_PEOPLE = 0.6  # mean embedding distance above which two parts of a track are two people


@dataclass
class Track:
    """One face followed through one shot.

    Attributes
    ----------
    seen : dict of int to ((68, 2) float32, bool)
        By frame, ascending: landmarks in pixels, and whether the detector saw the face there.
    chips : dict of int to (150, 150, 3) uint8
        By frame, for some frames: the face, cut out for the embedding network (`face_chip`).
    lost : int
        Number of frames since the face was last seen.
    """

    seen: dict[int, tuple[Points, bool]] = field(default_factory=dict)
    chips: dict[int, Image] = field(default_factory=dict)
    lost: int = 0

    def add(self, frame: int, landmarks: Points, *, detected: bool) -> None:
        """Append an observation.

        Parameters
        ----------
        frame : int
            Number of the frame, higher than all before.
        landmarks : (68, 2) float32
            x, y in pixels.
        detected : bool
            Whether the detector saw the face in this frame.
        """
        self.seen[frame] = landmarks, detected

    @property
    def last(self) -> Points:
        """Landmarks (68, 2) of the last observation."""
        return next(reversed(self.seen.values()))[0]

    @property
    def box(self) -> Floats32:
        """Box (4,) of the last observation."""
        return box_from_landmarks(self.last)

    @property
    def start(self) -> tuple[int, float, float]:
        """First frame, and left and top of the face in it, in pixels."""
        frame = min(self.seen)
        left, top = box_from_landmarks(self.seen[frame][0])[:2]
        return frame, float(left), float(top)

    def part(self, start: float, stop: float) -> Track:
        """Return the part of the track from frame `start` up to, but not including, `stop`."""
        return Track(
            {frame: value for frame, value in self.seen.items() if start <= frame < stop},
            {frame: value for frame, value in self.chips.items() if start <= frame < stop},
        )


def first_contact(first: Track, second: Track, since: int) -> int | None:
    """Return the first frame in which the faces of two tracks overlap.

    Parameters
    ----------
    first, second : Track
        The tracks.
    since : int
        First frame to look at.

    Returns
    -------
    int or None
        Number of the frame; None if they do not overlap.
    """
    for frame in sorted(first.seen.keys() & second.seen.keys()):
        if frame >= since and touches(first.seen[frame][0], second.seen[frame][0]):
            return frame
    return None


def touches(first: Points, second: Points) -> bool:
    """Return whether faces with these landmarks, (68, 2) float32, overlap so that they may swap."""
    boxes = box_from_landmarks(first), box_from_landmarks(second)
    return bool(intersection_over_smaller(boxes[0], boxes[1])[0] > _TOUCHING)


@dataclass
class Embedded:
    """A finished track with its embeddings, (m, 128) float32, and their m frame numbers."""

    track: Track
    frames: list[int]
    embeddings: Floats32


def embed_track(
    track: Track, embedder: FaceEmbedder, *, most: int, every: int = 30
) -> list[Embedded]:
    """Compute embeddings along a track, and split it where it changes from person to person.

    Parameters
    ----------
    track : Track
        The track, with its chips.
    embedder : FaceEmbedder
        The network.
    most : int
        Largest number of embeddings of one track.
    every : int
        Frames per embedding, if `most` allows; short tracks get three embeddings.

    Returns
    -------
    list of Embedded
        The track, or its parts without the frames between them.
    """
    frames = sorted(track.chips)
    if not frames:
        return [Embedded(track, [], np.empty((0, 128), np.float32))]
    span = frames[-1] - frames[0] + 1
    count = min(most, len(frames), max(3, round(span / every)))
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
    embeddings = embedder.embed_chips([track.chips[frame] for frame in chosen])
    split = change_of_person(embeddings)
    if split is None:
        return [Embedded(track, chosen, embeddings)]
    before, after = _narrow(track, embedder, chosen, embeddings, split)
    parts = track.part(0, before + 1), track.part(after, np.inf)
    return [each for part in parts for each in embed_track(part, embedder, most=most, every=every)]


def change_of_person(embeddings: Floats32) -> int | None:
    """Return the index at which a second person begins in embeddings, (m, 128) float32, or None."""
    table = distances(embeddings, embeddings)
    between = [float(table[:k, k:].mean()) for k in range(1, len(table))]
    if not between or max(between) <= _TWO_PEOPLE:
        return None
    return 1 + int(np.argmax(between))


def _narrow(
    track: Track,
    embedder: FaceEmbedder,
    frames: Sequence[int],
    embeddings: Floats32,
    split: int,
) -> tuple[int, int]:
    """Return the last frame of the first person and the first frame of the second.

    They are found by bisection over the chips between the two embeddings around the change.
    """
    low, high = frames[split - 1], frames[split]
    between = [frame for frame in sorted(track.chips) if low < frame < high]
    while between:
        middle = between[len(between) // 2]
        vector = embedder.embed_chips([track.chips[middle]])
        first = distances(vector, embeddings[:split]).mean()
        if first < distances(vector, embeddings[split:]).mean():
            low = middle
        else:
            high = middle
        between = [frame for frame in between if low < frame < high]
    return low, high


def assemble(
    tracks: list[Embedded],
    frames: int,
    size: tuple[int, ...],
    fps: float,
    cuts: list[int],
    hints: dict[str, float],
) -> ClipTracks:
    """Return all tracks of a clip as arrays.

    Parameters
    ----------
    tracks : list of Embedded
        Sorted by their first frame.
    frames : int
        Length of the clip in frames.
    size : tuple of int
        Height and width of the clip in pixels.
    fps : float
        Frames per second.
    cuts : list of int
        First frame of each shot except the first.
    hints : dict of str to float
        See `ClipTracks`.
    """
    rows = [
        (number, frame, *each.track.seen[frame])
        for number, each in enumerate(tracks)
        for frame in sorted(each.track.seen)
    ]
    points = np.array([row[2] for row in rows], np.float32).reshape(-1, 68, 2)
    vectors = [each.embeddings for each in tracks]
    return ClipTracks(
        frames=frames,
        width=size[1],
        height=size[0],
        fps=float(fps),
        cuts=np.array(cuts, np.int32),
        track=np.array([row[0] for row in rows], np.int32),
        frame=np.array([row[1] for row in rows], np.int32),
        box=boxes_from_landmarks(points),
        landmarks=points,
        detected=np.array([row[3] for row in rows], bool),
        embeddings=np.concatenate([np.empty((0, 128), np.float32), *vectors]),
        embedding_track=np.repeat(np.arange(len(tracks)), [len(v) for v in vectors]).astype(
            np.int32
        ),
        embedding_frame=np.array([f for each in tracks for f in each.frames], np.int32),
        hints=hints,
    )
