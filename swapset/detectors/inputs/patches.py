"""Patches of a face and of its surroundings, not resized, for `two_stream`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from swapset.detectors.face import Face
from swapset.types import Bytes, Floats

SIDE = 64
STRIDE = 16
INSIDE, OUTSIDE = 8, 16
"""Patches of the face, which come first, and of its surroundings."""
COUNT = INSIDE + OUTSIDE
MOSTLY_INSIDE = 0.5
HARDLY_INSIDE = 1 / 3
"""Overlap of a patch and the face, as a share of the smaller of both: the least for a patch of the
face, the largest for one of its surroundings."""


def cut_patches(face: Face) -> Bytes:
    """Cut patches out of a face and its surroundings.

    The windows slide over the frame in steps of 16 pixels from its corner, so that all patches have
    the same position on the colour filter array and on the blocks of a codec; nothing is resampled.
    Windows that cover most of the face's box are patches of the face, those that hardly touch it
    are patches of the surroundings; of too many, evenly spread ones are taken.

    Parameters
    ----------
    face : Face

    Returns
    -------
    (24, 64, 64, 3) uint8, RGB
        8 of the face and 16 of its surroundings. An all-black patch is a missing one: a small face,
        or one at the border of the frame, has fewer patches.
    """
    cut = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    corners = _corners(face)
    inside, outside = _chosen(corners, face.box)
    places = [*enumerate(inside), *enumerate(outside, INSIDE)]
    for place, (x, y) in places:
        cut[place] = face.pixels[y : y + SIDE, x : x + SIDE]
    return cut


def present(patches: Bytes) -> npt.NDArray[np.bool_]:
    """Return which patches (..., 64, 64, 3) uint8 are not all black, (...,) bool."""
    return np.asarray(patches.any(axis=(-3, -2, -1)))


def _corners(face: Face) -> npt.NDArray[np.int64]:
    """Return the top left pixels (n, 2), x and y in the region, of all windows within it."""
    height, width = face.pixels.shape[:2]
    x, y = (
        np.arange(-start % STRIDE, size - SIDE + 1, STRIDE)
        for start, size in zip(face.origin, (width, height), strict=True)
    )
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _chosen(
    corners: npt.NDArray[np.int64], box: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the corners of the face's patches, and of those of its surroundings."""
    shared = np.clip(np.minimum(corners + SIDE, box[2:]) - np.maximum(corners, box[:2]), 0, None)
    smaller = min(float(SIDE), float(box[2] - box[0]))
    share = shared.prod(axis=1) / smaller**2
    inside = _best(-share, INSIDE, -MOSTLY_INSIDE)
    outside = _best(share, OUTSIDE, HARDLY_INSIDE)
    return corners[inside], corners[outside]


def _best(cost: Floats, count: int, most: float) -> npt.NDArray[np.int64]:
    """Return up to `count` places of low cost, evenly spread over places of equal cost."""
    limit = min(np.partition(cost, count - 1)[count - 1], most) if len(cost) > count else most
    return evenly(np.flatnonzero(cost <= limit), count)


def evenly(items: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return up to `count` of the items (n,) int64, evenly spread over them.

    Examples
    --------
    >>> evenly(np.arange(10), 3).tolist()
    [1, 5, 8]
    """
    if len(items) <= count:
        return items
    return items[((np.arange(count) + 0.5) * len(items) / count).astype(int)]
