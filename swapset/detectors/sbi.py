"""SBI: EfficientNet-B4 trained to tell real faces from self-blended images of them.

K. Shiohara, T. Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022;
github.com/mapooon/SelfBlendedImages: `src/model.py` (network, optimiser), `src/train_sbi.py` and
`src/configs/sbi/base.json` (training), `src/utils/` (images), `src/inference/` (crop, score).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, TextIO

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.base import Samples, Schedule
from swapset.detectors.batches import Batch, Example
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs.self_blending import face_region, self_blended
from swapset.detectors.networks.efficientnet import (
    B4,
    Design,
    EfficientNet,
    read_efficientnet,
)
from swapset.detectors.warping import RealFaces
from swapset.errors import DataError
from swapset.learning.sharpness import SharpnessAware
from swapset.learning.state_dicts import read_state
from swapset.types import Image

CONSTANT = 0.75
"""Share of the steps with the first learning rate; then it falls to 0 in a straight line."""


class SelfBlendedNetwork(nn.Module):
    """An EfficientNet with two outputs, real and fake, under the authors' names (`net.*`)."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.net = EfficientNet(design, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of images (B, 3, H, W) float."""
        return self.net(images)


class SBI(NetworkDetector):
    """Self-blended images: learns from real faces and from fakes that it blends from them.

    - **Crop**: `face_region`, an eighth of the face's sides wider on each side, resized to 380² by
      bilinear interpolation; in [0, 1].
    - **Training**: each real face gives a pair, itself and a fake (`self_blended`), with the same
      mirroring, margins, colours and compression. Cross entropy; sharpness-aware SGD with momentum
      0.9, learning rate 1e-3, which falls to 0 in the last quarter; 16 pairs a step. The authors'
      100 epochs of 8 frames of 720 videos are 36,000 steps; the default here is 6,000.
    - Fakes of the dataset are never used for training; those among the validation faces help to
      decide when to stop.

    Notes
    -----
    The authors draw faces' boxes by RetinaFace, and masks from 81 landmarks or, for their published
    weights, from the shapes of Face X-ray; here both come from 68 landmarks.
    """

    name: ClassVar[str] = "SBI"
    needs_fakes: ClassVar[bool] = False
    random_examples: ClassVar[bool] = True
    design: ClassVar[Design] = B4
    side: ClassVar[int] = B4.side
    published: ClassVar[Schedule] = Schedule(steps=6000, batch=16, learning_rate=1e-3)

    network: SelfBlendedNetwork

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.efficientnet`."""
        return SelfBlendedNetwork(self.design)

    def crop(self, face: Face) -> Image:
        """Return the face with a small margin (S, S, 3) uint8, RGB; S is `side`."""
        return self._resized(face.pixels[face_region(face)])

    def _resized(self, pixels: Image) -> Image:
        resized = cv2.resize(np.ascontiguousarray(pixels), (self.side, self.side))
        return np.asarray(resized, np.uint8)

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return a real face above a fake made from it, (2S, S, 3) uint8 RGB; S is `side`."""
        pair = self_blended(face, generator)
        return Example(np.concatenate([self._resized(part) for part in pair]), label)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the pairs of a batch as single faces: first all real ones, then all fakes."""
        real, fake = batch.images.chunk(2, dim=2)
        labels = torch.cat([torch.zeros_like(batch.labels), torch.ones_like(batch.labels)])
        return replace(batch, images=torch.cat([real, fake]), labels=labels)

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops in [0, 1]."""
        return crops / 255

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float64: the second of the two logits (B, 2)."""
        return output.double().softmax(1)[:, 1]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross entropy of the logits (B, 2), a scalar float32."""
        return functional.cross_entropy(output.float(), batch.labels.long())

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published optimiser."""
        return SharpnessAware(self.network.parameters(), lr=learning_rate, momentum=0.9)

    def rate(self, first: float, step: int) -> float:
        """Return the rate, which falls to 0 in the last quarter of the steps."""
        falls = (1 - CONSTANT) * self.planned_steps
        return first * min(1.0, (self.planned_steps - step) / falls) if falls else first

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

    def take_backbone(self, path: Path) -> None:
        """Load ImageNet weights of the network, without the last layer.

        Raises
        ------
        DataError
            If the file is of another network.
        """
        state = read_efficientnet(path, self.network.net)
        self.take_state({f"net.{name}": part for name, part in state.items()})

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the authors' weights, `FFraw.tar` or `FFc23.tar`.

        Raises
        ------
        DataError
            If the file is missing, damaged or of another network.
        """
        detector = cls(device=device)
        state = read_state(path, "model")
        try:
            detector.take_state(state)
        except DataError as error:
            raise DataError(
                f"{path}: {error}; give `FFraw.tar` or `FFc23.tar` of SelfBlendedImages"
            ) from error
        return detector
