"""The networks of MesoNet, layer by layer as their authors built them in Keras.

D. Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018, figures 4
and 6; github.com/DariusAf/MesoNet, `classifiers.py`. Everything that Keras does by default and
torch does not is here: batch normalisation with epsilon 1e-3 after the rectifier, weights from
Glorot's uniform distribution, dense layers that read rows, columns and channels in this order.
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
    """Return Keras' batch normalisation, but for how fast its statistics follow.

    Keras' momentum (0.99) takes a thousand steps to forget where the statistics start, and until
    then a look at the validation faces says nothing. What is learnt does not depend on it.
    """
    return nn.BatchNorm2d(channels, eps=1e-3)


def _start_weights(module: nn.Module) -> None:
    """Start as Keras does: X. Glorot, Y. Bengio, AISTATS 2010, equation 16."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Convolution(nn.Conv2d):
    """Rectified convolution that keeps the size: (B, I, H, W) to (B, O, H, W)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, dilation: int = 1):
        padding = dilation * (kernel - 1) // 2
        super().__init__(inputs, outputs, kernel, padding=padding, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        """Return rectified features."""
        return torch.relu(super().forward(features))


class Inception(nn.Module):
    """Four branches side by side: (B, I, H, W) to (B, a + b + c + d, H, W).

    A 1x1 convolution, and three 3x3 ones with dilations 1, 2, 3 behind a 1x1 one each; all are
    rectified. Section III-B of the paper, figure 5.

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
    """Four stages and two dense layers: (B, 3, 256, 256) in [0, 1], RGB, to (B,).

    The output is the probability, float32 in [0, 1], that a face is **real**.

    Parameters
    ----------
    stages : sequence of nn.Module
        What computes features in each stage, rectified.
    channels : sequence of int
        How many channels each stage gives.
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
        """Return how likely each image is real."""
        features = images
        for stage, norm, pool in zip(self.stages, self.norms, self.pools, strict=True):
            features = nn.functional.max_pool2d(norm(stage(features)), pool)
        flat = self.dropout(features.permute(0, 2, 3, 1).flatten(1))
        hidden = self.dropout(nn.functional.leaky_relu(self.dense1(flat), 0.1))
        return torch.sigmoid(self.dense2(hidden).float())[:, 0]

    def convolution_orders(self) -> list[list[str]]:
        """Return the names of all convolutions in the orders in which Keras may number them.

        First as the authors' code makes them, which is what layers are named by; then as Keras
        sorts a finished model's layers, which is what its newest files are numbered by: in an
        inception layer, what feeds another convolution comes first.
        """
        made = [name for name, part in self.named_modules() if isinstance(part, Convolution)]
        return [made, sorted(made, key=_place_in_model)]


def _place_in_model(name: str) -> tuple[int, bool]:
    """Return stage, and whether a convolution is the last of its branch."""
    parts = name.split(".")
    return int(parts[1]), parts[-1] != "0"


def meso4() -> MesoNetwork:
    """Return the network of Meso4 with fresh weights; 27,977 of them are learnt."""
    stages = [
        Convolution(3, 8, 3),
        Convolution(8, 8, 5),
        Convolution(8, 16, 5),
        Convolution(16, 16, 5),
    ]
    return MesoNetwork(stages, (8, 8, 16, 16))


def meso_inception4() -> MesoNetwork:
    """Return the network of MesoInception4 with fresh weights; 28,615 of them are learnt."""
    stages = [
        Inception(3, (1, 4, 4, 2)),
        Inception(11, (2, 4, 4, 2)),
        Convolution(12, 16, 5),
        Convolution(16, 16, 5),
    ]
    return MesoNetwork(stages, (11, 12, 16, 16))
