"""Follow one face from frame to frame by its landmarks, or by local detection if that fails."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from swapset.faces.boxes import (
    box_from_landmarks,
    box_side,
    boxes_from_landmarks,
    intersection_over_union,
)
from swapset.faces.detect import Detector
from swapset.faces.landmarks import LandmarkPredictor
from swapset.media.planar import AnyImage, grey_of, rgb_of
from swapset.types import Bytes, Floats32, Image, Points

_CROP = 1.9  # side of the region in which a known face is looked for, in sides of the face
_WIDE_CROP = 2.6  # the same for a lost face, which may have moved
LOCAL_MIN_FACE = 0.8
"""Smallest face to look for in sides of a known face; for HOG's 80 pixels, faces get 100."""
SAME_PLACE = 0.4
"""Least intersection over union of the detected and the expected box."""
_SAME_PLACE_WIDE = 0.2  # the same for a lost face
_SAME_LANDMARKS = 0.1  # largest normalised mean error between followed and detected landmarks
_MAX_STEP = 0.35  # largest move from one frame to the next, in sides of the face
_MAX_GROWTH = 1.2  # largest change of size from one frame to the next


class Frame:
    """A frame in the buffer; converted only where that is needed.

    Parameters
    ----------
    index : int
        Number of the frame, from 0.
    source : (H, W, 3) uint8 RGB, or PlanarImage
        The frame.
    """

    def __init__(self, index: int, source: AnyImage) -> None:
        self.index, self._source = index, source

    @cached_property
    def image(self) -> Image:
        """The frame, (H, W, 3) uint8 RGB."""
        return rgb_of(self._source)

    @cached_property
    def grey(self) -> Bytes:
        """The frame in grey, (H, W) uint8, on which the landmark predictor is faster."""
        return grey_of(self._source)


