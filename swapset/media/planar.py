"""Pictures as they are stored: planes, converted to RGB or grey only where that is asked for."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from swapset.media.colour import i420_to_rgb
from swapset.types import Bytes, Image

_LEVELS = np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)
"""Grey in [0, 255] of each luma value."""


class PlanarImage:
    """A picture of a clip, of which software often needs only the grey values, or a small copy.

    Parameters
    ----------
    planes : (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr; BT.601, limited range, as `swapset.media.colour.rgb_to_i420` makes them.
    is_cut : bool
        Whether it is known to differ from the picture before in size, shape or orientation.

    Attributes
    ----------
    shape : (int, int, int)
        Height and width in pixels, and 3: the shape of `rgb`.
    """

    def __init__(self, planes: Bytes, *, is_cut: bool = False) -> None:
        self._planes, self.is_cut = planes, is_cut
        self.shape = planes.shape[0] * 2 // 3, planes.shape[1], 3

    @cached_property
    def rgb(self) -> Image:
        """The picture, (H, W, 3) uint8 RGB."""
        return np.asarray(i420_to_rgb(self._planes), np.uint8)

    @property
    def grey(self) -> Bytes:
        """The picture in grey, (H, W) uint8 in [0, 255]: its luma in full range."""
        return np.asarray(cv2.LUT(self._planes[: self.shape[0]], _LEVELS), np.uint8)

    def thinned(self, stride: int) -> Image:
        """Return every n-th pixel of every n-th row, without converting the others.

        Parameters
        ----------
        stride : int
            The n.

        Returns
        -------
        (h, w, 3) uint8, RGB
            As of `rgb`.
        """
        height, width, _ = self.shape
        chroma = self._planes[height:].reshape(2, height // 2, width // 2)
        if stride % 2:
            rows, columns = np.arange(0, height, stride) // 2, np.arange(0, width, stride) // 2
            chroma = chroma[:, rows].take(columns, axis=2)
        else:
            chroma = chroma[:, :: stride // 2, :: stride // 2]
        high, wide = chroma.shape[1:]
        # OpenCV converts blocks of 2x2 pixels: each pixel stands at the top left of one
        few = np.zeros((3 * high, 2 * wide), np.uint8)
        few[: 2 * high : 2, ::2] = self._planes[:height:stride, ::stride]
        few[2 * high :].reshape(2, high, wide)[:] = chroma
        return np.ascontiguousarray(i420_to_rgb(few)[::2, ::2])


AnyImage = Image | PlanarImage
"""A picture, (H, W, 3) uint8 RGB or by its planes."""


def rgb_of(image: AnyImage) -> Image:
    """Return a picture as (H, W, 3) uint8 RGB."""
    return image.rgb if isinstance(image, PlanarImage) else image


def grey_of(image: AnyImage) -> Bytes:
    """Return a picture in grey, (H, W) uint8 in [0, 255]."""
    if isinstance(image, PlanarImage):
        return image.grey
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def thinned(image: AnyImage, stride: int) -> Image:
    """Return every n-th pixel of every n-th row of a picture.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, or PlanarImage
    stride : int
        The n.

    Returns
    -------
    (ceil(H / n), ceil(W / n), 3) uint8, RGB
        C-contiguous.
    """
    if isinstance(image, PlanarImage):
        return image.thinned(stride)
    return np.ascontiguousarray(image[::stride, ::stride])
