"""The head region (face and hair) of a clip, cut out by GrabCut from its landmarks.

Everything happens on a small standard grid that is aligned to the face, where a head hardly moves:
key frames every few frames are cut with colour models that all key frames of a shot share, the
cuts are averaged over neighbouring key frames (a hand that passes by drops out), and frames in
between are interpolated.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

from swapset.errors import DataError
from swapset.faces.align import invert, transform_points, umeyama, warp_crop
from swapset.faces.grabcut import CELLS, GRID_FACE, Seeds, average, cut
from swapset.faces.smooth import segments
from swapset.io.arrays import read_arrays
from swapset.io.files import atomic_output
from swapset.types import Bytes, Floats

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class HeadMasks:
    """Head masks of one clip.

    Attributes
    ----------
    keys : (k,) int32
        Frame numbers of the key frames, increasing.
    soft : (k, CELLS, CELLS) uint8
        Head masks of the key frames on the grid, 0 to 255.
    matrices : (n, 2, 3) float64
        Transforms from frame to grid, one per frame of the clip; NaN = no face.
    shot : (n,) int32
        Number of the stretch that a frame belongs to; masks are interpolated inside it only.
    height, width : int
        Size of the frames.
    """

    keys: npt.NDArray[np.int32]
    soft: Bytes
    matrices: Floats
    shot: npt.NDArray[np.int32]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.matrices)

    def mask(self, index: int) -> npt.NDArray[np.bool_]:
        """Return the head of one frame, (H, W) bool; all False where there is no face."""
        matrix = self.matrices[index]
        if not np.isfinite(matrix).all():
            return np.zeros((self.height, self.width), bool)
        warped = cv2.warpAffine(self._grid_mask(index), invert(matrix), (self.width, self.height))
        return warped > 127

    def box(self, index: int) -> Box | None:
        """Return x0, y0, x1, y1 around one frame's head, or None if there is none."""
        x, y, width, height = cv2.boundingRect(self.mask(index).view(np.uint8))
        return (x, y, x + width, y + height) if width else None

    def _grid_mask(self, index: int) -> Bytes:
        """Interpolate between the key frames before and after, of the same stretch."""
        own = np.flatnonzero(self.shot[self.keys] == self.shot[index])
        after = own[min(int(np.searchsorted(self.keys[own], index)), len(own) - 1)]
        before = after - 1 if after - 1 in own and self.keys[after] > index else after
        if before == after:
            return self.soft[after]
        part = (index - self.keys[before]) / (self.keys[after] - self.keys[before])
        return cv2.addWeighted(self.soft[before], 1 - part, self.soft[after], part, 0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one compressed `.npz` file, whole or not at all."""
        with atomic_output(path) as scratch, open(scratch, "wb") as stream:
            np.savez_compressed(
                stream,
                keys=self.keys,
                soft=self.soft,
                matrices=self.matrices,
                shot=self.shot,
                size=np.array([self.height, self.width], np.int32),
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> HeadMasks:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file is damaged or something else.
        """
        try:
            data = read_arrays(path)
            height, width = (int(side) for side in data["size"])
            keys, soft, matrices = data["keys"], data["soft"], data["matrices"]
            return cls(keys, soft, matrices, data["shot"], height, width)
        except (ValueError, KeyError) as error:
            raise DataError(f"{path}: no head masks ({error})") from error


def head_masks(
    frames: Iterable[Bytes],
    landmarks: npt.ArrayLike,
    *,
    every: int = 5,
    restarts: Sequence[int] = (),
) -> HeadMasks:
    """Cut the head out of every frame of a clip.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8, RGB
        The original clip; read once, only small crops are kept.
    landmarks : (n, 68, 2) array-like
        Landmarks x, y in pixels, best smoothed; NaN = no face.
    every : int
        Frames from one key frame to the next.
    restarts : sequence of int
        First frames of new shots; they share no colours and no averages.

    Returns
    -------
    HeadMasks
        Deterministic. The region contains the face down to the jaw, ears and hair down to the
        height of the chin; neck, shoulders and background are left out.

    Raises
    ------
    DataError
        If the clip has fewer or more frames than `landmarks`.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004.
    Celeb-DF chapter, section 4.3.2 ("head regions (including face and hair)").
    """
    points = np.asarray(landmarks, np.float64)
    present = np.asarray(np.isfinite(points).all(axis=(1, 2)))
    matrices = umeyama(points, GRID_FACE)
    stretches = segments(present, restarts, len(points))
    keys = [_key_frames(present, start, stop, every) for start, stop in stretches]
    crops, inside, shape = _read_crops(frames, matrices, set(chain.from_iterable(keys)))
    shot = np.full(len(points), -1, np.int32)
    soft = []
    for number, ((start, stop), own) in enumerate(zip(stretches, keys, strict=True)):
        shot[start:stop] = number
        seeds = [Seeds.of(transform_points(matrices[k], points[k]), inside[k]) for k in own]
        soft.append(average(cut([crops[k] for k in own], seeds)))
    return HeadMasks(
        np.array(list(chain.from_iterable(keys)), np.int32),
        np.concatenate(soft) if soft else np.empty((0, CELLS, CELLS), np.uint8),
        matrices,
        shot,
        *shape,
    )


def _key_frames(present: npt.NDArray[np.bool_], start: int, stop: int, every: int) -> list[int]:
    frames = np.flatnonzero(present[start:stop]) + start
    return [int(k) for k in np.unique(np.append(frames[::every], frames[-1]))]


def _read_crops(
    frames: Iterable[Bytes], matrices: Floats, wanted: set[int]
) -> tuple[dict[int, Bytes], dict[int, npt.NDArray[np.bool_]], tuple[int, int]]:
    """Return the grid crops of the wanted frames, the cells inside the frame, and its size."""
    crops, inside = {}, {}
    shape, count = (0, 0), 0
    for index, frame in enumerate(frames):
        count, shape = index + 1, frame.shape[:2]
        if index in wanted:
            crops[index] = warp_crop(frame, matrices[index], CELLS)
            whole = np.ones(shape, np.uint8)
            inside[index] = cv2.warpAffine(whole, matrices[index], (CELLS, CELLS)) > 0
    if count != len(matrices):
        raise DataError(f"the clip has {count} frames but {len(matrices)} rows of landmarks")
    return crops, inside, shape
