"""The networks of MesoNet, layer by layer as their authors built them in Keras.

D. Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018, figures 4
and 6; github.com/DariusAf/MesoNet, `classifiers.py`. Keras' defaults that differ from torch's are
set here: batch normalisation with epsilon 1e-3 after the rectifier, weights from Glorot's uniform
distribution, dense layers that read rows, columns and channels in this order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SIDE = 256
"""Side of the images; the dense layers allow no other."""

POOLED = 8
"""Side of the last feature map."""


def _norm(channels: int) -> nn.BatchNorm2d:
    """Return Keras' batch normalisation, except for its momentum.

    Keras' momentum (0.99) takes a thousand steps to forget the initial statistics, and until then
    a look at the validation faces is meaningless. The momentum does not change the learnt weights.
    """
    return nn.BatchNorm2d(channels, eps=1e-3)


def _start_weights(module: nn.Module) -> None:
    """Draw initial weights as Keras does: X. Glorot, Y. Bengio, AISTATS 2010, equation 16."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Convolution(nn.Conv2d):
    """A rectified convolution that keeps the size.

    Parameters
    ----------
    inputs, outputs, kernel : int
        Channels I and O, and side of the kernel.
    dilation : int
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, dilation: int = 1):
        padding = dilation * (kernel - 1) // 2
        super().__init__(inputs, outputs, kernel, padding=padding, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        """Return rectified features (B, O, H, W) float of (B, I, H, W)."""
        return torch.relu(super().forward(features))


class Inception(nn.Module):
    """Four branches side by side: (B, I, H, W) float to (B, a + b + c + d, H, W).

    One branch is a 1x1 convolution. The other three are a 1x1 convolution and a 3x3 one with
    dilation 1, 2 or 3. All are rectified. Section III-B of the paper, figure 5.

    Parameters
    ----------
    inputs : int
    outputs : (int, int, int, int)
        Channels a, b, c, d of the branches.
    """

    def __init__(self, inputs: int, outputs: Sequence[int]):
        super().__init__()
        a, b, c, d = outputs
        self.branch1 = Convolution(inputs, a, 1)
        self.branch2 = nn.Sequential(Convolution(inputs, b, 1), Convolution(b, b, 3))
        self.branch3 = nn.Sequential(Convolution(inputs, c, 1), Convolution(c, c, 3, dilation=2))
        self.branch4 = nn.Sequential(Convolution(inputs, d, 1), Convolution(d, d, 3, dilation=3))

    def forward(self, features: Tensor) -> Tensor:
        """Return the branches' channels, in their order."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(features) for branch in branches], dim=1)


class MesoNetwork(nn.Module):
    """Four stages and two dense layers: (B, 3, 256, 256) float in [0, 1], RGB, to (B,).

    The output is the probability, float32 in [0, 1], that a face is **real**.

    Parameters
    ----------
    stages : sequence of nn.Module
        Rectified layers of each stage.
    channels : sequence of int
        Number of output channels of each stage.
    """

    def __init__(self, stages: Sequence[nn.Module], channels: Sequence[int]):
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.norms = nn.ModuleList(map(_norm, channels))
        self.pools = (2, 2, 2, 4)
        self.dropout = nn.Dropout(0.5)
        self.dense1 = nn.Linear(channels[-1] * POOLED**2, 16)
        self.dense2 = nn.Linear(16, 1)
        self.apply(_start_weights)

    def forward(self, images: Tensor) -> Tensor:
        """Return the probability that each image is real."""
        features = images
        for stage, norm, pool in zip(self.stages, self.norms, self.pools, strict=True):
            features = nn.functional.max_pool2d(norm(stage(features)), pool)
        flat = self.dropout(features.permute(0, 2, 3, 1).flatten(1))
        hidden = self.dropout(nn.functional.leaky_relu(self.dense1(flat), 0.1))
        return torch.sigmoid(self.dense2(hidden).float())[:, 0]

    def convolution_orders(self) -> list[list[str]]:
        """Return the names of all convolutions in the two orders in which Keras may number them.

        The first is the order in which the authors' code creates them, which is used in layers'
        names. The second is the order of the layers in a finished model, which the newest files
        number: within an inception layer, convolutions that feed another one come first.
        """
        names = [name for name, part in self.named_modules() if isinstance(part, Convolution)]
        return [names, sorted(names, key=_place_in_model)]


def _place_in_model(name: str) -> tuple[int, bool]:
    """Return a convolution's stage, and whether it is the last of its branch."""
    parts = name.split(".")
    return int(parts[1]), parts[-1] != "0"


def meso4() -> MesoNetwork:
    """Return the network of Meso4 with fresh weights; it has 27,977 learnt parameters."""
    stages = [
        Convolution(3, 8, 3),
        Convolution(8, 8, 5),
        Convolution(8, 16, 5),
        Convolution(16, 16, 5),
    ]
    return MesoNetwork(stages, (8, 8, 16, 16))


def meso_inception4() -> MesoNetwork:
    """Return the network of MesoInception4 with fresh weights; it has 28,615 learnt parameters."""
    stages = [
        Inception(3, (1, 4, 4, 2)),
        Inception(11, (2, 4, 4, 2)),
        Convolution(12, 16, 5),
        Convolution(16, 16, 5),
    ]
    return MesoNetwork(stages, (11, 12, 16, 16))
