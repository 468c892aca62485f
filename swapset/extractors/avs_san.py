"""AVS-SAN: SAN, trained on faces in many styles."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.extractors.base import Extractor
from swapset.extractors.crops import LANDMARK_EXTENT, LANDMARKS_LOWER, squares_about
from swapset.extractors.decode import window_mean
from swapset.extractors.networks.avs_san import SANNetwork
from swapset.extractors.schedules import Schedule, Variation
from swapset.extractors.targets import smooth_gaussians
from swapset.learning.state_dicts import output_channels, read_published
from swapset.seeds import derive_seed


class AVSSAN(Extractor):
    """SAN as TheSouthFrog/stylealign trains it (landmark_detection/, "AVS(SAN)").

    The published recipe differs from SAN's only in its data: WFLW with copies of each face in other
    styles. The style networks that made them are published without weights, and so are the two
    generators within SAN. Without the authors' checkpoint, fixed style transforms replace both
    (`swapset.extractors.networks.styles` within the network; `swapset.extractors.restyle` for 8 of
    9 faces, the authors' share). A checkpoint that the authors' code wrote contains its generators.

    The authors cut the landmarks' bounding box widened by 20 % on each side and stretch it to a
    square (`--pre_crop_expand 0.2`, san_vision/transforms.py, `PreCrop`); the boxes in their lists
    for WFLW are not published. Here the square about the bounding box, which is derived from dlib's
    box, is widened as much, and nothing is stretched. Pixels are scaled to [-1, 1] (san_main.py).

    Training (landmark_detection/scripts/WFLW_full.sh; SAN/lib/procedure/train_detector.py): smooth
    Gaussians of σ = 4 crop pixels and the background, the squared errors of all four outputs,
    summed, over twice the number of faces, SGD with Nesterov's momentum. The steps are 50 epochs of
    WFLW's 7,500 pictures. Crops are shifted by up to 30 of 128 pixels, neither turned nor mirrored;
    landmarks outside the crop do not count (datasets/point_meta.py, `apply_bound`). The authors
    start from torchvision's VGG-16 on ImageNet (vgg16-397923af.pth), which `take_backbone` reads.
    Without it, their SGD soon gives NaN, and Adam replaces it.

    Parameters
    ----------
    points, width, seed, device
        As for `Extractor`.
    generators : bool
        Whether SAN's two generators are part of the network; see `SANNetwork`.
    """

    name = "avs-san"
    side = 128
    map_side = 16
    backbone = ("features.",)
    feature_layers = ("features", "CPM_feature")
    published = Schedule(
        steps=46_900,
        batch=8,
        learning_rate=5e-5,
        milestones=(30 / 50, 35 / 50, 40 / 50, 45 / 50),
        factor=0.5,
    )
    variation = Variation(
        law="uniform",
        turn=0,
        turned=0,
        scale=0,
        shift=30 / 128,
        colour=0,
        mirrored=0,
        fill=127,
        restyled=8 / 9,
        beyond="unknown",
    )
    sigma = 4.0

    def __init__(
        self,
        *,
        points: int = 68,
        width: float = 1.0,
        seed: int = 0,
        device: torch.device | str = "cpu",
        generators: bool = False,
    ):
        self.generators = generators
        super().__init__(points=points, width=width, seed=seed, device=device)

    def facts(self) -> dict[str, Any]:
        """Return the constructor's arguments; see `Extractor.facts`."""
        return {**super().facts(), "generators": self.generators}

    def build(self) -> nn.Module:
        """Return the network."""
        return SANNetwork(self.points, self.width, generators=self.generators)

    def regions(self, boxes: Tensor) -> Tensor:
        """Return the squares; see `Extractor.regions`."""
        return squares_about(boxes, size=1.4 * LANDMARK_EXTENT, lowered=LANDMARKS_LOWER)

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return the maps of stages 1 (twice), 2 and 3; see `Extractor.outputs`."""
        maps: list[Tensor] = self.network(images / 127.5 - 1)
        return maps

    def features(self, images: Tensor) -> list[Tensor]:
        """Return tensors from inside, a face's beside its twin's; see `Extractor.features`."""
        *inside, maps = super().features(images)
        return [*(torch.cat(both.chunk(2), 1) for both in inside), maps]

    def decode(self, heatmaps: Tensor) -> Tensor:
        """Return the means of 7×7 pixels about the maxima; see `Extractor.decode`."""
        return window_mean(heatmaps, self.side / self.map_side, radius=3)

    def targets(self, points: Tensor, known: Tensor) -> Tensor:
        """Return Gaussians about the points themselves, and the background."""
        stride = self.side / self.map_side
        return smooth_gaussians(
            points, known, map_side=self.map_side, stride=stride, sigma=self.sigma
        )

    def loss(self, outputs: Sequence[Tensor], points: Tensor, known: Tensor) -> Tensor:
        """Return the sum of squared errors over twice the number of faces; see `Extractor.loss`."""
        wanted = self.targets(points, known)
        counted = torch.cat((known, known.new_ones(len(known), 1)), 1)[:, :, None, None]
        errors = [((maps - wanted) ** 2 * counted).sum() for maps in outputs]
        return torch.stack(errors).sum() / (2 * len(points))

    def take_backbone(self, path: Path) -> None:
        """Load VGG-16's ImageNet weights; see `Extractor.take_backbone`."""
        super().take_backbone(path)
        torch.manual_seed(derive_seed(self.seed, self.name, "stages") % 2**63)
        self.network.start_as_published()  # type: ignore[operator]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return SGD with momentum 0.9 or, for a network without a pretrained backbone, Adam.

        With SGD, later stages have 4 times the learning rate and biases twice as much; weights
        decay by 0.0005, biases do not; generators are not trained (itn_cpm.py,
        `specify_parameter`). Adam has one learning rate, about 0.001 for a narrow network.
        """
        if not self.pretrained:
            learning = [part for part in self.network.parameters() if part.requires_grad]
            return torch.optim.Adam(learning, lr=learning_rate)
        groups: list[dict[str, Any]] = []
        for part, pace in (
            ("features", 1),
            ("CPM_feature", 1),
            ("stage1", 1),
            ("stage2", 4),
            ("stage3", 4),
        ):
            named = list(self.network.get_submodule(part).named_parameters())
            weights = [tensor for name, tensor in named if name.endswith("weight")]
            biases = [tensor for name, tensor in named if name.endswith("bias")]
            groups.append({"params": weights, "lr": pace * learning_rate, "weight_decay": 5e-4})
            groups.append({"params": biases, "lr": 2 * pace * learning_rate, "weight_decay": 0})
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9, nesterov=True)

    @classmethod
    def published_state(cls, path: Path) -> dict[str, Tensor]:
        """Return the weights; the authors' checkpoints also hold the options of their scripts."""
        # Both classes only hold attributes: reading them runs no code.
        options = (_Options, "models.model_utils.ModelConfig")
        with torch.serialization.safe_globals([Namespace, options]):
            return read_published(path)

    @classmethod
    def published_facts(cls, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
        """Return the number of landmarks, and whether the weights include generators."""
        generators = any(name.startswith("netG_A.") for name in state)
        return {"points": output_channels(state, "stage3.16", path) - 1, "generators": generators}


class _Options:
    """Replaces a class of the authors' code that only holds options."""
