"""Capsule: both published versions of the network, its backbone, crop, files and learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from material.detectors import face, samples
from PIL import Image
from torch import Tensor
from torch.nn import functional

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.capsule import Capsule
from swapset.detectors.inputs.face_square import face_square
from swapset.detectors.networks.capsule import CapsuleForensics, Routing, Statistics, squash
from swapset.detectors.networks.vgg import read_vgg19, vgg19_features
from swapset.errors import DataError
from swapset.learning.checkpoint import Checkpoint


def trained(network: CapsuleForensics) -> dict[str, Tensor]:
    """The state dict of the capsules with nothing left at its first value."""
    torch.manual_seed(4)
    state = {}
    for name, part in network.state_dict().items():
        if name.startswith("features."):
            continue
        noise = torch.randn(part.shape) * 0.1 if part.is_floating_point() else torch.tensor(7)
        state[name] = part + noise
        if name.endswith("running_var"):
            state[name] = state[name].abs() + 0.2
    return state


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision's, with later layers that are not used."""
    torch.manual_seed(5)
    state = {f"features.{k}": part for k, part in vgg19_features().state_dict().items()}
    state |= {"features.19.weight": torch.zeros(512, 256, 3, 3), "classifier.6.bias": torch.ones(9)}
    path = tmp_path_factory.mktemp("weights") / "vgg19-dcbb9e9d.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def published(backbone: Path) -> Path:
    """Weights of the second version beside the backbone."""
    path = backbone.parent / "capsule_21.pt"
    torch.save(trained(CapsuleForensics(10, 0.05)), path)
    return path


def images(count: int, side: int) -> np.ndarray:
    shape = (count, side, side, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_keys_and_sizes_are_those_of_the_published_files() -> None:
    state = {k: tuple(v.shape) for k, v in Capsule().network.state_dict().items()}
    assert state["fea_ext.capsules.9.0.weight"] == (64, 256, 3, 3)
    assert state["fea_ext.capsules.9.7.weight"] == (8, 2, 5)
    assert state["fea_ext.capsules.9.9.weight"] == (1, 8, 3)
    assert state["routing_stats.route_weights"] == (2, 10, 4, 8)
    assert state["features.16.weight"] == (256, 256, 3, 3)
    assert "features.18.weight" not in state
    parameters = dict(Capsule().network.named_parameters())
    vgg = sum(v.numel() for k, v in parameters.items() if k.startswith("features."))
    assert vgg == 2_325_568
    assert sum(v.numel() for v in parameters.values()) - vgg == 1_571_070


def test_features_of_vgg19_layer_by_layer(backbone: Path) -> None:
    detector = Capsule()
    detector.take_backbone(backbone)
    state, start = read_vgg19(backbone), torch.randn(1, 3, 20, 20)
    value = start
    for layer in (0, 2, "pool", 5, 7, "pool", 10, 12, 14, 16, "pool"):
        if layer == "pool":
            value = functional.max_pool2d(value, 2)
            continue
        weight, bias = state[f"features.{layer}.weight"], state[f"features.{layer}.bias"]
        value = functional.conv2d(value, weight, bias, padding=1).clamp(min=0)
    with torch.no_grad():
        found = detector.network.features(start)
    assert found.shape == (1, 256, 2, 2)
    torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-5)


def test_statistics_and_squash() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[4.0, 4.0], [4.0, 4.0]]]])
    wanted = torch.tensor([[[3.0, 4.0], [np.std([1, 2, 3, 6], ddof=1), 0.0]]])
    torch.testing.assert_close(Statistics()(maps), wanted.float())
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.5]])
    lengths = squash(vectors, 1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([25 / 26, 0.2]))


