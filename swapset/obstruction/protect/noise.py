"""Noise on consecutive frames, each starting from the noise of the frames before it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
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
from swapset.obstruction.attacks.on_frames import Ensemble, OnFrames
from swapset.obstruction.attacks.registry import attack_class, make_attack
from swapset.types import Floats32, Frames, Image, Points

GPU_BLOCK = 16
"""Frames in a batch on a GPU; all start from the noise before the first of them."""

LARGEST_FACE = 768.0
"""Largest face, in pixels from eyebrows to chin, that is attacked at its own size.

On larger faces the noise is made on a smaller picture and enlarged. Otherwise the memory of an
attack would grow with the face, although extractors see only 128 or 256 pixels of it.
"""


class Protector:
    """Puts noise on the faces of a video.

    Each frame starts from the noise of the previous frame, moved along with the face. A few steps
    per frame are then enough, and noise that stays the same from frame to frame survives video
    compression better.

    Parameters
    ----------
    extractors : sequence of Extractor
        Trained extractors on one device. `lb-robust` attacks all of them, other attacks only the
        first.
    attack : str
        Name of the attack.
    first : int
        Steps on the first frame of a face.
    steps : int
        Steps on each further frame.
    keep : float
        Share of the previous frame's noise that a frame starts from.
    seed : int
    **settings
        Hyper-parameters of the attack.

    Raises
    ------
    ConfigError
        If the attack is unknown, or does not take the settings.
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
        kind = attack_class(attack)
        several = kind.follows_several
        self.extractors = list(extractors) if several else list(extractors[:1])
        settings |= {"budget": "project", "seed": seed}
        self._first = make_attack(attack, iterations=first, **settings)
        # On later frames a step follows one extractor; benchmarks/protect.py compares the two.
        turns = {"at_once": 1} if "at_once" in signature(kind).parameters else {}
        self._next = make_attack(attack, iterations=steps, **{**turns, **settings})
        self.keep, self.restart = keep, first / steps
        device = self.extractors[0].device
        self._device, self._block = device, GPU_BLOCK if device.type == "cuda" else 1

    def protect(self, frames: Iterable[Image], landmarks: Iterable[Points]) -> Iterator[Image]:
        """Yield noisy frames.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8, RGB
        landmarks : iterable of (n, 68, 2) float32
            x and y in pixels of each frame. Row i is the same face in all frames, NaN where it is
            not visible; n may be 0. A frame without a face is yielded unchanged.

        Yields
        ------
        (H, W, 3) uint8, RGB

        Raises
        ------
        DataError
            If an extractor's maps or gradients are not finite.
        """
        kept: dict[int, _Noise] = {}
        pairs = zip(frames, landmarks, strict=True)
        while block := list(islice(pairs, self._block)):
            yield from self._protected([frame for frame, _ in block], [p for _, p in block], kept)

    def seconds(self, image: Image, points: Points) -> float:
        """Return about how long a frame takes on which a face was seen before, by a trial.

        Parameters
        ----------
        image : (H, W, 3) uint8 in [0, 255], RGB
        points : (68, 2) float32
            Landmarks of the face, x and y in pixels.
        """
        every = slice(0, image.shape[0]), slice(0, image.shape[1])
        before = _Noise(np.zeros(image.shape, np.int16), points, *every, turn=0)
        images, faces = [image] * self._block, np.stack([points] * self._block)
        for _ in range(2):  # the first time, torch prepares itself
            start = time.perf_counter()
            self._noise(images, faces, before)
        return (time.perf_counter() - start) / self._block

    def _protected(
        self, frames: list[Image], landmarks: list[Points], kept: dict[int, _Noise]
    ) -> list[Image]:
        """Return noisy frames; update `kept`, the latest noise of each face."""
        noisy, last = [frame.copy() for frame in frames], len(frames) - 1
        for face in range(max(map(len, landmarks))):
            places = [k for k, points in enumerate(landmarks) if _is_seen(points, face)]
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
        """Return the noise on one face with landmarks (B, 68, 2) in frames (H, W, 3)."""
        boxes = np.stack([box_from_landmarks(face) for face in points])
        on_frames = [OnFrames(extractor, torch.from_numpy(boxes)) for extractor in self.extractors]
        rows, columns = Ensemble(on_frames).window(*frames[0].shape[:2])
        corner = np.array([columns.start, rows.start], np.float32)
        images = np.stack([frame[rows, columns] for frame in frames])
        start, turn, attack = None, 0, self._first
        if before is not None:
            start = np.stack([before.moved(face, corner, images.shape[1:3]) for face in points])
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
            _Noise(noise, face - corner, rows, columns, turn + attack.iterations)
            for noise, face in zip(added, points, strict=True)
        ]

    def _added(
        self,
        attack: Attack,
        images: Frames,
        points: Points,
        *,
        start: Floats32 | None,
        turn: int,
    ) -> npt.NDArray[np.int16]:
        """Return an attack's noise (B, h, w, 3) on a face with landmarks (B, 68, 2) in images."""
        boxes = torch.from_numpy(np.stack([box_from_landmarks(face) for face in points]))
        mask = torch.from_numpy(face_masks(points, images.shape[1:3])).to(self._device)
        part = Ensemble([OnFrames(extractor, boxes, mask=mask) for extractor in self.extractors])
        clean = _tensor(images, self._device)
        begin = None if start is None else clean + self.keep * _tensor(start, self._device)
        followed = part if attack.follows_several else part.members[0]
        noisy = attack.run(followed, clean, start=begin, turn=turn)
        return (noisy.short() - clean.short()).permute(0, 2, 3, 1).cpu().numpy()


