"""Cut the head region (face and hair) out of a clip by GrabCut, starting from its landmarks.

This works on a small standard grid that is aligned to the face, on which a head hardly moves. Key
frames every few frames are cut by colour models that all key frames of a shot share. The cuts are
averaged over neighbouring key frames (so that a passing hand disappears), and interpolated for the
frames in between.
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
from swapset.types import Bytes, Floats, Mask

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
        Number of each frame's stretch; masks are interpolated only inside a stretch. -1 = none.
    height, width : int
        Size of the frames in pixels.
    """

    keys: npt.NDArray[np.int32]
    soft: Bytes
    matrices: Floats
    shot: npt.NDArray[np.int32]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.matrices)

    def mask(self, index: int) -> Mask:
        """Return the head of one frame, (H, W) bool; all False where there is no face."""
        matrix = self.matrices[index]
        if not np.isfinite(matrix).all():
            return np.zeros((self.height, self.width), bool)
        warped = cv2.warpAffine(self._grid_mask(index), invert(matrix), (self.width, self.height))
        return warped > 127

    def box(self, index: int) -> Box | None:
        """Return the box x0, y0, x1, y1 in pixels around one frame's head; None without a head."""
        x, y, width, height = cv2.boundingRect(self.mask(index).view(np.uint8))
        return (x, y, x + width, y + height) if width else None

    def _grid_mask(self, index: int) -> Bytes:
        """Return a mask on the grid, interpolated between key frames of the same stretch."""
        keys = np.flatnonzero(self.shot[self.keys] == self.shot[index])
        after = keys[min(int(np.searchsorted(self.keys[keys], index)), len(keys) - 1)]
        before = after - 1 if after - 1 in keys and self.keys[after] > index else after
        if before == after:
            return self.soft[after]
        part = (index - self.keys[before]) / (self.keys[after] - self.keys[before])
        return cv2.addWeighted(self.soft[before], 1 - part, self.soft[after], part, 0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all fields to one compressed `.npz` file, whole or not at all."""
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
        """Read a file written by `save`.

        Raises
        ------
        DataError
            If the file is damaged or not a file of head masks.
        OSError
            If the file does not exist.
        """
        try:
            data = read_arrays(path)
            height, width = (int(side) for side in data["size"])
            keys, soft, matrices = data["keys"], data["soft"], data["matrices"]
            return cls(keys, soft, matrices, data["shot"], height, width)
        except (ValueError, KeyError) as error:
            raise DataError(f"{path}: not a file of head masks ({error})") from error


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
        Landmarks x, y in pixels, preferably smoothed; NaN = no face.
    every : int
        Frames from one key frame to the next.
    restarts : sequence of int
        First frames of new shots; shots share neither colours nor averages.

    Returns
    -------
    HeadMasks
        The region contains the face down to the jaw, and ears and hair down to the height of the
        chin, but neither neck, shoulders nor background. Equal inputs give equal masks.

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
    for number, ((start, stop), in_shot) in enumerate(zip(stretches, keys, strict=True)):
        shot[start:stop] = number
        seeds = [Seeds.of(transform_points(matrices[k], points[k]), inside[k]) for k in in_shot]
        soft.append(average(cut([crops[k] for k in in_shot], seeds)))
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
) -> tuple[dict[int, Bytes], dict[int, Mask], tuple[int, int]]:
    """Return the wanted frames' crops and cells inside the frame, and the size of the frames."""
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
