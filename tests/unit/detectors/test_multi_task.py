"""Multi-task: the published network and losses, crops and masks, files, and training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.detectors import face, samples
from torch import Tensor
from torch.nn import functional

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.face import Face, cut_face
from swapset.detectors.inputs.face_square import face_square
from swapset.detectors.multi_task import MultiTask, YAutoencoder, activations
from swapset.errors import DataError


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """Return a state dict in which all values differ from the initial ones, as after training."""
    torch.manual_seed(3)
    state = {}
    for name, part in YAutoencoder().state_dict().items():
        noise = torch.randn(part.shape) * 0.1 if part.is_floating_point() else torch.tensor(7)
        state[name] = part + noise
        if name.endswith("running_var"):
            state[name] = state[name].abs() + 0.2
    return state


def part_of(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def crops(count: int) -> np.ndarray:
    shape = (count, 256, 256, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_keys_and_sizes_are_those_of_the_published_files() -> None:
    state = MultiTask().network.state_dict()
    convolutions = {k: tuple(v.shape) for k, v in state.items() if v.ndim == 4}
    assert convolutions["encoder.encoder.0.weight"] == (8, 3, 3, 3)
    assert convolutions["encoder.encoder.24.weight"] == (128, 64, 3, 3)
    assert convolutions["decoder.shared.0.weight"] == (128, 64, 3, 3)
    assert convolutions["decoder.segmenter.12.weight"] == (8, 2, 3, 3)
    assert convolutions["decoder.decoder.12.weight"] == (8, 3, 3, 3)
    assert len(convolutions) == 9 + 4 + 5 + 5
    for half, count in (("encoder.", 148_200), ("decoder.", 156_749)):
        sizes = [v.numel() for k, v in state.items() if k.startswith(half) and ".running" not in k]
        norms = sum(k.startswith(half) and k.endswith("tracked") for k in state)
        assert sum(sizes) - norms == count


def test_encoder_layer_by_layer(published: dict[str, Tensor]) -> None:
    network = YAutoencoder().eval()
    network.load_state_dict(published)
    images = torch.randn(2, 3, 32, 32)
    state, value = part_of(published, "encoder.encoder."), images
    for layer in range(9):
        value = functional.conv2d(
            functional.pad(value, (1, 1, 1, 1)),
            state[f"{3 * layer}.weight"],
            state[f"{3 * layer}.bias"],
            stride=1 + layer % 2,
        )
        value = normed(value, state, 3 * layer + 1).clamp(min=0)
    latent = network(images)
    assert latent.shape == (2, 2, 64, 2, 2)
    torch.testing.assert_close(latent.reshape(2, 128, 2, 2), value, rtol=1e-4, atol=1e-5)


def normed(value: Tensor, state: dict[str, Tensor], layer: int) -> Tensor:
    mean, var = state[f"{layer}.running_mean"], state[f"{layer}.running_var"]
    scale = state[f"{layer}.weight"] / (var + 1e-5).sqrt()
    return (value - mean.view(-1, 1, 1)) * scale.view(-1, 1, 1) + state[f"{layer}.bias"].view(
        -1, 1, 1
    )


def raised(value: Tensor, state: dict[str, Tensor], layer: int, stride: int) -> Tensor:
    """Compute a transposed convolution as a convolution of the image spread with zeros."""
    count, channels, height, width = value.shape
    spread = torch.zeros(count, channels, height * stride, width * stride)
    spread[:, :, ::stride, ::stride] = value
    kernel = state[f"{layer}.weight"].transpose(0, 1).flip(2, 3)
    return functional.conv2d(spread, kernel, state[f"{layer}.bias"], padding=1)


def test_decoder_layer_by_layer_from_one_half(published: dict[str, Tensor]) -> None:
    network = YAutoencoder().eval()
    network.load_state_dict(published)
    latent = torch.rand(2, 2, 64, 2, 2)
    value = latent.clone()
    value[0, 0] = value[1, 1] = 0
    value = value.reshape(2, 128, 2, 2)
    outputs = []
    for place, branch in enumerate(("segmenter", "decoder")):
        ours = value
        for index in range(8):
            name, layer = ("shared", 3 * index) if index < 4 else (branch, 3 * (index - 4))
            state = part_of(published, f"decoder.{name}.")
            ours = normed(raised(ours, state, layer, 1 + index % 2), state, layer + 1).clamp(min=0)
        ours = raised(ours, part_of(published, f"decoder.{branch}."), 12, 1)
        outputs.append(ours.tanh() if place else ours.softmax(1))
    for given, wanted in zip(network.decode(latent, torch.tensor([1, 0])), outputs, strict=True):
        assert given.shape[2:] == (32, 32)
        torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)


def test_the_first_half_answers_to_fakes(published: dict[str, Tensor]) -> None:
    detector = MultiTask()
    latent = torch.zeros(2, 2, 64, 16, 16)
    latent[0, 0], latent[1, 1] = 1.0, -0.5
    scores = detector.fake_probability(latent)
    assert scores[0] == pytest.approx(np.e / (np.e + 1))
    assert scores[1] == pytest.approx(1 / (np.exp(0.5) + 1))

    detector.take_state(published)
    images = torch.from_numpy(crops(2)).permute(0, 3, 1, 2).float() / 255
    for channel, (mean, std) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        images[:, channel] = (images[:, channel] - mean) / std
    with torch.no_grad():
        fake, real = detector.network.encoder(images).abs().reshape(2, 2, -1).mean(2).T
    wanted = 1 / (1 + (real - fake).exp())
    np.testing.assert_allclose(detector.forward(crops(2)), wanted, atol=1e-6)


def test_loss_is_the_sum_of_three_and_skips_unknown_pixels(published: dict[str, Tensor]) -> None:
    detector = MultiTask()
    detector.take_state(published)
    images = torch.from_numpy(crops(3)).permute(0, 3, 1, 2).float()
    mask = torch.zeros(3, 256, 256)
    mask[0, 100:], mask[1] = 1, torch.nan
    batch = Batch(images, torch.tensor([1.0, 1.0, 0.0]), mask)
    with torch.no_grad():
        latent = detector.network(detector.prepare(images))
        loss = float(detector.loss(latent, batch))
        active = activations(latent).numpy()
        parts = detector.network.decode(latent, torch.tensor([0, 0, 1]))
    segmented, rebuilt = (part.double().numpy() for part in parts)
    activation = np.abs(active - [[1, 0], [1, 0], [0, 1]]).sum() / 3
    reconstruction = np.square(rebuilt - detector.prepare(images).numpy()).mean()
    logs = segmented - np.log(np.exp(segmented).sum(1, keepdims=True))
    known = np.concatenate([logs[0, 0, :100], logs[0, 1, 100:], logs[2, 0]])
    assert loss == pytest.approx(activation + reconstruction - known.mean(), rel=1e-5)

    nothing = replace(batch, swapped=torch.full_like(mask, torch.nan))
    unmasked = float(detector.loss(latent, nothing).detach())
    assert unmasked == pytest.approx(activation + reconstruction)


def original_square(mask: np.ndarray) -> tuple[int, int, int]:
    """Return centre and radius by ClassNSeg's `get_bbox` and `extract_face`, on a filled mask."""
    contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=lambda c: sum(cv2.boundingRect(c)[2:]))
    moments, height = cv2.moments(largest), cv2.boundingRect(largest)[3]
    x, y = (int(moments[k] / moments["m00"]) for k in ("m10", "m01"))
    return x, y, int(height * 1.3 / 2)


