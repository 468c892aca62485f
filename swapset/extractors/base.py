"""The interface of all landmark extractors: crop, heat-maps, landmarks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from swapset.seeds import derive_seed

POINTS = (68, 98)
"""Numbers of landmarks: 300-W's and WFLW's."""


class Extractor(ABC):
    """A convolutional network that gives a heat-map for each landmark.

    Everything from a frame's pixels to its heat-maps is differentiable in the pixels: an attack
    lives on the frame, not on the crop.

    Attributes
    ----------
    name : str
        As in the config and in tables.
    side : int
        Side S of the crops that the network reads.
    map_side : int
        Side of its heat-maps.
    points : int
        Number of landmarks K, 68 or 98.
    network : nn.Module
        In eval mode unless it is being trained.

    Parameters
    ----------
    points : int
    width : float
        Share of the published numbers of channels; 1 = as published. Small ones train on a CPU.
    seed : int
        Of the first weights.
    device : torch.device or str
    """

    name: ClassVar[str]
    side: ClassVar[int]
    map_side: ClassVar[int]

    def __init__(
        self,
        *,
        points: int = 68,
        width: float = 1.0,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        if points not in POINTS:
            raise ValueError(f"points must be one of {POINTS}, not {points}")
        self.points, self.width, self.seed = points, width, seed
        self.device = torch.device(device)
        torch.manual_seed(derive_seed(seed, self.name, "weights") % 2**63)
        self.network = self.build().to(self.device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; its state-dict keys are the published ones."""

    @abstractmethod
    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares (B, 3) that the network wants to see of faces.

        Parameters
        ----------
        boxes : (B, 4) float
            x0, y0, x1, y1 in pixels of the frame, as dlib's detector draws them
            (`swapset.faces.boxes.box_from_landmarks`).

        Returns
        -------
        (B, 3) float
            x and y of the centre, and the side, in pixels of the frame.
        """

    def crop(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """Cut and resize what the network reads; differentiable in the frames.

        Parameters
        ----------
        frames : (B, 3, H, W) float in [0, 255], RGB
        boxes : (B, 4) float

        Returns
        -------
        (B, 3, S, S) float in [0, 255]
            What lies outside of a frame is 0.
        """
        raise NotImplementedError  # to be written in swapset/extractors/crops.py and called here

    @abstractmethod
    def heatmaps(self, images: Tensor) -> Tensor:
        """Return heat-maps (B, K, h, w) of crops (B, 3, S, S) in [0, 255], RGB; differentiable.

        Of a network with several outputs, the last; without a background map.
        """

    @abstractmethod
    def decode(self, heatmaps: Tensor) -> Tensor:
        """Return landmarks (B, K, 2), x and y in pixels of the crop, as the authors decode them."""

    def landmarks(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """Return landmarks (B, K, 2), x and y in pixels of the frames.

        Pixel coordinates: 0 is the centre of a frame's first pixel.
        """
        raise NotImplementedError  # crop, heatmaps, decode, and back by the regions
