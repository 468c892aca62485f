"""The interface of all landmark extractors: crop, heat-maps, landmarks and training loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from swapset.errors import DataError
from swapset.extractors.crops import cut_squares, to_frame
from swapset.extractors.layers import layer_outputs
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.extractors.schedules import Schedule, Variation
from swapset.extractors.stored import KIND, StoredNetwork
from swapset.learning.model_files import read_model


class Extractor(StoredNetwork):
    """A convolutional network that gives a heat-map for each landmark.

    Everything from a frame's pixels to its heat-maps is differentiable in the pixels, because
    attacks change the frame, not the crop. The parameters and further attributes are those of
    `StoredNetwork`.

    Attributes
    ----------
    side : int
        Side S of the crops that the network reads.
    map_side : int
        Side of its heat-maps.
    published : Schedule
        The authors' training.
    variation : Variation
        The authors' augmentation.
    feature_layers : tuple of str
        Submodules whose outputs `features` returns.
    """

    side: ClassVar[int]
    map_side: ClassVar[int]
    published: ClassVar[Schedule]
    variation: ClassVar[Variation]
    feature_layers: ClassVar[tuple[str, ...]] = ()

    # -- defined by each extractor -------------------------------------------------------------

    @abstractmethod
    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares of the frames that the network reads.

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

    @abstractmethod
    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the maps of every output of the network, in the network's order, the best last.

        Parameters
        ----------
        images : (B, 3, S, S) float in [0, 255], RGB

        Returns
        -------
        list of (B, K, h, w) or (B, K + 1, h, w) float
            The background map is last where the network has one. Differentiable in the images and
            in the weights, in train and in eval mode.
        """

    @abstractmethod
    def decode(self, heatmaps: Tensor) -> Tensor:
        """Return the landmarks of heat-maps, decoded in the authors' way.

        Parameters
        ----------
        heatmaps : (B, K, h, w) float

        Returns
        -------
        (B, K, 2) float32
            x, y in pixels of the crop.
        """

    @abstractmethod
    def targets(self, points: Tensor, known: Tensor) -> Tensor:
        """Return the target maps of the training, shaped as `outputs` are.

        Parameters
        ----------
        points : (B, K, 2) float
            x, y in pixels of the crop; anything, NaN too, where a landmark is not known.
        known : (B, K) bool
            False = this landmark is not labelled.

        Returns
        -------
        (B, K, h, w) or (B, K + 1, h, w) float32 in [0, 1]
        """

    @abstractmethod
    def loss(self, outputs: Sequence[Tensor], points: Tensor, known: Tensor) -> Tensor:
        """Return the authors' training loss of a batch, without landmarks that are not labelled.

        Parameters
        ----------
        outputs : sequence of (B, K, h, w) or (B, K + 1, h, w) float
            See `outputs`.
        points : (B, K, 2) float
            x, y in pixels of the crop.
        known : (B, K) bool
            False = this landmark is not labelled.

        Returns
        -------
        scalar float32
        """

    @abstractmethod
    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the authors' optimiser.

        Its groups may have multiples of the learning rate: a schedule multiplies each group's.
        """

    # -- common to all -------------------------------------------------------------------------

    def crop(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """Cut and resize the network's input; differentiable in the frames.

        Parameters
        ----------
        frames : (B, 3, H, W) float in [0, 255], RGB
        boxes : (B, 4) float
            x0, y0, x1, y1 in pixels of the frame.

        Returns
        -------
        (B, 3, S, S) float in [0, 255]
            Pixels outside of a frame are 0.
        """
        return cut_squares(frames, self.regions(boxes), self.side)

    def heatmaps(self, images: Tensor) -> Tensor:
        """Return the heat-maps of crops; differentiable.

        They come from the last output of the network, without a background map.

        Parameters
        ----------
        images : (B, 3, S, S) float in [0, 255], RGB

        Returns
        -------
        (B, K, h, w) float
        """
        return self.outputs(images)[-1][:, : self.points]

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the outputs of `feature_layers`, and the heat-maps last; differentiable.

        Parameters
        ----------
        images : (B, 3, S, S) float in [0, 255], RGB

        Returns
        -------
        list of (B, C, h, w) float
        """
        features, maps = layer_outputs(
            self.network, self.feature_layers, lambda: self.heatmaps(images)
        )
        return [*features, maps]

    def landmarks(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """Return the landmarks in frames.

        Parameters
        ----------
        frames : (B, 3, H, W) float in [0, 255], RGB
        boxes : (B, 4) float
            x0, y0, x1, y1 in pixels of the frame.

        Returns
        -------
        (B, K, 2) float32
            x, y in pixels of the frame: 0 is the centre of its first pixel.
        """
        points = self.decode(self.heatmaps(self.crop(frames, boxes)))
        return to_frame(points, self.regions(boxes), self.side)


def load_extractor(path: Path, *, device: torch.device | str = "cpu") -> Extractor:
    """Return the extractor in a file that `Extractor.save` wrote, whichever it is.

    Raises
    ------
    DataError
        If the file is damaged, no extractor or of an unknown one.
    ConfigError
        If it is of an extractor of another package that cannot be imported.
    """
    name = read_model(path, KIND)[1].get("extractor")
    if name is None:
        raise DataError(f"{path}: is no {KIND}")
    if not isinstance(name, str) or name not in EXTRACTORS:
        raise DataError(f"{path}: is of the unknown extractor {name!r}")
    extractor: Extractor = extractor_class(name).load(path, device=device)
    return extractor
