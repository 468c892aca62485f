"""SBI: pairs of a real face and its blend, the authors' files, training, and its optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from material.detectors import FaceList, face, samples
from material.known_weights import known_weights
from torch import nn

from swapset.detectors.base import Schedule, Scores
from swapset.detectors.batches import Batch, Example
from swapset.detectors.face import Face
from swapset.detectors.inputs.self_blending import (
    blended,
    face_mask,
    face_region,
    self_blended,
    softened,
)
from swapset.detectors.sbi import SBI
from swapset.errors import DataError
from swapset.learning.checkpoint import Checkpoint
from swapset.learning.sharpness import RADIUS, SharpnessAware


class SmallNetwork(nn.Module):
    """A few layers under the name of the whole network."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 5, 2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 5, 2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.net(images)


class Small(SBI):
    """SBI with a small network and crops of 64², to be quick."""

    side: ClassVar[int] = 64

    def build(self) -> nn.Module:
        return SmallNetwork()


# -- blending --------------------------------------------------------------------------------------


def test_the_fake_differs_in_the_face_alone() -> None:
    one = face(2)
    for seed in range(8):
        generator = np.random.default_rng(seed)
        mask = face_mask(one.points, one.pixels.shape[:2], generator)
        real, fake = blended(one.pixels, mask, generator)
        changed = np.abs(real.astype(int) - fake).max(axis=2) > 1
        inner = one.points[27:].mean(axis=0).astype(int)
        near = changed[inner[1] - 12 : inner[1] + 12, inner[0] - 12 : inner[0] + 12]
        assert near.any()
        rows, columns = np.nonzero(changed)
        left, top = one.points.min(axis=0)
        right, bottom = one.points.max(axis=0)
        side = right - left
        assert columns.min() > left - 0.25 * side
        assert columns.max() < right + 0.25 * side
        assert rows.max() < bottom + 0.25 * side
        assert rows.min() > top - 0.5 * side


def test_masks_reach_the_forehead_in_three_of_four() -> None:
    one = face(2)
    shape = one.pixels.shape[:2]
    brows = int(one.points[17:27, 1].min())
    above = [
        face_mask(one.points, shape, np.random.default_rng(seed))[: brows - 3].any()
        for seed in range(40)
    ]
    assert 0.6 < np.mean(above) < 0.9


def test_a_soft_mask_shrinks_and_is_whole_in_its_middle() -> None:
    mask = np.zeros((200, 180), np.float32)
    mask[50:150, 40:140] = 1
    for seed in range(5):
        soft = softened(mask, np.random.default_rng(seed))
        assert soft.shape == mask.shape
        assert 0 <= soft.min() <= soft.max() <= 1
        assert soft[95:105, 85:95].min() > 0.9
        assert (soft > 0.5).sum() < mask.sum()
        assert np.unique(np.round(soft, 2)).size > 10
    assert not softened(np.zeros_like(mask), np.random.default_rng(0)).any()


