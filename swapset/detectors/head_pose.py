"""HeadPose: in a swapped face, the pose of the centre differs from the pose of the whole face.

X. Yang, Y. Li, S. Lyu, "Exposing Deep Fakes Using Inconsistent Head Poses", ICASSP 2019; follows
the code at bitbucket.org/ericyang3721/headpose_forensic (`utils/head_pose_proc.py`,
`forensic_test.py`, `train_step2_headposes.py`, `train_step3_training.py`).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from swapset.detectors.base import Arrays, Schedule
from swapset.detectors.classic import SupportVectors
from swapset.detectors.classic_fit import Labels, fit_svm
from swapset.detectors.face import Face
from swapset.detectors.feature_detector import FeatureDetector
from swapset.detectors.inputs.head_model import HEAD
from swapset.detectors.weights.pickles import Pickled
from swapset.detectors.weights.scikit_learn import published_svm
from swapset.errors import DataError
from swapset.types import Floats

CENTRE = (*range(17, 36), 48, 54)
"""Brows, nose and corners of the mouth: `markID_c` of the original, counted from 0."""

WHOLE = (*range(36), 48, 54)
"""The same and the outline of the face: `markID_a`."""


class HeadPose(FeatureDetector):
    """Difference of two head poses, standardised, scored by an RBF support vector machine.

    Features (12,): nine of the rotation matrices (row by row, centre minus whole), three of the
    translations, in the units of the 3D model. The score is the machine's decision value, as
    libsvm's probability does not keep the order of weak signals; see `SupportVectors.calibrated`.
    """

    name = "HeadPose"
    inputs = 12

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu"):
        super().__init__(seed=seed, device=device)
        self.classifier: SupportVectors = SupportVectors.untrained(self.inputs)

    def crop(self, face: Face) -> Floats:
        """Return the features (12,) float64 of a face's landmarks; see `Detector.crop`.

        The original takes landmarks in whole pixels, as dlib gives them; landmarks of a smoothed
        track are not rounded here.
        """
        camera = camera_matrix(*face.frame_size)
        centre = head_pose(face.landmarks, CENTRE, camera)
        whole = head_pose(face.landmarks, WHOLE, camera)
        if centre is None or whole is None:
            return np.full(self.inputs, np.nan)
        return np.concatenate([(centre[0] - whole[0]).ravel(), centre[1] - whole[1]])

    def learn(
        self, features: Floats, labels: Labels, schedule: Schedule, seed: int
    ) -> dict[str, Any]:
        """Fit the support vector machine, without regard to steps and batch."""
        self.classifier, facts = fit_svm(features, labels, seed)
        return facts

    def take_published(self, pickled: Pickled) -> None:
        """Load `[SVC, StandardScaler]`, as `train_step3_training.py` pickles them."""
        self.classifier = published_svm(pickled.value, self.inputs)

    def take(self, arrays: Arrays) -> None:
        """Load the arrays that `arrays` returned; see `Detector.take`."""
        try:
            self.classifier = SupportVectors.from_arrays(arrays, self.inputs)
        except DataError as error:
            raise DataError(f"weights do not fit {self.name}: {error}") from error


def camera_matrix(width: int, height: int) -> Floats:
    """Return the camera matrix (3, 3) float64 of the original.

    The focal length is the image's width, and the optical axis goes through its centre.
    """
    return np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]], np.float64)


def head_pose(
    landmarks: npt.ArrayLike, which: tuple[int, ...], camera: Floats
) -> tuple[Floats, Floats] | None:
    """Estimate a head's pose from some of its landmarks.

    Parameters
    ----------
    landmarks : (68, 2) float
        x, y in pixels of the frame.
    which : tuple of int
        Numbers of the landmarks to use.
    camera : (3, 3) float64

    Returns
    -------
    rotation matrix (3, 3) and translation (3,) float64, or None
        The translation is in millimetres of the 3D model. None = no solution.
    """
    numbers = list(which)
    points = np.asarray(landmarks, np.float32)[numbers]
    try:
        solved, turn, shift = cv2.solvePnP(HEAD[numbers], points, camera, np.zeros((4, 1)))
    except cv2.error:
        return None
    if not solved:
        return None
    return np.asarray(cv2.Rodrigues(turn)[0], np.float64), np.asarray(shift, np.float64)[:, 0]