def numpy_routing(weights: np.ndarray, capsules: np.ndarray) -> np.ndarray:
    """Two iterations for one face: (classes, primary, 4, 8), (8, primary) to (4, classes)."""
    outputs = np.zeros((4, len(weights)))
    for number, own in enumerate(weights):
        priors = np.einsum("poi,ip->po", own, capsules)
        logits = np.zeros_like(priors)
        for _ in range(2):
            share = np.exp(logits) / np.exp(logits).sum(0)
            mixed = (share * priors).sum(0)
            length = np.sqrt((mixed**2).sum())
            output = mixed * length / (1 + length**2)
            logits = logits + priors * output
        outputs[:, number] = output
    return outputs


def test_routing_by_hand() -> None:
    torch.manual_seed(0)
    routing, capsules = Routing(10, 2, 0.05).eval(), torch.randn(3, 8, 10)
    found = routing(capsules).detach()
    assert found.shape == (3, 4, 2)
    for own, given in zip(found.numpy(), capsules.double().numpy(), strict=True):
        wanted = numpy_routing(routing.route_weights.detach().double().numpy(), given)
        np.testing.assert_allclose(own, wanted, atol=1e-5)
    torch.testing.assert_close(routing(capsules[:1]), found[:1])


def test_noise_and_dropout_only_in_training() -> None:
    torch.manual_seed(0)
    capsules = torch.randn(2, 8, 10)
    for dropout, least, most in ((0.0, 1e-4, 0.2), (0.5, 0.1, 2.0)):
        routing = Routing(10, 2, dropout)
        still = routing.eval()(capsules)
        torch.testing.assert_close(routing(capsules), still, rtol=0, atol=0)
        moved = float((routing.train()(capsules) - still).abs().max().detach())
        assert least < moved < most


@pytest.mark.parametrize("version", [1, 2])
def test_direction_and_loss(version: int) -> None:
    detector = Capsule(version=version)
    output = torch.rand(2, 4, 2)
    output = output / output.sum(2, keepdim=True)
    fake = version - 1
    wanted = output[:, :, fake].mean(1)
    torch.testing.assert_close(detector.fake_probability(output), wanted)
    batch = Batch(torch.zeros(2, 3, 1, 1), torch.tensor([1.0, 0.0]))
    classes = [fake, 1 - fake]
    logs = output.numpy() - np.log(np.exp(output.numpy()).sum(2, keepdims=True))
    chosen = logs[[0, 1], :, classes]
    assert float(detector.loss(output, batch)) == pytest.approx(-chosen.mean(0).sum(), rel=1e-5)


def test_crop_is_resized_as_by_pil() -> None:
    one = face(2)
    rows, columns = face_square(one)
    cut = Image.fromarray(np.ascontiguousarray(one.pixels[rows, columns]))
    for version, side in ((1, 128), (2, 300)):
        crop = Capsule(version=version).crop(one)
        np.testing.assert_array_equal(crop, cut.resize((side, side), Image.Resampling.BILINEAR))


def test_published_files_of_the_second_version(published: Path, backbone: Path) -> None:
    detector = Capsule.from_weights(published)
    assert detector.facts() == {"version": 2}
    wanted = torch.load(published, weights_only=True) | read_vgg19(backbone)
    arrays = detector.arrays()
    assert set(arrays) == set(wanted)
    for name, part in wanted.items():
        np.testing.assert_array_equal(arrays[name], part)
    scores = detector.forward(images(2, 300))
    assert ((scores > 0) & (scores < 1)).all()
    np.testing.assert_allclose(detector.forward(images(2, 300)[1:]), scores[1:], atol=1e-6)


def test_published_files_of_the_first_version(tmp_path: Path, backbone: Path) -> None:
    state = trained(CapsuleForensics(3, 0.0))
    for k in (2, 1, 0):
        state = {n.replace(f"capsules.{k}.", f"ext_{k + 1}."): v for n, v in state.items()}
    assert "fea_ext.ext_1.0.weight" in state
    # PyTorch 0.3, with which they were made, did not count batches.
    state = {n: v for n, v in state.items() if not n.endswith("tracked")}
    torch.save(state, tmp_path / "capsule_95.pt")
    detector = Capsule.from_weights(tmp_path / "capsule_95.pt", backbone=backbone)
    ours = detector.arrays()["fea_ext.capsules.2.7.weight"]
    np.testing.assert_array_equal(ours, state["fea_ext.ext_3.7.weight"])
    scores = detector.forward(images(1, 128))

    detector.save(tmp_path / "model.safetensors")
    loaded = Capsule.load(tmp_path / "model.safetensors")
    assert loaded.facts() == {"version": 1}
    np.testing.assert_array_equal(loaded.forward(images(1, 128)), scores)


