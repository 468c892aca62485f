"""Xception: the network against plain functions, checkpoints, crops, and learning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from material.detectors import face, samples
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors import xception
from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.face import cut_face
from swapset.detectors.networks.xception import TransferModel
from swapset.detectors.registry import needs_compression
from swapset.detectors.weights.xception import read_xception_weights
from swapset.detectors.xception import XceptionC23, XceptionC40, XceptionRaw, square
from swapset.errors import DataError
from swapset.learning.checkpoint import Checkpoint


class Small(XceptionC23):
    """The same on small crops, to be quick."""

    side: ClassVar[int] = 107
    learning_layers: list[int]

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        learning = sum(part.requires_grad for part in self.network.parameters())
        self.learning_layers = [*getattr(self, "learning_layers", []), learning]
        return super().loss(output, batch)


@lru_cache(maxsize=1)
def fresh() -> XceptionRaw:
    return XceptionRaw(seed=2)


def crops(detector: XceptionC23 | XceptionRaw, count: int = 2) -> np.ndarray:
    return np.stack([detector.crop(face(k)) for k in range(count)])


def stirred(seed: int = 0) -> TransferModel:
    """Return the network with statistics and offsets as no fresh one has them."""
    torch.manual_seed(seed)
    network = TransferModel()
    with torch.no_grad():
        for name, part in network.state_dict().items():
            if part.is_floating_point() and part.ndim == 1:
                part.copy_(1 + torch.rand_like(part) if "var" in name else part + 0.2)
    return network.eval()


# -- network ---------------------------------------------------------------------------------------


def by_functions(state: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Compute the published network from its arrays alone."""

    def conv(x: Tensor, name: str, **how: int) -> Tensor:
        return functional.conv2d(x, state[f"model.{name}.weight"], **how)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            state[f"model.{name}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def separable(x: Tensor, name: str) -> Tensor:
        within = conv(x, f"{name}.conv1", padding=1, groups=x.shape[1])
        return conv(within, f"{name}.pointwise")

    def block(x: Tensor, number: int, places: tuple[int, ...], halves: bool) -> Tensor:
        y = x
        for place in places:
            rectified = functional.relu(y) if place else y
            y = separable(rectified, f"block{number}.rep.{place}")
            y = norm(y, f"block{number}.rep.{place + 1}")
        if halves:
            y = functional.max_pool2d(y, 3, 2, 1)
            x = norm(conv(x, f"block{number}.skip", stride=2), f"block{number}.skipbn")
        return x + y

    x = functional.relu(norm(conv(images, "conv1", stride=2), "bn1"))
    x = functional.relu(norm(conv(x, "conv2"), "bn2"))
    x = block(x, 1, (0, 3), halves=True)
    x = block(x, 2, (1, 4), halves=True)
    x = block(x, 3, (1, 4), halves=True)
    for number in range(4, 12):
        x = block(x, number, (1, 4, 7), halves=False)
    x = block(x, 12, (1, 4), halves=True)
    for number in (3, 4):
        x = functional.relu(norm(separable(x, f"conv{number}"), f"bn{number}"))
    pooled = x.mean(dim=(2, 3))
    return pooled @ state["model.last_linear.weight"].T + state["model.last_linear.bias"]


def test_the_network_is_the_published_one_layer_by_layer():
    network = stirred()
    images = functional.interpolate(torch.randn(2, 3, 5, 5), size=107, mode="bicubic")
    with torch.no_grad():
        output = network(images)
        expected = by_functions(network.state_dict(), images)
    assert expected.std() > 1e-3
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4)


