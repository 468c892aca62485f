"""The style-aggregated face of SAN: by its authors' networks, or by fixed transforms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LUMA = (0.299, 0.587, 0.114)
_DEVIATION = 0.5


class AverageStyle(nn.Module):
    """The mean of a face in two styles: grey, and with equal mean and contrast in each channel.

    It replaces the mean of the outputs of SAN's two generators for a face. Those are CycleGANs
    between two clusters of styles of 300-W, trained separately and not available for other data;
    with their instance norms they, too, remove a picture's colour cast and contrast and keep its
    structure. Nothing is learnt here. Differentiable.
    """

    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        luma = torch.tensor(_LUMA).view(1, 3, 1, 1)
        self.register_buffer("luma", luma, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return faces (B, 3, H, W) float in [-1, 1] of faces of the same shape and range."""
        grey = (x * self.luma).sum(1, keepdim=True)
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        # The constant keeps the gradient of a plain picture finite.
        equal = _DEVIATION * (x - mean) / (variance + 1e-3).sqrt()
        return (grey + equal.clamp(-1, 1)) / 2


class Generator(nn.Module):
    """The authors' generator: two steps down, six residual blocks, two steps up.

    Keys are `model.*` as published.

    References
    ----------
    D-X-Y/landmark-detection, SAN/lib/models/generator_model.py, `ResnetGenerator`.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), *_normed(64)]
        for channels in (64, 128):
            layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), *_normed(2 * channels)]
        layers += [_Residual(256) for _ in range(6)]
        for channels in (256, 128):
            half = channels // 2
            layers += [nn.ConvTranspose2d(channels, half, 3, 2, 1, 1), *_normed(half)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 3, H, W) float in [-1, 1] of the same; H and W are divisible by 4."""
        return self.model(x)


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_normed(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


def _normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)
