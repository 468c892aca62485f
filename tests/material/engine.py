"""A small network detector, and faces from which it learns in a few steps."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from material.detectors import FaceList
from torch import Tensor, nn

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face, cut_face
from swapset.faces.boxes import box_from_landmarks


class Tiny(NetworkDetector):
    """Detector that scores by colour and learns in a few steps."""

    name = "Tiny"
    side = 8
    published = Schedule(steps=40, batch=8, learning_rate=0.05)

    def build(self) -> nn.Module:
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))

    def crop(self, face: Face) -> npt.NDArray[np.uint8]:
        return cv2.resize(face.pixels, (8, 8), interpolation=cv2.INTER_AREA)

    def prepare(self, crops: Tensor) -> Tensor:
        return crops / 255

    def fake_probability(self, output: Tensor) -> Tensor:
        return output[:, 0].sigmoid()

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(output[:, 0], batch.labels)


class Twin(Tiny):
    """Detector with two crops of every face, the second one mirrored."""

    name = "Twin"

    def crop(self, face: Face) -> npt.NDArray[np.uint8]:
        crop = super().crop(face)
        return np.stack([crop, crop[:, ::-1]])


def shape() -> npt.NDArray[np.float64]:
    """Return landmarks (68, 2) around 0 with a box of side 1 that is centred near 0."""
    rng = np.random.default_rng(68)
    points = rng.uniform(-1, 1, (68, 2))
    x0, y0, x1, y1 = box_from_landmarks(points).astype(np.float64)
    return (points - ((x0 + x1) / 2, (y0 + y1) / 2)) / (x1 - x0)


def frame_of(label: int, seed: int) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    frame = rng.normal((110, 120, 130), 25, (60, 70, 3))
    frame[..., 0] += 30 * label
    return np.clip(frame, 0, 255).astype(np.uint8)


def points_at(x: float, y: float, side: float) -> npt.NDArray[np.float64]:
    return shape() * side + (x, y)


def faces(labels, first: int = 0) -> FaceList:
    cut = [
        cut_face(frame_of(label, first + k), points_at(35, 30, 20))
        for k, label in enumerate(labels)
    ]
    count = np.arange(len(labels), dtype=np.int32)
    return FaceList(tuple(each for each in cut if each), np.array(labels, np.int8), count)


MIXED = [0, 1, 0, 0, 1, 0, 1, 0, 0, 1]


def weights(detector: Tiny) -> dict[str, npt.NDArray]:
    return {name: np.array(part) for name, part in detector.arrays().items()}


def fitted(
    seed: int = 3, *, kind: type[Tiny] = Tiny, validation=None, **asked
) -> tuple[Tiny, dict]:
    detector = kind(seed=seed)
    facts = detector.fit(faces(MIXED * 2), validation, Schedule(seed=seed, **asked))
    return detector, facts
