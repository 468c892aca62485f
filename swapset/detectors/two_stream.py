"""Two-stream: a GoogLeNet on the face, and a triplet network on noise residuals of patches.

P. Zhou, X. Han, V. I. Morariu, L. S. Davis, "Two-stream neural networks for tampered face
detection", CVPR Workshops 2017. None of its code is public, and only summaries of the paper were
available, not its text. From the paper come: GoogLeNet Inception v3 on the face, scaled to
299 x 299; the 5514 CFA-aware steganalysis features of a patch (`SRMQ1CFA.m`, see `srm`); their
embedding by two fully connected layers, trained with the triplet loss on squared distances; a
support vector machine trained for each face, which separates patches of other images from patches
of the same image around the face; and the score of a face q

    F(q) + λ · mean of S(x) over the patches x of q.

Chosen here: the triplet network's widths and margin, and all training settings. Other images are
those of the training set: whole real ones, and the inside of the face of fakes. The face stream is
trained as Inception v3 is fine-tuned in tensorflow/models, with the defaults of
`slim/train_image_classifier.py`: RMSProp (decay and momentum 0.9, ε = 1, learning rate 0.01),
weight decay 4e-5, batches of 32, the auxiliary classifier's loss at weight 0.4. Patches have
64 x 64 pixels, as larger ones do not fit beside the faces of videos. λ is the value with the
highest AUC on the validation faces; without these it is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TextIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from swapset.detectors.base import Arrays, Detector, Samples, Schedule, Scores
from swapset.detectors.batches import Batch, check_classes
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs import patches
from swapset.detectors.networks.googlenet import SIDE, GoogLeNet, read_imagenet
from swapset.detectors.patch_stream import PatchStream
from swapset.errors import DataError
from swapset.types import Bytes

ENLARGED = 1.3
"""Side of the face stream's crop in sides of the face's box, so that it contains the seams."""
AUXILIARY = 0.4
"""Weight of the auxiliary classifier's loss."""
ROWS = SIDE // patches.SIDE
COLUMNS = -(-patches.COUNT // ROWS)
"""Right of the face, the sheet has the patches in columns, each from top to bottom."""
BALANCES = (1.0, 0.5, 2.0, 0.2, 5.0, 0.1)
"""Candidates for λ; the first wins a tie."""
BALANCE_FACES = 256
"""Largest number of validation faces for the choice of λ."""
_FACE, _PATCH = "face.", "patch."


class FaceStream(NetworkDetector):
    """Inception v3 with two outputs, real and tampered."""

    name = "Two-stream"
    side: ClassVar[int] = SIDE
    published: ClassVar[Schedule] = Schedule(steps=3000, batch=32, learning_rate=0.01)
    network: GoogLeNet

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.googlenet`."""
        return GoogLeNet(2)

    def crop(self, face: Face) -> Bytes:
        """Return the square around the face (299, 299, 3) uint8, RGB; black outside the frame."""
        x0, y0, x1, y1 = face.box
        side = max(round(ENLARGED * (x1 - x0)), 2)
        left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
        part = Image.fromarray(face.pixels).crop((left, top, left + side, top + side))
        return np.array(part.resize((self.side, self.side), Image.Resampling.BILINEAR))

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops in [-1, 1]."""
        return crops / 127.5 - 1

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability (B,) float64 of the second class, tampered, of logits (B, 2)."""
        return output.double().softmax(1)[:, 1]

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross entropies of both classifiers' logits (B, 2), weighted: a scalar.

        float32; the main classifier has weight 1, the auxiliary one 0.4.
        """
        main, auxiliary = (
            nn.functional.cross_entropy(logits.float(), batch.labels.long()) for logits in output
        )
        return main + AUXILIARY * auxiliary

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return RMSProp with slim's settings."""
        return torch.optim.RMSprop(
            self.network.parameters(),
            lr=learning_rate,
            alpha=0.9,
            eps=1.0,
            momentum=0.9,
            weight_decay=4e-5,
        )

    def take_backbone(self, path: Path) -> None:
        """Load torchvision's ImageNet weights, without the two last layers."""
        read_imagenet(path, self.network)


class TwoStream(Detector):
    """Both streams of the paper, and their sum.

    Attributes
    ----------
    face : FaceStream
    patch : PatchStream
    balance : float
        λ, the weight of the patch stream.
    """

    name = "Two-stream"
    resumes = True

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu"):
        super().__init__(seed=seed, device=device)
        self.face = FaceStream(seed=seed, device=device)
        self.patch = PatchStream(seed=seed, device=self.device)
        self.balance = BALANCES[0]

    def crop(self, face: Face) -> Bytes:
        """Return a sheet with the inputs of both streams.

        Returns
        -------
        (299, 683, 3) uint8, RGB
            Left: the face, scaled to 299 x 299. Right: the 24 patches of 64 x 64 pixels, at the
            frame's own resolution, four to a column (see `patches.cut_patches`).
        """
        sheet = np.zeros((SIDE, SIDE + COLUMNS * patches.SIDE, 3), np.uint8)
        sheet[:, :SIDE] = self.face.crop(face)
        for place, patch in zip(_places(), patches.cut_patches(face), strict=True):
            sheet[place] = patch
        return sheet

    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Return the scores (B,) float64 of B sheets; never NaN. See `Detector.forward`."""
        face, patch = self.streams(crops)
        return face + self.balance * patch

    def streams(self, crops: npt.NDArray[Any]) -> tuple[Scores, Scores]:
        """Return the scores of both streams for sheets (B, 299, 683, 3) uint8, RGB.

        Returns
        -------
        face : (B,) float64 in [0, 1]
            Probability that the face is tampered.
        patch : (B,) float64
            Mean decision of the support vector machine on the face's patches.
        """
        stacked = np.stack([crops[(slice(None), *place)] for place in _places()], axis=1)
        return self.face.forward(crops[:, :, :SIDE]), self.patch.score(stacked)

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Learn the face stream, then the patch stream, then λ. See `Detector.fit`.

        Each stream has a checkpoint of its own, so a killed training learns none twice.
        """
        check_classes(training, needs_fakes=True)
        plan = schedule or Schedule()
        stages = {
            name: plan.checkpoint and plan.checkpoint.stage(name) for name in ("face", "patches")
        }
        own = replace(plan, checkpoint=stages["face"])
        facts = self.face.fit(training, validation, own, log=log, backbone=backbone)
        steps = (FaceStream.published.steps or 0) if plan.steps is None else plan.steps
        facts |= self.patch.fit(
            training, seed=plan.seed, steps=steps, log=log, checkpoint=stages["patches"]
        )
        self.balance = BALANCES[0]
        if validation is not None and 0 < np.count_nonzero(validation.labels) < len(validation):
            facts["face_validation_auc"] = facts.pop("validation_auc")
            facts["validation_auc"] = self._choose_balance(validation)
        return facts | {"balance": self.balance}

    def _choose_balance(self, validation: Samples) -> float:
        """Set λ to the candidate with the highest AUC on the validation faces; return that AUC."""
        labels = np.asarray(validation.labels)
        classes = [np.flatnonzero(labels == label) for label in (0, 1)]
        chosen = np.concatenate([patches.evenly(part, BALANCE_FACES // 2) for part in classes])
        scores = [self.streams(self.crop(validation[int(k)])[None]) for k in chosen]
        face, patch = np.concatenate(scores, axis=1)
        aucs = [roc_auc_score(labels[chosen], face + balance * patch) for balance in BALANCES]
        self.balance = BALANCES[int(np.argmax(aucs))]
        return float(max(aucs))

    def arrays(self) -> Arrays:
        """Return the learnt arrays of both streams, and λ."""
        face = {_FACE + name: part for name, part in self.face.arrays().items()}
        patch = {_PATCH + name: part for name, part in self.patch.arrays().items()}
        return face | patch | {"balance": np.array([self.balance])}

    def take(self, arrays: Arrays) -> None:
        """Load the arrays that `arrays` returned; see `Detector.take`."""
        rest = {name for name in arrays if not name.startswith((_FACE, _PATCH))}
        if rest != {"balance"} or np.shape(arrays["balance"]) != (1,):
            raise DataError(f"Two-stream: expected one balance beside both streams, got {rest}")
        self.face.take(_part(arrays, _FACE))
        self.patch.take(_part(arrays, _PATCH))
        self.balance = float(arrays["balance"][0])


def _part(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {
        name.removeprefix(prefix): part for name, part in arrays.items() if name.startswith(prefix)
    }


def _places() -> list[tuple[slice, slice]]:
    """Return the place of each patch on the sheet."""
    corners = [
        (row * patches.SIDE, SIDE + column * patches.SIDE)
        for column in range(COLUMNS)
        for row in range(ROWS)
    ]
    return [(slice(y, y + patches.SIDE), slice(x, x + patches.SIDE)) for y, x in corners]