def test_crop_is_the_square_that_the_original_takes_of_a_mask() -> None:
    one = face(0)
    hull = cv2.convexHull(np.rint(one.points).astype(np.int32))
    mask = np.zeros(one.pixels.shape[:2], np.uint8)
    x, y, radius = original_square(cv2.fillConvexPoly(mask, hull, 255))
    rows, columns = face_square(one)
    found = [rows.start, rows.stop, columns.start, columns.stop]
    assert np.abs(np.subtract(found, [y - radius, y + radius, x - radius, x + radius])).max() <= 1
    assert 1.0 < (rows.stop - rows.start) / one.side < 1.4
    crop = MultiTask().crop(one)
    assert crop.shape == (256, 256, 3)
    # The tip of an upright face's nose lies near the middle, the chin below it.
    scale = 256 / (rows.stop - rows.start)
    tip, chin = ((one.points[k] - (columns.start, rows.start)) * scale for k in (30, 8))
    assert np.abs(tip - 128).max() < 25
    assert 200 < chin[1] < 250
    np.testing.assert_array_equal(crop, cv2.resize(one.pixels[rows, columns], (256, 256)))


def test_crop_does_not_depend_on_the_region_and_ends_at_the_frame() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (300, 340, 3), dtype=np.uint8)
    points = face(0).landmarks
    inside, shifted = cut_face(frame, points), cut_face(np.roll(frame, 7, 1), points + (7, 0))
    assert inside is not None
    assert shifted is not None
    detector = MultiTask()
    np.testing.assert_array_equal(detector.crop(inside), detector.crop(shifted))
    at_border = cut_face(frame, points - (points[:, 0].mean(), 0))
    assert at_border is not None
    rows, columns = face_square(at_border)
    assert columns.start == 0
    assert columns.stop < 0.6 * (rows.stop - rows.start)
    assert detector.crop(at_border).shape == (256, 256, 3)
    hardly = cut_face(frame, points - (points[:, 0].max() + 3, 0))
    assert hardly is not None
    assert detector.crop(hardly).shape == (256, 256, 3)


