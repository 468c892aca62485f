"""Find the faces in single frames of a video, where following them through all is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from swapset.faces.boxes import (
    box_from_landmarks,
    box_side,
    intersection_over_smaller,
    without_overlaps,
)
from swapset.faces.detect import Detector, search
from swapset.faces.follow import Follower, Frame
from swapset.faces.shots import ShotDetector
from swapset.media.planar import AnyImage
from swapset.types import Floats, Floats32, Points

if TYPE_CHECKING:  # spares users the import of the whole config
    from swapset.config.sections import TrackSettings

RUN_UP = 2
"""Frames before a single one through which its faces are followed, as `Tracker` follows them."""

_OVERLAP = 0.3  # covered share of the smaller of two boxes above which they are of one face


class FaceFinder:
    """Finds the faces in single frames, each given with a few frames before it.

    A face that is not seen in a frame is looked for where it was before, by the detector's lower
    threshold, as `Tracker` does.

    Parameters
    ----------
    settings : TrackSettings
        Section `track` of the config.
    detector : Detector
    follower : Follower
    """

    def __init__(self, settings: TrackSettings, detector: Detector, follower: Follower) -> None:
        self._min_face = float(settings.min_face)
        self._detector, self._follower = detector, follower

    def all_faces(
        self, images: Sequence[AnyImage], near: Sequence[Floats32], *, smaller: bool = True
    ) -> list[Points]:
        """Return the landmarks of the faces in a frame, of those that matter.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 RGB, or of PlanarImage
            Successive frames, of which the last one counts.
        near : sequence of (4,) float32
            Boxes x0, y0, x1, y1 in pixels where faces were in an earlier frame.
        smaller : bool
            Whether to look everywhere for faces down to half of the largest one's size, or, in
            less time, only for those about as large.

        Returns
        -------
        list of (68, 2) float32
            x, y in pixels; without faces less than half as large as another.
        """
        frames = _one_shot(images)
        boxes, scores = search(
            self._detector, frames[-1].image, min_face=self._min_face, smaller=smaller
        )
        found = [boxes[index] for index in without_overlaps(boxes, scores, limit=_OVERLAP)]
        for box in near:
            if _is_free(box, found):
                again = self._follower.locate(frames[-1], box, wide=True)
                found += [again] if again is not None and _is_free(again, found) else []
        return [self._settled(frames, box) for box in found]

    def face_near(self, images: Sequence[AnyImage], box: Floats32) -> Points | None:
        """Return the landmarks of the face in a frame that is nearest to a box.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 RGB, or of PlanarImage
            Successive frames, of which the last one counts.
        box : (4,) float32
            x0, y0, x1, y1 in pixels where the face should be.

        Returns
        -------
        (68, 2) float32 or None
            x, y in pixels; None if there is no face at most its own size away.
        """
        frames = _one_shot(images)
        here = self._follower.locate(frames[-1], box, wide=True)
        if here is not None:
            return self._settled(frames, here)
        faces = self.all_faces(images, [])
        centre = np.asarray(box[:2] + box[2:]) / 2
        near = min(faces, key=lambda each: _away(each, centre), default=None)
        if near is None or _away(near, centre) >= box_side(box_from_landmarks(near)):
            return None
        return near

    def _settled(self, frames: Sequence[Frame], box: Floats32) -> Points:
        """Return a face's landmarks in the last frame, followed from the first.

        One prediction depends on the box; this way it is the box by the frame before, as in a
        face that was followed for long. As there, a detection around the face has to confirm them:
        faces may jump, and boxes of less certain faces may be a third too large.
        """
        follower, last = self._follower, frames[-1]
        first = follower.fit(frames[0], box)
        followed = [first, *follower.follow(frames[1:], first)][-1]
        if follower.confirms(last, followed):
            return followed
        found = follower.find(last, box)
        if found is not None and follower.confirms(last, found):
            return found
        return followed if follower.agrees(last, followed, box) else follower.fit(last, box)


def _one_shot(images: Sequence[AnyImage]) -> list[Frame]:
    """Return the frames since the last cut."""
    shots = ShotDetector()
    cuts = [number for number, image in enumerate(images) if shots.is_cut(image)]
    return [Frame(number, image) for number, image in enumerate(images[max([0, *cuts]) :])]


def _away(points: Points, centre: Floats) -> float:
    box = box_from_landmarks(points)
    return float(np.linalg.norm((box[:2] + box[2:]) / 2 - centre))


def _is_free(box: Floats32, faces: Sequence[Floats32]) -> bool:
    """Return whether none of some faces' boxes overlaps a box."""
    return not faces or float(intersection_over_smaller(box, faces).max()) <= _OVERLAP
