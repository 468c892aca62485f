"""Decoding of heat-maps to landmarks, as in the published codes, and a differentiable way.

Pixel m of a map lies at (m + 1/2) · stride - 1/2 of the crop: maps and crops have the same edges.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_FLAT = 1e-6
_EPSILON = float(torch.finfo(torch.float64).eps)


def quarter_pixel(heatmaps: Tensor, stride: float) -> Tensor:
    """Return the places of the maxima, moved a quarter of a pixel towards the higher neighbours.

    A maximum on the border of a map is not moved. A map without a positive value gives the pixel
    up and left of its first one, as in the authors' code.

    Parameters
    ----------
    heatmaps : (B, K, h, w) float
    stride : float
        Crop pixels per map pixel.

    Returns
    -------
    (B, K, 2) float32
        x, y in pixels of the crop; not differentiable.

    References
    ----------
    HRNet/HRNet-Facial-Landmark-Detection, lib/core/evaluation.py, `get_preds` and `decode_preds`;
    the same two functions in utils/evaluation.py of hzh8311/pyhowfar. They cut the place in the
    frame to a whole pixel at the end; this function does not.
    """
    height, width = heatmaps.shape[2:]
    flat = heatmaps.detach().float().flatten(2)  # half precision cannot represent 63.25
    score, index = flat.max(2)
    x, y = index % width, index.div(width, rounding_mode="floor")
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)

    def slope(step: int) -> Tensor:
        after = flat.gather(2, (index + step).clamp(0, height * width - 1)[..., None])
        before = flat.gather(2, (index - step).clamp(0, height * width - 1)[..., None])
        return (after - before)[..., 0].sign() * inside

    places = torch.stack((x, y), -1).to(flat) + torch.stack((slope(1), slope(width)), -1) / 4
    places = torch.where(score[..., None] > 0, places, -1.0)
    return _to_crop(places, stride)


def window_mean(heatmaps: Tensor, stride: float, radius: int = 3) -> Tensor:
    """Return the weighted means of the places around the maxima.

    The weights are the values of the (2 · radius + 1)² pixels around a maximum; values of at most
    1e-6 and pixels outside of the map have almost no weight.

    Parameters
    ----------
    heatmaps : (B, K, h, w) float
    stride : float
        Crop pixels per map pixel.
    radius : int
        `--argmax_size` of the authors' scripts.

    Returns
    -------
    (B, K, 2) float32
        x, y in pixels of the crop; not differentiable.

    References
    ----------
    D-X-Y/landmark-detection, SAN/lib/models/basic_batch.py, `find_tensor_peak_batch`, with corners
    aligned as in the PyTorch 0.4 that it was written for: the window's samples are then pixels.
    """
    width = heatmaps.shape[3]
    maps = heatmaps.detach().float()
    index = maps.flatten(2).argmax(2)
    x, y = index % width, index.div(width, rounding_mode="floor")
    padded = functional.pad(maps, (radius,) * 4)
    steps = torch.arange(-radius, radius + 1, device=maps.device)
    rows = (y + radius)[..., None, None] + steps[:, None]
    columns = (x + radius)[..., None, None] + steps
    window = padded.flatten(2).gather(2, (rows * (width + 2 * radius) + columns).flatten(2))
    weights = torch.where(window > _FLAT, window, _EPSILON).view(*rows.shape[:3], -1)
    total = weights.sum((2, 3))
    offset_x = (weights * steps).sum((2, 3)) / total
    offset_y = (weights * steps[:, None]).sum((2, 3)) / total
    return _to_crop(torch.stack((x + offset_x, y + offset_y), -1), stride)


def soft_argmax(heatmaps: Tensor, stride: float, sharpness: float = 25.0) -> Tensor:
    """Return the mean places under a softmax over each map; differentiable.

    Parameters
    ----------
    heatmaps : (B, K, h, w) float
        Maps with peaks about 1 high.
    stride : float
        Crop pixels per map pixel.
    sharpness : float
        Factor on the maps before the softmax. A peak of height 1 must outweigh thousands of pixels
        of about 0: less than about 15 pulls every landmark to the middle of the map.

    Returns
    -------
    (B, K, 2) float32
        x, y in pixels of the crop.

    References
    ----------
    D. C. Luvizon et al., "Human pose regression by combining indirect part detection and
    contextual information", 2017 (arXiv:1710.02322), equations 2 and 3.
    """
    height, width = heatmaps.shape[2:]
    # Half precision is too coarse for places that are sums over thousands of pixels.
    share = (sharpness * heatmaps.float()).flatten(2).softmax(2).view(heatmaps.shape)
    x = (share.sum(2) * torch.arange(width, device=share.device)).sum(2)
    y = (share.sum(3) * torch.arange(height, device=share.device)).sum(2)
    return _to_crop(torch.stack((x, y), -1), stride)


def _to_crop(places: Tensor, stride: float) -> Tensor:
    return (places + 0.5) * stride - 0.5
