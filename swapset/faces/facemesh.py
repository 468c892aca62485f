"""MediaPipe's FaceMesh: landmarks by another network and another markup, by OpenCV's DNN module."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from swapset.errors import ConfigError
from swapset.faces.packaged_models import FACEMESH
from swapset.types import Floats, Frames, Image, Points

VERTICES = 468
_SIDE = 192
_OUTPUT = "conv2d_20"
# FaceMesh sees a square around its own points with 25 % of margin on each side, turned upright by
# the eyes. It is given here by the 68 landmarks of a clean frame: medians over 618 frames of 34
# clips of 14 people, in root mean square distances of the 68 landmarks from their mean.
_REGION = 4.47
_ABOVE_MEAN = 0.19

AMONG_468: tuple[tuple[int, ...], ...] = (
    # outline of the face
    *((127,), (234,), (93,), (132, 58), (58, 172), (136,), (150,), (176,), (152,)),
    *((400,), (379,), (365,), (397, 288), (361,), (323,), (454,), (356,)),
    # eyebrows
    *((70,), (63,), (105,), (66,), (107,), (336,), (296,), (334,), (293,), (300,)),
    # nose
    *((168, 6), (197, 195), (5,), (4,), (75,), (97,), (2,), (326,), (305,)),
    # eyes
    *((33,), (160,), (158,), (133,), (153,), (144,)),
    *((362,), (385,), (387,), (263,), (373,), (380,)),
    # outer lips, inner lips
    *((61,), (39,), (37,), (0,), (267,), (269,), (291,), (321,), (314,), (17,), (84,), (91,)),
    *((78,), (82,), (13,), (312,), (308,), (317,), (14,), (87,)),
)
"""Point k of 68 is the mean of the vertices AMONG_468[k].

The table of PeizhiYan/Mediapipe_2_Dlib_Landmarks (mediapipe2dlib/mp2dlib.py). Eyes and lips have
corresponding vertices; the outline of the face, eyebrows and nose differ between both markups.
"""

_ONE, _OTHER = (np.array([each[end] for each in AMONG_468]) for end in (0, -1))


class FaceMesh:
    """FaceMesh's network on faces whose place is known.

    Parameters
    ----------
    model_path : path-like
        `face_landmark.tflite`; see `swapset.faces.packaged_models`.

    Raises
    ------
    ConfigError
        If there is no such file.

    References
    ----------
    Y. Kartynnik, A. Ablavatski, I. Grishchenko, M. Grundmann, "Real-time Facial Surface Geometry
    from Monocular Video on Mobile GPUs", CVPR Workshop on Computer Vision for Augmented and Virtual
    Reality, 2019.
    """

    def __init__(self, model_path: str | os.PathLike[str]) -> None:
        if not Path(model_path).is_file():
            raise ConfigError(
                f"{model_path}: is not there; install the package {FACEMESH.package} again, on "
                "every machine that runs jobs"
            )
        self._network = cv2.dnn.readNetFromTFLite(str(model_path))

    def predict(self, images: Frames, near: Points) -> Floats:
        """Return the landmarks of the face in each image.

        Parameters
        ----------
        images : (n, H, W, 3) uint8, RGB
        near : (n, 68, 2) float
            Landmarks x, y in pixels that tell where the face is, its size and how it is turned.

        Returns
        -------
        (n, 68, 2) float64
            x, y in pixels, in the order of iBUG 300-W; see `AMONG_468`.
        """
        matrices = [region(points) for points in near]
        crops = np.stack(
            [_crop(image, matrix) for image, matrix in zip(images, matrices, strict=True)]
        )
        self._network.setInput(crops.transpose(0, 3, 1, 2).astype(np.float32) / 255)
        found = self._network.forward(_OUTPUT).reshape(-1, VERTICES, 3)[..., :2].astype(np.float64)
        points = (found[:, _ONE] + found[:, _OTHER]) / 2
        return np.stack([_back(each, m) for each, m in zip(points, matrices, strict=True)])


def region(points: Points) -> Floats:
    """Return the transform (2, 3) float64 from an image to FaceMesh's input, in pixels.

    Parameters
    ----------
    points : (68, 2) float
        Landmarks x, y in pixels.
    """
    points = np.asarray(points, np.float64)
    mean = points.mean(0)
    spread = np.sqrt(((points - mean) ** 2).sum(1).mean())
    across = points[42:48].mean(0) - points[36:42].mean(0)
    cosine, sine = across / np.linalg.norm(across)
    turn = np.array([[cosine, sine], [-sine, cosine]]) * _SIDE / (_REGION * spread)
    centre = mean + _ABOVE_MEAN * spread * np.array([sine, -cosine])
    return np.column_stack([turn, _SIDE / 2 - turn @ centre])


def _crop(image: Image, matrix: Floats) -> Image:
    return np.asarray(cv2.warpAffine(image, matrix, (_SIDE, _SIDE)), np.uint8)


def _back(points: Floats, matrix: Floats) -> Floats:
    """Return points (n, 2) of FaceMesh's input in pixels of the image."""
    return np.asarray(np.linalg.solve(matrix[:, :2], (points - matrix[:, 2]).T).T)
