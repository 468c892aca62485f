"""Expression and pose of a face, and how well a fake keeps those of its target.

dlib's 68 landmarks are predicted on the target's frame and on the fake's from the same boxes, so
that an unchanged frame gives exactly the same landmarks. Lengths are in face widths, see
`swapset.faces.align.face_width`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from swapset.detectors.inputs.head_model import HEAD
from swapset.faces.align import (
    crop_transform,
    standard_points,
    transform_points,
    umeyama,
    warp_crop,
)
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.landmarks import LandmarkPredictor
from swapset.types import Bytes, Floats

FACE = 300
"""Width in pixels to which faces are scaled: dlib rounds landmarks to whole pixels."""
CONTEXT = 1.5
"""Side of the crop in which landmarks are predicted, in face widths."""
SHIFTS = ((0.0, 0.0), (0.02, 0.0), (-0.02, 0.0), (0.0, 0.02), (0.0, -0.02))
"""Shifts of the box, in box sides. The mean of their predictions has half the noise of one."""

NOT_JAW = slice(17, 68)
"""Brows, nose, eyes and mouth. The jaw is outside the blending mask and stays the target's own."""
RIGID = (*range(27, 36), 36, 39, 42, 45)
"""Nose and corners of the eyes: points that no expression moves far."""
EYES = (36, 42)
"""First of the six points of each eye."""
LIPS = ((61, 67), (62, 66), (63, 65))
"""Opposite points of the inner lips."""
DISTANCE = 4.0
"""Distance of the camera in face widths, about 60 cm."""
HEAD_WIDTH = float(np.ptp(HEAD[:, 0]))
"""Face width of the 3D head in millimetres."""

EYES_MOVE = 0.025
"""Smallest standard deviation of a target's eye opening at which following is measured: three
times the noise, see docs/quality.md."""
MOUTH_MOVES = 0.01
"""The same for the mouth opening."""


class Expression(NamedTuple):
    """Expression and pose of the face in one frame.

    Attributes
    ----------
    points : (68, 2) float64
        Landmarks x, y in face widths, in the aligned crop of the target.
    eyes : (2,) float64
        Opening of each eye: distance of the lids over the eye's width; about 0.3, closed 0.1.
    mouth : float
        Opening of the mouth: distance of the inner lips over that of the outer corners of the eyes.
    smile : float
        Width of the mouth over the distance of the outer corners of the eyes.
    pose : (3,) float64
        Yaw, pitch and roll of the head in degrees, in the aligned crop; positive to the right,
        downward and clockwise in the picture.
    """

    points: Floats
    eyes: Floats
    mouth: float
    smile: float
    pose: Floats


class ExpressionError(NamedTuple):
    """Distance of a fake's expression and pose from the target's in one frame.

    Attributes
    ----------
    landmark_distance : float
        Mean distance of the landmarks without the jaw after similarity alignment, in face widths.
    eye_error, mouth_error, smile_error : float
        Absolute differences of the openings and of the mouth's width, see `Expression`; that of
        the eyes is a mean over both.
    pose_error : float
        Root of the sum of the squared differences of yaw, pitch and roll, in degrees.
    """

    landmark_distance: float
    eye_error: float
    mouth_error: float
    smile_error: float
    pose_error: float


class ExpressionScore(NamedTuple):
    """Mean errors of a fake over its frames, and how well it follows; NaN without frames.

    Attributes
    ----------
    landmark_distance, eye_error, mouth_error, smile_error, pose_error : float
        Means of `ExpressionError`.
    eyes_follow, mouth_follows : float
        Correlations over time of the fake's and the target's opening, in [-1, 1]; NaN if the
        target's hardly changes (`EYES_MOVE`, `MOUTH_MOVES`).
    eyes_gain, mouth_gain : float
        Slopes of the fake's opening over the target's: 1 = opens as far, 0.2 = a fifth of it.
    """

    landmark_distance: float
    eye_error: float
    mouth_error: float
    smile_error: float
    pose_error: float
    eyes_follow: float
    mouth_follows: float
    eyes_gain: float
    mouth_gain: float


class ExpressionReader:
    """Reads expressions and poses from pictures; about 6 ms per face."""

    def __init__(self) -> None:
        self._predictor = LandmarkPredictor()
        side = round(FACE * CONTEXT)
        box = box_from_landmarks(standard_points(side, CONTEXT))
        self._side = side
        self._boxes = [box + box_side(box) * np.array(shift * 2) for shift in SHIFTS]

    def read(self, picture: Bytes, landmarks: npt.ArrayLike) -> Expression:
        """Return the expression and pose of a face.

        Parameters
        ----------
        picture : (H, W, 3) or (H, W) uint8
            The target's or the fake's frame (or aligned face), RGB or grey in [0, 255].
        landmarks : (68, 2) array-like
            The target's landmarks in this frame, x, y in pixels: they say where the face is. They
            have to be the same for target and fake.
        """
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        crop = warp_crop(grey, crop_transform(landmarks, self._side, CONTEXT), self._side)
        found = [self._predictor.predict(crop, box) for box in self._boxes]
        return expression(np.asarray(np.mean(found, axis=0, dtype=np.float64)) / FACE)


