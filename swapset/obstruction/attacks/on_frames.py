"""Attacks on frames: the extractor's crop is differentiated through."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from swapset.extractors.base import Extractor
from swapset.obstruction.attacks.objective import Maps

_BORDER = 2
"""Pixels around a square that its resampling may touch."""

_BLOCK = 16
"""Blocks of JPEG and of video lie on multiples of it, also in a part of a frame."""


@runtime_checkable
class Windowed(Protocol):
    """An extractor, or several, that look at a part of their pictures."""

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of pictures (H × W) that it looks at."""

    def within(self, rows: slice, columns: slice) -> Any:
        """Return the same for these rows and columns of the pictures."""


class OnFrames:
    """An extractor whose pictures are whole frames with a known face.

    The noise is then the frames' own: it needs no resampling to be put back, and whoever cuts the
    face out differently still gets it.

    Parameters
    ----------
    extractor : Extractor
    boxes : (B, 4) float
        Of the faces, as `Extractor.regions` takes them.
    mask : (B, 1, H, W) or (1, 1, H, W) float in [0, 1], optional
        Share of epsilon by which each pixel may change; by default all of it everywhere.
    """

    def __init__(self, extractor: Extractor, boxes: Tensor, *, mask: Tensor | None = None):
        # On the CPU, where the crop looks at them: nothing waits for a GPU then.
        self.extractor, self.boxes, self.mask = extractor, boxes.detach().cpu(), mask

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of frames (H × W) that the crops look at, and a border."""
        squares = self.extractor.regions(self.boxes)
        low = squares[:, :2] - squares[:, 2:] / 2 - _BORDER
        high = squares[:, :2] + squares[:, 2:] / 2 + _BORDER + 1
        (left, top), (right, bottom) = low.amin(0).floor().tolist(), high.amax(0).ceil().tolist()
        return _inside(top, bottom, height), _inside(left, right, width)

    def within(self, rows: slice, columns: slice) -> OnFrames:
        """Return the same for a part of the frames; nothing changes if it holds the window."""
        corner = torch.tensor([columns.start, rows.start] * 2)
        mask = None if self.mask is None else self.mask[..., rows, columns]
        return OnFrames(self.extractor, self.boxes - corner, mask=mask)

    @property
    def network(self) -> nn.Module:
        """Return the extractor's network."""
        return self.extractor.network

    def inputs(self, frames: Tensor) -> Tensor:
        """Return crops (B, 3, S, S) of frames (B, 3, H, W) in [0, 255], RGB; differentiable."""
        return self.extractor.crop(frames, self.boxes)

    def features(self, frames: Tensor) -> list[Tensor]:
        """Return tensors from inside of the network, and the heat-maps as the last."""
        return self.extractor.features(self.inputs(frames))

    def heatmaps(self, frames: Tensor) -> Tensor:
        """Return heat-maps (B, K, h, w) of frames (B, 3, H, W) in [0, 255], RGB; differentiable."""
        return self.extractor.heatmaps(self.inputs(frames))


def split(extractor: Maps, images: Tensor) -> tuple[Maps, Tensor]:
    """Return what gives heat-maps of network inputs, and these (B, 3, S, S), for images.

    For what is to happen between crop and network. An extractor that takes pictures as they are
    comes back itself.
    """
    if isinstance(extractor, OnFrames):
        return extractor.extractor, extractor.inputs(images)
    return extractor, images


def looked_at(extractor: object, images: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """Return an extractor for the part of images that it looks at, and that part as an index.

    An ensemble counts as one. Of pictures that are crops already, that is all of them.
    """
    if not isinstance(extractor, Windowed):
        return extractor, (Ellipsis,)
    rows, columns = extractor.window(*images.shape[2:])
    return extractor.within(rows, columns), (Ellipsis, rows, columns)


def _inside(first: float, end: float, size: int) -> slice:
    """Return the part of 0 ... size in whole blocks, at least one pixel of it."""
    start = int(min(max(first, 0), size - 1)) // _BLOCK * _BLOCK
    blocks = math.ceil((max(end, start + 1) - start) / _BLOCK)
    return slice(start, min(start + blocks * _BLOCK, size))
