"""EfficientNet-B4 and EfficientNet-Lite0, under the names of the published weights.

M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019, table 1, for B4 scaled by 1.4 in width and 1.8 in depth; names, padding and normalisation as
in github.com/lukemelas/EfficientNet-PyTorch, whose networks SBI and DeepfakeBench use. Lite0 is the
unscaled network without squeeze and excitation and with ReLU6, by TensorFlow's `efficientnet/lite`;
names as in github.com/ml-illustrated/EfficientNet-Lite-PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.errors import DataError
from swapset.learning.state_dicts import read_published

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


class Design(NamedTuple):
    """The sizes of a network of the family.

    Attributes
    ----------
    name : str
    side : int
        Side of the images that it is made for; the padding of all layers is that of this side.
    stem, features : int
        Channels after the first convolution, and before the last layer.
    dropout : float
        Before the last layer.
    stages : tuple of Stage
    lite : bool
        True: ReLU6 instead of SiLU, and blocks without squeeze and excitation.
    """

    name: str
    side: int
    stem: int
    features: int
    dropout: float
    stages: tuple[Stage, ...]
    lite: bool = False


B4 = Design(
    "EfficientNet-B4",
    side=380,
    stem=48,
    features=1792,
    dropout=0.4,
    stages=(
        Stage(24, 3, 1, 2, 1),
        Stage(32, 3, 2, 4, 6),
        Stage(56, 5, 2, 4, 6),
        Stage(112, 3, 2, 6, 6),
        Stage(160, 5, 1, 6, 6),
        Stage(272, 5, 2, 8, 6),
        Stage(448, 3, 1, 2, 6),
    ),
)
LITE0 = Design(
    "EfficientNet-Lite0",
    side=224,
    stem=32,
    features=1280,
    dropout=0.2,
    stages=(
        Stage(16, 3, 1, 1, 1),
        Stage(24, 3, 2, 2, 6),
        Stage(40, 5, 2, 2, 6),
        Stage(80, 3, 2, 3, 6),
        Stage(112, 5, 1, 3, 6),
        Stage(192, 5, 2, 4, 6),
        Stage(320, 3, 1, 1, 6),
    ),
    lite=True,
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
    """An inverted bottleneck: (B, I, H, W) to (B, O, H', W') float.

    Parameters
    ----------
    inputs : int
        Channels I.
    stage : Stage
    stride, side : int
        Side of the input of a whole network for images of the design's side.
    dropped : float
        Share of the examples that skip the block in training, if it has a shortcut.
    lite : bool
        See `Design`.
    """

    def __init__(
        self, inputs: int, stage: Stage, *, stride: int, side: int, dropped: float, lite: bool
    ):
        super().__init__()
        inner, squeezed = inputs * stage.grows, max(1, inputs // 4)
        self._grows, self._lite = stage.grows > 1, lite
        if self._grows:
            self._expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self._bn0 = _norm(inner)
        self._depthwise_conv = _Padded(
            inner, inner, stage.kernel, stride=stride, side=side, groups=inner
        )
        self._bn1 = _norm(inner)
        if not lite:
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
            inner = _active(self._bn0(self._expand_conv(inner)), self._lite)
        inner = _active(self._bn1(self._depthwise_conv(inner)), self._lite)
        if not self._lite:
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


class EfficientNet(nn.Module):
    """A network of a design: images (B, 3, H, W) float, RGB, to logits (B, classes).

    Parameters
    ----------
    design : Design
    classes : int
        0: without the last layer `_fc` and its dropout; the output is the features (B, F).
    padded_stem : bool
        False: the first convolution has no padding, as where DeepfakeBench replaces it.
    """

    def __init__(self, design: Design, classes: int, *, padded_stem: bool = True):
        super().__init__()
        self.design = design
        self._conv_stem = (
            _Padded(3, design.stem, 3, stride=2, side=design.side)
            if padded_stem
            else nn.Conv2d(3, design.stem, 3, 2, bias=False)
        )
        self._bn0 = _norm(design.stem)
        self._blocks = nn.ModuleList(_blocks(design))
        self._conv_head = nn.Conv2d(design.stages[-1].outputs, design.features, 1, bias=False)
        self._bn1 = _norm(design.features)
        self._fc = nn.Linear(design.features, classes) if classes else None

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images, or the features (B, F)."""
        lite = self.design.lite
        features = _active(self._bn0(self._conv_stem(images)), lite)
        for block in self._blocks:
            features = block(features)
        features = _active(self._bn1(self._conv_head(features)), lite).mean((2, 3))
        if self._fc is None:
            return features
        return self._fc(functional.dropout(features, self.design.dropout, self.training))


def _active(features: Tensor, lite: bool) -> Tensor:
    return functional.relu6(features) if lite else functional.silu(features)


def _blocks(design: Design) -> list[MobileBlock]:
    total = sum(stage.blocks for stage in design.stages)
    inputs, side = design.stem, -(-design.side // 2)
    blocks: list[MobileBlock] = []
    for stage in design.stages:
        for number in range(stage.blocks):
            stride = 1 if number else stage.stride
            dropped = DROP_CONNECT * len(blocks) / total
            blocks.append(
                MobileBlock(
                    inputs, stage, stride=stride, side=side, dropped=dropped, lite=design.lite
                )
            )
            inputs, side = stage.outputs, -(-side // stride)
    return blocks


def read_efficientnet(path: Path, fresh: EfficientNet) -> dict[str, Tensor]:
    """Return a network's ImageNet weights, with the last layer of a fresh network.

    Parameters
    ----------
    path : Path
        As EfficientNet-PyTorch and EfficientNet-Lite-PyTorch publish them.
    fresh : EfficientNet

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
            f"{path}: is no {fresh.design.name} ({unfit[0]} is missing, unknown or of another "
            "shape); see docs/weights.md"
        )
    return state


def _shape(state: dict[str, Tensor], name: str) -> torch.Size | None:
    return state[name].shape if name in state else None
