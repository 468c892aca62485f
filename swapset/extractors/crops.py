"""Square crops of frames, differentiable in the frames, and the way back for points.

Pixel coordinates: 0 is the centre of the first pixel. Pixel i of a crop of S pixels, cut from a
square with centre c and side a, lies at c + (i - (S - 1) / 2) · a / S in the frame.
"""

from __future__ import annotations

import math

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
        frames = frames.float()  # half precision is too coarse for places in a frame
    squares = squares - torch.tensor((left, top, 0), dtype=torch.float64)
    groups: dict[int, list[int]] = {}
    for index, length in enumerate(squares[:, 2].tolist()):
        groups.setdefault(_samples(length, side), []).append(index)
    crops = [_sampled(frames, squares, chosen, count, side) for count, chosen in groups.items()]
    if len(crops) == 1:
        return crops[0]
    order = torch.tensor([index for chosen in groups.values() for index in chosen])
    return torch.cat(crops)[order.argsort().to(frames.device)]


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


def _samples(length: float, side: int) -> int:
    # Rounding errors above a whole number must not add another row of samples.
    return max(1, math.ceil(length / side - 1e-3))


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


def _sampled(frames: Tensor, squares: Tensor, chosen: list[int], count: int, side: int) -> Tensor:
    """Return the crops of the chosen frames, with count² samples for each pixel."""
    if len(chosen) < len(frames):
        frames, squares = frames[chosen], squares[chosen]
    height, width = frames.shape[2:]
    places = (torch.arange(side * count, dtype=torch.float64) + 0.5) / (side * count) - 0.5
    x = squares[:, :1] + places * squares[:, 2:]
    y = squares[:, 1:2] + places * squares[:, 2:]
    # grid_sample counts from -1, the left edge of the first pixel, to 1. Rows and columns are small
    # enough to send to a GPU at every step of an attack; the grid is computed there.
    columns = ((2 * x + 1) / width - 1).to(frames.device, frames.dtype)[:, None, :]
    rows = ((2 * y + 1) / height - 1).to(frames.device, frames.dtype)[:, :, None]
    grid = torch.stack(torch.broadcast_tensors(columns, rows), -1)
    sampled = functional.grid_sample(
        frames, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return functional.avg_pool2d(sampled, count) if count > 1 else sampled
