"""The interface of all landmark extractors: crop, heat-maps, landmarks and training loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from swapset.errors import DataError
from swapset.extractors.crops import cut_squares, to_frame
from swapset.extractors.layers import layer_outputs
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.extractors.schedules import Schedule, Variation
from swapset.learning.model_files import read_model, write_model
from swapset.learning.outlines import check_shapes, outlines
from swapset.learning.state_dicts import read_published, with_counters
from swapset.seeds import derive_seed

KIND = "landmark extractor"
"""Name of the kind of file, for messages."""
POINTS = (68, 98)
"""Possible numbers of landmarks: 300-W's and WFLW's."""


class Extractor(ABC):
    """A convolutional network that gives a heat-map for each landmark.

    Everything from a frame's pixels to its heat-maps is differentiable in the pixels, because
    attacks change the frame, not the crop.

    Attributes
    ----------
    name : str
        As in the config and in tables.
    side : int
        Side S of the crops that the network reads.
    map_side : int
        Side of its heat-maps.
    published : Schedule
        The authors' training.
    variation : Variation
        The authors' augmentation.
    backbone : tuple of str
        Prefixes of the weights that the authors take from ImageNet; empty = none.
    feature_layers : tuple of str
        Submodules whose outputs `features` returns.
    points : int
        Number of landmarks K, 68 or 98.
    network : nn.Module
        In eval mode unless it is being trained.
    pretrained : bool
        Whether `take_backbone` loaded ImageNet weights.
    trained : bool
        False = fresh weights, whose landmarks mean nothing. The code that trains it sets this.

    Parameters
    ----------
    points : int
    width : float
        Share of the published numbers of channels, in (0, 4]; 1 = as published. Small ones can be
        trained on a CPU.
    seed : int
        Of the initial weights.
    device : torch.device or str

    Raises
    ------
    ValueError
        If `points` or `width` is not allowed.
    """

    name: ClassVar[str]
    side: ClassVar[int]
    map_side: ClassVar[int]
    published: ClassVar[Schedule]
    variation: ClassVar[Variation]
    backbone: ClassVar[tuple[str, ...]] = ()
    feature_layers: ClassVar[tuple[str, ...]] = ()

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
        if not 0 < width <= 4:
            raise ValueError(f"width must be above 0 and at most 4, not {width}")
        self.points, self.width, self.seed = points, width, seed
        self.device = torch.device(device)
        self.pretrained = self.trained = False
        torch.manual_seed(derive_seed(seed, self.name, "weights") % 2**63)
        self.network = self.build().to(self.device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    # -- defined by each extractor -------------------------------------------------------------

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; its state-dict keys are the published ones."""

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

    def take_backbone(self, path: Path) -> None:
        """Load the backbone's ImageNet weights before a training, as the authors do.

        Raises
        ------
        DataError
            If this extractor has no backbone, or the weights do not fit; published weights are for
            `width` 1.
        """
        if not self.backbone:
            raise DataError(f"{path}: {self.name} has no backbone that takes weights; leave it out")
        merged = self.network.state_dict()
        state = with_counters(read_published(path), self.network)
        for name, part in merged.items():
            if name.startswith(self.backbone):
                if name not in state or state[name].shape != part.shape:
                    raise DataError(
                        f"{path}: is no backbone of {self.name} of width {self.width} ({name} is "
                        "missing or of another shape); see docs/weights.md"
                    )
                merged[name] = state[name]
        self.network.load_state_dict(merged)
        self.pretrained = True

    # -- files ---------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Return the constructor's arguments that rebuild this extractor, as JSON values."""
        return {"points": self.points, "width": self.width}

    def save(self, path: Path, card: Mapping[str, Any] | None = None) -> None:
        """Write the extractor and a card of JSON values as safetensors, whole or not at all.

        Raises
        ------
        DataError
            If it is not trained.
        """
        if not self.trained:
            raise DataError(f"{path}: an untrained {self.name} is not worth a file; train it first")
        arrays = {name: part.cpu().numpy() for name, part in self.network.state_dict().items()}
        write_model(path, arrays, {"extractor": self.name, **self.facts()}, card or {})

    @classmethod
    def load(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the extractor that `save` wrote.

        Raises
        ------
        DataError
            If the file is damaged or of another extractor.
        """
        arrays, facts, _ = read_model(path, KIND)
        if facts.pop("extractor", None) != cls.name:
            raise DataError(f"{path}: is no extractor {cls.name}")
        try:
            with outlines():  # a file may ask for more memory than its arrays need
                outline = cls(**facts, device="meta")
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: is of another version ({error}); train it again") from error
        try:
            check_shapes(outline.network, arrays)
        except ValueError as error:
            raise DataError(f"{path}: weights do not fit {cls.name}: {error}") from error
        extractor = cls(**facts, device=device)
        extractor.take({name: torch.from_numpy(part) for name, part in arrays.items()}, path)
        return extractor

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the extractor with weights that its authors' code wrote; see docs/weights.md.

        The number of landmarks is read from the file. The file is a state dict, or a checkpoint
        with one in it; `module.` may stand before its names.

        Raises
        ------
        DataError
            If the file is not the expected one.
        """
        state = cls.published_state(path)
        facts = cls.published_facts(state, path)
        if facts["points"] not in POINTS:
            raise DataError(f"{path}: finds {facts['points']} landmarks, but must find 68 or 98")
        extractor = cls(**facts, device=device)
        extractor.take(with_counters(state, extractor.network), path)
        return extractor

    @classmethod
    def published_state(cls, path: Path) -> dict[str, Tensor]:
        """Return the part of a published checkpoint that fits `network`."""
        return read_published(path)

    @classmethod
    @abstractmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the constructor's arguments that published weights need, `points` among them."""

    def take(self, state: Mapping[str, Tensor], path: Path) -> None:
        """Load a state dict whose names and shapes must fit, and set `trained`.

        Raises
        ------
        DataError
            If they do not fit; `path` is named in the message.
        """
        try:
            self.network.load_state_dict(dict(state))
        except RuntimeError as error:
            start = " ".join(str(error).split()[:30])
            raise DataError(f"{path}: weights do not fit {self.name}: {start} ...") from error
        self.network.eval()
        self.trained = True


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
