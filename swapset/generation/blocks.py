"""Building blocks of the generation's networks.

`halving_convolution` and `same_size_convolution` turn a convolution with few channels into one with
four times as many channels on a quarter of the pixels (W. Shi et al., "Real-time single image and
video super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016,
section 3). A GPU's matrix units work on blocks of channels, and three channels would leave them
nearly idle. The sums are the same. On a CPU that costs more than it saves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.config.recipes import TrainingRecipe
from swapset.generation.size import DECODER_ATTENTION, SQUEEZE, decoder_channels, upscalings

SLOPE = 0.1
"""Slope of the leaky rectifiers below zero."""
_FEW_CHANNELS = 8
"""With fewer input channels, a GPU runs `halving_convolution`."""


def activated(features: Tensor) -> Tensor:
    """Return the leaky rectifier of features (..., H, W) of any floating dtype."""
    return nn.functional.leaky_relu(features, SLOPE)


class Down(nn.Module):
    """Convolution that halves the side.

    Parameters
    ----------
    inputs, outputs : int
        Numbers of channels, I and O.
    kernel : int
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 5):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, O, H/2, W/2) from features (B, I, H, W), both of one floating dtype."""
        conv = self.conv
        if features.is_cuda and conv.in_channels < _FEW_CHANNELS:
            return activated(halving_convolution(features, conv.weight, conv.bias))
        return activated(conv(features))


class Up(nn.Module):
    """Sub-pixel convolution that doubles the side, from I channels to O."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, O, 2H, 2W) from features (B, I, H, W), both of one floating dtype."""
        return activated(nn.functional.pixel_shuffle(self.conv(features), 2))


class Head(nn.Conv2d):
    """The last convolution, from I channels to the few channels O of a picture or mask.

    Parameters
    ----------
    inputs, outputs : int
        I and O.
    kernel : {5, 3}
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 5):
        super().__init__(inputs, outputs, kernel_size=kernel, padding=kernel // 2)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, O, H, W) from features (B, I, H, W), both of one floating dtype."""
        if features.is_cuda and self.bias is not None:
            return same_size_convolution(features, self.weight, self.bias)
        return super().forward(features)


class Residual(nn.Module):
    """Two convolutions with a shortcut around them.

    The second one starts at zero, so that a fresh block passes its input on (A. Goyal et al., 2017,
    section 5.1).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.last = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (B, C, H, W), of the shape and floating dtype that came in."""
        return activated(features + self.last(activated(self.first(features))))


class SelfAttention(nn.Module):
    """Attention of each position of a feature map to all others.

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
        """Return features (B, C, H, W), of the shape and floating dtype that came in."""
        query, key, value = (
            part(features).flatten(2).mT for part in (self.query, self.key, self.value)
        )
        # Unscaled products, as in the paper.
        attended = nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return features + self.scale * attended.mT.unflatten(2, features.shape[2:])


def upscaling(recipe: TrainingRecipe) -> nn.Sequential:
    """Return the layers that double the side of the encoder's features, see `size.upscalings`."""
    channels, start = decoder_channels(recipe), 2 * recipe.smallest_side
    layers: list[nn.Module] = []
    for level in range(upscalings(recipe)):
        layers.append(Up(channels[level], channels[level + 1]))
        if recipe.residual:
            layers.append(Residual(channels[level + 1]))
        if recipe.attention and start << (level + 1) in DECODER_ATTENTION:
            layers.append(SelfAttention(channels[level + 1]))
    return nn.Sequential(*layers)


def init_weights(module: nn.Module) -> None:
    """Draw initial weights that keep the signal's variance; with torch's defaults it dies away.

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
"""Channels are padded to multiples of this."""


def halving_convolution(faces: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a convolution of stride 2 that halves the side.

    Parameters
    ----------
    faces : (B, I, H, W) of a floating dtype
        H and W even.
    weight : (O, I, K, K) of the same dtype
        K is 3, 4 or 5; the padding is (K - 1) // 2.
    bias : (O,) of the same dtype, or None

    Returns
    -------
    (B, O, H/2, W/2) of the same dtype
    """
    before = 2 - (weight.shape[-1] - 1) // 2
    kernel = _padded(_in_quarters(weight, before, before), 1)
    quarters = _padded(functional.pixel_unshuffle(faces, 2), 1)
    return functional.conv2d(quarters, kernel, bias, padding=1)


def same_size_convolution(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return a convolution that keeps the side.

    Parameters
    ----------
    features : (B, I, H, W) of a floating dtype
        H and W even.
    weight : (O, I, K, K) of the same dtype
        K is 3 or 5; the padding is K // 2.
    bias : (O,) of the same dtype

    Returns
    -------
    (B, O, H, W) of the same dtype
    """
    first = (5 - weight.shape[-1]) // 2
    offsets = [(first + row, first + column) for row in (0, 1) for column in (0, 1)]
    kernels = torch.stack([_in_quarters(weight, *each) for each in offsets], dim=1).flatten(0, 1)
    quarters, biases = functional.pixel_unshuffle(features, 2), bias.repeat_interleave(4)
    outputs = functional.conv2d(quarters, _padded(kernels, 0), _padded(biases, 0), padding=1)
    return functional.pixel_shuffle(outputs[:, : len(kernels)], 2)


def _padded(tensor: Tensor, dim: int) -> Tensor:
    """Append zeros to a dimension, up to a multiple of `_BLOCK`."""
    missing = -tensor.shape[dim] % _BLOCK
    return functional.pad(tensor, [0, 0] * (tensor.ndim - 1 - dim) + [0, missing])


def _in_quarters(weight: Tensor, above: int, left: int) -> Tensor:
    """Set a kernel (O, I, K, K) into 6 x 6 and sort by odd and even positions: (O, 4 I, 3, 3)."""
    size = weight.shape[-1]
    whole = functional.pad(weight, (left, 6 - size - left, above, 6 - size - above))
    return whole.unflatten(3, (3, 2)).unflatten(2, (3, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)
