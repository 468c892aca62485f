"""Follow every face through a clip: detect rarely, follow in between, check, go back if wrong."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from swapset.faces.boxes import (
    box_from_landmarks,
    box_side,
    intersection_over_smaller,
    without_overlaps,
)
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.detect import Detector, make_detector, search
from swapset.faces.diagnose import Samples, diagnose
from swapset.faces.follow import Follower, Frame, is_steady
from swapset.faces.identity import FaceEmbedder, face_chip
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.live_tracks import Embedded, Track, embed_track, first_contact, touches
from swapset.faces.shots import ShotDetector

if TYPE_CHECKING:  # only its fields are needed here, not what the config imports
    from swapset.config.sections import TrackSettings

__all__ = ["ClipTracks", "Tracker", "track_clip"]

_PATIENCE = 15  # frames a face may be hidden and still be the same track
_SHORTEST = 5  # observations of a track; below, it is taken for a false alarm


class Tracker:
    """Follows faces through clips; holds the models, so keep one for many clips.

    The clip is read in runs of `every` frames. A known face is followed through a run by the
    landmark predictor, each frame starting from the landmarks of the frame before, and confirmed
    by local detection in the run's last frame. If that fails, the run is gone through again with
    local detection in each frame, so that not one frame is kept from after the loss. The whole
    frame is searched where a shot begins, where nothing is followed, and now and then. Faces that
    overlap end both tracks: which is which is decided later, by identity.

    Parameters
    ----------
    settings : TrackSettings
        Section `track` of the config.
    detector : Detector, optional
        Used instead of the one that the settings name.
    everyone : bool
        Follow all faces: also those less than half as large as another, and while faces overlap.
        Who is who is not asked then: there are no embeddings.

    Raises
    ------
    ConfigError
        If a model file cannot be found.
    """

    def __init__(
        self, settings: TrackSettings, *, detector: Detector | None = None, everyone: bool = False
    ) -> None:
        self._settings = settings
        self._detector = detector or make_detector(
            settings.detector, cnn_model=settings.cnn_model, yunet_model=settings.yunet_model
        )
        self._follower = Follower(self._detector, LandmarkPredictor(settings.predictor))
        self._embedder = None if everyone else FaceEmbedder(settings.embedder)

    def track(self, frames: Iterable[NDArray[np.uint8]], *, fps: float = 30.0) -> ClipTracks:
        """Return all faces of a clip.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8, RGB
            The clip's frames, all of one size; read once and not kept.
        fps : float
            Frames per second, stored with the result.

        Returns
        -------
        ClipTracks
            Tracks are numbered by their first frame, then from left to right.
        """
        return _ClipTracker(self._settings, self._detector, self._follower, self._embedder).run(
            frames, fps
        )


def track_clip(
    frames: Iterable[NDArray[np.uint8]], *, settings: TrackSettings, fps: float = 30.0
) -> ClipTracks:
    """Return all faces of one clip; see `Tracker`, which saves loading the models each time."""
    return Tracker(settings).track(frames, fps=fps)


class _ClipTracker:
    """The state while one clip streams by."""

    def __init__(
        self,
        settings: TrackSettings,
        detector: Detector,
        follower: Follower,
        embedder: FaceEmbedder | None,
    ) -> None:
        self._settings = settings
        self._detector = detector
        self._follower = follower
        self._embedder = embedder
        self._active: list[Track] = []
        self._ended: list[Track] = []
        self._cuts: list[int] = []
        self._next_search = 0
        self._alert_until = 0

    def run(self, frames: Iterable[NDArray[np.uint8]], fps: float) -> ClipTracks:
        shots, samples = ShotDetector(), Samples()
        buffer: list[Frame] = []
        size, count = (0, 0), 0
        for index, image in enumerate(frames):
            size, count = image.shape[:2], index + 1
            samples.offer(index, image)
            if shots.is_cut(image):
                self._process(buffer)
                self._start_shot(index)
                buffer = []
            buffer.append(Frame.of(index, image))
            # a shot's first frame is searched at once: what follows then needs no going back
            if len(buffer) == self._settings.every or index == self._next_search:
                self._process(buffer)
                buffer = []
        self._process(buffer)
        self._ended += self._active
        finished = self._finish(min(_SHORTEST, count))
        hints = {}
        if not finished:
            hints = diagnose(samples.images, self._detector, min_face=self._settings.min_face)
        return _assemble(finished, count, size, fps, self._cuts, hints)

    def _start_shot(self, index: int) -> None:
        self._cuts.append(index)
        self._ended += self._active
        self._active = []
        self._next_search = index

    def _process(self, run: list[Frame]) -> None:
        """Take all faces through a run of frames, and look for new ones at its end."""
        if not run:
            return
        for track in self._active:
            self._advance(track, run)
        last = run[-1].index
        parted = self._embedder is not None and self._part_touching(run[0].index)
        if parted or any(track.lost for track in self._active):
            self._alert_until = last + self._settings.search_every
        self._retire()
        following = any(track.lost == 0 for track in self._active)
        if not following or last >= self._next_search or last < self._alert_until:
            # while faces overlap, going back could slide from one to the other
            self._look_for_new(run[-1:] if parted else run)
            self._next_search = last + self._settings.search_every

    def _advance(self, track: Track, run: list[Frame]) -> None:
        """Follow a face through a run; where that cannot be confirmed, detect frame by frame."""
        last = run[-1]
        if track.lost == 0:
            path = self._follower.follow(run, track.last)
            if is_steady([track.last, *path]) and self._follower.confirms(last, path[-1]):
                for frame, landmarks in zip(run, path, strict=True):
                    track.add(frame.index, landmarks, detected=frame is last)
                self._keep_chip(track, last)
                return
        self._scan(track, run)

    def _scan(self, track: Track, run: list[Frame]) -> None:
        seen = self._follower.scan(run, track.box, lost=track.lost, patience=_PATIENCE)
        latest: Frame | None = None
        for frame, landmarks in zip(run, seen, strict=False):
            track.lost += 1
            if landmarks is not None:
                track.add(frame.index, landmarks, detected=True)
                track.lost, latest = 0, frame
        if latest is not None:
            self._keep_chip(track, latest)

    def _keep_chip(self, track: Track, frame: Frame) -> None:
        """Keep what the embedding of a face just seen is computed from."""
        if self._embedder is not None:
            track.chips[frame.index] = face_chip(frame.image, track.last)

    def _part_touching(self, since: int) -> bool:
        """End tracks whose faces overlapped in this run, just before they did."""
        ends: dict[int, int] = {}
        for (i, first), (j, second) in combinations(enumerate(self._active), 2):
            contact = first_contact(first, second, since)
            if contact is not None:
                ends[i] = min(contact, ends.get(i, contact))
                ends[j] = min(contact, ends.get(j, contact))
        self._ended += [self._active[i].part(0, contact) for i, contact in ends.items()]
        self._active = [track for i, track in enumerate(self._active) if i not in ends]
        return bool(ends)

    def _retire(self) -> None:
        """End tracks whose faces have been out of sight for too long."""
        self._ended += [track for track in self._active if track.lost > _PATIENCE]
        self._active = [track for track in self._active if track.lost <= _PATIENCE]

    def _look_for_new(self, run: list[Frame]) -> None:
        """Search the run's last frame, and follow what is new back through the run."""
        image, minimum = run[-1].image, float(self._settings.min_face)
        known = [box_side(track.box) for track in self._active if track.lost == 0]
        if self._embedder is None:
            boxes, scores = self._detector.detect(image, min_face=minimum)
        elif known:
            minimum = max(minimum, max(known) / 2)
            boxes, scores = self._detector.detect(image, min_face=minimum)
        else:
            boxes, scores = search(self._detector, image, min_face=minimum)
        for index in without_overlaps(boxes, scores, limit=0.3):
            taken = [track.box for track in self._active]
            if taken and intersection_over_smaller(boxes[index], taken).max() > 0.3:
                continue
            self._active.append(self._begin(run, boxes[index]))

    def _begin(self, run: list[Frame], box: NDArray[np.float32]) -> Track:
        """Return a new track of the face in a box of the run's last frame."""
        last = run[-1]
        landmarks = self._follower.fit(last, box)
        found = {last.index: landmarks}
        earlier = run[-2::-1]
        path = self._follower.scan(earlier, box, lost=0, patience=_PATIENCE)
        for frame, points in zip(earlier, path, strict=False):
            if points is None:
                continue
            others = [track.seen.get(frame.index) for track in [*self._active, *self._ended]]
            if any(other is not None and touches(points, other[0]) for other in others):
                break
            found[frame.index] = points
        track = Track()
        for index in sorted(found):
            track.add(index, found[index], detected=True)
        self._keep_chip(track, last)
        return track

    def _finish(self, shortest: int) -> list[Embedded]:
        """Drop false alarms, compute embeddings and sort the tracks."""
        lasting = [track for track in self._ended if len(track.seen) >= shortest]
        if self._embedder is None:
            whole = [Embedded(track, [], np.empty((0, 128), np.float32)) for track in lasting]
            return sorted(whole, key=lambda each: each.track.start)
        finished = [
            part
            for track in lasting
            for part in embed_track(track, self._embedder, most=self._settings.embeddings)
            if len(part.track.seen) >= shortest
        ]
        return sorted(finished, key=lambda each: each.track.start)


def _assemble(
    tracks: list[Embedded],
    frames: int,
    size: tuple[int, ...],
    fps: float,
    cuts: list[int],
    hints: dict[str, float],
) -> ClipTracks:
    """Return the arrays of all tracks."""
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
        box=np.array([box_from_landmarks(each) for each in points], np.float32).reshape(-1, 4),
        landmarks=points,
        detected=np.array([row[3] for row in rows], bool),
        embeddings=np.concatenate([np.empty((0, 128), np.float32), *vectors]),
        embedding_track=np.repeat(np.arange(len(tracks)), [len(v) for v in vectors]).astype(
            np.int32
        ),
        embedding_frame=np.array([f for each in tracks for f in each.frames], np.int32),
        hints=hints,
    )
