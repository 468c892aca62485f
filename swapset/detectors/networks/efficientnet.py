"""EfficientNet-B4, under the names of the published weights.

M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019, table 1 scaled by 1.4 in width and 1.8 in depth; names, padding and normalisation as in
github.com/lukemelas/EfficientNet-PyTorch, whose networks SBI and DeepfakeBench use.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.errors import DataError
from swapset.learning.state_dicts import read_published

SIDE = 380
"""Side of the images that B4 is made for; the padding of all layers is that of this side."""
STEM, FEATURES = 48, 1792
DROPOUT = 0.4
DROP_CONNECT = 0.2
"""Share of examples whose last block is left out in training; it rises linearly from block 0."""


class Stage(NamedTuple):
    """Blocks of one kind, of which the first has the stride.

    Attributes
    ----------
    outputs, kernel, stride, blocks : int
    grows : int
        Channels within a block, as a multiple of its input channels.
    """

    outputs: int
    kernel: int
    stride: int
    blocks: int
    grows: int


STAGES = (
    Stage(24, 3, 1, 2, 1),
    Stage(32, 3, 2, 4, 6),
    Stage(56, 5, 2, 4, 6),
    Stage(112, 3, 2, 6, 6),
    Stage(160, 5, 1, 6, 6),
    Stage(272, 5, 2, 8, 6),
    Stage(448, 3, 1, 2, 6),
)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Padded(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's "same" does for a side of the input.

    Parameters
    ----------
    inputs, outputs, kernel, stride, groups : int
    side : int
        Side of the input for which the padding is right; it is the same for all other sides.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int, side: int, groups: int = 1
    ):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        self._edges = (total // 2, total - total // 2) * 2

    def forward(self, features: Tensor) -> Tensor:
        """Return features (B, O, H', W') float of (B, I, H, W)."""
        return super().forward(functional.pad(features, self._edges))


class MobileBlock(nn.Module):
    """An inverted bottleneck with squeeze and excitation: (B, I, H, W) to (B, O, H', W') float.

    Parameters
    ----------
    inputs : int
        Channels I.
    stage : Stage
    stride, side : int
        Side of the input of a whole network for images of 380².
    dropped : float
        Share of the examples that skip the block in training, if it has a shortcut.
    """

    def __init__(self, inputs: int, stage: Stage, *, stride: int, side: int, dropped: float):
        super().__init__()
        inner, squeezed = inputs * stage.grows, max(1, inputs // 4)
        self._grows = stage.grows > 1
        if self._grows:
            self._expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self._bn0 = _norm(inner)
        self._depthwise_conv = _Padded(
            inner, inner, stage.kernel, stride=stride, side=side, groups=inner
        )
        self._bn1 = _norm(inner)
        self._se_reduce = nn.Conv2d(inner, squeezed, 1)
        self._se_expand = nn.Conv2d(squeezed, inner, 1)
        self._project_conv = nn.Conv2d(inner, stage.outputs, 1, bias=False)
        self._bn2 = _norm(stage.outputs)
        self._shortcut = stride == 1 and inputs == stage.outputs
        self._dropped = dropped

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's output, with the input added where both have one shape."""
        inner = features
        if self._grows:
            inner = functional.silu(self._bn0(self._expand_conv(inner)))
        inner = functional.silu(self._bn1(self._depthwise_conv(inner)))
        squeezed = functional.silu(self._se_reduce(inner.mean((2, 3), keepdim=True)))
        inner = torch.sigmoid(self._se_expand(squeezed)) * inner
        outer: Tensor = self._bn2(self._project_conv(inner))
        return features + self._thinned(outer) if self._shortcut else outer

    def _thinned(self, features: Tensor) -> Tensor:
        """Return the features with those of some examples set to 0, in training only."""
        if not self.training or not self._dropped:
            return features
        kept = 1 - self._dropped
        drawn = torch.rand(len(features), 1, 1, 1, dtype=torch.float32, device=features.device)
        return features / kept * (drawn < kept).to(features.dtype)


class EfficientNetB4(nn.Module):
    """EfficientNet-B4: images (B, 3, H, W) float, RGB, to logits (B, classes).

    Parameters
    ----------
    classes : int
        0: without the last layer `_fc` and its dropout; the output is the features (B, 1792).
    padded_stem : bool
        False: the first convolution has no padding, as where DeepfakeBench replaces it.
    """

    def __init__(self, classes: int, *, padded_stem: bool = True):
        super().__init__()
        self._conv_stem = (
            _Padded(3, STEM, 3, stride=2, side=SIDE)
            if padded_stem
            else nn.Conv2d(3, STEM, 3, 2, bias=False)
        )
        self._bn0 = _norm(STEM)
        self._blocks = nn.ModuleList(_blocks())
        self._conv_head = nn.Conv2d(STAGES[-1].outputs, FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, classes) if classes else None

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images, or the features (B, 1792)."""
        features = functional.silu(self._bn0(self._conv_stem(images)))
        for block in self._blocks:
            features = block(features)
        features = functional.silu(self._bn1(self._conv_head(features))).mean((2, 3))
        if self._fc is None:
            return features
        return self._fc(functional.dropout(features, DROPOUT, self.training))


def _blocks() -> list[MobileBlock]:
    total = sum(stage.blocks for stage in STAGES)
    inputs, side = STEM, SIDE // 2
    blocks: list[MobileBlock] = []
    for stage in STAGES:
        for number in range(stage.blocks):
            stride = 1 if number else stage.stride
            dropped = DROP_CONNECT * len(blocks) / total
            blocks.append(MobileBlock(inputs, stage, stride=stride, side=side, dropped=dropped))
            inputs, side = stage.outputs, -(-side // stride)
    return blocks


def read_efficientnet_b4(path: Path, fresh: EfficientNetB4) -> dict[str, Tensor]:
    """Return ImageNet weights of EfficientNet-B4, with the last layer of a fresh network.

    Parameters
    ----------
    path : Path
        `efficientnet-b4-*.pth` or `adv-efficientnet-b4-*.pth` of EfficientNet-PyTorch.
    fresh : EfficientNetB4

    Raises
    ------
    DataError
        If the file is damaged or of another network.
    """
    current = fresh.state_dict()
    state = {name: part for name, part in read_published(path).items() if "_fc" not in name}
    state |= {name: part for name, part in current.items() if "_fc" in name}
    unfit = [n for n in sorted({*state, *current}) if _shape(state, n) != _shape(current, n)]
    if unfit:
        raise DataError(
            f"{path}: is no EfficientNet-B4 ({unfit[0]} is missing, unknown or of another shape); "
            "see docs/weights.md"
        )
    return state


def _shape(state: dict[str, Tensor], name: str) -> torch.Size | None:
    return state[name].shape if name in state else None