def test_wrong_files_are_named(tmp_path: Path, published: Path, backbone: Path) -> None:
    state = torch.load(published, weights_only=True)
    state["routing_stats.route_weights"] = torch.zeros(4, 10, 4, 8)
    several = tmp_path / "capsule_5.pt"
    torch.save(state, several)
    with pytest.raises(DataError, match=r"capsule_5.pt: holds no VGG-19; put torchvision's"):
        Capsule.from_weights(several)
    with pytest.raises(DataError, match=r"capsule_5.pt: weights do not fit.*of two classes"):
        Capsule.from_weights(several, backbone=backbone)
    with pytest.raises(DataError, match=r"capsule_21.pt: has no features.0.weight of VGG-19"):
        Capsule.from_weights(published, backbone=published)
    (tmp_path / "damaged.pt").write_bytes(b"no weights")
    with pytest.raises(DataError, match=r"damaged.pt"):
        Capsule.from_weights(tmp_path / "damaged.pt", backbone=backbone)


def features(detector: Capsule) -> np.ndarray:
    return np.asarray(detector.arrays()["features.0.weight"]).copy()


def test_with_a_backbone_only_the_capsules_learn(tmp_path: Path, backbone: Path) -> None:
    training, schedule = samples(8), Schedule(seed=1, steps=20, batch=2)
    detector, again = Capsule(seed=1, version=1), Capsule(seed=1, version=1)
    for one in (detector, again):
        assert one.fit(training, schedule=schedule, backbone=backbone)["steps"] == 20
    for name, part in detector.arrays().items():
        np.testing.assert_array_equal(part, again.arrays()[name])
    for name, weights in read_vgg19(backbone).items():
        np.testing.assert_array_equal(detector.arrays()[name], weights)
    first = Capsule(seed=1, version=1).arrays()["routing_stats.route_weights"]
    assert np.abs(detector.arrays()["routing_stats.route_weights"] - first).max() > 1e-3
    scores = detector.score_faces(training.faces)
    assert np.isfinite(scores).all()

    detector.save(tmp_path / "model.safetensors")
    loaded = Capsule.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.score_faces(training.faces), scores)


def test_killed_with_a_backbone_it_goes_on_to_the_same_bits(
    tmp_path: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted(checkpoint: Checkpoint | None = None) -> Capsule:
        detector = Capsule(seed=1, version=1)
        schedule = Schedule(seed=1, steps=4, batch=2, checkpoint=checkpoint)
        detector.fit(samples(8), schedule=schedule, backbone=backbone)
        return detector

    expected, losses, loss = fitted(), [], Capsule.loss

    def ends(self: Capsule, *given: Any) -> Tensor:
        losses.append(1)
        if len(losses) == 3:
            raise KeyboardInterrupt
        return loss(self, *given)

    monkeypatch.setattr(Capsule, "loss", ends)
    place = Checkpoint(tmp_path / "c.safetensors", 2, "this")
    with pytest.raises(KeyboardInterrupt):
        fitted(place)
    resumed = fitted(place)
    assert len(losses) == 5
    for name, part in expected.arrays().items():
        np.testing.assert_array_equal(part, resumed.arrays()[name], err_msg=name)


def test_without_a_backbone_vgg19_learns_too() -> None:
    detector = Capsule(seed=1)
    before = features(detector)
    detector.fit(samples(8), schedule=Schedule(steps=1, batch=2))
    assert np.abs(features(detector) - before).max() > 1e-4
