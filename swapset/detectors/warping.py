"""FWA and DSP-FWA: detection of the traces that affine warping leaves on a swapped face.

Both learn from real faces alone; `warping_negatives` makes their negative examples.

References
----------
Y. Li, S. Lyu, "Exposing DeepFake videos by detecting face warping artifacts", CVPR Workshops 2019
(the paper); yuezunli/CVPRW2019_Face_Artifacts (FWA: cfgs/res50.yml, data_proc_train.py, train.py,
solver.py, resolution_network.py, demo.py); yuezunli/DSP-FWA (classifier.py, toy/demo.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self, TextIO

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.base import Samples, Schedule, Scores
from swapset.detectors.batches import Batch, Example
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs.warping_negatives import head_region, recoloured, warped_back
from swapset.detectors.networks.resnet import PyramidResNet50, ResNet50, take_imagenet
from swapset.errors import DataError
from swapset.learning.state_dicts import read_state
from swapset.types import Frames, Image

JITTERS = 10
BGR_MEAN = (103.939, 116.779, 123.68)
WEIGHT_DECAY = 1e-4
LR_DECAY, LR_STEPS = 0.95, 1000
FACES_AT_ONCE = 8
"""Faces of ten crops each that go through the network together; more would only use memory."""


class _Warping(NetworkDetector):
    """Shared parts of FWA and DSP-FWA: crops, negatives, training and the mean of the top five.

    - **Crops**: the landmarks' box with a random margin (`head_region`), resized to 224² by
      bilinear interpolation; BGR minus the ImageNet mean, in [0, 255]. A test takes ten of them.
      Their margins come from the seeds 0 to 9, the same for every face, as in the originals' demos.
    - **Score**: mean of the five highest fake probabilities of the ten. Output 0 of the network is
      fake and 1 is real; the demo of DSP-FWA returns one minus this score, that of FWA the score.
    - **Training**: each real face becomes a negative with probability 1/2 (`warped_back`), gets a
      random margin and changed colours (`recoloured`), and is not mirrored. Cross-entropy; SGD
      without momentum, 64 faces a step, learning rate 1e-3, times 0.95 after each 1000 steps;
      L2 of 1e-4 on the weights of convolutions and of the last layer, as slim's
      `resnet_arg_scope`. 20 epochs of the paper's 24,442 faces are 7,640 steps.
    - Fakes of the dataset are never used for training; those among the validation faces help to
      decide when to stop.

    Notes
    -----
    Differences from the original: the paper's second round on hard examples is left out (the
    released code has none); the released code lowers the learning rate once an epoch (382 steps of
    64 faces), not after 1000 steps; BatchNorm keeps torchvision's momentum of 0.1 (slim: 0.003, too
    slow for short trainings). The training of DSP-FWA is not published; here it is trained as FWA
    is, apart from the learning rate of its last layer (see there).
    """

    needs_fakes = False
    random_examples = True
    side = 224
    published = Schedule(steps=7640, batch=64, learning_rate=1e-3)
    classifier_rate: ClassVar[float] = 1.0
    """Learning rate of the layer named `classifier`, as a multiple of that of the others."""

    # -- crops -------------------------------------------------------------------------------

    def crop(self, face: Face) -> Frames:
        """Return ten crops (10, 224, 224, 3) uint8, RGB; their margins are fixed, see the class."""
        crops = []
        for seed in range(JITTERS):
            draw = np.random.RandomState(seed).randint
            crops.append(self._resized(face.pixels[head_region(face, draw)]))
        return np.stack(crops)

    def _resized(self, pixels: Image) -> Image:
        resized = cv2.resize(np.ascontiguousarray(pixels), (self.side, self.side))
        return np.asarray(resized, np.uint8)

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return one crop of a real face, unchanged (label 0) or warped back (label 1)."""
        warped = generator.random() < 0.5
        pixels = warped_back(face, generator) if warped else face.pixels
        region = head_region(face, lambda count: int(generator.integers(count)))
        return Example(self._resized(recoloured(pixels[region], generator)), int(warped))

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch unchanged: `example` has changed the colours; nothing is mirrored."""
        return batch

    def prepare(self, crops: Tensor) -> Tensor:
        """Return RGB crops as BGR minus the mean."""
        return crops.flip(1) - crops.new_tensor(BGR_MEAN).view(1, 3, 1, 1)

    # -- scoring -----------------------------------------------------------------------------

    def fake_probability(self, output: Tensor) -> Tensor:
        """Return the probability of output 0, fake; float64, which saturates at 1 much later."""
        return functional.softmax(output.double(), 1)[:, 0]

    def combine(self, scores: Scores) -> Scores:
        """Return the mean (B,) float64 of the upper half of each row of scores (B, K)."""
        ordered = np.sort(scores, axis=1)
        return np.asarray(ordered[:, scores.shape[1] // 2 :].mean(axis=1), np.float64)

    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Score crops a few faces at a time; see `NetworkDetector.forward`."""
        scores = np.empty(len(crops))
        for start in range(0, len(crops), FACES_AT_ONCE):
            part = slice(start, start + FACES_AT_ONCE)
            scores[part] = super().forward(crops[part])
        return scores

    # -- learning ----------------------------------------------------------------------------

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy; class 0 is fake."""
        return functional.cross_entropy(output.float(), 1 - batch.labels.long())

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return plain SGD."""
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, part in self.network.named_parameters():
            groups.setdefault((name.startswith("classifier."), part.ndim > 1), []).append(part)
        return torch.optim.SGD(
            [
                {
                    "params": parts,
                    "lr": learning_rate * (self.classifier_rate if last else 1),
                    "weight_decay": WEIGHT_DECAY if decays else 0,
                }
                for (last, decays), parts in groups.items()
            ],
            lr=learning_rate,
        )

    def rate(self, first: float, step: int) -> float:
        """Return the rate, which falls by 5 % after each 1000 steps."""
        for _ in range(step // LR_STEPS):  # not by a power, which rounds otherwise
            first *= LR_DECAY
        return first

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Train on the real ones among the faces; see `NetworkDetector.fit`."""
        real = RealFaces(training)
        return super().fit(real, validation, schedule, log=log, backbone=backbone)


class RealFaces:
    """The real ones among some faces, as `Samples`."""

    def __init__(self, samples: Samples):
        self._samples = samples
        self._indices = np.flatnonzero(samples.labels == 0)
        self.labels = np.zeros(len(self._indices), np.int8)
        self.videos = samples.videos[self._indices]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Face:
        return self._samples[int(self._indices[index])]


class FWA(_Warping):
    """Face warping artefacts: ResNet-50, two outputs. Shared parts: see `_Warping`.

    The published weights are a checkpoint of TensorFlow 1, which cannot be read here; moreover, the
    strides are in other places of its network (slim's `resnet_v1_50`). This one is torchvision's
    ResNet-50, the network that the same authors use for it in DSP-FWA's repository, with
    torchvision's keys.
    """

    name = "FWA"
    network: ResNet50

    def build(self) -> nn.Module:
        """Return ResNet-50 with two outputs."""
        return ResNet50(2)

    def take_backbone(self, path: Path) -> None:
        """Load torchvision's ImageNet weights, without `fc`."""
        take_imagenet(self.network, path)


class DSPFWA(_Warping):
    """FWA with a dual spatial pyramid: ResNet-50, pooled on 1×1, 2×2 and 6×6 cells.

    Shared parts: see `_Warping`. `from_weights` reads the published `SPP-res50.pth`.

    Notes
    -----
    The 83,968 pooled features have about 300 times the squared norm of FWA's 2048 averages, and
    the steps that plain SGD takes in the logits grow with it: at FWA's learning rate the loss
    rises above 100. The last layer therefore learns at 1/300 of the rate, which makes them equal.
    """

    name = "DSP-FWA"
    network: PyramidResNet50
    classifier_rate = 1 / 300

    def build(self) -> nn.Module:
        """Return ResNet-50 with the pyramid and two outputs."""
        return PyramidResNet50(2)

    def take_backbone(self, path: Path) -> None:
        """Load torchvision's ImageNet weights, without `fc`."""
        take_imagenet(self.network.resnet.resnet, path)

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the published checkpoint, whose weights are under `net`.

        Raises
        ------
        DataError
            If the file cannot be read, or names or shapes of its weights do not fit.
        """
        detector = cls(device=device)
        state = read_state(path, "net")
        try:
            detector.take_state(state)
        except DataError as error:
            raise DataError(f"{path}: {error}; see docs/weights.md") from error
        return detector
