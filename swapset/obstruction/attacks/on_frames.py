"""Attacks on whole frames: gradients pass through the extractor's crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from swapset.extractors.base import Extractor
from swapset.obstruction.attacks.objective import Maps

_BORDER = 2
"""Pixels around a square that resampling may read."""

_BLOCK = 16
"""Blocks of JPEG and of video start on multiples of it, in a part of a frame as well."""


@runtime_checkable
class Windowed(Protocol):
    """Interface of an extractor or ensemble that sees only a part of its pictures."""

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of pictures (H × W) that it sees."""

    def within(self, rows: slice, columns: slice) -> Any:
        """Return the same object for pictures cut to these rows and columns."""


class OnFrames:
    """An extractor applied to whole frames with a known face.

    The noise is made at the resolution of the frames. It needs no resampling to be put back, and
    stays in the face however others crop it.

    Parameters
    ----------
    extractor : Extractor
    boxes : (B, 4) float
        Boxes of the faces, x0, y0, x1, y1 in pixels, as `Extractor.regions` takes them.
    mask : (B, 1, H, W) or (1, 1, H, W) float in [0, 1], optional
        Share of epsilon by which each pixel may change, by default 1 everywhere.
    """

    def __init__(self, extractor: Extractor, boxes: Tensor, *, mask: Tensor | None = None):
        # The crop reads boxes on the CPU; kept there, they need no wait for a GPU.
        self.extractor, self.boxes, self.mask = extractor, boxes.detach().cpu(), mask

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of frames (H × W) that hold the crops and a border."""
        squares = self.extractor.regions(self.boxes)
        low = squares[:, :2] - squares[:, 2:] / 2 - _BORDER
        high = squares[:, :2] + squares[:, 2:] / 2 + _BORDER + 1
        (left, top), (right, bottom) = low.amin(0).floor().tolist(), high.amax(0).ceil().tolist()
        return _inside(top, bottom, height), _inside(left, right, width)

    def within(self, rows: slice, columns: slice) -> OnFrames:
        """Return the same for frames cut to these rows and columns, which must hold the window."""
        corner = torch.tensor([columns.start, rows.start] * 2)
        mask = None if self.mask is None else self.mask[..., rows, columns]
        return OnFrames(self.extractor, self.boxes - corner, mask=mask)

    @property
    def network(self) -> nn.Module:
        """Return the extractor's network."""
        return self.extractor.network

    def inputs(self, frames: Tensor) -> Tensor:
        """Crop frames (B, 3, H, W) float in [0, 255] to (B, 3, S, S), differentiably."""
        return self.extractor.crop(frames, self.boxes)

    def features(self, frames: Tensor) -> list[Tensor]:
        """Return intermediate tensors (B, ...) float, and the heat-maps last; see `Maps`."""
        return self.extractor.features(self.inputs(frames))

    def heatmaps(self, frames: Tensor) -> Tensor:
        """Return heat-maps (B, K, h, w) float of frames (B, 3, H, W) in [0, 255]; see `Maps`."""
        return self.extractor.heatmaps(self.inputs(frames))


def split(extractor: Maps, images: Tensor) -> tuple[Maps, Tensor]:
    """Split an extractor on frames into its network part and the network's inputs.

    Attacks use it to change the inputs between crop and network.

    Parameters
    ----------
    extractor : Maps
    images : (B, 3, H, W) float in [0, 255], RGB

    Returns
    -------
    extractor : Maps
        Takes the inputs. The same object if it does not crop.
    inputs : (B, 3, S, S) float in [0, 255], RGB
        The crops, or the images if the extractor does not crop.
    """
    if isinstance(extractor, OnFrames):
        return extractor.extractor, extractor.inputs(images)
    return extractor, images


def cut_to_window(extractor: object, images: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """Cut an extractor or ensemble on frames to the part of the images that it sees.

    Parameters
    ----------
    extractor : Maps or Ensemble
    images : (B, 3, H, W) uint8 or float in [0, 255], RGB

    Returns
    -------
    extractor : Maps or Ensemble
        Takes the part alone. The same object if it does not crop.
    part : tuple
        Index of the part in the images; all of them if the extractor does not crop.
    """
    if not isinstance(extractor, Windowed):
        return extractor, (Ellipsis,)
    rows, columns = extractor.window(*images.shape[2:])
    return extractor.within(rows, columns), (Ellipsis, rows, columns)


def _inside(first: float, end: float, size: int) -> slice:
    """Return the span cut to 0 ... size and grown to whole blocks, at least one pixel long."""
    start = int(min(max(first, 0), size - 1)) // _BLOCK * _BLOCK
    blocks = math.ceil((max(end, start + 1) - start) / _BLOCK)
    return slice(start, min(start + blocks * _BLOCK, size))


class Ensemble:
    """Extractors attacked together, see `swapset.obstruction.attacks.robust`.

    Parameters
    ----------
    members : sequence of OnFrames
        At least one. The mask of the first one applies to all.

    Raises
    ------
    ValueError
        If there is no member.
    """

    def __init__(self, members: Sequence[OnFrames]):
        if not members:
            raise ValueError("an ensemble needs at least one extractor")
        self.members = list(members)

    @property
    def mask(self) -> Tensor | None:
        """Return the mask of the noise, as `OnFrames` takes it, or None."""
        return self.members[0].mask

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of frames (H × W) that hold every member's crops."""
        windows = [member.window(height, width) for member in self.members]
        rows, columns = zip(*windows, strict=True)
        return _all(rows), _all(columns)

    def within(self, rows: slice, columns: slice) -> Ensemble:
        """Return the same ensemble for frames cut to these rows and columns."""
        return Ensemble([member.within(rows, columns) for member in self.members])


def _all(parts: Sequence[slice]) -> slice:
    return slice(min(part.start for part in parts), max(part.stop for part in parts))
