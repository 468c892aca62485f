"""Detectors as DeepfakeBench trained and published them: `protocol: deepfakebench`.

Z. Yan et al., "DeepfakeBench: A Comprehensive Benchmark of Deepfake Detection", NeurIPS 2023;
github.com/SCLBD/DeepfakeBench: `preprocessing/preprocess.py` (crop), `training/config/detector/`
(normalisation, batch, optimiser), `training/detectors/` (score, loss). Some of its networks differ
from the authors', see `swapset.detectors.networks.deepfakebench`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs.aligned_square import SIDE, aligned_square, centred
from swapset.detectors.inputs.face_square import normalised
from swapset.detectors.margins import WIDE
from swapset.detectors.networks import deepfakebench as networks
from swapset.errors import DataError
from swapset.learning.state_dicts import read_published, with_counters
from swapset.types import Image

UNUSED = "backbone.adjust_channel."
"""Weights of Xception in the published files that no output depends on."""
LAST = "backbone.last_layer.weight"
"""Its first axis has the number of SBI's classes."""


class Benchmarked(NetworkDetector):
    """Shared parts of DeepfakeBench's detectors.

    - **Crop**: `aligned_square`, 256², in [-1, 1]; the two outputs are real and fake.
    - **Training**: cross entropy, Adam with a learning rate of 2e-4 and an L2 penalty of 5e-4,
      batches of 32, no augmentation. The authors train for ten epochs of 32 frames of each video of
      FaceForensics++, c23; the default here is 9,000 steps.

    Notes
    -----
    The authors find landmarks by dlib's model of 81 points in each frame, and leave out faces that
    dlib does not find again in the crop. Here they are the first 68 points, of dlib's other model,
    followed and smoothed.
    """

    side: ClassVar[int] = SIDE
    margin: ClassVar[float] = WIDE
    published: ClassVar[Schedule] = Schedule(steps=9000, batch=32, learning_rate=2e-4)

    def crop(self, face: Face) -> Image:
        """Return the aligned face (256, 256, 3) uint8, RGB; see `aligned_square`."""
        return aligned_square(face)

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops in [-1, 1]."""
        return centred(crops)

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float64: the second of the logits (B, classes)."""
        return output.double().softmax(1)[:, 1]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross entropy of the logits (B, classes), a scalar float32."""
        return functional.cross_entropy(output.float(), batch.labels.long())

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return Adam with the published penalty on large weights."""
        learning = [part for part in self.network.parameters() if part.requires_grad]
        return torch.optim.Adam(learning, lr=learning_rate, weight_decay=5e-4)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch unchanged."""
        return batch

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with DeepfakeBench's weights, `*_best.pth`.

        Raises
        ------
        DataError
            If the file is missing, damaged or of another network.
        """
        state = read_published(path)
        used = {name: part for name, part in state.items() if not name.startswith(UNUSED)}
        detector = cls.for_weights(used, device)
        try:
            detector.take_state(with_counters(used, detector.network))
        except DataError as error:
            raise DataError(
                f"{path}: {error}; give the file of DeepfakeBench (docs/weights.md)"
            ) from error
        return detector

    @classmethod
    def for_weights(cls, state: dict[str, Tensor], device: torch.device | str) -> Self:
        """Return a fresh detector whose network has the layers of a state dict."""
        return cls(device=device)


class _Published(Benchmarked):
    """Shared parts of those that have another network or training by their authors."""

    protocol: ClassVar[str | None] = "deepfakebench"


class Meso4(_Published):
    """Meso4 without biases, with two outputs."""

    name: ClassVar[str] = "Meso4"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.deepfakebench`."""
        return networks.OnBackbone(networks.Meso4())


class MesoInception4(_Published):
    """MesoInception4 without biases, with two outputs."""

    name: ClassVar[str] = "MesoInception4"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.deepfakebench`."""
        return networks.OnBackbone(networks.MesoInception4())


class _Xception(_Published):
    """Xception on images of 256²."""

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.deepfakebench`."""
        return networks.xception()


class XceptionRaw(_Xception):
    """Xception under the name of the detector for uncompressed videos."""

    name: ClassVar[str] = "Xception-raw"


class XceptionC23(_Xception):
    """Xception under the name of the detector for light compression, which its training had."""

    name: ClassVar[str] = "Xception-c23"


class XceptionC40(_Xception):
    """Xception under the name of the detector for strong compression."""

    name: ClassVar[str] = "Xception-c40"


class FWA(_Xception):
    """FWA on Xception, where its authors have ResNet-50; one crop a face."""

    name: ClassVar[str] = "FWA"


class Capsule(_Published):
    """Capsule-Forensics' second version on images of 256², normalised as the others are."""

    name: ClassVar[str] = "Capsule"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.deepfakebench`."""
        return networks.Capsule()


class SBI(_Published):
    """SBI on EfficientNet-B4 with images of 256², normalised by ImageNet's mean and deviation.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    device : torch.device or str
    classes : int
        Outputs of the network, of which the second is fake; the benchmark's config says three.
    """

    name: ClassVar[str] = "SBI"
    needs_fakes: ClassVar[bool] = False

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu", classes: int = 2):
        self.classes = classes
        super().__init__(seed=seed, device=device)

    def facts(self) -> dict[str, Any]:
        """Return the number of classes."""
        return {"classes": self.classes}

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.deepfakebench`."""
        return networks.OnBackbone(networks.EfficientNetB4(self.classes))

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops normalised by ImageNet's mean and standard deviation."""
        return normalised(crops)

    @classmethod
    def for_weights(cls, state: dict[str, Tensor], device: torch.device | str) -> Self:
        """Return a fresh detector with as many classes as the weights have."""
        return cls(device=device, classes=len(state[LAST]) if LAST in state else 2)
