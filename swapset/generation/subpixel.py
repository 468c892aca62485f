"""Convolutions with few channels, as ones with four times as many on a quarter of the places.

A GPU's matrix units work on blocks of channels: three would leave them nearly idle. The sums are
the same; only the places of a picture are sorted into channels first, and empty channels fill up
the last block (W. Shi et al., "Real-time
single image and video super-resolution using an efficient sub-pixel convolutional neural network",
CVPR 2016, section 3). On a CPU that costs more than it saves.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 8


def halving(faces: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a convolution of stride 2 that halves the side.

    Parameters
    ----------
    faces : (B, I, H, W)
        H and W even.
    weight : (O, I, K, K)
        K is 4 or 5; the padding is (K - 1) // 2.
    bias : (O,) or None
    """
    before = 2 - (weight.shape[-1] - 1) // 2
    kernel = _filled(_in_quarters(weight, before, before), 1)
    quarters = _filled(functional.pixel_unshuffle(faces, 2), 1)
    return functional.conv2d(quarters, kernel, bias, padding=1)


def keeping(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return a convolution that keeps the side.

    Parameters
    ----------
    features : (B, I, H, W)
        H and W even.
    weight : (O, I, 5, 5)
        The padding is 2.
    bias : (O,)
    """
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    kernels = torch.stack([_in_quarters(weight, *place) for place in places], dim=1).flatten(0, 1)
    quarters, biases = functional.pixel_unshuffle(features, 2), bias.repeat_interleave(4)
    made = functional.conv2d(quarters, _filled(kernels, 0), _filled(biases, 0), padding=1)
    return functional.pixel_shuffle(made[:, : len(kernels)], 2)


def _filled(tensor: Tensor, dim: int) -> Tensor:
    """Return a tensor with zeros added at a dimension's end, up to whole blocks."""
    missing = -tensor.shape[dim] % _BLOCK
    return functional.pad(tensor, [0, 0] * (tensor.ndim - 1 - dim) + [0, missing])


def _in_quarters(weight: Tensor, above: int, left: int) -> Tensor:
    """Return (O, 4 I, 3, 3): a kernel (O, I, K, K) set into 6 x 6, by the places' parities."""
    size = weight.shape[-1]
    whole = functional.pad(weight, (left, 6 - size - left, above, 6 - size - above))
    return whole.unflatten(3, (3, 2)).unflatten(2, (3, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)