def expression(points: Floats) -> Expression:
    """Return the expression and pose of landmarks (68, 2) float64 in face widths."""
    smile = float(np.linalg.norm(points[48] - points[54])) / _eye_distance(points)
    return Expression(points, eye_openings(points), mouth_opening(points), smile, _pose(points))


def eye_openings(points: npt.NDArray[np.floating]) -> Floats:
    """Return the opening of each eye, (2,) float64, from landmarks (68, 2) in any unit."""
    openings = []
    for start in EYES:
        eye = points[start : start + 6]
        lids = np.linalg.norm(eye[[1, 2]] - eye[[5, 4]], axis=1).mean()
        openings.append(lids / np.linalg.norm(eye[0] - eye[3]))
    return np.array(openings, np.float64)


def mouth_opening(points: npt.NDArray[np.floating]) -> float:
    """Return the opening of the mouth, from landmarks (68, 2) float in any unit."""
    upper, lower = np.transpose(LIPS)
    lips = np.linalg.norm(points[upper] - points[lower], axis=1)
    return float(lips.mean()) / _eye_distance(points)


def _eye_distance(points: npt.NDArray[np.floating]) -> float:
    return float(np.linalg.norm(points[36] - points[45]))


def expression_error(target: Expression, fake: Expression) -> ExpressionError:
    """Return how far a fake's expression and pose are from the target's in the same frame."""
    goal, points = target.points[NOT_JAW], fake.points[NOT_JAW]
    aligned = transform_points(umeyama(points, goal), points)
    return ExpressionError(
        float(np.linalg.norm(aligned - goal, axis=1).mean()),
        float(np.abs(target.eyes - fake.eyes).mean()),
        abs(target.mouth - fake.mouth),
        abs(target.smile - fake.smile),
        float(np.linalg.norm(target.pose - fake.pose)),
    )


def expression_score(targets: Sequence[Expression], fakes: Sequence[Expression]) -> ExpressionScore:
    """Return the score of a fake from the expressions of the same frames in both videos.

    Raises
    ------
    ValueError
        If the numbers of frames differ.
    """
    errors = [expression_error(*pair) for pair in zip(targets, fakes, strict=True)]
    if not errors:
        return ExpressionScore(*[float("nan")] * len(ExpressionScore._fields))
    eyes = following(
        [one.eyes.mean() for one in targets], [one.eyes.mean() for one in fakes], EYES_MOVE
    )
    mouth = following([one.mouth for one in targets], [one.mouth for one in fakes], MOUTH_MOVES)
    return ExpressionScore(
        **dict(zip(ExpressionError._fields, np.mean(errors, axis=0).tolist(), strict=True)),
        eyes_follow=eyes.correlation,
        mouth_follows=mouth.correlation,
        eyes_gain=eyes.gain,
        mouth_gain=mouth.gain,
    )


class Following(NamedTuple):
    """Correlation and gain of a fake's opening over the target's.

    Attributes
    ----------
    correlation : float
        In [-1, 1]; 0 for a fake that does not move.
    gain : float
        Slope of the fake's opening over the target's.
    """

    correlation: float
    gain: float


def following(target: npt.ArrayLike, fake: npt.ArrayLike, enough: float) -> Following:
    """Return how well a fake's opening follows the target's over time.

    Parameters
    ----------
    target, fake : (n,) array-like
        The opening in each frame.
    enough : float
        Smallest standard deviation of the target's opening; NaN is returned below it.
    """
    goal, shown = np.asarray(target, np.float64), np.asarray(fake, np.float64)
    spread = float(goal.std())
    if spread < enough:
        return Following(float("nan"), float("nan"))
    if not shown.std():
        return Following(0.0, 0.0)
    correlation = float(np.corrcoef(goal, shown)[0, 1])
    return Following(correlation, correlation * float(shown.std()) / spread)


def _pose(points: Floats) -> Floats:
    """Return yaw, pitch and roll in degrees, (3,) float64, of landmarks in face widths."""
    numbers = list(RIGID)
    # Depth grows away from the camera: the nose is nearest.
    head = HEAD[numbers].astype(np.float64) * (1, 1, -1)
    middle = CONTEXT / 2
    camera = np.array([[DISTANCE, 0, middle], [0, DISTANCE, middle], [0, 0, 1]])
    start = np.zeros(3), np.array([0.0, 0.0, DISTANCE * HEAD_WIDTH])
    _, turn, _ = cv2.solvePnP(head, points[numbers], camera, None, *start, useExtrinsicGuess=True)
    matrix = cv2.Rodrigues(turn)[0]
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    pitch = np.arctan2(matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return np.degrees(np.array([yaw, pitch, roll], np.float64))