@dataclass(frozen=True)
class _Noise:
    """Noise on one face of a frame, from which the next frame starts.

    Attributes
    ----------
    added : (h, w, 3) int16
        Noise of a part of the frame.
    points : (68, 2) float32
        Landmarks of the face in this part, x and y in pixels.
    rows, columns : slice
        The part's place in the frame.
    turn : int
        Number of the next step.
    """

    added: npt.NDArray[np.int16]
    points: Points
    rows: slice
    columns: slice
    turn: int

    def add_to(self, noisy: Image, clean: Image, epsilon: float) -> None:
        """Add the noise to a frame that may have noise of other faces; keep within epsilon."""
        part, most = (self.rows, self.columns), int(epsilon)
        original = clean[part].astype(np.int16)
        total = (noisy[part] - original + self.added).clip(-most, most)
        noisy[part] = (original + total).clip(0, 255)

    def moved(self, points: Points, corner: Floats32, shape: tuple[int, int]) -> Floats32:
        """Return the noise (h, w, 3), moved with the face to its landmarks in another frame."""
        matrix = umeyama(self.points, points - corner)
        moved = cv2.warpAffine(self.added.astype(np.float32), matrix, shape[::-1])
        return np.asarray(moved, np.float32)


def _is_seen(landmarks: Points, face: int) -> bool:
    return len(landmarks) > face and bool(np.isfinite(landmarks[face]).all())


def _shrinking(boxes: Floats32) -> int:
    """Return the whole factor by which to shrink pictures, so that no face exceeds the largest."""
    return max(1, math.ceil(max(box_side(box) for box in boxes) / LARGEST_FACE))


def _smaller(images: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Shrink images (B, h, w, 3) by means of `factor`² pixels; repeat the last row and column."""
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
    """Enlarge noise (B, h, w, 3) to the shape of the images that `_smaller` shrank."""
    if factor == 1:
        return noise
    size = noise.shape[2] * factor, noise.shape[1] * factor
    return np.stack([cv2.resize(one, size)[: shape[0], : shape[1]] for one in noise])


def _tensor(images: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return images (B, H, W, 3) as a tensor (B, 3, H, W) on a device."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)
