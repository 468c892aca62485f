"""GoogLeNet, version 3: the network of the face stream of `two_stream`.

C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, as in
pytorch/vision, `torchvision/models/inception.py`: names and shapes of all weights are those of
its `inception_v3`, so that `inception_v3_google-0cc3c7bd.pth` fits all but the two last layers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swapset.errors import DataError
from swapset.learning.state_dicts import read_state

SIDE = 299
LAST = ("fc.", "AuxLogits.fc.")
"""Layers for ImageNet's 1,000 classes; those of a backbone's file are not used."""
_FIRST_SPREAD = 0.1
_AUXILIARY_SPREAD = 0.001


class Conv(nn.Module):
    """A convolution without bias, batch normalisation and ReLU; `BasicConv2d` of torchvision.

    Parameters
    ----------
    inputs, outputs : int
        Channels I and O.
    kernel : int or (int, int)
    **options
        Further arguments of `nn.Conv2d`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], **options: Any):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, O, H', W') float of (B, I, H, W)."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _row(inputs: int, outputs: int, length: int) -> Conv:
    return Conv(inputs, outputs, (1, length), padding=(0, length // 2))


def _column(inputs: int, outputs: int, length: int) -> Conv:
    return Conv(inputs, outputs, (length, 1), padding=(length // 2, 0))


def _averaged(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1)


class InceptionA(nn.Module):
    """A block at 35 x 35: (B, I, 35, 35) float to (B, 224 + P, 35, 35).

    Parameters
    ----------
    inputs, pooled : int
        I and P.
    """

    def __init__(self, inputs: int, pooled: int):
        super().__init__()
        self.branch1x1 = Conv(inputs, 64, 1)
        self.branch5x5_1 = Conv(inputs, 48, 1)
        self.branch5x5_2 = Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, padding=1)
        self.branch_pool = Conv(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the four branches side by side."""
        fives = self.branch5x5_2(self.branch5x5_1(x))
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), fives, threes, self.branch_pool(_averaged(x))], 1)


class InceptionB(nn.Module):
    """A block that halves the side: (B, 288, 35, 35) float to (B, 768, 17, 17)."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3 = Conv(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the three branches side by side."""
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), threes, F.max_pool2d(x, 3, stride=2)], 1)


class InceptionC(nn.Module):
    """A block at 17 x 17 with rows and columns of seven; (B, 768, 17, 17) float in and out.

    Parameters
    ----------
    inputs, inner : int
        Input channels, and channels between the convolutions of a branch.
    """

    def __init__(self, inputs: int, inner: int):
        super().__init__()
        self.branch1x1 = Conv(inputs, 192, 1)
        self.branch7x7_1 = Conv(inputs, inner, 1)
        self.branch7x7_2 = _row(inner, inner, 7)
        self.branch7x7_3 = _column(inner, 192, 7)
        self.branch7x7dbl_1 = Conv(inputs, inner, 1)
        self.branch7x7dbl_2 = _column(inner, inner, 7)
        self.branch7x7dbl_3 = _row(inner, inner, 7)
        self.branch7x7dbl_4 = _column(inner, inner, 7)
        self.branch7x7dbl_5 = _row(inner, 192, 7)
        self.branch_pool = Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the four branches side by side."""
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_averaged(x))], 1)


class InceptionD(nn.Module):
    """A block that halves the side: (B, 768, 17, 17) float to (B, 1280, 8, 8)."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3_1 = Conv(inputs, 192, 1)
        self.branch3x3_2 = Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Conv(inputs, 192, 1)
        self.branch7x7x3_2 = _row(192, 192, 7)
        self.branch7x7x3_3 = _column(192, 192, 7)
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the three branches side by side."""
        threes = self.branch3x3_2(self.branch3x3_1(x))
        sevens = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat([threes, self.branch7x7x3_4(sevens), F.max_pool2d(x, 3, stride=2)], 1)


class InceptionE(nn.Module):
    """A block at 8 x 8 whose branches fork: (B, I, 8, 8) float to (B, 2048, 8, 8)."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch1x1 = Conv(inputs, 320, 1)
        self.branch3x3_1 = Conv(inputs, 384, 1)
        self.branch3x3_2a = _row(384, 384, 3)
        self.branch3x3_2b = _column(384, 384, 3)
        self.branch3x3dbl_1 = Conv(inputs, 448, 1)
        self.branch3x3dbl_2 = Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _row(384, 384, 3)
        self.branch3x3dbl_3b = _column(384, 384, 3)
        self.branch_pool = Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the six branches side by side."""
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [self.branch1x1(x), self.branch3x3_2a(once), self.branch3x3_2b(once)]
        branches += [self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)]
        return torch.cat([*branches, self.branch_pool(_averaged(x))], 1)


class InceptionAux(nn.Module):
    """The auxiliary classifier halfway, used in training: (B, 768, 17, 17) float to (B, C)."""

    def __init__(self, inputs: int, classes: int):
        super().__init__()
        self.conv0 = Conv(inputs, 128, 1)
        self.conv1 = Conv(128, 768, 5)
        self.fc = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.conv1(self.conv0(F.avg_pool2d(x, 5, stride=3)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class GoogLeNet(nn.Module):
    """Inception v3: images (B, 3, 299, 299) float in [-1, 1], RGB, to logits (B, C).

    In training it returns two such tensors: the main and the auxiliary classifier's.

    Parameters
    ----------
    classes : int
        C.
    dropout : float
    """

    def __init__(self, classes: int = 2, *, dropout: float = 0.5):
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.AuxLogits = InceptionAux(768, classes)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, classes)
        self.apply(_start_weights)
        nn.init.trunc_normal_(self.AuxLogits.fc.weight, std=_AUXILIARY_SPREAD)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return logits (B, C); in training also those of the auxiliary classifier."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, stride=2))))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        middle = self.Mixed_6e(self.Mixed_6d(x))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(middle)))
        logits = self.fc(self.dropout(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return (logits, self.AuxLogits(middle)) if self.training else logits


def _start_weights(module: nn.Module) -> None:
    """Draw initial weights as torchvision does."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_FIRST_SPREAD)


def read_imagenet(path: Path, network: GoogLeNet) -> None:
    """Load torchvision's ImageNet weights into all layers but the two last.

    Parameters
    ----------
    path : Path
        A `.pth` file of `inception_v3`.
    network : GoogLeNet

    Raises
    ------
    DataError
        If the file cannot be read or is of another network.
    """
    published = read_state(path)
    state = {name: part for name, part in network.state_dict().items() if name.startswith(LAST)}
    state |= {name: part for name, part in published.items() if not name.startswith(LAST)}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        lines = " ".join(str(error).splitlines()[1:3])
        raise DataError(
            f"{path}: is no inception_v3 of torchvision ({lines.strip()}); see docs/weights.md"
        ) from error
