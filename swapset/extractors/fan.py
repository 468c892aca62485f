"""FAN with one hourglass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.extractors.crops import squares_about
from swapset.extractors.networks.fan import FANNetwork
from swapset.extractors.pixel_maps import PixelMapExtractor
from swapset.extractors.schedules import Schedule, Variation
from swapset.learning.state_dicts import output_channels, read_published

_LATER = re.compile(r"(m|top_m_|conv_last|bn_end|l|bl|al)[1-9]\d*\.|(bl|al)0\.")


class FAN(PixelMapExtractor):
    """FAN of Bulat and Tzimiropoulos with one hourglass, trained as in pyhowfar.

    The crop is that of 1adrianb/face-alignment for boxes of dlib's detector, the kind of box that
    this project draws: 200/195 of the box's width and height together, its centre 12 % of the box
    higher (face_alignment/api.py). Pixels are divided by 255, without a mean: pyhowfar computes one
    but does not use it (datasets/W300LP.py).

    Training as in pyhowfar: Gaussians of σ = 1 map pixel, mean squared error, RMSprop (main.py,
    opts.py, datasets/W300LP.py; read from its forks HapKoM/pyhowfar and lippman1125/pytorch_FAN,
    which agree, as the original is no longer public). The steps here are 40 epochs of the 61,225
    pictures of 300W-LP that it trains on.

    pyhowfar's own network has ordinary bottlenecks where the paper has blocks of three parallel
    outputs. The network here has the paper's blocks, for which weights are published:
    `from_weights` reads the first hourglass of 2DFAN4-11f355bf06.pth.tar.
    """

    name = "fan"
    side = 256
    map_side = 64
    feature_layers = ("conv4", "m0")
    published = Schedule(
        steps=102_000, batch=24, learning_rate=1e-4, milestones=(15 / 40, 30 / 40), factor=0.1
    )
    variation = Variation(
        law="normal", turn=30, turned=0.6, scale=0.3, shift=0, colour=0.3, mirrored=0.5
    )

    @property
    def sigma(self) -> float:
        """See `PixelMapExtractor.sigma`."""
        return 1.0

    def build(self) -> nn.Module:
        """Return the network; numbers of channels are multiples of 4."""
        return FANNetwork(self.points, stem=4 * max(1, round(16 * self.width)))

    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares; see `Extractor.regions`."""
        return squares_about(boxes, size=400 / 195, lowered=-0.12)

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the heat-maps; see `Extractor.outputs`."""
        return [self.network(images / 255)]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return RMSprop without momentum and weight decay."""
        return torch.optim.RMSprop(self.network.parameters(), lr=learning_rate)

    @classmethod
    def published_state(cls, path: Path) -> dict[str, Tensor]:
        """Return the weights up to the first hourglass's heat-maps."""
        state = read_published(path)
        return {name: part for name, part in state.items() if not _LATER.match(name)}

    @classmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the number of landmarks."""
        return {"points": output_channels(state, "l0", path)}
