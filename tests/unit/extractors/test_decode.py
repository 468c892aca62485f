"""Heat-maps: targets, decoding to landmarks, and mirroring."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from swapset.extractors.decode import quarter_pixel, soft_argmax, window_mean
from swapset.extractors.markup import MIRRORED, mirror_points
from swapset.extractors.targets import known_mean, pixel_gaussians, smooth_gaussians


def known(points: torch.Tensor) -> torch.Tensor:
    return torch.ones(points.shape[:2], dtype=torch.bool)


# -- quarter of a pixel ----------------------------------------------------------------------------


def test_a_peak_moves_a_quarter_towards_its_higher_neighbours():
    maps = torch.zeros(1, 1, 64, 64)
    maps[0, 0, 20, 30] = 1
    maps[0, 0, 20, 31] = 0.5
    maps[0, 0, 19, 30] = 0.5
    # Pixel 30 covers the crop's pixels 120 to 123.
    assert quarter_pixel(maps, 4).flatten().tolist() == [121.5 + 1, 81.5 - 1]


def test_a_peak_between_equal_neighbours_stays():
    maps = torch.zeros(1, 1, 64, 64)
    maps[0, 0, 20, 30] = 1
    assert quarter_pixel(maps, 4).flatten().tolist() == [121.5, 81.5]


@pytest.mark.parametrize(("row", "column"), [(0, 7), (63, 7), (7, 0), (7, 63)])
def test_a_peak_on_the_rim_stays(row, column):
    maps = torch.rand(1, 1, 64, 64) / 2
    maps[0, 0, row, column] = 1
    assert quarter_pixel(maps, 4).flatten().tolist() == [column * 4 + 1.5, row * 4 + 1.5]


def test_a_map_without_a_positive_value_gives_the_corner():
    assert quarter_pixel(-torch.rand(1, 1, 64, 64) - 0.1, 4).flatten().tolist() == [-2.5, -2.5]


def test_half_precision_keeps_the_quarters():
    maps = torch.zeros(1, 1, 64, 64, dtype=torch.bfloat16)
    maps[0, 0, 61, 62] = 1
    maps[0, 0, 61, 61] = 0.5
    assert quarter_pixel(maps, 4).flatten().tolist() == [248.5, 245.5]


# -- mean of a window ------------------------------------------------------------------------------


def test_the_mean_of_a_window_is_the_place_between_pixels():
    maps = torch.zeros(1, 2, 16, 16)
    maps[0, 0, 5, 8], maps[0, 0, 5, 9] = 0.75, 0.25
    maps[0, 1, 0, 0] = 1
    found = window_mean(maps, 8)
    np.testing.assert_allclose(found[0], [[8.25 * 8 + 3.5, 5 * 8 + 3.5], [3.5, 3.5]], atol=1e-4)


def test_negative_values_and_far_ones_do_not_count():
    maps = torch.full((1, 1, 16, 16), -5.0)
    maps[0, 0, 8, 8] = 1
    maps[0, 0, 8, 12] = 0.9
    np.testing.assert_allclose(window_mean(maps, 8)[0, 0], [67.5, 67.5], atol=1e-4)


# -- soft argmax -----------------------------------------------------------------------------------


def test_soft_argmax_finds_gaussians_between_pixels():
    points = torch.tensor([[[100.3, 88.9], [40.0, 201.2]]])
    maps = smooth_gaussians(points, known(points), map_side=64, stride=4, sigma=8)[:, :2]
    np.testing.assert_allclose(soft_argmax(maps, 4), points, atol=0.5)


def test_soft_argmax_has_the_gradient_of_its_differences():
    maps = torch.rand(1, 2, 12, 12, dtype=torch.float64) * 0.1
    maps[0, :, 4, 7] = 1
    maps = maps.float().requires_grad_()
    soft_argmax(maps, 4)[0, 0, 0].backward()
    assert maps.grad is not None
    assert maps.grad[0, 0, 4, 10] > 0  # more weight on the right moves x to the right
    assert maps.grad[0, 0, 4, 2] < 0
    assert (maps.grad[0, 1] == 0).all()


# -- targets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1.0, 1.5])
def test_pixel_targets_peak_on_the_pixel_that_holds_the_point(sigma):
    points = torch.tensor([[[119.6, 80.0], [0.0, 255.0]]])
    maps = pixel_gaussians(points, known(points), map_side=64, stride=4, sigma=sigma)
    assert maps[0, 0, 20, 30] == maps[0, 1, 63, 0] == maps.max() == 1
    assert maps[0, 0, 20, 32].item() == pytest.approx(math.exp(-2 / sigma**2))
    assert maps[0, 0, 20, 36] == 0
    found = quarter_pixel(maps, 4)
    assert (found - points).abs().max() <= 2


def test_smooth_targets_are_read_back_exactly_enough():
    points = torch.rand(1, 68, 2) * 100 + 14
    maps = smooth_gaussians(points, known(points), map_side=16, stride=8, sigma=4)
    assert maps.shape == (1, 69, 16, 16)
    assert (window_mean(maps[:, :68], 8) - points).abs().max() < 0.5
    np.testing.assert_allclose(maps[:, 68], 1 - maps[:, :68].amax(1))


@pytest.mark.parametrize("make", [pixel_gaussians, smooth_gaussians])
def test_unknown_landmarks_leave_empty_maps(make):
    points = torch.tensor([[[30.0, 30], [float("nan"), 7], [60, 60]]])
    there = torch.tensor([[True, True, False]])
    maps = make(points, there, map_side=16, stride=8, sigma=1.5)
    assert maps.isfinite().all()
    assert (maps[0, 1:3] == 0).all()
    assert maps[0, 0].max() > 0


def test_a_point_outside_leaves_an_empty_map():
    points = torch.tensor([[[-40.0, 30], [30, 400]]])
    maps = pixel_gaussians(points, known(points), map_side=64, stride=4, sigma=1)
    assert (maps == 0).all()


def test_the_mean_is_over_known_maps():
    values = torch.stack((torch.ones(4, 4), torch.full((4, 4), 9.0)))[None]
    assert known_mean(values, torch.tensor([[True, False]])) == 1
    assert known_mean(values, torch.tensor([[True, True]])) == values.mean()
    assert known_mean(values, torch.tensor([[False, False]])) == 0


# -- mirroring -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [68, 98])
def test_mirroring_twice_changes_nothing(count):
    order = np.array(MIRRORED[count])
    assert sorted(order) == list(range(count))
    np.testing.assert_array_equal(order[order], np.arange(count))


def test_points_on_the_middle_of_a_face_stay():
    stay = {
        count: {k for k, to in enumerate(order) if k == to} for count, order in MIRRORED.items()
    }
    assert stay[68] == {8, 27, 28, 29, 30, 33, 51, 57, 62, 66}
    assert stay[98] == {16, 51, 52, 53, 54, 57, 79, 85, 90, 94}


@pytest.mark.parametrize(
    ("count", "left", "right"),
    [(68, 36, 45), (68, 17, 26), (68, 48, 54), (98, 60, 72), (98, 33, 46), (98, 96, 97)],
)
def test_corners_of_eyes_brows_and_mouth_change_places(count, left, right):
    points = torch.rand(count, 2) * 255
    mirrored = mirror_points(points, 256)
    assert mirrored[left].tolist() == [255 - points[right, 0], points[right, 1]]
    assert mirrored[right].tolist() == [255 - points[left, 0], points[left, 1]]
