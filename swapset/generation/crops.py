"""Cut crops out of stored faces, on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def positions(matrix: Tensor, side: int, warp: Tensor | None = None) -> Tensor:
    """Return the position of each pixel of a crop in the stored faces.

    Parameters
    ----------
    matrix : (B, 2, 3) float32
        Maps crop positions to stored positions, both in half sides from the middle.
    side : int
        Side R of the crop in pixels.
    warp : (B, 2, R, R) float32, optional
        Displacements within the crop, in half crop sides.

    Returns
    -------
    (B, R, R, 2) float32
        x, y in half sides of the stored faces.
    """
    line = (torch.arange(side, device=matrix.device) * 2 + 1) / side - 1
    across, down = line[None, None, :], line[None, :, None]
    if warp is not None:
        across, down = across + warp[:, 0], down + warp[:, 1]
    rows = matrix[..., None, None]
    x_and_y = [rows[:, i, 0] * across + rows[:, i, 1] * down + rows[:, i, 2] for i in (0, 1)]
    return torch.stack(x_and_y, dim=-1)


def middle(images: Tensor, side: int, share: float, drop: float) -> Tensor:
    """Return the part of stored pictures that the network sees.

    Parameters
    ----------
    images : (B, C, M, M) uint8 in [0, 255]
        Faces or masks of a bank.
    side : int
        Side R of the crop in pixels.
    share : float
        Side of the crop as a share of the stored side.
    drop : float
        How far the crop lies below the middle, see `swapset.faces.align.narrower_drop`.

    Returns
    -------
    (B, C, R, R) float32 in [0, 1]
    """
    crop = [[share, 0.0, 0.0], [0.0, share, drop]]
    matrix = torch.tensor(crop, device=images.device).expand(len(images), 2, 3)
    return sample(images.float().div(255), positions(matrix, side))


def sample(images: Tensor, places: Tensor) -> Tensor:
    """Return a crop of stored pictures.

    By cubic interpolation: networks that learnt from linearly interpolated faces, a sixth of whose
    fine detail is lost (variance of the Laplacian), would never make sharper ones.

    Parameters
    ----------
    images : (B, C, M, M) float32 in [0, 1]
    places : (B, R, R, 2) float32
        See `positions`.

    Returns
    -------
    (B, C, R, R) float32 in [0, 1]
    """
    crop = functional.grid_sample(
        images, places, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return crop.clamp(0, 1)
