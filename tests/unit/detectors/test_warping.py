"""FWA and DSP-FWA: crops as the originals make them, direction, training, files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.detectors import FaceList, face, picture, samples

from swapset.detectors import warping
from swapset.detectors.base import Schedule, load_detector
from swapset.detectors.batches import Batch
from swapset.detectors.face import Face, cut_face
from swapset.detectors.registry import detector_class
from swapset.detectors.warping import DSPFWA, FWA, RealFaces
from swapset.errors import DataError, TrainingError


class SmallFWA(FWA):
    """FWA on crops of 64 pixels, for the tests of its training."""

    side = 64


@lru_cache(maxsize=1)
def fwa() -> FWA:
    return FWA()


def settled(detector: FWA | DSPFWA) -> FWA | DSPFWA:
    """Give every BatchNorm the statistics of a few faces, as training does."""
    norms = [m for m in detector.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    crops = np.stack([detector.crop(face(k))[0] for k in range(3)])
    with torch.no_grad():
        detector.network.train()
        detector.network(detector.prepare(torch.from_numpy(crops).permute(0, 3, 1, 2).float()))
    detector.network.eval()
    for norm in norms:
        norm.momentum = 0.1
    return detector


def original_crop(frame: np.ndarray, points: np.ndarray, seed: int) -> np.ndarray:
    """Return a crop by the formulas of the original, on the whole frame."""
    height, width = frame.shape[:2]
    (x1, y1), (x2, y2) = points.min(0), points.max(0)
    state = np.random.RandomState(seed)
    dx, dy = state.randint(int((x2 - x1) / 8)), state.randint(int((y2 - y1) / 5))
    x1, x2 = max(0, x1 - dx), min(width - 1, x2 + dx)
    y1, y2 = max(0, y1 - dy), min(height - 1, int(y2 + dy / 2))
    return cv2.resize(frame[y1:y2, x1:x2], (224, 224))


# -- crops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["whole", "left and top", "right and bottom"])
def test_crops_are_those_of_the_original_to_the_bit(cut: str) -> None:
    frame, points = picture(3, side=180)
    (x1, y1), (x2, y2) = np.rint(points.min(0)).astype(int), np.rint(points.max(0)).astype(int)
    if cut == "left and top":
        frame, points = frame[y1 - 3 :, x1 - 2 :], points - (x1 - 2, y1 - 3)
    elif cut == "right and bottom":
        frame = frame[: y2 + 2, : x2 + 3]
    found = cut_face(np.ascontiguousarray(frame), points)
    assert found is not None
    crops = fwa().crop(found)
    whole = np.rint(points).astype(int)
    assert crops.shape == (10, 224, 224, 3)
    assert crops.dtype == np.uint8
    for seed in range(10):
        assert np.array_equal(crops[seed], original_crop(frame, whole, seed)), seed


def test_crops_are_upright_and_end_at_jaw_and_chin() -> None:
    frame, points = picture(0)
    x1, y1 = np.rint(points.min(0))
    x2, y2 = np.rint(points.max(0))
    drawn = np.zeros_like(frame)
    drawn[int(y1) : int(y2), int(x1) : int(x2)] = 255
    found = cut_face(drawn, points)
    assert found is not None
    for crop in fwa().crop(found):
        inside = crop[..., 0] > 127
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert 0.78 <= len(columns) / 224 <= 1
        assert abs((columns[0] + columns[-1]) / 2 - 111.5) <= 1
        assert 0.76 <= len(rows) / 224 <= 1
        assert 223 - rows[-1] <= 0.6 * rows[0] + 2


def test_crops_differ_from_each_other_but_depend_on_nothing_else() -> None:
    first = fwa().crop(face(2))
    np.random.seed(5)
    state = np.random.get_state()[1].copy()
    assert np.array_equal(first, FWA(seed=9).crop(face(2)))
    assert np.array_equal(state, np.random.get_state()[1])
    assert len({crop.tobytes() for crop in first}) > 7


def test_tiny_faces_and_faces_at_the_border_have_crops() -> None:
    frame, points = picture(0)
    middle = points.mean(0)
    for moved in ((points - middle) * 0.04 + middle, points - points.max(0) + 3, points + (250, 0)):
        found = cut_face(frame, moved)
        assert found is not None
        assert fwa().crop(found).shape == (10, 224, 224, 3)


def test_network_gets_bgr_minus_the_mean() -> None:
    crop = torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1)
    expected = torch.tensor([30 - 103.939, 20 - 116.779, 10 - 123.68]).view(1, 3, 1, 1)
    torch.testing.assert_close(fwa().prepare(crop), expected)


# -- score ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FWA", "DSP-FWA"])
def test_output_0_is_fake_in_score_and_loss(name: str) -> None:
    detector = detector_class(name)()
    assert not detector.needs_fakes
    output = torch.tensor([[2.0, -1.0], [-1.0, 2.0]])
    scores = detector.fake_probability(output)
    torch.testing.assert_close(scores, torch.sigmoid(torch.tensor([3.0, -3.0]).double()))
    images = torch.zeros(2, 3, 1, 1)
    right = detector.loss(output, Batch(images, torch.tensor([1.0, 0.0])))
    wrong = detector.loss(output, Batch(images, torch.tensor([0.0, 1.0])))
    torch.testing.assert_close(right, -torch.log(scores[0]).float())
    torch.testing.assert_close(wrong, -torch.log(scores[1]).float())


def test_score_of_a_face_is_the_mean_of_its_five_highest_crops() -> None:
    scores = np.array([[0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.0, 0.6, 0.4, 0.5], [0.5] * 10])
    assert np.allclose(fwa().combine(scores), [0.7, 0.5])


def test_faces_are_scored_alike_alone_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = settled(SmallFWA())
    crops = np.stack([detector.crop(face(k)) for k in range(3)])
    alone = np.concatenate([detector.forward(crop[None]) for crop in crops])
    monkeypatch.setattr(warping, "FACES_AT_ONCE", 2)
    together = detector.forward(crops)
    assert together.shape == (3,)
    assert len(set(alone)) == 3
    assert np.allclose(together, alone, atol=1e-6)


# -- learning ---------------------------------------------------------------------------------


class Guarded(FaceList):
    """Faces whose fakes must not be looked at."""

    def __getitem__(self, index: int) -> Face:
        assert self.labels[index] == 0, "a given fake was learnt from"
        return super().__getitem__(index)


def guarded(labels: np.ndarray | None = None) -> Guarded:
    given = samples(8)
    return Guarded(given.faces, given.labels if labels is None else labels, given.videos)


def test_twenty_steps_learn_from_real_faces_alone() -> None:
    detector = SmallFWA(seed=1)
    before = {name: part.copy() for name, part in detector.arrays().items()}
    facts = detector.fit(guarded(), schedule=Schedule(steps=20, batch=2, precision="fp32"))
    assert facts == {"steps": 20}
    assert not np.array_equal(detector.arrays()["conv1.weight"], before["conv1.weight"])
    assert np.isfinite(detector.score_faces([face(0)])).all()


def test_training_repeats_to_the_bit_with_its_seed_only() -> None:
    found = []
    for seed in (3, 3, 4):
        detector = SmallFWA(seed=1)
        detector.fit(guarded(), schedule=Schedule(seed=seed, steps=2, batch=2, precision="fp32"))
        found.append(detector.arrays())
    assert all(np.array_equal(part, found[1][name]) for name, part in found[0].items())
    assert not np.array_equal(found[0]["conv1.weight"], found[2]["conv1.weight"])


@pytest.mark.parametrize(("kind", "steps"), [(SmallFWA, 8), (DSPFWA, 4)], ids=["FWA", "DSP-FWA"])
def test_the_loss_falls_when_the_same_faces_come_again(
    kind: type[FWA | DSPFWA], steps: int
) -> None:
    detector = kind(seed=1)
    generator = np.random.default_rng(0)
    examples = [detector.example(face(2 * (k % 4)), 0, generator) for k in range(4)]
    assert {example.label for example in examples} == {0, 1}
    images = torch.from_numpy(np.stack([e.crop for e in examples])).permute(0, 3, 1, 2).float()
    batch = Batch(images, torch.tensor([float(e.label) for e in examples]))
    optimiser = detector.optimiser(1e-3)
    plan = Schedule(precision="fp32")
    losses = [float(detector._step(batch, optimiser, plan, step)) for step in range(steps)]
    assert max(losses) < 2
    assert np.mean(losses[-3:]) < losses[0]


def test_only_fakes_cannot_be_learnt_from() -> None:
    with pytest.raises(TrainingError, match="no real face"):
        SmallFWA().fit(guarded(np.ones(8, np.int8)), schedule=Schedule(steps=1, batch=2))


def test_real_faces_keep_their_videos() -> None:
    real = RealFaces(samples(8))
    assert len(real) == 4
    assert real.videos.tolist() == samples(8).videos[::2].tolist()
    assert real[1] is samples(8)[2]


def test_pyramid_network_learns_a_step(tmp_path: Path) -> None:
    detector = DSPFWA(seed=2)
    before = {name: part.copy() for name, part in detector.arrays().items()}
    detector.fit(guarded(), schedule=Schedule(steps=1, batch=2, precision="fp32"))
    after = detector.arrays()
    for name in ("classifier.weight", "resnet.resnet.conv1.weight"):
        assert not np.array_equal(before[name], after[name])
    assert np.array_equal(before["resnet.fc.weight"], after["resnet.fc.weight"])


def test_optimiser_is_plain_sgd_that_slows_down_every_thousand_steps() -> None:
    detector = fwa()
    optimiser = detector.optimiser(1e-3)
    assert isinstance(optimiser, torch.optim.SGD)
    weights, others = sorted(optimiser.param_groups, key=lambda group: -group["weight_decay"])
    assert len(weights["params"]) + len(others["params"]) == 161
    assert (weights["weight_decay"], others["weight_decay"]) == (1e-4, 0)
    assert {p.ndim for p in others["params"]} == {1}
    assert weights["momentum"] == 0
    assert weights["lr"] == others["lr"] == 1e-3
    for step, rate in ((999, 1e-3), (1000, 0.95e-3), (2000, 0.95**2 * 1e-3)):
        assert detector.rate(1e-3, step) == pytest.approx(rate)


def test_the_rate_falls_as_by_torchs_own_schedule() -> None:
    detector = fwa()
    optimiser = detector.optimiser(1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 1000, 0.95)
    for step in range(7640):
        if step % 500 == 0:
            assert optimiser.param_groups[0]["lr"] == detector.rate(1e-3, step)
        optimiser.step()
        schedule.step()


def test_last_layer_of_the_pyramid_learns_at_a_300th_of_the_rate() -> None:
    detector = DSPFWA()
    rates = {
        id(part): group["lr"]
        for group in detector.optimiser(1e-3).param_groups
        for part in group["params"]
    }
    for name, part in detector.network.named_parameters():
        last = name.startswith("classifier.")
        assert rates.pop(id(part)) == pytest.approx(1e-3 / 300 if last else 1e-3)
    assert not rates


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FWA, DSPFWA], ids=["FWA", "DSP-FWA"])
def test_saved_and_loaded_it_scores_the_same_to_the_bit(
    kind: type[FWA | DSPFWA], tmp_path: Path
) -> None:
    detector = settled(kind(seed=5))
    detector.save(tmp_path / "model.safetensors")
    again = load_detector(tmp_path / "model.safetensors")
    scores = detector.score_faces([None, face(1)])
    assert np.isnan(scores[0])
    assert 0 < scores[1] < 1
    assert np.array_equal(scores, again.score_faces([None, face(1)]), equal_nan=True)


def test_published_checkpoint_of_the_pyramid_loads(tmp_path: Path) -> None:
    state = DSPFWA(seed=7).network.state_dict()
    torch.save({"epoch": 20, "net": state}, tmp_path / "SPP-res50.pth")
    loaded = DSPFWA.from_weights(tmp_path / "SPP-res50.pth").network.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(part, state[name]) for name, part in loaded.items())


def test_wrong_weights_are_refused_with_the_file_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"net": fwa().network.state_dict()}, path)
    with pytest.raises(DataError, match=r"weights\.pth: weights do not fit DSP-FWA"):
        DSPFWA.from_weights(path)
    with pytest.raises(DataError, match=r"weights\.pth: no published weights of FWA"):
        FWA.from_weights(path)


def test_both_start_from_imagenet_weights(tmp_path: Path) -> None:
    state = {name: part + 1 for name, part in fwa().network.state_dict().items()}
    torch.save(state, tmp_path / "resnet50.pth")
    for detector in (FWA(), DSPFWA()):
        detector.take_backbone(tmp_path / "resnet50.pth")
        found = detector.arrays()
        prefix = "resnet.resnet." if isinstance(detector, DSPFWA) else ""
        for name in ("conv1.weight", "layer4.2.bn3.running_var"):
            assert np.array_equal(found[prefix + name], state[name].numpy())
        assert not np.array_equal(found[prefix + "fc.bias"][:2], state["fc.bias"].numpy())