def test_names_shapes_and_number_of_weights_are_those_of_the_checkpoints():
    network = TransferModel()
    shapes = {name: tuple(part.shape) for name, part in network.state_dict().items()}
    imagenet, classes = 22_855_952, 1000
    head = 2048 * classes + classes - (2048 * 2 + 2)
    assert sum(part.numel() for part in network.parameters()) == imagenet - head
    known = {
        "model.conv1.weight": (32, 3, 3, 3),
        "model.block1.rep.0.conv1.weight": (64, 1, 3, 3),
        "model.block1.rep.3.pointwise.weight": (128, 128, 1, 1),
        "model.block1.skipbn.running_var": (128,),
        "model.block2.rep.1.pointwise.weight": (256, 128, 1, 1),
        "model.block11.rep.7.conv1.weight": (728, 1, 3, 3),
        "model.block12.rep.1.pointwise.weight": (728, 728, 1, 1),
        "model.block12.rep.4.pointwise.weight": (1024, 728, 1, 1),
        "model.conv4.pointwise.weight": (2048, 1536, 1, 1),
        "model.last_linear.weight": (2, 2048),
    }
    assert shapes.items() >= known.items()
    assert {name.split(".")[1] for name in shapes if ".skip." in name} == {
        "block1",
        "block2",
        "block3",
        "block12",
    }


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "wrapped"])
def test_published_weights_give_the_same_scores_in_every_form(form, tmp_path):
    network = stirred(3)
    saved: dict = network.state_dict()
    if form == "wrapped":
        renamed = {n.replace("last_linear", "last_linear.1"): part for n, part in saved.items()}
        saved = {"state_dict": {f"module.{n}": part for n, part in renamed.items()}, "epoch": 3}
    torch.save(saved, tmp_path / "weights.pt")
    detector = XceptionC40.from_weights(tmp_path / "weights.pt")
    images = crops(detector, 1)
    normal = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255.0 - 0.5) / 0.5
    with torch.no_grad():
        fake = network(normal).softmax(1)[:, 1].numpy()
    np.testing.assert_allclose(detector.forward(images), fake, atol=1e-5)


@pytest.mark.parametrize("packed", [True, False])
def test_whole_models_are_refused_with_the_way_to_convert_them(packed, tmp_path):
    path = tmp_path / "full_c23.p"
    torch.save(nn.Sequential(nn.Linear(2, 2)), path, _use_new_zipfile_serialization=packed)
    with pytest.raises(DataError, match=r"full_c23\.p: .*state_dict\(\), \"weights.pt\""):
        XceptionC23.from_weights(path)


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        (XceptionRaw, "full_raw.p", "trained on whole images.*all_c23.p"),
        (XceptionC23, "Full_C23.pt", "trained on whole images"),
        (XceptionC23, "full_epoch9.pth", "trained on whole images"),
        (XceptionC40, "full/xception/c40.pt", "trained on whole images"),
        (XceptionC40, "all_c23.pt", "trained on c23 videos, and Xception-c40 stands for c40 ones"),
        (XceptionC23, "all_raw.p", "trained on raw videos"),
        (XceptionRaw, "all_raw.pt", ""),
        (XceptionRaw, "c0-xception.pt", ""),
        (XceptionC23, "face_detection/xception/all_c23.pt", ""),
        (XceptionC40, "weights.pt", ""),
        (XceptionC40, "carefull_c40.pt", ""),
        (XceptionC23, "full/faces/all_c23.pt", ""),
    ],
)
def test_a_file_that_is_another_xception_by_its_name_is_said(kind, name, says, tmp_path, caplog):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(stirred(3).state_dict(), path)
    kind.from_weights(path)
    assert len(caplog.records) == bool(says)
    if says:
        assert re.search(says, caplog.text)
        assert str(path) in caplog.text


