"""The interface of all landmark extractors: crop, heat-maps, landmarks, and what they learn by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from swapset.errors import DataError
from swapset.extractors.crops import cut_squares, to_frame
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.extractors.schedules import Schedule, Variation
from swapset.learning.model_files import read_model, write_model
from swapset.learning.outlines import check_shapes, outlines
from swapset.learning.state_dicts import read_published, with_counters
from swapset.seeds import derive_seed

KIND = "landmark extractor"
"""What messages call a file of one."""
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
    published : Schedule
        The authors' training.
    variation : Variation
        The authors' augmentation.
    backbone : tuple of str
        How the names of the weights begin that the authors take from ImageNet; empty = none.
    shown : tuple of str
        Parts of the network whose outputs `features` gives.
    points : int
        Number of landmarks K, 68 or 98.
    network : nn.Module
        In eval mode unless it is being trained.
    pretrained : bool
        Whether the backbone came from ImageNet, by `take_backbone`.
    trained : bool
        False = fresh weights: its landmarks mean nothing. Whoever trains it sets this.

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
    published: ClassVar[Schedule]
    variation: ClassVar[Variation]
    backbone: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()

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

    # -- what an extractor says ----------------------------------------------------------------

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

    @abstractmethod
    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the maps of every output of the network, in the network's order, the best last.

        Parameters
        ----------
        images : (B, 3, S, S) float in [0, 255], RGB

        Returns
        -------
        list of (B, K, h, w) or (B, K + 1, h, w) float
            With the background map last where the network has one. Differentiable in the images
            and in the weights, in train and in eval mode.
        """

    @abstractmethod
    def decode(self, heatmaps: Tensor) -> Tensor:
        """Return landmarks (B, K, 2), x and y in pixels of the crop, as the authors decode them."""

    @abstractmethod
    def targets(self, points: Tensor, known: Tensor) -> Tensor:
        """Return the maps that the network should give, shaped as `outputs` are.

        Parameters
        ----------
        points : (B, K, 2) float
            x and y in pixels of the crop; what is not known may be anything, NaN as well.
        known : (B, K) bool
            False = this landmark is not labelled.
        """

    @abstractmethod
    def loss(self, outputs: Sequence[Tensor], points: Tensor, known: Tensor) -> Tensor:
        """Return the authors' training loss, a number, of `outputs` of a batch.

        A landmark that is not labelled takes no part.
        """

    @abstractmethod
    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the authors' optimiser.

        Its groups may have multiples of the learning rate: a schedule multiplies each group's.
        """

    # -- what all do alike ---------------------------------------------------------------------

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
        return cut_squares(frames, self.regions(boxes), self.side)

    def heatmaps(self, images: Tensor) -> Tensor:
        """Return heat-maps (B, K, h, w) of crops (B, 3, S, S) in [0, 255], RGB; differentiable.

        Of a network with several outputs, the last; without a background map.
        """
        return self.outputs(images)[-1][:, : self.points]

    def features(self, images: Tensor) -> list[Tensor]:
        """Return tensors (B, ...) from inside of the network, and the heat-maps as the last.

        For crops as `heatmaps` takes them; differentiable.
        """
        inside, maps = outputs_within(self.network, self.shown, lambda: self.heatmaps(images))
        return [*inside, maps]

    def landmarks(self, frames: Tensor, boxes: Tensor) -> Tensor:
        """Return landmarks (B, K, 2), x and y in pixels of the frames.

        Pixel coordinates: 0 is the centre of a frame's first pixel.
        """
        points = self.decode(self.heatmaps(self.crop(frames, boxes)))
        return to_frame(points, self.regions(boxes), self.side)

    def take_backbone(self, path: Path) -> None:
        """Start a training from weights of the backbone on ImageNet, as the authors do.

        Raises
        ------
        DataError
            If this extractor has none, or they do not fit; those published are for `width` 1.
        """
        if not self.backbone:
            raise DataError(f"{path}: {self.name} has no backbone that takes weights; leave it out")
        own = self.network.state_dict()
        state = with_counters(read_published(path), self.network)
        for name, part in own.items():
            if name.startswith(self.backbone):
                if name not in state or state[name].shape != part.shape:
                    raise DataError(
                        f"{path}: is no backbone of {self.name} of width {self.width} ({name} is "
                        "missing or of another shape); see docs/weights.md"
                    )
                own[name] = state[name]
        self.network.load_state_dict(own)
        self.pretrained = True

    # -- files ---------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Return what the constructor needs to make this extractor again, as JSON values."""
        return {"points": self.points, "width": self.width}

    def save(self, path: Path, card: Mapping[str, Any] | None = None) -> None:
        """Write the extractor as safetensors, whole or not at all, with a card of JSON values.

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
            with outlines():  # a file may ask for more memory than it fills
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

        The number of landmarks is read from the file. A bare state dict is taken, and one inside
        of a checkpoint, with or without `module.` before its names.

        Raises
        ------
        DataError
            If the file is not what is expected.
        """
        state = cls.published_state(path)
        facts = cls.published_facts(state, path)
        if facts["points"] not in POINTS:
            raise DataError(f"{path}: finds {facts['points']} landmarks; only {POINTS} can be used")
        extractor = cls(**facts, device=device)
        extractor.take(with_counters(state, extractor.network), path)
        return extractor

    @classmethod
    def published_state(cls, path: Path) -> dict[str, Tensor]:
        """Return what `network` takes of a published checkpoint."""
        return read_published(path)

    @classmethod
    @abstractmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the constructor's arguments that published weights need, `points` among them."""

    def take(self, state: Mapping[str, Tensor], path: Path) -> None:
        """Load a state dict whose names and shapes must fit; `trained` is True afterwards.

        Raises
        ------
        DataError
            If they do not fit; `path` is named in the message.
        """
        try:
            self.network.load_state_dict(dict(state))
        except RuntimeError as error:
            said = " ".join(str(error).split()[:30])
            raise DataError(f"{path}: weights do not fit {self.name}: {said} ...") from error
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


def outputs_within(
    network: nn.Module, names: Sequence[str], work: Callable[[], Tensor]
) -> tuple[list[Tensor], Tensor]:
    """Return what parts of a network gave while it worked, and what the work gave.

    Parameters
    ----------
    network : nn.Module
    names : sequence of str
        Of its submodules; one that gives several tensors counts as many times.
    work : callable
        Runs the network once.
    """
    seen: dict[str, list[Tensor]] = {name: [] for name in names}

    def keeper(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            seen[name] += [output] if isinstance(output, Tensor) else list(output)

        return keep

    handles = [network.get_submodule(name).register_forward_hook(keeper(name)) for name in names]
    try:
        result = work()
    finally:
        for handle in handles:
            handle.remove()
    return [tensor for tensors in seen.values() for tensor in tensors], result
