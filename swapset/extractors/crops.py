"""Square crops of frames, differentiable in the frames, and the way back for points.

Pixel coordinates: 0 is the centre of the first pixel. Pixel i of a crop of S pixels, cut from a
square with centre c and side a, lies at c + (i - (S - 1) / 2) · a / S in the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

LANDMARK_EXTENT = 0.98
"""Longer side of the landmarks' bounding box over the side of dlib's box."""

LANDMARKS_LOWER = 0.08
"""Distance of the landmarks' bounding box below dlib's box, as a share of the box's height.

This and `LANDMARK_EXTENT` are medians over 630 faces with 68 labelled points and
`box_from_landmarks` (5 % and 95 %: 0.94 and 1.05; 0.04 and 0.11)."""


def cut_squares(frames: Tensor, regions: Tensor, side: int) -> Tensor:
    """Cut one square out of each frame and resize it; linear, and so differentiable, in the frames.

    A pixel of the crop is the mean of n×n bilinear samples spread evenly over its area, with n the
    number of the frame's pixels on its side, rounded up: one sample where the crop enlarges, and
    about one for each pixel of the frame where it shrinks. Only the part of the frames that
    contains all squares is used.

    Parameters
    ----------
    frames : (B, 3, H, W) float
    regions : (B, 3) float
        x and y of the centre, and the side, in pixels of the frame. May be on the CPU while the
        frames are on a GPU, which avoids waiting for the GPU.
    side : int
        Side S of the crops.

    Returns
    -------
    (B, 3, S, S) float32, or float64 if the frames are
        Pixels outside of a frame are 0.

    Raises
    ------
    ValueError
        If a region is not finite, or its side is not positive.
    """
    squares = regions.detach().double().cpu()
    if (
        squares.shape != (len(frames), 3)
        or not squares.isfinite().all()
        or squares[:, 2].min() <= 0
    ):
        raise ValueError(f"{squares.tolist()} are not squares around faces of {len(frames)} frames")
    left, top, frames = _needed(frames, squares)
    if frames.dtype != torch.float64:
        frames = frames.float()  # half precision is too coarse for weights of pixels
    squares = squares - torch.tensor((left, top, 0), dtype=torch.float64)
    count, channels, height, width = frames.shape
    rows = frames.permute(0, 2, 3, 1).reshape(count * height, width * channels)
    rows = _WeightedSums.apply(rows, _samples(squares[:, 1], squares[:, 2], height, side))
    columns = rows.view(count, side, width, channels).transpose(1, 2)
    columns = columns.reshape(count * width, side * channels)
    columns = _WeightedSums.apply(columns, _samples(squares[:, 0], squares[:, 2], width, side))
    return columns.view(count, side, side, channels).permute(0, 3, 2, 1).contiguous()


def squares_about(boxes: Tensor, *, size: float, lowered: float) -> Tensor:
    """Return the squares that the boxes of faces determine.

    Parameters
    ----------
    boxes : (B, 4) float
        x0, y0, x1, y1.
    size : float
        Side of a square, as a multiple of the mean of its box's width and height.
    lowered : float
        Distance by which the square's centre lies lower than the box's, as a share of the box's
        height.

    Returns
    -------
    (B, 3) float
        x and y of the centre, and the side.
    """
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2 + lowered * height
    return torch.stack((x, y, size * (width + height) / 2), 1)


def to_frame(points: Tensor, regions: Tensor, side: int) -> Tensor:
    """Convert points from pixels of crops to pixels of the frames.

    Parameters
    ----------
    points : (B, K, 2) float
    regions : (B, 3) float
        See `cut_squares`.
    side : int
        Side of the crops in pixels.

    Returns
    -------
    (B, K, 2) float
    """
    regions = regions.to(points)
    centre, length = regions[:, None, :2], regions[:, None, 2:]
    return centre + (points - (side - 1) / 2) * length / side


def to_crop(points: Tensor, regions: Tensor, side: int) -> Tensor:
    """Convert points from pixels of the frames to pixels of crops; see `to_frame`.

    Parameters
    ----------
    points : (B, K, 2) float
    regions : (B, 3) float
    side : int

    Returns
    -------
    (B, K, 2) float
    """
    regions = regions.to(points)
    centre, length = regions[:, None, :2], regions[:, None, 2:]
    return (points - centre) * side / length + (side - 1) / 2


@dataclass(frozen=True)
class _Samples:
    """Weighted sums of a table's rows.

    Attributes
    ----------
    sums : (N,) int64
        Number of the sum that each sample belongs to, ascending.
    rows : (N,) int64
        Row of the table that it takes.
    weights : (N,) float64
    counts : (int, int)
        Numbers of sums and of rows.
    """

    sums: Tensor
    rows: Tensor
    weights: Tensor
    counts: tuple[int, int]

    def of(self, table: Tensor) -> Tensor:
        """Return the sums (sums, features) of a table (rows, features), not differentiable."""
        starts = self.sums.bincount(minlength=self.counts[0]).cumsum(0).roll(1)
        starts[0] = 0
        device = table.device
        return functional.embedding_bag(
            self.rows.to(device),
            table,
            starts.to(device),
            mode="sum",
            per_sample_weights=self.weights.to(device, table.dtype),
        )

    def turned(self) -> _Samples:
        """Return the sums that give the gradient by the table for a gradient by the sums."""
        order = self.rows.argsort(stable=True)
        return _Samples(self.rows[order], self.sums[order], self.weights[order], self.counts[::-1])


class _WeightedSums(torch.autograd.Function):
    """Weighted sums of a table's rows, with their gradient."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, samples: _Samples) -> Tensor:
        ctx.samples = samples
        return samples.of(table)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.samples.turned().of(gradient.contiguous()), None


def _samples(centres: Tensor, lengths: Tensor, size: int, side: int) -> _Samples:
    """Return the samples along one side of squares, in frames of `size` rows or columns each.

    A sample between two rows takes both; rows outside of the frame are left out.
    """
    parts = []
    for frame, (centre, length) in enumerate(zip(centres.tolist(), lengths.tolist(), strict=True)):
        # Rounding errors above a whole number must not add another sample.
        count = max(1, math.ceil(length / side - 1e-3))
        places = (torch.arange(side * count, dtype=torch.float64) + 0.5) / (side * count) - 0.5
        places = centre + length * places
        above = places.floor()
        rows = torch.stack((above, above + 1), 1).long()
        weights = torch.stack((above + 1 - places, places - above), 1) / count
        sums = torch.arange(side).repeat_interleave(2 * count).view(rows.shape)
        inside = (rows >= 0) & (rows < size)
        parts.append((side * frame + sums[inside], size * frame + rows[inside], weights[inside]))
    sums, rows, weights = (torch.cat(column) for column in zip(*parts, strict=True))
    return _Samples(sums, rows, weights, (side * len(centres), size * len(centres)))


def _needed(frames: Tensor, squares: Tensor) -> tuple[int, int, Tensor]:
    """Return left and top of the smallest part with all squares, and that part, a view."""
    height, width = frames.shape[2:]
    half = squares[:, 2] / 2
    low = torch.stack((squares[:, 0] - half, squares[:, 1] - half)).amin(1).floor() - 1
    high = torch.stack((squares[:, 0] + half, squares[:, 1] + half)).amax(1).ceil() + 2
    left, top = (
        int(min(max(edge, 0), most - 1)) for edge, most in zip(low, (width, height), strict=True)
    )
    right = int(min(max(float(high[0]), left + 1), width))
    bottom = int(min(max(float(high[1]), top + 1), height))
    return left, top, frames[:, :, top:bottom, left:right]
