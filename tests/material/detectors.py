"""Faces for testing detectors: portraits in motion, and the same with a coarse inner face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from material.faces import placed

from swapset.detectors.face import Face, cut_face
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import polygon, render_mask

SIZE = (300, 340)


@lru_cache(maxsize=1)
def _predictor() -> LandmarkPredictor:
    return LandmarkPredictor()


def picture(seed: int, *, side: float = 120.0) -> tuple[npt.NDArray[np.uint8], np.ndarray]:
    """Return a frame (300, 340, 3) uint8 RGB with one face, and its landmarks (68, 2) float32."""
    rng = np.random.default_rng(seed)
    name = "astronaut" if seed // 2 % 2 else "hopper"
    centre = (170 + rng.uniform(-12, 12), 150 + rng.uniform(-12, 12))
    side *= rng.uniform(0.9, 1.1)
    frame = placed(name, centre, side, size=SIZE, degrees=rng.uniform(-8, 8))
    lit = frame * rng.uniform(0.8, 1.15) + rng.normal(0, 2, frame.shape)
    frame = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
    x, y = centre
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return frame, _predictor().predict(frame, box)


def face(seed: int, *, fake: bool = False, side: float = 120.0) -> Face:
    """Return a real face, or a fake one with a coarse inner face pasted in."""
    frame, points = picture(seed, side=side)
    alpha = render_mask(polygon(points, "smooth"), frame.shape[:2], 6)
    if not fake:
        cut = cut_face(frame, points, swapped=np.zeros(frame.shape[:2], bool))
    else:
        small = cv2.resize(frame, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(small, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        mixed = frame + alpha[..., None] * (coarse.astype(np.float32) - frame)
        cut = cut_face(np.rint(mixed).astype(np.uint8), points, swapped=alpha > 0)
    assert cut is not None
    return cut


@dataclass(frozen=True)
class FaceList:
    """Faces in memory, in the form in which detectors take them for training."""

    faces: tuple[Face, ...]
    labels: npt.NDArray[np.int8]
    videos: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Face:
        return self.faces[index]


@lru_cache(maxsize=4)
def samples(count: int = 16, first: int = 0) -> FaceList:
    """Return `count` faces, every other one fake, two to a video."""
    labels = np.arange(count) % 2
    faces = tuple(face(first + k, fake=bool(label)) for k, label in enumerate(labels))
    videos = (np.arange(count) // 2 * 2 + labels).astype(np.int32)
    return FaceList(faces, labels.astype(np.int8), videos)
