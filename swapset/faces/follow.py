"""One face from frame to frame: by its landmarks, or by local detection where that fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from swapset.faces.boxes import box_from_landmarks, box_side, intersection_over_union
from swapset.faces.detect import Detector
from swapset.faces.landmarks import LandmarkPredictor
from swapset.types import Points

_CROP = 1.9  # side of the picture in which a known face is looked for, in sides of the face
_WIDE_CROP = 2.6  # where it was lost, it may have moved
_LOCAL_MIN_FACE = 0.8  # with the HOG detector's 80 pixels: faces are seen at 100 pixels
_SAME_PLACE = 0.4  # intersection over union of the detected with the expected box
_SAME_PLACE_WIDE = 0.2
_SAME_LANDMARKS = 0.1  # normalised mean error between followed and freshly detected landmarks
_MAX_STEP = 0.35  # largest move from one frame to the next, in sides of the face
_MAX_GROWTH = 1.2


@dataclass(frozen=True)
class Frame:
    """A frame in the buffer.

    Attributes
    ----------
    index : int
        Counted from 0.
    image : (H, W, 3) uint8, RGB
        The frame.
    grey : (H, W) uint8
        The same in grey: the landmark predictor needs no more, and is faster on it.
    """

    index: int
    image: NDArray[np.uint8]
    grey: NDArray[np.uint8]

    @classmethod
    def of(cls, index: int, image: NDArray[np.uint8]) -> Frame:
        """Return the frame with its grey version."""
        return cls(index, image, np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))


class Follower:
    """Finds one face again, in the next frames or in a whole run of them."""

    def __init__(self, detector: Detector, predictor: LandmarkPredictor) -> None:
        self._detector = detector
        self._predictor = predictor

    def fit(self, frame: Frame, box: NDArray[np.float32]) -> Points:
        """Return landmarks (68, 2) for a detected box.

        The second pass starts from the box that belongs to the first pass's landmarks, so that
        the step in which a detector scans sizes does not show, nor which detector it was.
        """
        first = self._predictor.predict(frame.grey, box)
        return self._predictor.predict(frame.grey, box_from_landmarks(first))

    def follow(self, frames: Iterable[Frame], landmarks: Points) -> list[Points]:
        """Return landmarks for each frame, starting from those of the frame before."""
        path = []
        for frame in frames:
            landmarks = self._predictor.predict(frame.grey, box_from_landmarks(landmarks))
            path.append(landmarks)
        return path

    def find(self, frame: Frame, box: NDArray[np.float32], *, wide: bool = False) -> Points | None:
        """Return landmarks of the face near a box, or None if the detector sees none there."""
        found = self._detect_near(frame, box, wide=wide)
        return None if found is None else self.fit(frame, found)

    def confirms(self, frame: Frame, landmarks: Points) -> bool:
        """Tell whether the detector, asked afresh, puts the landmarks at the same place."""
        found = self._detect_near(frame, box_from_landmarks(landmarks))
        if found is None:
            return False
        first = self._predictor.predict(frame.grey, found)
        if _error(first, landmarks) <= _SAME_LANDMARKS:
            return True
        # the detector's coarse steps in size alone may explain the difference
        second = self._predictor.predict(frame.grey, box_from_landmarks(first))
        return _error(second, landmarks) <= _SAME_LANDMARKS

    def _detect_near(
        self, frame: Frame, box: NDArray[np.float32], *, wide: bool = False
    ) -> NDArray[np.float32] | None:
        """Return the detected box that overlaps a box best, or None."""
        side = box_side(box)
        x0, y0, crop = _crop(frame.image, box, _WIDE_CROP if wide else _CROP)
        if min(crop.shape[:2]) < side / 2:
            return None
        boxes, _ = self._detector.detect(crop, min_face=_LOCAL_MIN_FACE * side, lenient=True)
        if not len(boxes):
            return None
        boxes = boxes + np.array([x0, y0, x0, y0], np.float32)
        overlap = intersection_over_union(box, boxes)
        best = int(np.argmax(overlap))
        return boxes[best] if overlap[best] >= (_SAME_PLACE_WIDE if wide else _SAME_PLACE) else None

    def scan(
        self, frames: Iterable[Frame], box: NDArray[np.float32], *, lost: int, patience: int
    ) -> list[Points | None]:
        """Look for a face in each frame around where it was last.

        Parameters
        ----------
        frames : iterable of Frame
            In the order in which to look; may run backwards.
        box : (4,) float32
            Where the face was last.
        lost : int
            Frames since then.
        patience : int
            Stop after so many frames without the face.

        Returns
        -------
        list of (68, 2) float32 or None
            One entry per frame until the scan stopped.
        """
        seen: list[Points | None] = []
        for frame in frames:
            found = self.find(frame, box, wide=lost > 0)
            seen.append(found)
            lost = lost + 1 if found is None else 0
            if lost > patience:
                break
            box = box if found is None else box_from_landmarks(found)
        return seen


def is_steady(path: list[Points]) -> bool:
    """Tell whether no step in a run of landmarks is too long for a face."""
    boxes = np.array([box_from_landmarks(points) for points in path], np.float64)
    sides = boxes[:, 2] - boxes[:, 0]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    if not (sides > 0).all():
        return False
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / sides[1:]
    growth = np.abs(np.diff(np.log(sides)))
    return bool((steps <= _MAX_STEP).all() and (growth <= np.log(_MAX_GROWTH)).all())


def _error(found: Points, expected: Points) -> float:
    """Return the mean distance of two sets of landmarks over the distance of the eye corners."""
    eyes = float(np.linalg.norm(found[45] - found[36]))
    return float(np.linalg.norm(found - expected, axis=1).mean()) / max(eyes, 1e-6)


def _crop(
    image: NDArray[np.uint8], box: NDArray[np.float32], context: float
) -> tuple[int, int, NDArray[np.uint8]]:
    """Return left, top and the part of an image around a box, cut off at the border."""
    half = context * box_side(box) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    height, width = image.shape[:2]
    left, top = (int(np.clip(v, 0, w)) for v, w in ((x - half, width), (y - half, height)))
    right, bottom = (int(np.clip(v, 0, w)) for v, w in ((x + half, width), (y + half, height)))
    return left, top, image[top:bottom, left:right]
