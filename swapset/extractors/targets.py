"""Target maps of extractors, and the distance to them."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def pixel_gaussians(
    points: Tensor, known: Tensor, *, map_side: int, stride: float, sigma: float
) -> Tensor:
    """Return a Gaussian of height 1 about the map pixel of each point, 0 beyond 3 σ.

    Parameters
    ----------
    points : (B, K, 2) float
        x, y in pixels of the crop.
    known : (B, K) bool
        Where False, or where the point is NaN, the map is 0.
    map_side : int
        h.
    stride : float
        Crop pixels per map pixel.
    sigma : float
        In map pixels.

    Returns
    -------
    (B, K, h, h) float32 in [0, 1]

    References
    ----------
    HRNet/HRNet-Facial-Landmark-Detection, lib/utils/transforms.py, `generate_target` (its window
    is a pixel wider above and to the left if 3 σ is not whole); utils/imutils.py of
    hzh8311/pyhowfar, `draw_labelmap`. If 3 σ is not whole and a window crosses the left or upper
    border, they cut one pixel too little, which moves the peak; here it stays in its place.
    """
    places = torch.floor((_filled(points, known) + 0.5) / stride)
    steps = torch.arange(map_side, device=points.device) - places[..., None]
    near = (steps >= -math.ceil(3 * sigma)) & (steps <= math.floor(3 * sigma))
    bells = torch.exp(-(steps**2) / (2 * sigma**2)) * near
    return bells[:, :, 1, :, None] * bells[:, :, 0, None, :] * _taken(points, known)


def smooth_gaussians(
    points: Tensor, known: Tensor, *, map_side: int, stride: float, sigma: float
) -> Tensor:
    """Return a Gaussian of height 1 about each point itself, and the background, 1 - the highest.

    Values below 0.01 are set to 0.

    Parameters
    ----------
    points : (B, K, 2) float
        x, y in pixels of the crop.
    known : (B, K) bool
        Where False, or where the point is NaN, the map is 0.
    map_side : int
        h.
    stride : float
        Crop pixels per map pixel.
    sigma : float
        In crop pixels.

    Returns
    -------
    (B, K + 1, h, h) float32 in [0, 1]

    References
    ----------
    D-X-Y/landmark-detection, SAN/lib/utils/pts_utils.py, `generate_label_map_gaussian`.
    """
    centres = (torch.arange(map_side, device=points.device) + 0.5) * stride - 0.5
    steps = centres - _filled(points, known)[..., None]
    bells = torch.exp(-(steps**2) / (2 * sigma**2))
    maps = bells[:, :, 1, :, None] * bells[:, :, 0, None, :] * _taken(points, known)
    maps = torch.where(maps < 0.01, 0.0, maps)
    return torch.cat((maps, 1 - maps.amax(1, keepdim=True)), 1)


def known_mean(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean of values over the known maps.

    Parameters
    ----------
    values : (B, K, h, w) float
    known : (B, K) bool

    Returns
    -------
    scalar float
        0 if no map is known.
    """
    share = known[:, :, None, None].to(values)
    return (values * share).sum() / (share.sum() * values[0, 0].numel()).clamp(min=1)


def _filled(points: Tensor, known: Tensor) -> Tensor:
    return torch.where(known[..., None] & points.isfinite(), points.float(), 0.0)


def _taken(points: Tensor, known: Tensor) -> Tensor:
    return (known & points.isfinite().all(-1))[:, :, None, None].float()
