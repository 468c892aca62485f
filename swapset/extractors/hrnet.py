"""HRNet-W18."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.extractors.crops import LANDMARK_EXTENT, LANDMARKS_LOWER, squares_about
from swapset.extractors.networks.hrnet import HRNetNetwork
from swapset.extractors.pixel_maps import PixelMapExtractor
from swapset.extractors.schedules import Schedule, Variation
from swapset.learning.state_dicts import output_channels

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class HRNet(PixelMapExtractor):
    """HRNetV2-W18 of HRNet-Facial-Landmark-Detection.

    The authors cut a square of 1.25 times the longer side of the landmarks' bounding box about the
    box's centre (lib/datasets/wflw.py; centres and scales are in their annotations). Here the
    bounding box is derived from dlib's box.

    Training: Gaussians of σ = 1.5 map pixels for 98 points and 1 for 68, mean squared error, Adam;
    the steps are 60 epochs of WFLW's 7,500 pictures (experiments/wflw and experiments/300w,
    face_alignment_*_hrnet_w18.yaml; lib/config/defaults.py; tools/train.py). The authors start from
    hrnetv2_w18_imagenet_pretrained.pth, which `take_backbone` reads.
    """

    name = "hrnet"
    side = 256
    map_side = 64
    backbone = ("conv", "bn", "layer1", "transition", "stage")
    feature_layers = ("layer1", "stage2.0", "stage3.3")
    published = Schedule(
        steps=28_140, batch=16, learning_rate=1e-4, milestones=(30 / 60, 50 / 60), factor=0.1
    )
    variation = Variation(
        law="uniform", turn=30, turned=0.6, scale=0.25, shift=0, colour=0, mirrored=0.5
    )

    @property
    def sigma(self) -> float:
        """See `PixelMapExtractor.sigma`."""
        return 1.5 if self.points == 98 else 1.0

    def build(self) -> nn.Module:
        """Return the network."""
        # Kept on the device: sending them at each step would slow an attack down.
        self._colours = torch.tensor((_MEAN, _STD), device=self.device)[:, :, None, None]
        return HRNetNetwork(
            self.points,
            stem=max(4, round(64 * self.width)),
            branch=max(2, round(18 * self.width)),
        )

    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares; see `Extractor.regions`."""
        return squares_about(boxes, size=1.25 * LANDMARK_EXTENT, lowered=LANDMARKS_LOWER)

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the heat-maps; see `Extractor.outputs`."""
        mean, deviation = self._colours
        return [self.network((images / 255 - mean) / deviation)]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    @classmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the number of landmarks."""
        return {"points": output_channels(state, "head.3", path)}
