"""Extractors with heat-maps that peak on the pixel of a landmark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from swapset.extractors.base import Extractor
from swapset.extractors.decode import quarter_pixel
from swapset.extractors.targets import known_mean, pixel_gaussians


class PixelMapExtractor(Extractor):
    """Shared parts of FAN and HRNet: targets, loss and decoding, all from pytorch-pose."""

    @property
    @abstractmethod
    def sigma(self) -> float:
        """Standard deviation of the target Gaussians, in map pixels."""

    def decode(self, heatmaps: Tensor) -> Tensor:
        """Return the maxima, a quarter of a pixel to the higher side; see `Extractor.decode`."""
        return quarter_pixel(heatmaps, self.side / self.map_side)

    def targets(self, points: Tensor, known: Tensor) -> Tensor:
        """Return Gaussians about whole map pixels; see `Extractor.targets`."""
        stride = self.side / self.map_side
        return pixel_gaussians(
            points, known, map_side=self.map_side, stride=stride, sigma=self.sigma
        )

    def loss(self, outputs: Sequence[Tensor], points: Tensor, known: Tensor) -> Tensor:
        """Return the mean squared error, summed over the outputs; see `Extractor.loss`."""
        wanted = self.targets(points, known)
        return torch.stack([known_mean((maps - wanted) ** 2, known) for maps in outputs]).sum()
