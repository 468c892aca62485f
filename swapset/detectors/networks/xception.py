"""Xception as FaceForensics++ uses it, with the names of its checkpoints.

F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017, figure 5;
github.com/ondyari/FaceForensics, `classification/network/xception.py` and `models.py`, which
follow github.com/Cadene/pretrained-models.pytorch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeparableConv2d(nn.Module):
    """A 3x3 convolution within channels, then a 1x1 one across channels.

    Parameters
    ----------
    inputs, outputs : int
        Channels I and O.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (B, O, H, W) float of (B, I, H, W)."""
        return self.pointwise(self.conv1(features))


class Block(nn.Module):
    """Separable convolutions beside a shortcut: (B, I, H, W) float to (B, O, H/stride, W/stride).

    Parameters
    ----------
    inputs, outputs : int
        Channels I and O.
    count : int
        Number of separable convolutions.
    stride : int
        With 2, the block ends in a 3x3 max pooling, and the shortcut is a 1x1 convolution.
    rectified : bool
        Whether the input is already rectified.
    grows_first : bool
        Whether the first or the last convolution changes the number of channels.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        count: int,
        stride: int = 1,
        *,
        rectified: bool = False,
        grows_first: bool = True,
    ):
        super().__init__()
        self.skip: nn.Conv2d | None = None
        if outputs != inputs or stride != 1:
            self.skip = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.skipbn = nn.BatchNorm2d(outputs)
        widths = [inputs] + [outputs if grows_first else inputs] * (count - 1) + [outputs]
        parts: list[nn.Module] = []
        for index in range(count):
            if index or not rectified:
                parts.append(nn.ReLU(inplace=index > 0))
            parts.append(SeparableConv2d(widths[index], widths[index + 1]))
            parts.append(nn.BatchNorm2d(widths[index + 1]))
        if stride != 1:
            parts.append(nn.MaxPool2d(3, stride, padding=1))
        self.rep = nn.Sequential(*parts)

    def forward(self, features: Tensor) -> Tensor:
        """Return the sum of convolutions and shortcut."""
        shortcut = features if self.skip is None else self.skipbn(self.skip(features))
        return self.rep(features) + shortcut


class Xception(nn.Module):
    """Xception: images (B, C, S, S) float in [-1, 1] to logits (B, classes).

    Parameters
    ----------
    classes : int
    inputs : int
        Channels C; 3 are RGB.
    dropout : float
        Before the last layer, which then is the second part of `last_linear`; 0: none.
    """

    def __init__(self, classes: int, *, inputs: int = 3, dropout: float = 0.0):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, 32, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.block1 = Block(64, 128, 2, 2, rectified=True)
        self.block2 = Block(128, 256, 2, 2)
        self.block3 = Block(256, 728, 2, 2)
        for index in range(4, 12):
            self.add_module(f"block{index}", Block(728, 728, 3))
        self.block12 = Block(728, 1024, 2, 2, grows_first=False)
        self.conv3 = SeparableConv2d(1024, 1536)
        self.bn3 = nn.BatchNorm2d(1536)
        self.conv4 = SeparableConv2d(1536, 2048)
        self.bn4 = nn.BatchNorm2d(2048)
        last: nn.Module = nn.Linear(2048, classes)
        self.last_linear = nn.Sequential(nn.Dropout(dropout), last) if dropout else last

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) float of images (B, C, S, S)."""
        features = torch.relu(self.bn1(self.conv1(images)))
        features = torch.relu(self.bn2(self.conv2(features)))
        for index in range(1, 13):
            features = self.get_submodule(f"block{index}")(features)
        features = torch.relu(self.bn3(self.conv3(features)))
        features = torch.relu(self.bn4(self.conv4(features)))
        return self.last_linear(features.mean((2, 3)))


class TransferModel(nn.Module):
    """Xception with two outputs, real and fake, under the names of the authors' checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Xception(classes=2)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of real and fake, for images (B, 3, 299, 299)."""
        return self.model(images)
