"""Noise on frames that follow each other: each starts from the noise of those before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swapset.extractors.base import Extractor
from swapset.faces.align import umeyama
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.attacks.face_mask import face_masks
from swapset.obstruction.attacks.on_frames import OnFrames
from swapset.obstruction.attacks.registry import attack_class, make_attack
from swapset.obstruction.ensemble import Ensemble
from swapset.types import Image, Points

GPU_BLOCK = 16
"""Frames that a GPU works on at once; all start from the noise before the first."""

LARGEST_FACE = 768.0
"""Pixels from eyebrows to chin above which noise is made on a smaller picture, and enlarged.

Else an attack's memory grows with the face, of which extractors see 128 or 256 pixels.
"""


class Protector:
    """Puts noise on the faces of a video.

    The noise of the last frame, moved along with the face, is the start of the next, so that a few
    steps are enough for each; and what stays the same from frame to frame survives video
    compression better.

    Parameters
    ----------
    extractors : sequence of Extractor
        Trained, on one device. `lb-robust` follows all of them, other attacks only the first.
    attack : str
    first : int
        Steps on the first frame of a face.
    steps : int
        Steps on each further frame.
    keep : float
        Share of the last frame's noise that the next starts from.
    seed : int
    **settings
        Of the attack.
    """

    def __init__(
        self,
        extractors: Sequence[Extractor],
        *,
        attack: str = "lb-robust",
        first: int = 20,
        steps: int = 4,
        keep: float = 0.9,
        seed: int = 0,
        **settings: Any,
    ):
        several = attack_class(attack).follows_several
        self.extractors = list(extractors) if several else list(extractors[:1])
        settings |= {"budget": "project", "seed": seed}
        self._first = make_attack(attack, iterations=first, **settings)
        # Later frames follow one extractor at a step (benchmarks/protect.py compares).
        turns = {"at_once": 1} if several else {}
        self._next = make_attack(attack, iterations=steps, **{**turns, **settings})
        self.keep = keep
        device = self.extractors[0].device
        self._device, self._block = device, GPU_BLOCK if device.type == "cuda" else 1

    def protect(self, frames: Iterable[Image], landmarks: Iterable[Points]) -> Iterator[Image]:
        """Yield noisy frames.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8, RGB
        landmarks : iterable of (n, 68, 2) float32
            Of each frame, x and y in pixels. Row i is the same face in all frames, NaN where it is
            not seen; n may be 0. A frame without a face comes back as it was.

        Yields
        ------
        (H, W, 3) uint8, RGB
        """
        kept: dict[int, _Noise] = {}
        pairs = zip(frames, landmarks, strict=True)
        while block := list(islice(pairs, self._block)):
            yield from self._protected([frame for frame, _ in block], [p for _, p in block], kept)

    def _protected(
        self, frames: list[Image], landmarks: list[Points], kept: dict[int, _Noise]
    ) -> list[Image]:
        """Return noisy frames; `kept` has each face's noise before them, and then after."""
        noisy, last = [frame.copy() for frame in frames], len(frames) - 1
        for face in range(max(map(len, landmarks))):
            places = [k for k, own in enumerate(landmarks) if _is_seen(own, face)]
            before = kept.pop(face, None)
            if not places:
                continue
            points = np.stack([landmarks[k][face] for k in places])
            parts = self._noise([frames[k] for k in places], points, before)
            for k, part in zip(places, parts, strict=True):
                part.add_to(noisy[k], frames[k], self._first.epsilon)
            if places[-1] == last:
                kept[face] = parts[-1]
        return noisy

    def _noise(self, frames: list[Image], points: Points, before: _Noise | None) -> list[_Noise]:
        """Return the noise of a face at points (B, 68, 2) of frames (H, W, 3)."""
        boxes = np.stack([box_from_landmarks(own) for own in points])
        looking = [OnFrames(extractor, torch.from_numpy(boxes)) for extractor in self.extractors]
        rows, columns = Ensemble(looking).window(*frames[0].shape[:2])
        corner = np.array([columns.start, rows.start], np.float32)
        images = np.stack([frame[rows, columns] for frame in frames])
        start, turn, attack = None, 0, self._first
        if before is not None:
            start = np.stack([before.moved(own, corner, images.shape[1:3]) for own in points])
            turn, attack = before.turn, self._next
        factor = _shrinking(boxes)
        added = self._added(
            attack,
            _smaller(images, factor),
            np.asarray((points - corner + 0.5) / factor - 0.5, np.float32),
            start=None if start is None else _smaller(start, factor),
            turn=turn,
        )
        added = _larger(added, factor, images.shape[1:3])
        return [
            _Noise(own, place - corner, rows, columns, turn + attack.iterations)
            for own, place in zip(added, points, strict=True)
        ]

    def _added(
        self,
        attack: Attack,
        images: npt.NDArray[np.uint8],
        points: Points,
        *,
        start: npt.NDArray[np.float32] | None,
        turn: int,
    ) -> npt.NDArray[np.int16]:
        """Return the noise of an attack on a face at points (B, 68, 2) of images (B, h, w, 3)."""
        boxes = torch.from_numpy(np.stack([box_from_landmarks(own) for own in points]))
        mask = torch.from_numpy(face_masks(points, images.shape[1:3])).to(self._device)
        part = Ensemble([OnFrames(extractor, boxes, mask=mask) for extractor in self.extractors])
        clean = _tensor(images, self._device)
        begun = None if start is None else clean + self.keep * _tensor(start, self._device)
        followed = part if attack.follows_several else part.members[0]
        noisy = attack.run(followed, clean, start=begun, turn=turn)
        return (noisy.short() - clean.short()).permute(0, 2, 3, 1).cpu().numpy()


