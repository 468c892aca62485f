"""Stand-in of this branch only: main's `Protector` takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from swapset.extractors.base import Extractor
from swapset.faces.align import umeyama
from swapset.faces.boxes import box_from_landmarks
from swapset.obstruction.frames import OnFrames
from swapset.obstruction.registry import make_attack

Frame = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]


class Protector:
    """Puts noise on frames that follow each other, beginning with the noise of the last one."""

    def __init__(
        self,
        extractors: Sequence[Extractor],
        *,
        attack: str = "lb",
        first: int = 20,
        steps: int = 4,
        seed: int = 0,
        **settings: Any,
    ):
        settings = {**settings, "budget": "project"}
        self.extractor = extractors[0]
        self.first = make_attack(attack, seed=seed, iterations=first, **settings)
        self.next = make_attack(attack, seed=seed, iterations=steps, **settings)

    def protect(self, frames: Iterable[Frame], landmarks: Iterable[Points]) -> Iterator[Frame]:
        last: tuple[npt.NDArray[np.float32], Points] | None = None
        for frame, points in zip(frames, landmarks, strict=True):
            if not np.isfinite(points).all():
                last = None
                yield frame
                continue
            start = None
            if last is not None:
                moved = umeyama(last[1], points)
                start = frame + cv2.warpAffine(last[0], moved, frame.shape[1::-1])
            noisy = self._noisy(frame, points, start)
            last = noisy.astype(np.float32) - frame, points
            yield noisy

    def _noisy(self, frame: Frame, points: Points, start: Any) -> Frame:
        image = torch.from_numpy(frame).permute(2, 0, 1)[None]
        box = torch.from_numpy(box_from_landmarks(points)[None])
        begin = None if start is None else torch.from_numpy(start).permute(2, 0, 1)[None]
        attack = self.first if start is None else self.next
        noisy = attack.run(OnFrames(self.extractor, box), image, start=begin)
        return noisy[0].permute(1, 2, 0).contiguous().numpy()
