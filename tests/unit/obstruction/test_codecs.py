"""Compressions: real files, and JPEG that a gradient passes."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from swapset.config.landmark_breaker import COMPRESSIONS, Compression
from swapset.errors import ConfigError, MediaError
from swapset.obstruction.attacks.codecs import CODECS, compress, straight_through
from swapset.obstruction.attacks.soft_jpeg import jpeg, quantisers, soft, straight

LOSSY = [name for name in COMPRESSIONS if name != "none"]


def photographs(count: int = 4, height: int = 96, width: int = 80) -> np.ndarray:
    image = data.astronaut()[60 : 60 + height]
    return np.stack([image[:, 160 + 2 * k : 160 + 2 * k + width] for k in range(count)])


def noisy(frames: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).integers(-15, 16, frames.shape)
    return (frames.astype(int) + noise).clip(0, 255).astype(np.uint8)


def tensor(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


# -- real files --------------------------------------------------------------------------------


def test_names_are_the_settings() -> None:
    assert tuple(CODECS) == COMPRESSIONS == get_args(Compression)


def test_none_changes_nothing() -> None:
    assert np.array_equal(compress(photographs(), "none"), photographs())


@pytest.mark.parametrize("name", LOSSY)
@pytest.mark.parametrize("size", [(96, 80), (95, 81)])
def test_frames_come_back_in_their_size_and_place_a_little_worse(
    name: str, size: tuple[int, int]
) -> None:
    frames = noisy(photographs(4, *size))
    found = compress(frames, name)
    assert found.shape == frames.shape
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert 2 < distance(found, frames) < 12
    assert np.abs(found.mean((0, 1, 2)) - frames.mean((0, 1, 2))).max() < 2  # RGB, not BGR
    middle = slice(8, -8)
    shifted = np.roll(found, 1, 2)[:, middle, middle]
    assert distance(found[:, middle, middle], frames[:, middle, middle]) < distance(
        shifted, frames[:, middle, middle]
    )


def test_more_compression_loses_more() -> None:
    frames = photographs(6)
    lost = {name: distance(compress(frames, name), frames) for name in COMPRESSIONS}
    assert lost["none"] < lost["jpeg75"] < lost["jpeg50"]
    assert lost["none"] < lost["mpeg4"] < lost["mpeg4+h264"]


def test_video_keeps_the_order() -> None:
    frames = np.stack([np.full((32, 32, 3), 20 + 14 * k, np.uint8) for k in range(15)])
    assert distance(compress(frames, "mpeg4+h264"), frames) < 4


@pytest.mark.parametrize("name", LOSSY)
def test_the_same_frames_come_back_the_same(name: str) -> None:
    assert np.array_equal(compress(photographs(), name), compress(photographs(), name))


@pytest.mark.parametrize("name", ["contrast/5", "resize/5", "noise/2", "messenger"])
def test_perturbations_come_back_in_their_size(name: str) -> None:
    frames = photographs(4, 96, 80)
    found = compress(frames, name, seed=3)
    assert found.shape == frames.shape
    assert distance(found, frames) > 2
    assert np.array_equal(found, compress(frames, name, seed=3))
    assert np.array_equal(found, compress(frames, name, seed=4)) == (name != "noise/2")


def test_contrast_is_the_perturbation_of_that_name() -> None:
    frames = photographs()
    assert np.array_equal(compress(frames, "contrast/5"), (frames * np.float32(0.35)).astype("u1"))


def test_what_cannot_be_compressed_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="'jpeg10' is not allowed: it is unknown; choose from none, jpeg75"
    ):
        compress(photographs(), "jpeg10")
    for bad in (photographs()[0], photographs().astype(float), photographs()[:0]):
        with pytest.raises(MediaError, match="not \\(n, H, W, 3\\) uint8"):
            compress(bad, "jpeg75")


@pytest.mark.parametrize("name", ["jpeg50", "mpeg4"])
def test_straight_through_is_the_real_file_and_passes_the_gradient(name: str) -> None:
    frames = photographs()
    images = (tensor(frames) + 0.3).requires_grad_()
    found = straight_through(name, images)
    torch.testing.assert_close(found, tensor(compress(frames, name)), atol=1e-4, rtol=0)
    weights = torch.rand(images.shape)
    (found * weights).sum().backward()
    assert images.grad is not None
    assert torch.equal(images.grad, weights)


# -- differentiable JPEG -----------------------------------------------------------------------


@pytest.mark.parametrize("quality", [75, 50])
@pytest.mark.parametrize("size", [(128, 112), (125, 99)])
def test_forward_is_nearly_opencvs_file(quality: int, size: tuple[int, int]) -> None:
    # Measured on the whole picture, 512 x 512: the mean difference is 0.28 grey levels at quality
    # 75 and 0.24 at 50 (with noise of ±15: 0.37, 0.28), where the file itself changes 3.2 and 3.9.
    for frames in (photographs(1, *size), noisy(photographs(1, *size))):
        file = compress(frames, f"jpeg{quality}")
        ours = jpeg(tensor(frames), quality).permute(0, 2, 3, 1).numpy()
        assert np.array_equal(ours, ours.round())
        assert distance(ours, file) < 0.15 * distance(file, frames)
        assert distance(ours, file) < 0.6
        assert (ours == file).mean() > 0.7


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 98, 100])
def test_tables_are_those_in_opencvs_files(quality: int) -> None:
    image = photographs(1)[0]
    _, stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    content = stored.tobytes()
    zigzag = sorted(range(64), key=lambda n: _zigzag_key(n // 8, n % 8))
    place = 0
    for table in quantisers(quality):
        place = content.index(b"\xff\xdb", place) + 5
        written = list(content[place : place + 64])
        flat = [n for row in table for n in row]
        assert written == [flat[n] for n in zigzag]


def _zigzag_key(row: int, column: int) -> tuple[int, int]:
    diagonal = row + column
    return diagonal, row if diagonal % 2 else column


def test_each_picture_may_have_its_own_quality() -> None:
    images = tensor(photographs(3))
    together = jpeg(images, [30, 60, 90])
    for k, quality in enumerate((30, 60, 90)):
        torch.testing.assert_close(together[k : k + 1], jpeg(images[k : k + 1], quality))
    with pytest.raises(ValueError, match="2 qualities are given for 3 images"):
        jpeg(images, [30, 60])
    with pytest.raises(ValueError, match="quality 0 must lie"):
        jpeg(images, 0)


@pytest.mark.parametrize("rounding", [straight, soft])
def test_the_gradient_of_the_mean_is_as_without_jpeg(rounding) -> None:
    images = torch.full((1, 3, 32, 32), 117.0, requires_grad=True)
    jpeg(images, 50, rounding=rounding).mean().backward()
    assert images.grad is not None
    if rounding is straight:
        assert images.grad.sum().item() == pytest.approx(1, abs=1e-4)
    assert images.grad.isfinite().all()


def test_straight_roundings_pass_all_that_4_2_0_keeps() -> None:
    # Luma passes whole; chroma twice halved loses what is finer than two pixels.
    images = tensor(photographs(1, 48, 48)).clamp(40, 200).requires_grad_()
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    weights = torch.randn(1, 1, 48, 48)
    ((jpeg(images, 75) * luma).sum(1, keepdim=True) * weights).sum().backward()
    assert images.grad is not None
    torch.testing.assert_close(images.grad, weights * luma, atol=2e-3, rtol=0)
    fine = (torch.arange(48) % 2 * 2 - 1.0) * torch.tensor([1.0, 0, -1]).view(1, 3, 1, 1)
    images.grad = None
    (jpeg(images, 75) * fine).sum().backward()
    chroma = images.grad - (images.grad * luma).sum(1, keepdim=True)
    assert chroma.abs().mean() < 0.6


def test_a_network_in_bf16_changes_no_file() -> None:
    images = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(3)) * 255
    expected = jpeg(images, 75)
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(jpeg(images, 75), expected)


def test_the_gradient_needs_no_second_dct() -> None:
    """Between roundings that pass the gradient, a DCT and its inverse cancel out."""
    images = torch.rand(2, 3, 37, 50, generator=torch.Generator().manual_seed(1)) * 255
    weights = torch.rand(images.shape, generator=torch.Generator().manual_seed(2))
    results = []
    for rounding in (straight, lambda values: straight(values)):  # the second goes the long way
        pixels = images.clone().requires_grad_()
        stored = jpeg(pixels, 60, rounding=rounding)
        (gradient,) = torch.autograd.grad((stored * weights).sum(), pixels)
        results.append((stored.detach(), gradient))
    (one, short), (other, long) = results
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(short, long, atol=1e-4)


def test_soft_rounding_is_between_rounding_and_nothing() -> None:
    values = torch.linspace(-3, 3, 601)
    assert (soft(values) - values.round()).abs().max() <= 0.125 + 1e-6
    assert (soft(values) - values).abs().max() < 0.5
    assert torch.equal(straight(values), values.round())
    step = torch.tensor([0.4], requires_grad=True)
    soft(step).backward()
    assert step.grad is not None
    assert step.grad.item() == pytest.approx(3 * 0.4**2)
