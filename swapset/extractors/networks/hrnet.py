"""HRNetV2-W18 for facial landmarks, under the names of the published weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOMENTUM = 0.01
_BLOCKS = 4
_MODULES = (1, 4, 3)
"""Number of modules in stages 2, 3 and 4, which have 2, 3 and 4 branches."""


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, momentum=_MOMENTUM)


def _step(inputs: int, outputs: int, stride: int, *, rectified: bool) -> nn.Sequential:
    """Return a 3×3 convolution with its norm."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        _norm(outputs),
    ]
    if rectified:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut.

    Parameters
    ----------
    channels : int
        C.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = _norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = _norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) float of the same shape."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return functional.relu(self.bn2(self.conv2(y)) + x, inplace=True)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions beside a shortcut.

    Parameters
    ----------
    inputs, planes : int
        I and P.
    """

    def __init__(self, inputs: int, planes: int):
        super().__init__()
        outputs = 4 * planes
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = _norm(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = _norm(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = _norm(outputs)
        self.downsample: nn.Module | None = None
        if inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, bias=False), _norm(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4P, H, W) float of (B, I, H, W)."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return functional.relu(self.bn3(self.conv3(y)) + shortcut, inplace=True)


class Exchange(nn.Module):
    """Parallel branches, each with half the side of the one before, and a fusion of their maps.

    Parameters
    ----------
    channels : sequence of int
        Of each branch; number and shapes of the maps stay the same.
    """

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(count) for _ in range(_BLOCKS))) for count in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_bridge(channels, source, goal) for source in range(len(channels)))
            for goal in range(len(channels))
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the new maps of all branches, (B, C, h, w) float each, shaped as the old ones."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return [self._fused(goal, maps) for goal in range(len(maps))]

    def _fused(self, goal: int, maps: list[Tensor]) -> Tensor:
        size = maps[goal].shape[2:]
        bridges = self.fuse_layers.get_submodule(str(goal))
        parts = []
        for source, x in enumerate(maps):
            part = bridges.get_submodule(str(source))(x)
            parts.append(_grown(part, size) if source > goal else part)
        return functional.relu(reduce(add, parts), inplace=True)


def _bridge(channels: Sequence[int], source: int, goal: int) -> nn.Module:
    """Return layers from a branch's maps to another's channels and, if that is smaller, side."""
    if source == goal:
        return nn.Identity()
    if source > goal:
        return nn.Sequential(
            nn.Conv2d(channels[source], channels[goal], 1, bias=False), _norm(channels[goal])
        )
    inputs = channels[source]
    steps = [_step(inputs, inputs, 2, rectified=True) for _ in range(goal - source - 1)]
    return nn.Sequential(*steps, _step(inputs, channels[goal], 2, rectified=False))


def _grown(x: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(x, size=list(size), mode="bilinear", align_corners=False)


class HRNetNetwork(nn.Module):
    """HRNetV2: (B, 3, 256, 256) float in, (B, K, 64, 64) out.

    State-dict keys and shapes are those of HR18-WFLW.pth and its sisters: `conv1` … `bn2`,
    `layer1.*`, `transition1` … `transition3`, `stage2` … `stage4`, `head.*`.

    Fresh weights are those of the authors' training on ImageNet (He et al., fan-out) and, in the
    head, which ImageNet's network does not have, those of their landmark code (normal, 0.001).
    Their landmark code draws the latter everywhere and then reads ImageNet's; without ImageNet's,
    Adam's first step wipes such small weights out.

    Parameters
    ----------
    points : int
        K.
    stem : int
        Channels of the first layers, 64 as published.
    branch : int
        Channels of the widest branch, 18 as published; each next has twice as many.

    References
    ----------
    K. Sun et al., "High-resolution representations for labeling pixels and regions", 2019
    (arXiv:1904.04514); layers as in HRNet/HRNet-Facial-Landmark-Detection, lib/models/hrnet.py with
    experiments/wflw/face_alignment_wflw_hrnet_w18.yaml; fresh weights as in
    HRNet/HRNet-Image-Classification, lib/models/cls_hrnet.py.
    """

    def __init__(self, points: int, stem: int = 64, branch: int = 18):
        super().__init__()
        channels = [branch * 2**k for k in range(4)]
        self.conv1 = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.bn1 = _norm(stem)
        self.conv2 = nn.Conv2d(stem, stem, 3, stride=2, padding=1, bias=False)
        self.bn2 = _norm(stem)
        first, rest = Bottleneck(stem, stem), [Bottleneck(4 * stem, stem) for _ in range(3)]
        self.layer1 = nn.Sequential(first, *rest)
        self.transition1 = nn.ModuleList(
            (
                _step(4 * stem, channels[0], 1, rectified=True),
                nn.Sequential(_step(4 * stem, channels[1], 2, rectified=True)),
            )
        )
        self.transition2 = _another_branch(channels[:3])
        self.transition3 = _another_branch(channels)
        self.stage2, self.stage3, self.stage4 = (
            nn.ModuleList(Exchange(channels[:branches]) for _ in range(modules))
            for branches, modules in zip((2, 3, 4), _MODULES, strict=True)
        )
        total = sum(channels)
        self.head = nn.Sequential(
            nn.Conv2d(total, total, 1),
            _norm(total),
            nn.ReLU(inplace=True),
            nn.Conv2d(total, points, 1),
        )
        self._start()

    def _start(self) -> None:
        """Draw the fresh weights; see the class."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.head.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return the heat-maps (B, K, 64, 64) float of normalised images (B, 3, 256, 256), RGB."""
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.relu(self.bn2(self.conv2(x)), inplace=True)
        x = self.layer1(x)
        maps = _through(self.stage2, [transition(x) for transition in self.transition1])
        maps = _through(self.stage3, [*maps, self.transition2[2](maps[-1])])
        maps = _through(self.stage4, [*maps, self.transition3[3](maps[-1])])
        size = maps[0].shape[2:]
        return self.head(torch.cat([maps[0], *(_grown(part, size) for part in maps[1:])], 1))


def _another_branch(channels: Sequence[int]) -> nn.ModuleList:
    """Return layers that make a new branch from the last one; the others pass unchanged."""
    added = nn.Sequential(_step(channels[-2], channels[-1], 2, rectified=True))
    return nn.ModuleList([*(nn.Identity() for _ in channels[:-1]), added])


def _through(stage: nn.ModuleList, maps: list[Tensor]) -> list[Tensor]:
    for module in stage:
        maps = module(maps)
    return maps
