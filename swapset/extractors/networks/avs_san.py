"""SAN: convolutional pose machines on a face and on its style-aggregated twin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swapset.extractors.networks.styles import AverageStyle, Generator

_VGG = ((64, 2), (128, 2), (256, 3), (512, 3))
"""Channels and number of convolutions between two poolings, VGG-16 up to conv4_3."""


class SANNetwork(nn.Module):
    """SAN: (B, 3, 128, 128) float in [-1, 1] in, four times (B, K + 1, 16, 16) out.

    State-dict keys and shapes are those of the authors' `ITN_CPM`: `features.*` (torchvision's
    VGG-16), `CPM_feature.*`, `stage1.*`, `stage2.*`, `stage3.*` and, if `generators`, `netG_A.*`
    and `netG_B.*`, which are never trained.

    Fresh weights are He's in all but the last layer of a stage, as these networks have no norms;
    see `start_as_published`.

    Parameters
    ----------
    points : int
        K; one more map is the background.
    width : float
        Share of the channels, rounded to multiples of 4; 1 = as published.
    generators : bool
        Whether the style-aggregated face comes from two networks, as published, which this project
        does not train, or from fixed transforms (`AverageStyle`).

    References
    ----------
    X. Dong et al., "Style aggregated network for facial landmark detection", CVPR 2018; layers as
    in D-X-Y/landmark-detection, SAN/lib/models/itn_cpm.py.
    """

    def __init__(self, points: int, width: float = 1.0, *, generators: bool = False):
        super().__init__()

        def wide(channels: int) -> int:
            return 4 * max(1, round(channels * width / 4))

        maps, base, features = points + 1, wide(128), wide(512)
        if generators:
            self.netG_A = Generator().requires_grad_(False)
            self.netG_B = Generator().requires_grad_(False)
        self.styles = None if generators else AverageStyle()
        self.features = _vgg([(wide(channels), count) for channels, count in _VGG])
        self.CPM_feature = _layers((features, wide(256), 3), (wide(256), base, 3), last=True)
        self.stage1 = _layers(
            *([(base, base, 3)] * 4), (base, features, 1), (features, maps, 1), last=False
        )
        self.stage2 = _refinement(2 * base + 2 * maps, base, maps)
        self.stage3 = _refinement(2 * base + maps, base, maps)
        _start([*self.features, *self.CPM_feature], None)
        for stage in (self.stage1, self.stage2, self.stage3):
            *inner, last = stage
            _start(inner, None)
            _start([last], 0.01)

    def start_as_published(self) -> None:
        """Draw the authors' fresh weights (normal, 0.01) for all layers but VGG-16's.

        Only with VGG-16's ImageNet weights do these pass enough of a picture's signal through.
        """
        for part in (self.CPM_feature, self.stage1, self.stage2, self.stage3):
            _start(list(part), 0.01)

    def aggregated(self, x: Tensor) -> Tensor:
        """Return the style-aggregated faces (B, 3, H, W) float of faces, both in [-1, 1]."""
        if self.styles is not None:
            return self.styles(x)
        return (self.netG_A(x) + self.netG_B(x)) / 2

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of stage 1 of the face and of its twin, of stage 2 and of stage 3.

        Parameters
        ----------
        x : (B, 3, 128, 128) float in [-1, 1], RGB

        Returns
        -------
        list of four (B, K + 1, 16, 16) float
        """
        both = torch.cat((x, self.aggregated(x)))
        both = self.CPM_feature(self.features(both))
        first = self.stage1(both)
        features, coarse = torch.cat(both.chunk(2), 1), torch.cat(first.chunk(2), 1)
        second = self.stage2(torch.cat((features, coarse), 1))
        third = self.stage3(torch.cat((features, second), 1))
        return [*first.chunk(2), second, third]


def _vgg(stages: list[tuple[int, int]]) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for channels, count in stages:
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(count):
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = channels
    return nn.Sequential(*layers)


def _layers(*sizes: tuple[int, int, int], last: bool) -> nn.Sequential:
    """Return rectified convolutions of these (inputs, outputs, side); `last`: the last one, too."""
    layers: list[nn.Module] = []
    for inputs, outputs, side in sizes:
        layers += [nn.Conv2d(inputs, outputs, side, padding=side // 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*(layers if last else layers[:-1]))


def _refinement(inputs: int, base: int, maps: int) -> nn.Sequential:
    sides = (7, 7, 3, 3, 3, 3, 1)
    sizes = [(inputs, base, 7), *((base, base, side) for side in sides), (base, maps, 1)]
    return _layers(*sizes, last=False)


def _start(layers: list[nn.Module], deviation: float | None) -> None:
    """Draw weights with a standard deviation, None = He's, and set the biases to 0."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            if deviation is None:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)
