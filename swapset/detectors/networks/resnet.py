"""ResNet-50 and its variant with a spatial pyramid, under the names of the published weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.errors import DataError
from swapset.learning.state_dicts import read_state

FEATURES = 2048


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions beside a shortcut; the 3×3 one has the stride.

    (B, I, H, W) float in, (B, 4P, H', W') out.

    Parameters
    ----------
    inputs, planes : int
        I and P.
    stride : int
    projects : bool
        Whether the shortcut is a 1×1 convolution.
    """

    def __init__(self, inputs: int, planes: int, stride: int, *, projects: bool):
        super().__init__()
        outputs = 4 * planes
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if projects:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4P, H', W') float of (B, I, H, W)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """ResNet-50; (B, 3, H, W) float in, (B, classes) out.

    State-dict keys and shapes are those of torchvision's `resnet50` (`conv1.weight` …
    `layer4.2.bn3.num_batches_tracked`, `fc.weight`, `fc.bias`), as are the fresh weights
    (He et al., fan out; BatchNorm 1 and 0).

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", CVPR 2016; layers and the place
    of the stride as in pytorch/vision, torchvision/models/resnet.py.
    """

    def __init__(self, classes: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, 3, 1)
        self.layer2 = _stage(256, 128, 4, 2)
        self.layer3 = _stage(512, 256, 6, 2)
        self.layer4 = _stage(1024, 512, 3, 2)
        self.fc = nn.Linear(FEATURES, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """Return the last feature map, (B, 2048, H/32, W/32) float, sides rounded up."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images (B, 3, H, W)."""
        return self.fc(self.features(x).mean((2, 3)))


def _stage(inputs: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inputs, planes, stride, projects=True)
    rest = [Bottleneck(4 * planes, planes, 1, projects=False) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


class PyramidResNet50(nn.Module):
    """ResNet-50 with its last feature map max-pooled on 1×1, 2×2 and 6×6 cells.

    (B, 3, 224, 224) float in, (B, classes) out. Keys are those of the published checkpoint
    `SPP-res50.pth`: `resnet.resnet.*` (torchvision's names, its 1000-way `fc` among them),
    `resnet.fc.*` (two-way) and `classifier.*`. Both `fc` are in the checkpoint, but the output
    does not depend on them.

    References
    ----------
    yuezunli/DSP-FWA, py_utils/DL/pytorch_utils/models/classifier.py, `SPPNet`.
    """

    levels = (1, 2, 6)

    def __init__(self, classes: int = 2):
        super().__init__()
        self.resnet = _Wrapped(classes)
        cells = sum(level**2 for level in self.levels)
        self.classifier = nn.Linear(FEATURES * cells, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images (B, 3, H, W)."""
        return self.classifier(pyramid(self.resnet.resnet.features(x), self.levels))


class _Wrapped(nn.Module):
    """The inner levels of the published names; only `resnet` without its `fc` is used."""

    def __init__(self, classes: int):
        super().__init__()
        self.resnet = ResNet50(1000)
        self.fc = nn.Linear(FEATURES, classes)


def pyramid(x: Tensor, levels: tuple[int, ...]) -> Tensor:
    """Max-pool a feature map on n×n cells for each level n.

    Cells are ⌈H/n⌉ high and ⌊H/n⌋ apart, so they overlap where n does not divide H. The 7×7 map of
    a crop of 224² has n×n of them; for other sides there may be more.

    Parameters
    ----------
    x : (B, C, H, W) float
        H, W ≥ each level.
    levels : tuple of int

    Returns
    -------
    (B, C * cells) float
        Level by level, and within a level by channels, rows, columns.
    """
    parts = []
    for n in levels:
        size = [math.ceil(side / n) for side in x.shape[2:]]
        step = [side // n for side in x.shape[2:]]
        parts.append(functional.max_pool2d(x, size, step).flatten(1))
    return torch.cat(parts, 1)


def take_imagenet(network: ResNet50, path: Path) -> None:
    """Load torchvision's ImageNet weights of ResNet-50, all but `fc`.

    Files from before BatchNorm counted its batches (`resnet50-19c8e357.pth`) are accepted too.

    Raises
    ------
    DataError
        If the file holds other weights.
    """
    current = network.state_dict()
    state = {name: part for name, part in read_state(path).items() if not name.startswith("fc.")}
    for name, part in current.items():
        if name.startswith("fc.") or (name.endswith(".num_batches_tracked") and name not in state):
            state[name] = part
    wrong = [n for n in sorted({*current, *state}) if _shape(current, n) != _shape(state, n)]
    if wrong:
        raise DataError(
            f"{path}: is no ResNet-50 of torchvision ({wrong[0]} is missing, unknown or of another "
            "shape); see docs/weights.md"
        )
    network.load_state_dict(state)


def _shape(state: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return state[name].shape if name in state else None
