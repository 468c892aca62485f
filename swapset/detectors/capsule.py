"""Capsule: capsules with statistics pooling on features of VGG-19, and dynamic routing.

H. H. Nguyen et al., "Use of a Capsule Network to Detect Fake Images and Videos",
arXiv:1910.12467; github.com/nii-yamagishilab/Capsule-Forensics-v2: `model_big.py` (network, loss),
`train_binary_ffpp.py` (training), `test_binary_ffpp.py` (score), `datascripts/` (crop).
First version: H. H. Nguyen et al., "Capsule-Forensics: Using Capsule Networks to Detect Forged
Images and Videos", ICASSP 2019; github.com/nii-yamagishilab/Capsule-Forensics.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs.face_square import face_square, normalised
from swapset.detectors.networks.capsule import CapsuleForensics
from swapset.detectors.networks.vgg import read_vgg19
from swapset.errors import DataError
from swapset.learning.state_dicts import read_state

BACKBONE = "vgg19*.pth"
"""Name of torchvision's file beside published weights."""


class Version(NamedTuple):
    """What differs between both published versions.

    `primary` counts the primary capsules; `fake` is the class of fakes, by the order of the
    authors' folders (second version: `0_original` first; first version: `Fake` before `Real`).
    """

    primary: int
    side: int
    dropout: float
    fake: int


VERSIONS = {
    1: Version(primary=3, side=128, dropout=0.0, fake=0),
    2: Version(primary=10, side=300, dropout=0.05, fake=1),
}


class Capsule(NetworkDetector):
    """Capsule-Forensics, its second version; the first is made for its published weights.

    - **Crop**: a square of 1.3 heights of the face (`face_square`), stretched to 300² (first
      version: 128²) as by torchvision on a PIL image; mean and deviation of ImageNet.
    - **Network**: layers 0 to 18 of VGG-19, ten primary capsules (first version: three), two
      iterations of routing. Only in training, the routing weights are noisy (deviation 0.01) and
      5 % of the predictions are dropped (first version: none).
    - **Score**: the fake class's probability, mean over the four dimensions of the capsules.
    - **Training**: for each of the four dimensions the cross entropy of the softmax, summed; Adam,
      learning rate 5e-4, batches of 32, no augmentation. The authors' best of 25 epochs is the
      21st, at about 27,000 steps each; 6,000 steps are set here.
    - **VGG-19**: with weights on ImageNet (`take_backbone`, `from_weights`) it is held still, as
      by the authors. Without them it starts random and learns along with the capsules.

    Parameters
    ----------
    seed : int
    device : torch.device or str
    version : {2, 1}

    Notes
    -----
    The crops of the first version's training sets are not published; its authors cut to a middle
    square where a crop is not one.
    """

    name: ClassVar[str] = "Capsule"
    side: ClassVar[int] = VERSIONS[2].side
    published: ClassVar[Schedule] = Schedule(steps=6000, batch=32, learning_rate=5e-4)

    network: CapsuleForensics

    def __init__(
        self, *, seed: int = 0, device: torch.device | str = "cpu", version: int = 2
    ) -> None:
        self.version = version
        self.variant = VERSIONS[version]
        super().__init__(seed=seed, device=device)

    def facts(self) -> dict[str, Any]:
        """Return the version."""
        return {"version": self.version}

    def build(self) -> nn.Module:
        """Return the network; see `capsule_network`."""
        return CapsuleForensics(self.variant.primary, self.variant.dropout)

    def crop(self, face: Face) -> npt.NDArray[np.uint8]:
        """Return a square around the face (300, 300, 3) uint8, RGB; first version: 128²."""
        part = Image.fromarray(np.ascontiguousarray(face.pixels[face_square(face)]))
        size = (self.variant.side, self.variant.side)
        return np.array(part.resize(size, Image.Resampling.BILINEAR))

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch as it is: the authors change nothing."""
        return batch

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops with the mean and deviation of ImageNet."""
        return normalised(crops)

    def judge(self, output: Any) -> Tensor:
        """Return the mean probability (B,) of the fake capsule over its dimensions."""
        return output.float().mean(dim=1)[:, self.variant.fake]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross entropies (of the softmax, as in the original), summed."""
        classes = batch.labels.long() if self.variant.fake else 1 - batch.labels.long()
        parts = output.float().unbind(dim=1)
        return torch.stack([functional.cross_entropy(part, classes) for part in parts]).sum()

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published Adam; a VGG-19 that is held still does not learn."""
        learning = [part for part in self.network.parameters() if part.requires_grad]
        return torch.optim.Adam(learning, lr=learning_rate)

    def take_backbone(self, path: Path) -> None:
        """Take torchvision's VGG-19 on ImageNet, and hold it still.

        Raises
        ------
        DataError
            If the file is not of VGG-19.
        """
        self.take_state(self.network.state_dict() | read_vgg19(path))
        self.network.features.requires_grad_(False)

    @classmethod
    def from_weights(
        cls,
        path: Path,
        *,
        device: torch.device | str = "cpu",
        backbone: Path | None = None,
    ) -> Self:
        """Return the detector with the authors' weights of either version, `capsule_N.pt`.

        Parameters
        ----------
        path : Path
        device : torch.device or str
        backbone : Path, optional
            torchvision's VGG-19 on ImageNet, which the authors' file does not hold; by default
            the file `vgg19*.pth` beside `path`.

        Raises
        ------
        DataError
            If a file is missing, damaged or of another network, or of more classes than two.
        """
        state = read_state(path)
        first = any(name.startswith("fea_ext.ext_") for name in state)
        detector = cls(device=device, version=1 if first else 2)
        detector.take_backbone(backbone or _backbone_beside(path))
        own = {_second_name(name): part for name, part in state.items()}
        features = {f"features.{k}": v for k, v in detector.network.features.state_dict().items()}
        try:
            detector.take_state(features | own)
        except DataError as error:
            raise DataError(
                f"{path}: {error}; give `capsule_N.pt` of Capsule-Forensics, of two classes"
            ) from error
        return detector


def _second_name(name: str) -> str:
    """Return a key as the second version calls it: `fea_ext.ext_1.…` is capsule 0."""
    return re.sub(r"^fea_ext\.ext_(\d+)\.", lambda m: f"fea_ext.capsules.{int(m[1]) - 1}.", name)


def _backbone_beside(path: Path) -> Path:
    found = sorted(path.parent.glob(BACKBONE))
    if not found:
        raise DataError(
            f"{path}: holds no VGG-19; put torchvision's vgg19-dcbb9e9d.pth beside it, or give it "
            "as `backbone`"
        )
    return found[0]
