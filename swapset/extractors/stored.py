"""The base of networks with landmarks: how they are built, and their files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from swapset.errors import DataError
from swapset.learning.model_files import read_model, write_model
from swapset.learning.outlines import check_shapes, outlines
from swapset.learning.state_dicts import read_published, with_counters
from swapset.seeds import derive_seed

KIND = "landmark extractor"
"""Name of the kind of file, for messages."""
POINTS = (68, 98)
"""Possible numbers of landmarks: 300-W's and WFLW's."""


class StoredNetwork(ABC):
    """A network that is built from a few arguments, and saved and loaded with them.

    Attributes
    ----------
    name : str
        As in the config and in tables.
    backbone : tuple of str
        Prefixes of the weights that the authors take from ImageNet; empty = none.
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
    backbone: ClassVar[tuple[str, ...]] = ()

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

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; its state-dict keys are the published ones."""

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
