"""Square crops of frames, differentiable in the frames, and the way back for points.

Pixel coordinates everywhere: 0 is the centre of the first pixel. Pixel i of a crop of S pixels of a
square with centre c and side a lies at c + (i - (S - 1) / 2) · a / S in the frame.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def cut_squares(frames: Tensor, regions: Tensor, side: int) -> Tensor:
    """Cut one square out of each frame and resize it; linear, and so differentiable, in the frames.

    A pixel of the crop is the mean of n×n bilinear samples spread evenly over its area, n being the
    number of the frame's pixels on its side, rounded up: one sample where the crop enlarges, and
    about each pixel of the frame once where it shrinks. Only the part of the frames that holds all
    squares is touched.

    Parameters
    ----------
    frames : (B, 3, H, W) float
    regions : (B, 3) float
        x and y of the centre, and the side, in pixels of the frame. May lie on the CPU while the
        frames are on a GPU: nothing has to be waited for then.
    side : int
        Side S of the crops.

    Returns
    -------
    (B, 3, S, S) float
        What lies outside of a frame is 0.
    """
    squares = regions.detach().double().cpu()
    counts = [_samples(float(square[2]), side) for square in squares]
    left, top, frames = _needed(frames, squares)
    offset = torch.tensor((left, top, 0), dtype=torch.float64)
    squares = squares - offset
    made = {
        count: _sampled(frames, squares, [k for k, own in enumerate(counts) if own == count], side)
        for count in set(counts)
    }
    if len(made) == 1:
        return made[counts[0]]
    taken = dict.fromkeys(made, 0)
    crops = []
    for count in counts:
        crops.append(made[count][taken[count]])
        taken[count] += 1
    return torch.stack(crops)


def squares_about(boxes: Tensor, *, size: float, lowered: float) -> Tensor:
    """Return squares (B, 3), x and y of the centre and the side, that boxes of faces determine.

    Parameters
    ----------
    boxes : (B, 4) float
        x0, y0, x1, y1.
    size : float
        Side of a square, as a multiple of the mean of its box's width and height.
    lowered : float
        How much lower than the box's centre the square's is, as a share of the box's height.
    """
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2 + lowered * height
    return torch.stack((x, y, size * (width + height) / 2), 1)


def to_frame(points: Tensor, regions: Tensor, side: int) -> Tensor:
    """Return points (B, K, 2) in pixels of crops of S pixels as pixels of the frames."""
    regions = regions.to(points)
    centre, length = regions[:, None, :2], regions[:, None, 2:]
    return centre + (points - (side - 1) / 2) * length / side


def to_crop(points: Tensor, regions: Tensor, side: int) -> Tensor:
    """Return points (B, K, 2) in pixels of the frames as pixels of crops of S pixels."""
    regions = regions.to(points)
    centre, length = regions[:, None, :2], regions[:, None, 2:]
    return (points - centre) * side / length + (side - 1) / 2


def _samples(length: float, side: int) -> int:
    # A hair above a whole number must not cost another row of samples.
    return max(1, math.ceil(length / side - 1e-3))


def _needed(frames: Tensor, squares: Tensor) -> tuple[int, int, Tensor]:
    """Return left and top of the smallest part that all squares need, and the part, a view."""
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


def _sampled(frames: Tensor, squares: Tensor, chosen: list[int], side: int) -> Tensor:
    """Return the crops of some frames, all of which take the same number of samples."""
    count = _samples(float(squares[chosen[0], 2]), side)
    if len(chosen) < len(frames):
        frames = frames[chosen]
    height, width = frames.shape[2:]
    places = (torch.arange(side * count, dtype=torch.float64) + 0.5) / (side * count) - 0.5
    squares = squares[chosen]
    x = squares[:, :1] + places * squares[:, 2:]
    y = squares[:, 1:2] + places * squares[:, 2:]
    # grid_sample counts from -1, the left edge of the first pixel, to 1.
    grid = torch.stack(
        torch.broadcast_tensors(
            ((2 * x + 1) / width - 1)[:, None, :], ((2 * y + 1) / height - 1)[:, :, None]
        ),
        -1,
    ).to(frames.device, frames.dtype)
    sampled = functional.grid_sample(
        frames, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return functional.avg_pool2d(sampled, count) if count > 1 else sampled
