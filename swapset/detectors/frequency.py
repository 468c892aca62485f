"""F3Net and SPSL: Xceptions that see an image's frequencies, as DeepfakeBench has them.

Y. Qian et al., "Thinking in Frequency: Face Forgery Detection by Mining Frequency-aware Clues",
ECCV 2020; H. Liu et al., "Spatial-Phase Shallow Learning: Rethinking Face Forgery Detection in
Frequency Domain", CVPR 2021. Neither has public code of its authors. Crop, network and training are
those of github.com/SCLBD/DeepfakeBench (`training/detectors/`, `training/config/detector/`).
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from swapset.detectors.batches import Example
from swapset.detectors.deepfakebench import Benchmarked
from swapset.detectors.face import Face
from swapset.detectors.inputs.augmentations import varied
from swapset.detectors.networks.frequency import F3Network, PhaseNetwork
from swapset.detectors.weights.xception import read_xception_weights
from swapset.errors import DataError

FIRST = "backbone.conv1.weight"
"""The layer whose input channels differ from those on ImageNet."""


class _OnXception(Benchmarked):
    """Shared parts of both: ImageNet weights of Xception for all but the first and last layer."""

    def take_backbone(self, path: Path) -> None:
        """Load ImageNet weights, `xception-*.pth`, without the last layer.

        Raises
        ------
        DataError
            If the file is not of Xception.
        """
        published = {f"backbone.{name}": part for name, part in read_xception_weights(path).items()}
        current = self.network.state_dict()
        state = {n: p for n, p in published.items() if not n.startswith("backbone.last_linear.")}
        if FIRST in state:
            state[FIRST] = self.spread(state[FIRST])
        wanted = {
            name
            for name in current
            if name.startswith("backbone.") and not name.startswith("backbone.last_linear.")
        }
        for name in wanted:
            if name not in state and name.endswith("num_batches_tracked"):
                state[name] = current[name]
            if name not in state or state[name].shape != current[name].shape:
                raise DataError(
                    f"{path}: is no Xception ({name.removeprefix('backbone.')} is missing or of "
                    "another shape); see docs/weights.md"
                )
        self.take_state(current | {name: state[name] for name in wanted})

    @abstractmethod
    def spread(self, weights: Tensor) -> Tensor:
        """Return the first layer for this network's channels, (32, C, 3, 3) float.

        Parameters
        ----------
        weights : (32, 3, 3, 3) float
            Of the network on ImageNet.
        """


class F3Net(_OnXception):
    """F3Net's first branch, FAD: Xception on an image's low, middle, high and all frequencies.

    Crop, score and training: see `Benchmarked`.

    Notes
    -----
    The paper has a second branch (local frequency statistics) and attention between both, images of
    299², and SGD with batches of 128. DeepfakeBench's numbers and weights are of this branch alone.
    """

    name: ClassVar[str] = "F3Net"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.frequency`."""
        return F3Network(self.side)

    def spread(self, weights: Tensor) -> Tensor:
        """Return a quarter of the weights for the colours of each band; see the base."""
        return weights.repeat(1, 4, 1, 1) / 4


class SPSL(_OnXception):
    """Spatial-phase learning: Xception on RGB and the picture of the image's phase.

    Crop and score: see `Benchmarked`; it is trained with the augmentations of
    `swapset.detectors.inputs.augmentations.varied`.

    Notes
    -----
    The paper leaves out Xception's middle blocks; DeepfakeBench, whose highest mean across datasets
    this detector has, keeps them.
    """

    name: ClassVar[str] = "SPSL"
    random_examples: ClassVar[bool] = True

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.frequency`."""
        return PhaseNetwork()

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return a face's crop with random changes; see `NetworkDetector.example`."""
        return Example(varied(self.crop(face), generator), label)

    def spread(self, weights: Tensor) -> Tensor:
        """Return the mean of the colours' weights for each channel; see the base."""
        return weights.mean(dim=1, keepdim=True).repeat(1, 4, 1, 1)