def test_files_of_something_else_are_refused_by_name(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"conv1.weight": torch.zeros(32, 3, 5, 5)}, path)
    with pytest.raises(DataError, match=r"other\.pt: \d+ tensors .* such as model\.") as caught:
        XceptionRaw.from_weights(path)
    assert len(str(caught.value)) < 400
    torch.save([torch.zeros(2)], path)
    with pytest.raises(DataError, match=r"other\.pt: holds no state dict"):
        XceptionRaw.from_weights(path)
    path.write_bytes(b"nothing of torch" * 10)
    with pytest.raises(DataError, match=r"other\.pt: is missing, damaged"):
        XceptionRaw.from_weights(path)
    with pytest.raises(DataError, match=r"gone\.pt: is missing"):
        XceptionRaw.from_weights(tmp_path / "gone.pt")


def write_backbone(path: Path) -> dict[str, Tensor]:
    """Write weights as the oldest file on ImageNet holds them, with 1,000 classes."""
    state = {
        name.removeprefix("model."): part[..., 0, 0] if "pointwise" in name else part
        for name, part in stirred(5).state_dict().items()
        if "last_linear" not in name and "num_batches" not in name
    }
    state |= {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    torch.save(state, path)
    return state


def test_weights_on_imagenet_fill_all_but_the_last_layer(tmp_path):
    detector = XceptionRaw(seed=2)
    before = {name: part.clone() for name, part in detector.network.state_dict().items()}
    backbone = write_backbone(tmp_path / "xception.pth")
    detector.take_backbone(tmp_path / "xception.pth")
    after = detector.network.state_dict()
    for name in ("weight", "bias"):
        head = f"model.last_linear.{name}"
        assert torch.equal(after[head], before[head])
    pointwise = "block7.rep.4.pointwise.weight"
    assert torch.equal(after[f"model.{pointwise}"][..., 0, 0], backbone[pointwise])
    assert torch.equal(after["model.bn4.running_var"], backbone["bn4.running_var"])


def test_names_lose_their_wrappers_only_when_all_have_them(tmp_path):
    path = tmp_path / "some.pt"
    torch.save({"module.model.a": torch.zeros(1), "module.model.b": torch.ones(1)}, path)
    assert set(read_xception_weights(path)) == {"a", "b"}
    torch.save({"model.a": torch.zeros(1), "b": torch.ones(1)}, path)
    assert set(read_xception_weights(path)) == {"model.a", "b"}


# -- crops -----------------------------------------------------------------------------------------


def test_squares_are_those_of_the_authors():
    # From `get_boundingbox` by hand: int(101 * 1.3) = 131, centres 150 and 121.
    assert square((100, 70, 201, 171), 400, 400) == (150 - 65, 120 - 65, 131)
    # Moved at the left and the top without being made smaller.
    assert square((10, 5, 110, 105), 400, 400) == (0, 0, 130)
    # Made smaller at the right and the bottom.
    assert square((290, 100, 390, 200), 400, 400) == (275, 85, 125)
    assert square((100, 280, 200, 380), 400, 390) == (85, 265, 125)


@pytest.mark.parametrize("shift", [(0, 0), (-70, 0), (60, 90), (0, -75)])
def test_crops_are_cut_from_the_frame_as_the_authors_cut_them(shift):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (30, 34, 3), dtype=np.uint8)
    frame = np.asarray(Image.fromarray(coarse).resize((340, 300), Image.Resampling.BICUBIC))
    points = face(1).landmarks + np.array(shift, np.float32)
    cut = cut_face(frame, points)
    assert cut is not None
    x0, y0, x1, y1 = cut.box + np.tile(cut.origin, 2)
    x, y, side = square((x0, y0, x1, y1), 340, 300)
    whole = Image.fromarray(frame[y : y + side, x : x + side])
    expected = np.asarray(whole.resize((299, 299), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(fresh().crop(cut), expected)


def test_a_face_mostly_outside_the_frame_still_gives_a_crop():
    frame = np.full((300, 340, 3), 90, np.uint8)
    for shift in ((-200, 0), (190, 0), (0, -190), (-180, -180)):
        cut = cut_face(frame, face(1).landmarks + np.array(shift, np.float32))
        if cut is not None:
            assert (fresh().crop(cut) == 90).all()


# -- scores and learning ---------------------------------------------------------------------------


def test_each_learns_from_videos_of_its_own_compression():
    kinds = (XceptionRaw, XceptionC23, XceptionC40)
    assert [needs_compression(kind.name) for kind in kinds] == ["original", "c23", "c40"]


def test_the_second_output_is_fake():
    detector = Small(seed=1)
    images = crops(detector)
    low = detector.forward(images)
    with torch.no_grad():
        detector.network.get_parameter("model.last_linear.bias")[1] += 1
    assert (detector.forward(images) > low).all()
    batch = Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0.0, 1.0]))
    right = detector.loss(torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), batch)
    assert float(right) < 1e-6