def test_mask_is_cut_as_the_pixels() -> None:
    fake = face(1, fake=True)
    assert fake.swapped is not None
    shown = np.repeat(fake.swapped[..., None], 3, axis=2).astype(np.uint8) * 255
    detector, generator = MultiTask(), np.random.default_rng(0)
    example = detector.example(replace(fake, pixels=shown), 1, generator)
    assert example.swapped is not None
    np.testing.assert_array_equal(example.crop[..., 0] >= 128, example.swapped == 1)
    assert 0.1 < example.swapped.mean() < 0.9
    for label, value in ((0, 0), (1, 255)):
        unknown = detector.example(replace(fake, swapped=None), label, generator)
        assert unknown.swapped is not None
        assert (unknown.swapped == value).all()


def test_a_batch_of_one(published: dict[str, Tensor]) -> None:
    detector = MultiTask()
    detector.take_state(published)
    several = detector.forward(crops(3))
    np.testing.assert_allclose(detector.forward(crops(3)[1:2]), several[1:2], atol=1e-6)


def whole_loss(detector: MultiTask, faces: tuple[Face, ...], labels: np.ndarray) -> float:
    rng = np.random.default_rng(0)
    examples = [detector.example(f, int(k), rng) for f, k in zip(faces, labels, strict=True)]
    images = torch.from_numpy(np.stack([e.crop for e in examples])).permute(0, 3, 1, 2).float()
    masks = torch.from_numpy(np.stack([np.asarray(e.swapped) for e in examples])).float()
    with torch.no_grad():
        detector.network.train()
        output = detector.network(detector.prepare(images))
        return float(detector.loss(output, Batch(images, torch.from_numpy(labels).float(), masks)))


def test_learning_repeats_itself_and_lowers_the_loss(tmp_path: Path) -> None:
    training, schedule = samples(8), Schedule(seed=1, steps=20, batch=4)
    detector, again = MultiTask(seed=1), MultiTask(seed=1)
    before = whole_loss(MultiTask(seed=1), training.faces, training.labels)
    assert detector.fit(training, schedule=schedule)["steps"] == 20
    again.fit(training, schedule=schedule)
    for name, part in detector.arrays().items():
        np.testing.assert_array_equal(part, again.arrays()[name])
    scores = detector.score_faces(training.faces)
    assert np.isfinite(scores).all()

    detector.save(tmp_path / "model.safetensors")
    loaded = MultiTask.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.score_faces(training.faces), scores)
    assert whole_loss(detector, training.faces, training.labels) < 0.9 * before


def test_published_files(tmp_path: Path, published: dict[str, Tensor]) -> None:
    detector = MultiTask()
    detector.take_state(published)
    wanted = detector.forward(crops(1))
    encoder, decoder = tmp_path / "encoder_46.pt", tmp_path / "decoder_46.pt"
    torch.save(part_of(published, "encoder."), encoder)
    torch.save(part_of(published, "decoder."), decoder)
    for path in (encoder, tmp_path):
        found = MultiTask.from_weights(path)
        np.testing.assert_array_equal(found.forward(crops(1)), wanted)
        for name, part in published.items():
            np.testing.assert_array_equal(found.arrays()[name], part)
    decoder.unlink()
    np.testing.assert_array_equal(MultiTask.from_weights(encoder).forward(crops(1)), wanted)


def test_wrong_files_are_named(tmp_path: Path, published: dict[str, Tensor]) -> None:
    decoder = tmp_path / "decoder_46.pt"
    torch.save(part_of(published, "decoder."), decoder)
    with pytest.raises(DataError, match=r"decoder_46.pt: weights do not fit.*give `encoder_N.pt`"):
        MultiTask.from_weights(decoder)
    with pytest.raises(DataError, match=r"needs one file encoder_\*.pt, has none"):
        MultiTask.from_weights(tmp_path)
    damaged = tmp_path / "encoder_1.pt"
    damaged.write_bytes(b"no weights")
    with pytest.raises(DataError, match=r"encoder_1.pt"):
        MultiTask.from_weights(damaged)
    (tmp_path / "encoder_2.pt").touch()
    with pytest.raises(DataError, match=r"has encoder_1.pt, encoder_2.pt"):
        MultiTask.from_weights(tmp_path)
