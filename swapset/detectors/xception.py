"""Xception on faces, trained on raw videos or on videos of one compression.

A. Roessler et al., "FaceForensics++: Learning to Detect Manipulated Facial Images", ICCV 2019,
section 4; github.com/ondyari/FaceForensics, folder `classification`: `network/models.py`,
`dataset/transform.py` (size and normalisation), `detect_from_video.py` (crop, direction).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar, Self, TextIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from swapset.detectors.base import Samples, Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.networks.xception import TransferModel
from swapset.detectors.weights.doubts import doubt
from swapset.detectors.weights.xception import read_xception_weights
from swapset.errors import DataError
from swapset.types import Bytes

logger = logging.getLogger(__name__)

ENLARGED = 1.3
"""Side of a crop in sides of the face's box."""
HEAD_SHARE = 6
"""Only the new last layer is trained in the first 1/6 of the steps: the authors' 3 of 18 epochs."""


def square(box: npt.ArrayLike, width: int, height: int) -> tuple[int, int, int]:
    """Return x, y and side of the crop, as `get_boundingbox` of the authors does.

    Parameters
    ----------
    box : (4,) float
        x0, y0, x1, y1 of the face in pixels of the frame; rounded, as dlib's boxes are.
    width, height : int
        Of the frame. A crop that would cross the left or upper border is moved, one that would
        cross the right or lower border is made smaller.
    """
    x0, y0, x1, y1 = (int(v) for v in np.rint(np.asarray(box, np.float64)))
    side = int(max(x1 - x0, y1 - y0) * ENLARGED)
    left = max((x0 + x1) // 2 - side // 2, 0)
    top = max((y0 + y1) // 2 - side // 2, 0)
    return left, top, min(side, width - left, height - top)


class XceptionDetector(NetworkDetector):
    """Shared parts of the Xceptions for all compressions: crop, training and loading.

    Trained as published: cross entropy, Adam with a learning rate of 2e-4, batches of 32, no
    augmentation. With ImageNet weights, only the new last layer is trained in the first sixth of
    the steps (the authors' 3 of 18 epochs), then the whole network. The authors' epochs have about
    a million faces each; 9,000 steps have 288,000 in all.
    """

    side: ClassVar[int] = 299
    last: ClassVar[str] = "model.last_linear"
    published: ClassVar[Schedule] = Schedule(steps=9000, batch=32, learning_rate=2e-4)

    _head_steps = 0

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.xception`."""
        return TransferModel()

    def crop(self, face: Face) -> Bytes:
        """Return a square around the face's box (299, 299, 3) uint8, RGB.

        It is scaled as torchvision does with a PIL image. It differs from the authors' crop if more
        than a fifth of the face's box lies outside the frame: the region then has fewer pixels.
        """
        x0, y0 = face.origin
        height, width = face.pixels.shape[:2]
        box = face.box + (x0, y0, x0, y0)
        left, top, side = square(box, *face.frame_size)
        left, top = min(left - x0, width - 1), min(top - y0, height - 1)
        side = max(min(side, width - left, height - top), 1)
        part = Image.fromarray(face.pixels[top : top + side, left : left + side])
        return np.array(part.resize((self.side, self.side), Image.Resampling.BILINEAR))

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops in [-1, 1]."""
        return crops / 127.5 - 1

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float64: the second of the two logits (B, 2)."""
        return output.double().softmax(1)[:, 1]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross entropy of the logits (B, 2), a scalar float32."""
        return nn.functional.cross_entropy(output.float(), batch.labels.long())

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch unchanged: the authors do not augment."""
        return batch

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Train; with ImageNet weights, the last layer first. See `Detector.fit`."""
        configured = None if schedule is None else schedule.steps
        steps = (self.published.steps or 0) if configured is None else configured
        self._head_steps = 0 if backbone is None else steps // HEAD_SHARE
        try:
            return super().fit(training, validation, schedule, log=log, backbone=backbone)
        finally:
            self.network.requires_grad_(True)

    def before_step(self, step: int) -> None:
        """Hold the backbone still in the steps of the last layer."""
        if step <= self._head_steps:
            self.network.requires_grad_(step == self._head_steps)
            self.network.get_submodule(self.last).requires_grad_(True)

    def take_backbone(self, path: Path) -> None:
        """Load ImageNet weights, `xception-*.pth`, without the last layer.

        Raises
        ------
        DataError
            If the file is not of Xception.
        """
        state = read_xception_weights(path)
        for name in ("weight", "bias"):
            fresh = self.network.get_parameter(f"{self.last}.{name}")
            state[f"last_linear.{name}"] = fresh.detach()
        self._take(path, state)

    def _take(self, path: Path, state: dict[str, Tensor]) -> None:
        loaded = {f"model.{name}": part for name, part in state.items()}
        current = self.network.state_dict()
        needed = {name for name in current if not name.endswith("num_batches_tracked")}
        unfit = (needed - loaded.keys()) | (loaded.keys() - current.keys())
        unfit |= {
            name
            for name in loaded.keys() & current.keys()
            if loaded[name].shape != current[name].shape
        }
        if unfit:
            raise DataError(
                f"{path}: {len(unfit)} tensors are missing, unknown or of another shape, such as "
                f"{min(unfit)}; give a file of Xception"
            )
        self.take_state(loaded)

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the authors' weights, as a state dict; see `doubt`.

        A warning is logged if the file's name tells that it is another of the authors' Xceptions.

        Raises
        ------
        DataError
            If the file is of another network, or a whole pickled model; the message says how to
            convert the latter.
        """
        if doubtful := doubt(cls.name, path):
            logger.warning("%s", doubtful)
        detector = cls(device=device)
        detector._take(path, read_xception_weights(path))
        return detector


class XceptionRaw(XceptionDetector):
    """Xception trained on uncompressed videos."""

    name: ClassVar[str] = "Xception-raw"


class XceptionC23(XceptionDetector):
    """Xception trained on videos of light compression."""

    name: ClassVar[str] = "Xception-c23"


class XceptionC40(XceptionDetector):
    """Xception trained on videos of strong compression."""

    name: ClassVar[str] = "Xception-c40"
