"""Capsule: capsules with statistics pooling on VGG-19 features, and dynamic routing.

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
from swapset.detectors.weights.folders import only_file
from swapset.errors import DataError
from swapset.learning.state_dicts import read_state
from swapset.types import Bytes

BACKBONE = "vgg19*.pth"
"""Name of torchvision's VGG-19 file, expected beside the published weights."""


class Version(NamedTuple):
    """Differences between the two published versions.

    Attributes
    ----------
    primary : int
        Number of primary capsules.
    side : int
        Side of the crop in pixels.
    dropout : float
    fake : int
        Class of fakes, by the order of the authors' folders (second version: `0_original` first;
        first version: `Fake` before `Real`).
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
    """Capsule-Forensics: the second version, or the first for its published weights.

    - **Crop**: a square of 1.3 times the face's height (`face_square`), resized to 300² (first
      version: 128²) as torchvision does with a PIL image; normalised by ImageNet's mean and
      standard deviation.
    - **Network**: layers 0 to 18 of VGG-19, ten primary capsules (first version: three), two
      iterations of routing. In training only, noise is added to the routing weights (standard
      deviation 0.01) and 5 % of the predictions are dropped (first version: none).
    - **Score**: the fake class's probability, averaged over the four dimensions of the capsules.
    - **Training**: the softmax's cross entropy for each of the four dimensions, summed; Adam,
      learning rate 5e-4, batches of 32, no augmentation. The authors' best of 25 epochs is the
      21st, at about 27,000 steps each; the default here is 6,000 steps.
    - **VGG-19**: frozen if it has ImageNet weights (`take_backbone`, `from_weights`), as in the
      original. Without them it starts random and is trained together with the capsules.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    device : torch.device or str
    version : {2, 1}

    Notes
    -----
    The crops of the first version's training sets are not published; its authors cut a crop that is
    not square down to its middle square.
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
        """Return the network; see `swapset.detectors.networks.capsule`."""
        return CapsuleForensics(self.variant.primary, self.variant.dropout)

    def crop(self, face: Face) -> Bytes:
        """Return a square around the face (300, 300, 3) uint8, RGB; first version: 128²."""
        part = Image.fromarray(np.ascontiguousarray(face.pixels[face_square(face)]))
        size = (self.variant.side, self.variant.side)
        return np.array(part.resize(size, Image.Resampling.BILINEAR))

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch unchanged: the authors do not augment."""
        return batch

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops normalised by ImageNet's mean and standard deviation."""
        return normalised(crops)

    def fake_probability(self, output: Any) -> Tensor:
        """Return the fake capsule's probability (B,) float32, averaged over its four dimensions."""
        return output.float().mean(dim=1)[:, self.variant.fake]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the sum of the cross entropies, a scalar float32.

        The outputs (B, 4, 2) are softmax probabilities, and the cross entropy applies a second
        softmax to them, as in the original.
        """
        classes = batch.labels.long() if self.variant.fake else 1 - batch.labels.long()
        parts = output.float().unbind(dim=1)
        return torch.stack([functional.cross_entropy(part, classes) for part in parts]).sum()

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published Adam; it leaves out a frozen VGG-19."""
        learning = [part for part in self.network.parameters() if part.requires_grad]
        return torch.optim.Adam(learning, lr=learning_rate)

    def take_backbone(self, path: Path) -> None:
        """Load torchvision's ImageNet weights of VGG-19 and freeze them.

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
            The file, or the folder with it.
        device : torch.device or str
        backbone : Path, optional
            torchvision's ImageNet weights of VGG-19, which the authors' file does not contain; by
            default the file `vgg19*.pth` beside `path`.

        Raises
        ------
        DataError
            If a file is missing, damaged or of another network, or has more than two classes.
        """
        path, vgg = cls.weight_files(path, backbone)
        state = read_state(path)
        first = any(name.startswith("fea_ext.ext_") for name in state)
        detector = cls(device=device, version=1 if first else 2)
        detector.take_backbone(vgg)
        capsules = {_second_name(name): part for name, part in state.items()}
        features = {f"features.{k}": v for k, v in detector.network.features.state_dict().items()}
        try:
            detector.take_state(features | capsules)
        except DataError as error:
            raise DataError(
                f"{path}: {error}; give `capsule_N.pt` of Capsule-Forensics, of two classes"
            ) from error
        return detector

    @classmethod
    def weight_files(cls, path: Path, backbone: Path | None = None) -> list[Path]:
        """Return the file of the capsules and that of VGG-19; see `from_weights`."""
        file = only_file(path, "capsule_*.pt")
        return [file, backbone or _backbone_beside(file)]


def _second_name(name: str) -> str:
    """Return a key's name in the second version: `fea_ext.ext_1.…` is capsule 0."""
    return re.sub(r"^fea_ext\.ext_(\d+)\.", lambda m: f"fea_ext.capsules.{int(m[1]) - 1}.", name)


def _backbone_beside(path: Path) -> Path:
    files = sorted(path.parent.glob(BACKBONE))
    if not files:
        raise DataError(
            f"{path}: holds no VGG-19; put torchvision's vgg19-dcbb9e9d.pth beside it, or name it "
            "in detection.settings.Capsule.backbone_weights"
        )
    return files[0]