def test_a_saved_detector_scores_the_same_to_the_bit(tmp_path):
    detector = Small(seed=4)
    images = crops(detector, 3)
    detector.save(tmp_path / "detector.safetensors")
    again = Small.load(tmp_path / "detector.safetensors")
    np.testing.assert_array_equal(detector.forward(images), again.forward(images))
    np.testing.assert_allclose(again.forward(images[:1]), again.forward(images)[:1], atol=1e-6)
    assert not np.array_equal(detector.forward(images), Small(seed=5).forward(images))


def test_20_steps_lower_the_loss_the_same_way_each_time():
    faces = samples(16)

    def fitted(steps: int) -> Small:
        detector = Small(seed=1)
        schedule = Schedule(seed=1, steps=steps, batch=4, precision="fp32")
        assert detector.fit(faces, schedule=schedule)["steps"] == steps
        return detector

    def loss(detector: Small) -> float:
        images = torch.from_numpy(crops(detector, 16)).permute(0, 3, 1, 2).float()
        batch = Batch(images, torch.from_numpy(faces.labels).float())
        detector.network.train()
        with torch.no_grad():
            return float(detector.loss(detector.network(detector.prepare(images)), batch))

    assert loss(fitted(20)) < 0.7 * loss(Small(seed=1))
    first, second = (fitted(2).network.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_after_weights_on_imagenet_the_last_layer_learns_alone_at_first(tmp_path):
    write_backbone(tmp_path / "xception.pth")
    detector = Small(seed=1)
    schedule = Schedule(seed=1, steps=6, batch=2, precision="fp32")
    detector.fit(samples(16), schedule=schedule, backbone=tmp_path / "xception.pth")
    everything = sum(1 for _ in detector.network.parameters())
    assert detector.learning_layers == [2] + [everything] * 5
    alone = Small(seed=1)
    alone.fit(samples(16), schedule=Schedule(seed=1, steps=1, batch=2, precision="fp32"))
    assert alone.learning_layers == [everything]


@pytest.mark.parametrize("killed_at", [1, 3])
def test_killed_before_or_after_the_backbone_learns_it_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, killed_at
):
    monkeypatch.setattr(xception, "HEAD_SHARE", 2)
    write_backbone(tmp_path / "xception.pth")
    place = Checkpoint(tmp_path / "c.safetensors", 1, "this")

    def fitted(checkpoint=None):
        detector = Small(seed=1)
        schedule = Schedule(seed=1, steps=4, batch=2, precision="fp32", checkpoint=checkpoint)
        detector.fit(samples(16), schedule=schedule, backbone=tmp_path / "xception.pth")
        return detector

    before = Small.before_step

    def kill(self, step):
        if step == killed_at:
            raise KeyboardInterrupt
        before(self, step)

    expected = fitted()
    with monkeypatch.context() as patch:
        patch.setattr(Small, "before_step", kill)
        with pytest.raises(KeyboardInterrupt):
            fitted(place)
    resumed = fitted(place)
    assert len(resumed.learning_layers) == 4 - killed_at
    for name, part in expected.arrays().items():
        np.testing.assert_array_equal(part, resumed.arrays()[name], err_msg=name)
