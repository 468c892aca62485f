"""A stand-in for noise, extractors that are small, and files with faces, to protect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
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
    """Puts grey stripes on the faces' boxes, and remembers how many there were."""

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
            seen = [own for own in points if np.isfinite(own).all()]
            for own in seen:
                x0, y0, x1, y1 = np.rint(box_from_landmarks(own)).astype(int).clip(0)
                noisy[y0:y1:4, x0:x1] = cv2.add(noisy[y0:y1:4, x0:x1], (CHANGE,) * 4)
            self.faces.append(len(seen))
            yield noisy


def extractor(seed: int = 1) -> Extractor:
    """Return one whose landmarks mean nothing, but are always the same."""
    made = extractor_class("avs-san")(width=0.125, seed=seed)
    made.trained = True
    return made


def extractor_file(path: Path, seed: int = 1) -> Path:
    extractor(seed).save(path)
    return path


def job(protector: Stripes | None = None, **settings: object) -> Job:
    torch.set_num_threads(1)
    own = {"small": extractor()}
    return Job(protector or Stripes(), own, ["small"], **settings)  # type: ignore[arg-type]


def face(x: float = 120, name: str = "astronaut", side: float = 80) -> np.ndarray:
    return placed(name, (x, 90), side, size=SIZE)


def talk(path: Path, *, sound: bool = True) -> Path:
    """Write 4 frames without a face, 8 with one that moves, and 2 of black; with sound."""
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
