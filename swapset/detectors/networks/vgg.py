"""The first layers of VGG-19, in plain torch with torchvision's names.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, configuration E; torchvision `models/vgg.py`, `vgg19().features`.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from swapset.errors import DataError
from swapset.learning.state_dicts import read_state

CHANNELS = 256
"""Channels of the features."""
_WIDTHS = ((64, 64), (128, 128), (256, 256, 256, 256))


def vgg19_features() -> nn.Sequential:
    """Return layers 0 to 18 of `vgg19().features`, up to and including the third pooling.

    Input: (B, 3, S, S) float, RGB, normalised by ImageNet's mean and standard deviation. Output:
    (B, 256, S/8, S/8). Initial weights are drawn as torchvision does.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for block in _WIDTHS:
        for outputs in block:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers += [convolution, nn.ReLU(inplace=True)]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def read_vgg19(path: Path) -> dict[str, Tensor]:
    """Return the weights of those layers from a file of torchvision's VGG-19, `features.N.…`.

    Raises
    ------
    DataError
        If the file is damaged, or lacks one of them.
    """
    published = read_state(path)
    expected = nn.ModuleDict({"features": vgg19_features()}).state_dict()
    for name, part in expected.items():
        if name not in published or published[name].shape != part.shape:
            raise DataError(
                f"{path}: has no {name} of VGG-19; give torchvision's vgg19-dcbb9e9d.pth"
            )
    return {name: published[name] for name in expected}
