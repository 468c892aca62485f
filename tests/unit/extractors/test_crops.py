"""Crops of frames: the origin of their pixels, and the way back to the frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from swapset.extractors.crops import cut_squares, squares_about, to_crop, to_frame


def squares(*numbers: tuple[float, float, float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def ramp(height: int, width: int) -> Tensor:
    """Return a frame with each pixel's x in the first channel and y in the second."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack((x, y, x + y))[None].double()


def test_a_square_of_the_crops_own_size_is_copied():
    frame = torch.rand(1, 3, 90, 120) * 255
    crop = cut_squares(frame, squares((39.5, 49.5, 64)), 64)
    np.testing.assert_allclose(crop, frame[:, :, 18:82, 8:72], atol=0.01)


@pytest.mark.parametrize("length", [21.7, 64, 100.3, 333])
def test_pixels_come_from_where_points_say(length):
    side = 64
    frame = ramp(400, 500)
    square = squares((231.25, 180.6, length))
    crop = cut_squares(frame, square, side)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = to_frame(torch.stack((x, y), -1).reshape(1, -1, 2).double(), square, side)
    np.testing.assert_allclose(crop[0, :2].flatten(1).T, places[0], atol=1e-6)


def test_points_come_back():
    points = torch.rand(2, 98, 2) * 256
    regions = torch.tensor([[700.5, 300.25, 411.0], [20, -7, 33]])
    back = to_crop(to_frame(points, regions, 256), regions, 256)
    np.testing.assert_allclose(back, points, atol=1e-3)


def test_the_corner_of_a_square_is_half_a_pixel_outside_of_the_first_pixel():
    corner = to_frame(torch.full((1, 1, 2), -0.5), torch.tensor([[50.0, 60, 20]]), 128)
    assert corner.flatten().tolist() == [40, 50]


@pytest.mark.parametrize("length", [11.0, 64.0, 150.0])
def test_it_is_linear_and_its_gradient_is_exact(length):
    frame = torch.rand(1, 3, 100, 110, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    square = squares((97.3, 41.2, length))

    def measure(x: Tensor) -> Tensor:
        return (cut_squares(x, square, 16) * weights).sum()

    measure(frame).backward()
    generator = np.random.default_rng(3)
    rows = (41 + (generator.random(12) - 0.5) * length).clip(0, 99).astype(int)
    columns = (97 + (generator.random(12) - 0.5) * length).clip(0, 109).astype(int)
    for row, column in zip(rows, columns, strict=True):
        moved = frame.detach().clone()
        moved[0, 1, row, column] += 1
        change = measure(moved) - measure(frame.detach())
        assert frame.grad is not None
        assert change.item() == pytest.approx(frame.grad[0, 1, row, column].item(), abs=1e-9)


def test_shrinking_does_not_alias():
    stripes = (torch.arange(512) % 2 * 255.0).expand(1, 3, 512, 512)
    crop = cut_squares(stripes, squares((255.5, 255.5, 448)), 64)
    assert (crop - 127.5).abs().max() < 20
    assert crop.mean().item() == pytest.approx(127.5, abs=0.5)


def test_every_pixel_inside_counts_about_alike():
    frame = torch.zeros(1, 3, 200, 200, requires_grad=True)
    cut_squares(frame, squares((99.5, 99.5, 150)), 64).sum().backward()
    assert frame.grad is not None
    inner = frame.grad[0, 0, 30:170, 30:170]
    assert inner.min() > 0.5 * inner.mean()
    assert inner.max() < 2 * inner.mean()


@pytest.mark.parametrize("length", [30.0, 96.0, 97.3, 250.0])
def test_samples_are_those_of_grid_sample(length):
    frame = torch.rand(1, 3, 120, 140, dtype=torch.float64)
    side, count = 32, math.ceil(length / 32)
    places = (torch.arange(side * count, dtype=torch.float64) + 0.5) / (side * count) - 0.5
    columns = (2 * (71.3 + length * places) + 1) / 140 - 1
    rows = (2 * (58.6 + length * places) + 1) / 120 - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)[None]
    sampled = functional.grid_sample(frame, grid, align_corners=False)
    expected = functional.avg_pool2d(sampled, count)
    crop = cut_squares(frame, squares((71.3, 58.6, length)), side)
    np.testing.assert_allclose(crop, expected, atol=1e-12)


def test_outside_of_a_frame_is_black():
    frame = torch.full((1, 3, 60, 60), 200.0)
    crop = cut_squares(frame, squares((0, 59, 40)), 40)
    np.testing.assert_allclose(crop[0, :, :18, 22:], 200, atol=0.01)
    assert (crop[0, :, :, :18] == 0).all()
    assert (crop[0, :, 22:] == 0).all()
    far = cut_squares(frame, squares((-500, 900, 40)), 40)
    assert (far == 0).all()


def test_faces_of_other_sizes_beside_it_change_nothing():
    frames = torch.rand(3, 3, 300, 400)
    regions = squares((100, 90, 200), (350, 250, 30), (200, 150, 199))
    together = cut_squares(frames, regions, 32)
    for k in range(3):
        alone = cut_squares(frames[k : k + 1], regions[k : k + 1], 32)
        np.testing.assert_allclose(together[k], alone[0], atol=1e-4)


def test_half_precision_frames_lose_no_places():
    frames = (torch.rand(1, 3, 300, 1000) * 255).bfloat16()
    regions = squares((900.3, 150.7, 130))
    exact = cut_squares(frames.double(), regions, 64)
    np.testing.assert_allclose(cut_squares(frames, regions, 64), exact, atol=0.05)


@pytest.mark.parametrize("bad", [(1, 1, 0), (1, float("nan"), 5), (1, 1, -3)])
def test_what_is_no_square_is_refused(bad):
    with pytest.raises(ValueError, match="not squares around faces of 1 frames"):
        cut_squares(torch.zeros(1, 3, 9, 9), squares(bad), 8)


def test_squares_about_boxes():
    made = squares_about(torch.tensor([[10.0, 20, 50, 80]]), size=2, lowered=0.1)
    assert made.tolist() == [[30, 56, 100]]