class Follower:
    """Finds a known face again in the next frame or in a run of frames.

    Parameters
    ----------
    detector : Detector
        Detects faces in a region.
    predictor : LandmarkPredictor
        Predicts landmarks in a box.
    """

    def __init__(self, detector: Detector, predictor: LandmarkPredictor) -> None:
        self._detector = detector
        self._predictor = predictor

    def fit(self, frame: Frame, box: Floats32) -> Points:
        """Return landmarks, (68, 2) float32 in pixels, for a detected box (4,).

        A second pass starts from the box that belongs to the landmarks of the first, so that the
        result depends neither on the steps in which a detector scans sizes nor on the detector.
        """
        first = self._predictor.predict(frame.grey, box)
        return self._predictor.predict(frame.grey, box_from_landmarks(first))

    def follow(self, frames: Iterable[Frame], landmarks: Points) -> list[Points]:
        """Return landmarks for each frame, each predicted from those of the frame before.

        Parameters
        ----------
        frames : iterable of Frame
            The frames, in order.
        landmarks : (68, 2) float32
            Landmarks x, y in pixels of the frame before the first.

        Returns
        -------
        list of (68, 2) float32
        """
        path = []
        for frame in frames:
            landmarks = self._predictor.predict(frame.grey, box_from_landmarks(landmarks))
            path.append(landmarks)
        return path

    def find(self, frame: Frame, box: Floats32, *, wide: bool = False) -> Points | None:
        """Return the landmarks of the face near a box.

        Parameters
        ----------
        frame : Frame
            The frame.
        box : (4,) float32
            x0, y0, x1, y1 in pixels where the face was last.
        wide : bool
            Whether to look in a wider region, for a face that was lost.

        Returns
        -------
        (68, 2) float32 or None
            x, y in pixels; None if the detector sees no face there.
        """
        detected = self.locate(frame, box, wide=wide)
        return None if detected is None else self.fit(frame, detected)

    def confirms(self, frame: Frame, landmarks: Points) -> bool:
        """Return whether a new detection confirms the landmarks, (68, 2) float32 in pixels."""
        detected = self.locate(frame, box_from_landmarks(landmarks))
        return detected is not None and self.agrees(frame, landmarks, detected)

    def agrees(self, frame: Frame, landmarks: Points, detected: Floats32) -> bool:
        """Return whether landmarks that were followed belong to a detected face.

        Parameters
        ----------
        frame : Frame
            The frame.
        landmarks : (68, 2) float32
            x, y in pixels.
        detected : (4,) float32
            Box x0, y0, x1, y1 in pixels.
        """
        first = self._predictor.predict(frame.grey, detected)
        if _error(first, landmarks) <= _SAME_LANDMARKS:
            return True
        # the difference may come only from the detector's coarse steps in size
        second = self._predictor.predict(frame.grey, box_from_landmarks(first))
        return _error(second, landmarks) <= _SAME_LANDMARKS

    def locate(self, frame: Frame, box: Floats32, *, wide: bool = False) -> Floats32 | None:
        """Return the detected box that overlaps a given box best.

        Parameters
        ----------
        frame : Frame
            The frame.
        box : (4,) float32
            x0, y0, x1, y1 in pixels where the face was last.
        wide : bool
            Whether to look in a wider region, for a face that was lost.

        Returns
        -------
        (4,) float32 or None
            Square x0, y0, x1, y1 in pixels; None if the detector sees no face there.
        """
        side = box_side(box)
        x0, y0, crop = _crop(frame.image, box, _WIDE_CROP if wide else _CROP)
        if min(crop.shape[:2]) < side / 2:
            return None
        boxes, _ = self._detector.detect(crop, min_face=LOCAL_MIN_FACE * side, lenient=True)
        if not len(boxes):
            return None
        boxes = boxes + np.array([x0, y0, x0, y0], np.float32)
        overlap = intersection_over_union(box, boxes)
        best = int(np.argmax(overlap))
        return boxes[best] if overlap[best] >= (_SAME_PLACE_WIDE if wide else SAME_PLACE) else None

    def scan(
        self, frames: Iterable[Frame], box: Floats32, *, lost: int, patience: int
    ) -> list[Points | None]:
        """Look for a face in each frame, near the place where it was last.

        Parameters
        ----------
        frames : iterable of Frame
            In the order in which to look; may run backwards.
        box : (4,) float32
            x0, y0, x1, y1 in pixels where the face was last.
        lost : int
            Frames since then.
        patience : int
            Stop after more than this many frames without the face.

        Returns
        -------
        list of (68, 2) float32 or None
            Landmarks x, y in pixels for each frame until the scan stopped; None = not seen.
        """
        seen: list[Points | None] = []
        for frame in frames:
            landmarks = self.find(frame, box, wide=lost > 0)
            seen.append(landmarks)
            lost = lost + 1 if landmarks is None else 0
            if lost > patience:
                break
            box = box if landmarks is None else box_from_landmarks(landmarks)
        return seen


def is_steady(path: list[Points]) -> bool:
    """Return whether a run of landmarks, (68, 2) float32 each, moves no faster than a face does."""
    boxes = np.asarray(boxes_from_landmarks(path), np.float64)
    sides = boxes[:, 2] - boxes[:, 0]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    if not (sides > 0).all():
        return False
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / sides[1:]
    growth = np.abs(np.diff(np.log(sides)))
    return bool((steps <= _MAX_STEP).all() and (growth <= np.log(_MAX_GROWTH)).all())


def _error(landmarks: Points, expected: Points) -> float:
    """Return the mean distance between two sets of landmarks over that of the eye corners."""
    eyes = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    return float(np.linalg.norm(landmarks - expected, axis=1).mean()) / max(eyes, 1e-6)


def _crop(image: Image, box: Floats32, context: float) -> tuple[int, int, Image]:
    """Return left and top of the region around a box, and the region, cut off at the border."""
    half = context * box_side(box) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    height, width = image.shape[:2]
    left, top = (int(np.clip(v, 0, w)) for v, w in ((x - half, width), (y - half, height)))
    right, bottom = (int(np.clip(v, 0, w)) for v, w in ((x + half, width), (y + half, height)))
    return left, top, image[top:bottom, left:right]
