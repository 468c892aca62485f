"""Networks as DeepfakeBench has them where they differ from the authors', under its names.

github.com/SCLBD/DeepfakeBench, `training/networks/mesonet.py` (after HongguLiu/MesoNet-Pytorch),
`efficientnetb4.py`, `xception.py` and `training/detectors/capsule_net_detector.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.networks.capsule import PrimaryCapsules, Routing
from swapset.detectors.networks.efficientnet import B4, EfficientNet
from swapset.detectors.networks.vgg import vgg19_features
from swapset.detectors.networks.xception import Xception

PRIMARY = 10
"""Primary capsules of Capsule."""
POOLED = 8
"""Side of MesoNet's last feature map, for images of 256²."""


class OnBackbone(nn.Module):
    """A network that is all `backbone`, as most detectors of DeepfakeBench are.

    Parameters
    ----------
    backbone : nn.Module
        Takes images (B, 3, S, S) float, returns logits (B, classes).
    """

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images (B, 3, S, S)."""
        return self.backbone(images)


def xception() -> OnBackbone:
    """Return Xception with two outputs, real and fake."""
    return OnBackbone(Xception(2))


class EfficientNetB4(nn.Module):
    """EfficientNet-B4 with a new last layer, and a first one without padding.

    Parameters
    ----------
    classes : int
    """

    def __init__(self, classes: int):
        super().__init__()
        self.efficientnet = EfficientNet(B4, 0, padded_stem=False)
        self.last_layer = nn.Linear(B4.features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images (B, 3, S, S)."""
        return self.last_layer(self.efficientnet(images))


def _conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=False)


class _Meso(nn.Module):
    """The dense layers that both MesoNets end in."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(16 * POOLED**2, 16)
        self.fc2 = nn.Linear(16, 2)

    def judged(self, features: Tensor) -> Tensor:
        """Return the logits (B, 2) float of the last feature maps (B, 16, 8, 8)."""
        hidden = self.fc1(functional.dropout(features.flatten(1), 0.5, self.training))
        hidden = functional.leaky_relu(hidden, 0.1)
        return self.fc2(functional.dropout(hidden, 0.5, self.training))


class Meso4(_Meso):
    """Meso4 without biases: the first two layers share their normalisation, and the last two.

    Images (B, 3, 256, 256) float in [-1, 1] to logits (B, 2).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, 8, 3), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = _conv(8, 8, 5), nn.BatchNorm2d(16)
        self.conv3, self.conv4 = _conv(8, 16, 5), _conv(16, 16, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of real and fake."""
        features = images
        for conv, norm, pool in (
            (self.conv1, self.bn1, 2),
            (self.conv2, self.bn1, 2),
            (self.conv3, self.bn2, 2),
            (self.conv4, self.bn2, 4),
        ):
            features = functional.max_pool2d(norm(functional.relu(conv(features))), pool)
        return self.judged(features)


class MesoInception4(_Meso):
    """MesoInception4 without biases, and without rectifiers in its inception layers.

    Images (B, 3, 256, 256) float in [-1, 1] to logits (B, 2). The names are DeepfakeBench's
    ("Incption").
    """

    def __init__(self) -> None:
        super().__init__()
        self._add_inception(1, 3, (1, 4, 4, 2))
        self._add_inception(2, 11, (2, 4, 4, 2))
        self.conv1, self.bn1 = _conv(12, 16, 5), nn.BatchNorm2d(16)
        self.conv2 = _conv(16, 16, 5)

    def _add_inception(self, number: int, inputs: int, outputs: Sequence[int]) -> None:
        self.add_module(f"Incption{number}_conv1", _conv(inputs, outputs[0], 1))
        for branch, width in enumerate(outputs[1:], start=2):
            name = f"Incption{number}_conv{branch}"
            self.add_module(f"{name}_1", _conv(inputs, width, 1))
            self.add_module(f"{name}_2", _conv(width, width, 3, dilation=branch - 1))
        self.add_module(f"Incption{number}_bn", nn.BatchNorm2d(sum(outputs)))

    def _inception(self, number: int, features: Tensor) -> Tensor:
        def layer(name: str, given: Tensor) -> Tensor:
            return self.get_submodule(f"Incption{number}_{name}")(given)

        branches = [layer("conv1", features)]
        for branch in (2, 3, 4):
            inner = layer(f"conv{branch}_1", features)
            branches.append(layer(f"conv{branch}_2", inner))
        return functional.max_pool2d(layer("bn", torch.cat(branches, dim=1)), 2)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of real and fake."""
        features = self._inception(2, self._inception(1, images))
        features = functional.max_pool2d(self.bn1(functional.relu(self.conv1(features))), 2)
        features = functional.max_pool2d(self.bn1(functional.relu(self.conv2(features))), 4)
        return self.judged(features)


class Capsule(nn.Module):
    """Capsule-Forensics' second version with VGG-19 in the same file, on images of 256²."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg_ext = nn.ModuleDict({"vgg_1": vgg19_features()})
        self.fea_ext = PrimaryCapsules(PRIMARY)
        self.routing_stats = Routing(PRIMARY, 2, 0.0)

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean probabilities (B, 2) float32 of the four dimensions of each capsule."""
        capsules = self.fea_ext(self.vgg_ext["vgg_1"](images))
        routed: Tensor = self.routing_stats(capsules.float())
        return routed.softmax(dim=-1).mean(dim=1)
