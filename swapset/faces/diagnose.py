"""Find out why a clip has no usable face: too small, or not upright."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from swapset.faces.boxes import box_side
from swapset.faces.detect import Detector, search
from swapset.media.planar import AnyImage, rgb_of
from swapset.types import Image

_SMALLEST = 20.0  # pixels from eyebrows to chin; below this, detectors see faces everywhere
_SHARE = 0.5  # share of the samples that must agree
_SURE = 0.3  # a tiny "face" with a lower score is mostly texture


class Samples:
    """A few frames spread evenly over a clip of unknown length.

    Parameters
    ----------
    limit : int
        Largest number of frames to keep; a longer clip gives at least half as many.
    """

    def __init__(self, limit: int = 6) -> None:
        self._limit = limit
        self._stride = 1
        self._kept: list[AnyImage] = []

    @property
    def images(self) -> list[Image]:
        """The frames that are kept, (H, W, 3) uint8 RGB."""
        return [rgb_of(image) for image in self._kept]

    def offer(self, index: int, image: AnyImage) -> None:
        """Keep frame number `index` if it is a multiple of the current stride.

        When there are too many frames, every other one is dropped and the stride doubles.
        """
        if index % self._stride:
            return
        self._kept.append(image)
        if len(self._kept) > self._limit:
            self._kept = self._kept[::2]
            self._stride *= 2


def diagnose(images: list[Image], detector: Detector, *, min_face: float) -> dict[str, float]:
    """Return a likely reason why no face was found in a clip.

    Parameters
    ----------
    images : list of (H, W, 3) uint8, RGB
        Frames of the clip.
    detector : Detector
        The detector that found no lasting face.
    min_face : float
        Smallest face that it looked for, in pixels.

    Returns
    -------
    dict of str to float
        Either `upside_down`, the degrees (90, 180, 270) by which the clip must be turned clockwise
        to show upright faces; or `tiny_face`, the height in pixels of a face smaller than
        `min_face`; or empty.
    """
    if not images:
        return {}
    for quarter_turns in (2, 1, 3):
        turned = (np.ascontiguousarray(np.rot90(image, -quarter_turns)) for image in images)
        if len(_heights(turned, detector, min_face)) >= _SHARE * len(images):
            return {"upside_down": 90.0 * quarter_turns}
    tiny = _heights(images, detector, max(_SMALLEST, min_face / 2), _SURE)
    if len(tiny) >= _SHARE * len(images) and np.median(tiny) < min_face:
        return {"tiny_face": round(float(np.median(tiny)), 1)}
    return {}


def _heights(
    images: Iterable[Image], detector: Detector, min_face: float, at_least: float = -np.inf
) -> list[float]:
    """Return the height of the best face in each image that has one."""
    heights = []
    for image in images:
        boxes, scores = search(detector, image, min_face=min_face)
        if len(boxes) and scores[0] >= at_least:
            heights.append(box_side(boxes[0]))
    return heights