def test_pairs_are_alike_outside_the_face_and_random() -> None:
    one = face(4)
    pairs = [self_blended(one, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    for real, fake in pairs:
        assert real.shape == fake.shape
        edge = np.abs(real[-3:].astype(int) - fake[-3:])
        assert np.median(edge) <= 1
        assert np.abs(real.astype(int) - fake).max() > 8
    np.testing.assert_array_equal(pairs[0].fake, pairs[1].fake)
    assert pairs[0].real.shape != pairs[2].real.shape or (pairs[0].real != pairs[2].real).any()


def test_the_crop_of_a_test_is_an_eighth_wider_on_each_side() -> None:
    one = face(2)
    rows, columns = face_region(one)
    left, top = one.points.min(axis=0)
    right, bottom = one.points.max(axis=0)
    top -= 0.3 * (bottom - top)
    width, height = right - left, bottom - top
    limit = one.pixels.shape
    assert columns == slice(int(left - width / 8), min(int(right + width / 8) + 1, limit[1]))
    assert rows == slice(max(int(top - height / 8), 0), min(int(bottom + height / 8) + 1, limit[0]))
    assert SBI.crop(Small(), one).shape == (64, 64, 3)


# -- training --------------------------------------------------------------------------------------


def test_a_batch_has_each_face_as_real_and_as_fake() -> None:
    detector = Small(seed=1)
    examples = [detector.example(face(k), 0, np.random.default_rng(k)) for k in range(3)]
    assert examples[0].crop.shape == (128, 64, 3)
    crops = torch.from_numpy(np.stack([each.crop for each in examples]))
    batch = Batch(crops.permute(0, 3, 1, 2).float(), torch.zeros(3))
    pairs = detector.augment(batch, torch.Generator())
    assert pairs.images.shape == (6, 3, 64, 64)
    assert pairs.labels.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(pairs.images[4].permute(1, 2, 0), examples[1].crop[64:])


class Obvious(Small):
    """The same with pairs that a few layers tell apart: the fake has its colours inverted."""

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        crop = self.crop(face)
        return Example(np.concatenate([crop, 255 - crop]), label)


def test_it_learns_from_real_faces_alone_and_scores_fakes_higher() -> None:
    faces = samples(16)
    real = [k for k in range(16) if faces.labels[k] == 0]
    alone = replace(
        faces,
        faces=tuple(faces.faces[k] for k in real),
        labels=faces.labels[real],
        videos=faces.videos[real],
    )
    schedule = Schedule(seed=2, steps=40, batch=4, learning_rate=0.1)
    detector, again = Obvious(seed=2), Obvious(seed=2)
    assert detector.fit(alone, None, schedule) == {"steps": 40}
    again.fit(faces, None, schedule)  # its fakes are not used
    for name, part in detector.arrays().items():
        np.testing.assert_array_equal(part, again.arrays()[name], err_msg=name)
    crops = np.stack([detector.crop(each) for each in alone.faces])
    assert (detector.forward(255 - crops) > detector.forward(crops) + 0.2).all()


def _layer(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a convolution that keeps the side, with its normalisation and rectifier."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]


class Narrow(SBI):
    """SBI with four layers and crops of 48²; all but the network is as it is."""

    side: ClassVar[int] = 48

    def build(self) -> nn.Module:
        network = SmallNetwork()
        widths = [3, 24, 32, 48, 64]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [*_layer(inputs, outputs), nn.MaxPool2d(2)]
        end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 2)
        network.net = nn.Sequential(*layers, *end)
        return network


def _scores_of_blends(detector: SBI, faces: Sequence[Face]) -> tuple[Scores, Scores]:
    """Return the scores of real faces, and those of 25 self-blends of each."""
    pairs = [
        self_blended(each, np.random.default_rng([place, seed]))
        for place, each in enumerate(faces)
        for seed in range(25)
    ]
    size = detector.side, detector.side
    crops = np.stack([cv2.resize(part, size) for pair in pairs for part in pair])
    real, fake = detector.forward(crops).reshape(-1, 2).T
    return real, fake


def _auc(real: Scores, fake: Scores) -> float:
    return float((fake[:, None] > real).mean())


def test_it_learns_to_tell_self_blends_of_faces_that_it_has_not_seen() -> None:
    faces = [face(k, side=80) for k in range(16)]
    seen, unseen = tuple(faces[:12]), faces[12:]
    alone = FaceList(seen, np.zeros(12, np.int8), np.arange(12, dtype=np.int32))
    detector = Narrow(seed=2)
    assert _auc(*_scores_of_blends(detector, unseen)) < 0.55
    detector.fit(alone, None, Schedule(seed=2, steps=400, batch=4, learning_rate=0.05))
    real, fake = _scores_of_blends(detector, unseen)
    assert _auc(real, fake) > 0.65
    gains = fake - real  # of the two of a pair, which differ in the blended face alone
    assert gains.mean() > 3 * gains.std() / np.sqrt(len(gains))


def test_the_rate_falls_in_the_last_quarter() -> None:
    detector = Small()
    detector.planned_steps = 100
    rates = [detector.rate(1e-3, step) for step in (0, 74, 75, 80, 99)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 0.8e-3, 0.04e-3])


def test_killed_it_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted(checkpoint: Checkpoint | None = None) -> Small:
        detector = Small(seed=1)
        detector.fit(samples(8), None, Schedule(seed=1, steps=4, batch=2, checkpoint=checkpoint))
        return detector

    expected, before, calls = fitted(), Small.loss, []

    def ends(self: Small, *given: object) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 6:  # in the second half of the third step
            raise KeyboardInterrupt
        return before(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Small, "loss", ends)
    place = Checkpoint(tmp_path / "c.safetensors", 2, "this")
    with pytest.raises(KeyboardInterrupt):
        fitted(place)
    resumed = fitted(place)
    assert len(calls) == 6 + 4
    for name, part in expected.arrays().items():
        np.testing.assert_array_equal(part, resumed.arrays()[name], err_msg=name)


def test_a_sharpness_aware_step_by_hand() -> None:
    """Foret et al., algorithm 1, on f(w) = sum(w^4) / 4, whose gradient is w^3."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimiser = SharpnessAware([weight], lr=0.1, momentum=0.9)
    place, speed = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(3):

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            loss = (weight**4).sum() / 4
            loss.backward()
            return loss

        loss = optimiser.step(closure)
        assert float(loss.detach()) == pytest.approx((place**4).sum() / 4)
        slope = place**3
        uphill = place + RADIUS * slope / np.linalg.norm(slope)
        speed = 0.9 * speed + uphill**3
        place = place - 0.1 * speed
        np.testing.assert_allclose(weight.detach().numpy(), place, rtol=1e-9)
    with pytest.raises(ValueError, match="closure"):
        optimiser.step()


# -- files -----------------------------------------------------------------------------------------


def test_the_authors_files_are_read(tmp_path: Path) -> None:
    state = known_weights(SBI(seed=1).network.state_dict(), 0.95)
    assert state["net._conv_stem.weight"].shape == (48, 3, 3, 3)
    assert state["net._fc.weight"].shape == (2, 1792)
    torch.save({"model": state, "optimizer": {"state": {}}, "epoch": 98}, tmp_path / "FFraw.tar")
    detector = SBI.from_weights(tmp_path / "FFraw.tar")
    arrays = detector.arrays()
    assert set(arrays) == set(state)
    np.testing.assert_array_equal(arrays["net._bn1.bias"], state["net._bn1.bias"])
    scores = detector.score_faces([face(0), face(1, fake=True)])
    assert ((scores > 0) & (scores < 1)).all()
    del state["net._fc.bias"]
    torch.save(state, tmp_path / "other.tar")
    with pytest.raises(DataError, match=r"other\.tar: .*give `FFraw\.tar` or `FFc23\.tar`"):
        SBI.from_weights(tmp_path / "other.tar")


def test_weights_on_imagenet_fill_all_but_the_last_layer(tmp_path: Path) -> None:
    detector = SBI(seed=1)
    head = detector.arrays()["net._fc.weight"].copy()
    fresh = {name.removeprefix("net."): p for name, p in detector.network.state_dict().items()}
    state = known_weights(fresh, 0.95)
    state |= {"_fc.weight": torch.zeros(1000, 1792), "_fc.bias": torch.zeros(1000)}
    torch.save(state, tmp_path / "adv-efficientnet-b4.pth")
    detector.take_backbone(tmp_path / "adv-efficientnet-b4.pth")
    np.testing.assert_array_equal(detector.arrays()["net._fc.weight"], head)
    expected = state["_blocks.20._project_conv.weight"]
    np.testing.assert_array_equal(
        detector.arrays()["net._blocks.20._project_conv.weight"], expected
    )
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.pth")
    with pytest.raises(DataError, match=r"resnet\.pth: is no EfficientNet-B4 \(_blocks"):
        detector.take_backbone(tmp_path / "resnet.pth")
