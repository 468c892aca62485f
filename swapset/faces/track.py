"""Track all faces of a clip: detect rarely, follow in between, check, and go back if wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from swapset.faces.boxes import (
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
from swapset.faces.live_tracks import Embedded, Track, assemble, embed_track, first_contact, touches
from swapset.faces.shots import ShotDetector
from swapset.faces.single_frames import FaceFinder
from swapset.media.planar import AnyImage
from swapset.types import Floats32

if TYPE_CHECKING:  # spares users of the tracker the import of the whole config
    from swapset.config.sections import TrackSettings

__all__ = ["ClipTracks", "Tracker", "track_clip"]

_PATIENCE = 15  # frames for which a face may be hidden without ending its track
_SHORTEST = 5  # observations of the shortest track; shorter ones count as false alarms


class Tracker:
    """Tracks all faces of clips. Loading its models takes long, so use one for many clips.

    The clip is read in runs of `every` frames. A known face is followed through a run by the
    landmark predictor, which starts each frame from the landmarks of the frame before, and is
    confirmed by local detection in the run's last frame. If that fails, the run is repeated with
    local detection in each frame, so that no frame is kept in which the face was lost already. The
    whole frame is searched at the beginning of a shot, while no face is followed, and every
    `search_every` frames. When faces overlap, both tracks end; later their embeddings decide which
    is which.

    Parameters
    ----------
    settings : TrackSettings
        Section `track` of the config.
    detector : Detector, optional
        Used instead of the detector in the settings.
    everyone : bool
        Whether to follow all faces, including those less than half as large as another and those
        that overlap. Then identities are not checked: there are no embeddings.

    Raises
    ------
    ConfigError
        If a model file cannot be found or used.
    """

    def __init__(
        self, settings: TrackSettings, *, detector: Detector | None = None, everyone: bool = False
    ) -> None:
        self._settings = settings
        self._detector = detector or make_detector(
            settings.detector,
            cnn_model=settings.cnn_model,
            yunet_model=settings.yunet_model,
            centerface_model=settings.centerface_model,
        )
        self._follower = Follower(self._detector, LandmarkPredictor(settings.predictor))
        self._embedder = None if everyone else FaceEmbedder(settings.embedder)

    @property
    def finder(self) -> FaceFinder:
        """The tracker's own detector and predictor, for single frames."""
        return FaceFinder(self._settings, self._detector, self._follower)

    @property
    def embedder(self) -> FaceEmbedder | None:
        """The network that tells people apart; None if everyone is followed."""
        return self._embedder

    def track(
        self, frames: Iterable[AnyImage], *, fps: float = 30.0, cuts: Collection[int] = ()
    ) -> ClipTracks:
        """Return all faces of a clip.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8 RGB, or of PlanarImage
            The clip's frames, all of one size; read once and not kept. Planes are faster.
        fps : float
            Frames per second, stored with the result.
        cuts : collection of int
            Frames that are known to begin a new shot; others are found.

        Returns
        -------
        ClipTracks
            Tracks are numbered by their first frame, then from left to right.
        """
        return _ClipTracker(self._settings, self._detector, self._follower, self._embedder).run(
            frames, fps, cuts
        )


def track_clip(
    frames: Iterable[AnyImage], *, settings: TrackSettings, fps: float = 30.0
) -> ClipTracks:
    """Return all faces of one clip. For several clips, use one `Tracker`, to load models once.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8 RGB, or of PlanarImage
        The clip's frames, all of one size.
    settings : TrackSettings
        Section `track` of the config.
    fps : float
        Frames per second, stored with the result.

    Returns
    -------
    ClipTracks
    """
    return Tracker(settings).track(frames, fps=fps)


class _ClipTracker:
    """The state of a tracker while it reads one clip."""

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

    def run(self, frames: Iterable[AnyImage], fps: float, cuts: Collection[int]) -> ClipTracks:
        shots, samples = ShotDetector(), Samples()
        buffer: list[Frame] = []
        size, count = (0, 0), 0
        for index, image in enumerate(frames):
            size, count = image.shape[:2], index + 1
            samples.offer(index, image)
            if shots.is_cut(image) or index in cuts:
                self._process(buffer)
                self._start_shot(index)
                buffer = []
            buffer.append(Frame(index, image))
            # a shot's first frame is searched at once, so that nothing must be repeated later
            if len(buffer) == self._settings.every or index == self._next_search:
                self._process(buffer)
                buffer = []
        self._process(buffer)
        self._ended += self._active
        finished = self._finish(min(_SHORTEST, count))
        hints = {}
        if not finished:
            hints = diagnose(samples.images, self._detector, min_face=self._settings.min_face)
        return assemble(finished, count, size, fps, self._cuts, hints)

    def _start_shot(self, index: int) -> None:
        self._cuts.append(index)
        self._ended += self._active
        self._active = []
        self._next_search = index

    def _process(self, run: list[Frame]) -> None:
        """Follow all faces through a run of frames, and look for new ones at its end."""
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
        """Follow a face through a run; if that is not confirmed, detect it frame by frame."""
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
        """Keep the chip of a face just seen, from which its embedding is computed later."""
        if self._embedder is not None:
            track.chips[frame.index] = face_chip(frame.image, track.last)

    def _part_touching(self, since: int) -> bool:
        """End tracks of faces that overlapped in this run, just before they did."""
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
        """End tracks of faces that have been out of sight for too long."""
        self._ended += [track for track in self._active if track.lost > _PATIENCE]
        self._active = [track for track in self._active if track.lost <= _PATIENCE]

    def _look_for_new(self, run: list[Frame]) -> None:
        """Search the run's last frame, and follow new faces back through the run."""
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

    def _begin(self, run: list[Frame], box: Floats32) -> Track:
        """Return a new track of the face in a box of the run's last frame."""
        last = run[-1]
        landmarks = self._follower.fit(last, box)
        observations = {last.index: landmarks}
        earlier = run[-2::-1]
        path = self._follower.scan(earlier, box, lost=0, patience=_PATIENCE)
        for frame, points in zip(earlier, path, strict=False):
            if points is None:
                continue
            others = [track.seen.get(frame.index) for track in [*self._active, *self._ended]]
            if any(other is not None and touches(points, other[0]) for other in others):
                break
            observations[frame.index] = points
        track = Track()
        for index in sorted(observations):
            track.add(index, observations[index], detected=True)
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
