"""FAN with one hourglass, under the names of the published weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DEPTH = 4


class ConvBlock(nn.Module):
    """Three 3×3 convolutions with their outputs side by side, beside a shortcut.

    Parameters
    ----------
    inputs, outputs : int
        Channels I and O; O is divisible by 4.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half, quarter = outputs // 2, outputs // 4
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, half, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, quarter, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(quarter)
        self.conv3 = nn.Conv2d(quarter, quarter, 3, padding=1, bias=False)
        self.downsample: nn.Module | None = None
        if inputs != outputs:
            self.downsample = nn.Sequential(
                nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, O, H, W) float of (B, I, H, W)."""
        one = self.conv1(functional.relu(self.bn1(x)))
        two = self.conv2(functional.relu(self.bn2(one)))
        three = self.conv3(functional.relu(self.bn3(two)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.cat((one, two, three), 1) + shortcut


class Hourglass(nn.Module):
    """Four halvings of the side and four doublings, with a branch at every level.

    Parameters
    ----------
    features : int
        Channels F.
    """

    def __init__(self, features: int):
        super().__init__()
        for level in range(DEPTH, 0, -1):
            parts = ("b1", "b2", "b3") if level > 1 else ("b1", "b2", "b2_plus", "b3")
            for part in parts:
                self.add_module(f"{part}_{level}", ConvBlock(features, features))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, F, H, W) float of the same shape; H and W are divisible by 16."""
        return self._level(DEPTH, x)

    def _level(self, level: int, x: Tensor) -> Tensor:
        beside = self._part("b1", level, x)
        below = self._part("b2", level, functional.avg_pool2d(x, 2))
        below = self._level(level - 1, below) if level > 1 else self._part("b2_plus", level, below)
        below = self._part("b3", level, below)
        return beside + functional.interpolate(below, scale_factor=2, mode="nearest")

    def _part(self, part: str, level: int, x: Tensor) -> Tensor:
        output: Tensor = self.get_submodule(f"{part}_{level}")(x)
        return output


class FANNetwork(nn.Module):
    """FAN with one hourglass: (B, 3, 256, 256) float in [0, 1] in, (B, K, 64, 64) out.

    State-dict keys and shapes are those of 1adrianb/face-alignment with `num_modules=1` (or of the
    first of several): `conv1` … `conv4`, `m0.*`, `top_m_0.*`, `conv_last0`, `bn_end0`, `l0`.

    Parameters
    ----------
    points : int
        K.
    stem : int
        Channels of the first layer, 64 as published; divisible by 4. The hourglass has 4 times as
        many.

    References
    ----------
    A. Bulat, G. Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?",
    ICCV 2017; layers as in 1adrianb/face-alignment, face_alignment/models/fan.py.
    """

    def __init__(self, points: int, stem: int = 64):
        super().__init__()
        features = 4 * stem
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(stem)
        self.conv2 = ConvBlock(stem, 2 * stem)
        self.conv3 = ConvBlock(2 * stem, 2 * stem)
        self.conv4 = ConvBlock(2 * stem, features)
        self.m0 = Hourglass(features)
        self.top_m_0 = ConvBlock(features, features)
        self.conv_last0 = nn.Conv2d(features, features, 1)
        self.bn_end0 = nn.BatchNorm2d(features)
        self.l0 = nn.Conv2d(features, points, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the heat-maps (B, K, 64, 64) float of (B, 3, 256, 256) in [0, 1], RGB."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.avg_pool2d(self.conv2(x), 2)
        x = self.top_m_0(self.m0(self.conv4(self.conv3(x))))
        return self.l0(functional.relu(self.bn_end0(self.conv_last0(x))))
