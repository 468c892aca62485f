"""Models that no attack follows: landmarks by dlib and FaceMesh, faces by HOG and CenterFace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from swapset.faces.boxes import box_side, intersection_over_union
from swapset.faces.detect import CenterFaceDetector, Detector, HogDetector
from swapset.faces.facemesh import FaceMesh
from swapset.faces.follow import LOCAL_MIN_FACE, SAME_PLACE
from swapset.faces.landmarks import LandmarkPredictor
from swapset.obstruction.attacks.registry import CENTER, DLIB, MESH
from swapset.obstruction.keyframes import Run
from swapset.types import Frames, Mask

HOG = "hog"


def black_box_finders(
    predictor: str, files: Mapping[str, str]
) -> dict[str, LandmarkPredictor | FaceMesh]:
    """Return the models that find landmarks, by name.

    Parameters
    ----------
    predictor : str
        dlib's 68-point model; "" = the installed one.
    files : mapping of str to str
        Files of models of other packages, as `LandmarkBreakerPlan.black_boxes` names them.

    Raises
    ------
    ConfigError
        If a file is missing.
    """
    finders: dict[str, LandmarkPredictor | FaceMesh] = {DLIB: LandmarkPredictor(predictor or None)}
    if MESH in files:
        finders[MESH] = FaceMesh(files[MESH])
    return finders


def black_box_detectors(files: Mapping[str, str]) -> dict[str, Detector]:
    """Return the face detectors by name; see `black_box_finders`."""
    detectors: dict[str, Detector] = {HOG: HogDetector()}
    if CENTER in files:
        detectors[CENTER] = CenterFaceDetector(files[CENTER])
    return detectors


def detected(
    detectors: Mapping[str, Detector], shown: Frames, run: Run
) -> Iterator[dict[str, object]]:
    """Yield for each detector and frame whether the face is found.

    Parameters
    ----------
    detectors : mapping of str to Detector
        By name.
    shown : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The boxes of the faces in these frames.

    Yields
    ------
    dict
        detector, run, frame, found.
    """
    for name, detector in detectors.items():
        for place, found in enumerate(face_found(detector, shown, run)):
            yield {"detector": name, "run": run.name, "frame": run.first + place, "found": found}


def face_found(detector: Detector, shown: Frames, run: Run) -> Mask:
    """Return whether a detector finds the face in each frame.

    It sees the whole frame as large as it is, because noise does not survive shrinking, and
    enlarged only where the face is too small for it.

    Parameters
    ----------
    detector : Detector
    shown : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The boxes of the faces in these frames.

    Returns
    -------
    (n,) bool
    """
    found = []
    for frame, box in zip(shown, run.boxes, strict=True):
        smallest = min(detector.smallest, LOCAL_MIN_FACE * box_side(box))
        boxes, _ = detector.detect(np.ascontiguousarray(frame), min_face=smallest)
        overlap = intersection_over_union(box, boxes) if len(boxes) else np.zeros(1)
        found.append(bool(overlap.max() >= SAME_PLACE))
    return np.array(found, bool)