@dataclass(frozen=True)
class _Noise:
    """Noise (h, w, 3) int16 of a part of a frame, and the face's landmarks there (68, 2).

    `turn` is the number of the step that would come next.
    """

    added: npt.NDArray[np.int16]
    points: Points
    rows: slice
    columns: slice
    turn: int

    def add_to(self, noisy: Image, clean: Image, epsilon: float) -> None:
        """Put it on a frame that may have noise of other faces; no pixel goes beyond epsilon."""
        part, most = (self.rows, self.columns), int(epsilon)
        own = clean[part].astype(np.int16)
        total = (noisy[part] - own + self.added).clip(-most, most)
        noisy[part] = (own + total).clip(0, 255)

    def moved(
        self, points: Points, corner: npt.NDArray[np.float32], shape: tuple[int, int]
    ) -> npt.NDArray[np.float32]:
        """Return the noise (h, w, 3) as the face moved to points of the frame."""
        matrix = umeyama(self.points, points - corner)
        moved = cv2.warpAffine(self.added.astype(np.float32), matrix, shape[::-1])
        return np.asarray(moved, np.float32)


def _is_seen(landmarks: Points, face: int) -> bool:
    return len(landmarks) > face and bool(np.isfinite(landmarks[face]).all())


def _shrinking(boxes: Points) -> int:
    """Return by how many times pictures shrink, so that faces with these boxes are small enough."""
    return max(1, math.ceil(max(box_side(box) for box in boxes) / LARGEST_FACE))


def _smaller(images: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Return images (B, h, w, 3) of means of `factor`² pixels, the last row and column repeated."""
    if factor == 1:
        return images
    height, width = (math.ceil(side / factor) for side in images.shape[1:3])
    below, right = height * factor - images.shape[1], width * factor - images.shape[2]
    whole = np.pad(images, ((0, 0), (0, below), (0, right), (0, 0)), "edge")
    return np.stack(
        [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in whole]
    )


def _larger(
    noise: npt.NDArray[np.int16], factor: int, shape: tuple[int, int]
) -> npt.NDArray[np.int16]:
    """Return noise (B, h, w, 3) as it is on images of a shape, which `_smaller` made smaller."""
    if factor == 1:
        return noise
    size = noise.shape[2] * factor, noise.shape[1] * factor
    return np.stack([cv2.resize(one, size)[: shape[0], : shape[1]] for one in noise])


def _tensor(images: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return images (B, H, W, 3) as (B, 3, H, W) on a device."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)
