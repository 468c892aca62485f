"""Tiny: a landmark extractor of four convolutions, for faces of 64 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.extractors.crops import squares_about
from swapset.extractors.pixel_maps import PixelMapExtractor
from swapset.extractors.schedules import Schedule, Variation


class Tiny(PixelMapExtractor):
    """Reads 64 pixels and gives maps of 32, each with a peak on its landmark."""

    name = "tiny"
    side = 64
    map_side = 32
    sigma = 1.0
    published = Schedule(
        steps=2000, batch=16, learning_rate=0.001, milestones=(0.5, 0.75), factor=0.1
    )
    variation = Variation(
        law="uniform", turn=15, turned=0.5, scale=0.1, shift=0.05, colour=0.2, mirrored=0.5
    )

    def build(self) -> nn.Module:
        """Return the network with fresh weights."""
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((3, 32, 2), (32, 64, 1), (64, 64, 1)):
            conv = nn.Conv2d(inputs, outputs, 5, stride, 2)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.Conv2d(64, self.points, 1))

    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares (B, 3) that the network wants to see of faces in boxes (B, 4)."""
        return squares_about(boxes, size=1.4, lowered=0.05)

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the maps (B, K, 32, 32) of crops (B, 3, 64, 64) in [0, 255]."""
        return [self.network(images / 255)]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the optimiser that it is trained by."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    @classmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the constructor's arguments that weights need; here they are 68 landmarks'."""
        return {"points": 68}
