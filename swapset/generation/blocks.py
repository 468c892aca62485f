"""Building blocks of the generation's networks.

`halving_convolution` and `same_size_convolution` compute convolutions with few channels as ones with four times as many on a
quarter of the places (W. Shi et al., "Real-time single image and video super-resolution using an
efficient sub-pixel convolutional neural network", CVPR 2016, section 3). A GPU's matrix units work
on blocks of channels, and three channels would leave them nearly idle. The sums are the same. On a
CPU that costs more than it saves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.generation.size import SQUEEZE

SLOPE = 0.1
"""Of the leaky rectifiers."""
_FEW = 8
"""Channels below which a GPU's convolution is sorted into more."""


def activated(features: Tensor) -> Tensor:
    """Return the leaky rectifier of features."""
    return nn.functional.leaky_relu(features, SLOPE)


class Down(nn.Module):
    """Convolution that halves the side: (B, I, H, W) to (B, O, H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2)

    def forward(self, features: Tensor) -> Tensor:
        """Halve the side."""
        conv = self.conv
        if features.is_cuda and conv.in_channels < _FEW:
            return activated(halving_convolution(features, conv.weight, conv.bias))
        return activated(conv(features))


class Up(nn.Module):
    """Sub-pixel convolution that doubles the side: (B, I, H, W) to (B, O, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Double the side."""
        return activated(nn.functional.pixel_shuffle(self.conv(features), 2))


class Head(nn.Conv2d):
    """The last convolution: (B, I, H, W) to (B, O, H, W), O being few."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, kernel_size=5, padding=2)

    def forward(self, features: Tensor) -> Tensor:
        """Make pictures of features."""
        if features.is_cuda and self.bias is not None:
            return same_size_convolution(features, self.weight, self.bias)
        return super().forward(features)


class Residual(nn.Module):
    """Two convolutions beside a shortcut: (B, C, H, W) to the same.

    The second one starts at zero, so that a fresh block passes its input on (A. Goyal et al., 2017,
    section 5.1).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.last = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features."""
        return activated(features + self.last(activated(self.first(features))))


class SelfAttention(nn.Module):
    """Each place looks at all others: (B, C, H, W) to the same.

    H. Zhang et al., "Self-attention generative adversarial networks", ICML 2019: keys and queries
    of C/8 channels, a learned scale that starts at zero.
    """

    def __init__(self, channels: int):
        super().__init__()
        narrow = max(1, channels // SQUEEZE)
        self.query, self.key = nn.Conv2d(channels, narrow, 1), nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Add what other places say."""
        query, key, value = (
            part(features).flatten(2).mT for part in (self.query, self.key, self.value)
        )
        # Unscaled products, as in the paper.
        seen = nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return features + self.scale * seen.mT.unflatten(2, features.shape[2:])


def init_weights(module: nn.Module) -> None:
    """Keep the signal's size through the layers; torch's own default lets it die away.

    K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 15; X. Glorot, Y. Bengio,
    AISTATS 2010, for the layers without a rectifier.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    elif isinstance(module, Residual):
        nn.init.zeros_(module.last.weight)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


_BLOCK = 8


def halving_convolution(faces: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
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


def same_size_convolution(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
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
