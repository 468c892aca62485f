"""Material for protecting files: a stand-in for the noise, small extractors, files with faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from material.faces import background, placed
from material.media import ffmpeg, write_video
from PIL import Image

from swapset.extractors.base import Extractor
from swapset.extractors.registry import extractor_class
from swapset.faces.boxes import box_from_landmarks
from swapset.obstruction.protect.measure import Job

SIZE = (180, 240)
CHANGE = 8


class Stripes:
    """Protector that puts grey stripes on the faces' boxes, and records their number per frame."""

    restart = 1.0

    def __init__(self, stop_at: int | None = None) -> None:
        self.faces: list[int] = []
        self.stop_at = stop_at

    def protect(
        self, frames: Iterable[np.ndarray], landmarks: Iterable[np.ndarray]
    ) -> Iterator[np.ndarray]:
        for frame, points in zip(frames, landmarks, strict=True):
            if len(self.faces) == self.stop_at:
                raise KeyboardInterrupt
            noisy = frame.copy()
            seen = [face for face in points if np.isfinite(face).all()]
            for face in seen:
                x0, y0, x1, y1 = np.rint(box_from_landmarks(face)).astype(int).clip(0)
                noisy[y0:y1:4, x0:x1] = cv2.add(noisy[y0:y1:4, x0:x1], (CHANGE,) * 4)
            self.faces.append(len(seen))
            yield noisy

    def seconds(self, image: np.ndarray, points: np.ndarray) -> float:
        return 0.001


def extractor(seed: int = 1) -> Extractor:
    """Return an untrained extractor that counts as trained; its landmarks are reproducible."""
    untrained = extractor_class("avs-san")(width=0.125, seed=seed)
    untrained.trained = True
    return untrained


def extractor_file(path: Path, seed: int = 1) -> Path:
    extractor(seed).save(path)
    return path


def job(protector: Stripes | None = None, **settings: object) -> Job:
    extractors = {"small": extractor()}
    return Job(protector or Stripes(), extractors, ["small"], **settings)  # type: ignore[arg-type]


def face(x: float = 120, name: str = "astronaut", side: float = 80) -> np.ndarray:
    return placed(name, (x, 90), side, size=SIZE)


def talk(path: Path, *, sound: bool = True) -> Path:
    """Write a video of 4 frames without a face, 8 with a moving face, and 2 black ones."""
    images = [background(SIZE)] * 4 + [face(110 + 2 * k) for k in range(8)]
    images += [np.zeros((*SIZE, 3), np.uint8)] * 2
    if not sound:
        return write_video(path, images, options={"crf": "12"})
    plain = write_video(path.with_name("plain.mp4"), images, options={"crf": "12"})
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=duration=0.4", "-c:v", "copy", path)
    plain.unlink()
    return path


def two_people() -> np.ndarray:
    left = placed("astronaut", (110, 120), 120, size=(240, 400))
    return placed("hopper", (300, 120), 56, size=(240, 400), onto=left)


def save(path: Path, image: np.ndarray, mode: str = "RGB") -> Path:
    Image.fromarray(image).convert(mode).save(path)
    return path
