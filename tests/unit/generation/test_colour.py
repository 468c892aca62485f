"""Colour transfer, against statistics of another library's CIELAB."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from swapset.generation.colour import (
    LARGEST_GAINS,
    from_lab,
    lab_distance,
    match_colour,
    to_lab,
    transfer_colour,
)


def picture(gain: float, offset: float, spread: float, seed: int) -> np.ndarray:
    """Return a smooth face-like texture, well inside the gamut."""
    crop = data.astronaut()[90:218, 160:288].astype(np.float32)
    noise = cv2.GaussianBlur(
        np.random.default_rng(seed).normal(0, spread, crop.shape).astype(np.float32), (0, 0), 2
    )
    return np.clip(gain * (crop - 128) + 128 + offset + noise, 0, 255).astype(np.uint8)


SOURCE, TARGET = picture(0.5, 10, 20, 0), picture(0.3, -20, 8, 1)
INSIDE = cv2.circle(np.zeros((128, 128), np.uint8), (70, 60), 40, 1, -1).astype(bool)


def statistics(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and spread per channel by another library's CIELAB."""
    lab = rgb2lab(image)[inside]
    return lab.mean(axis=0), lab.std(axis=0)


def test_lab_is_cielab() -> None:
    # OpenCV interpolates in lookup tables.
    assert np.abs(to_lab(SOURCE) - rgb2lab(SOURCE)).max() < 0.4


def test_lab_round_trip() -> None:
    every = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    change = np.abs(from_lab(to_lab(every)).astype(int) - every)
    assert change.max() <= 2
    assert change.mean() < 0.1


def test_colours_beyond_the_gamut_are_clipped_not_wrapped() -> None:
    lab = np.array([[[120, 0, 0], [-10, 0, 0], [50, 127, 127]]], np.float32)
    white, black, orange = from_lab(lab)[0]
    assert white.tolist() == [255, 255, 255]
    assert black.tolist() == [0, 0, 0]
    assert orange[0] == 255
    assert orange[2] == 0


def test_statistics_inside_become_the_targets() -> None:
    made = transfer_colour(SOURCE, TARGET, INSIDE)
    for got, wanted in zip(statistics(made, INSIDE), statistics(TARGET, INSIDE), strict=True):
        assert np.allclose(got, wanted, atol=0.35)
    before = statistics(SOURCE, INSIDE), statistics(TARGET, INSIDE)
    assert not np.allclose(*[spread for _, spread in before], atol=2)


def reinhard(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return plain Reinhard over `INSIDE`, by numpy."""
    lab, wanted = to_lab(source), to_lab(target)[INSIDE]
    own = lab[INSIDE]
    gain = wanted.std(axis=0) / own.std(axis=0)
    return from_lab(((lab - own.mean(axis=0)) * gain + wanted.mean(axis=0)).astype(np.float32))


def slopes(source: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Return by what each Lab channel was scaled."""
    one, other = to_lab(source)[INSIDE], to_lab(made)[INSIDE]
    return np.array([np.polyfit(one[:, c], other[:, c], 1)[0] for c in range(3)])


def blotches(image: np.ndarray) -> float:
    """Return the spread of a and b about their neighbourhood."""
    lab = to_lab(image)
    fine = lab - cv2.GaussianBlur(lab, (0, 0), 8)
    return float(np.linalg.norm(fine[INSIDE][:, 1:].std(axis=0)))


def in_lab(image: np.ndarray, gains: tuple[float, float, float]) -> np.ndarray:
    """Return a picture with its Lab channels scaled about a middle grey."""
    middle = np.array([50, 8, 8], np.float32)
    return from_lab(((to_lab(image) - middle) * np.float32(gains) + middle).astype(np.float32))


def test_clean_faces_are_matched_as_by_reinhard() -> None:
    made = transfer_colour(SOURCE, TARGET, INSIDE)
    plain = reinhard(SOURCE, TARGET)
    assert np.abs(plain.astype(int) - SOURCE)[INSIDE].mean() > 10
    assert np.abs(made.astype(int) - plain)[INSIDE].mean() < 0.5
    np.testing.assert_allclose(slopes(SOURCE, made), slopes(SOURCE, plain), rtol=0.03)


def test_gains_are_limited() -> None:
    source, target = in_lab(SOURCE, (0.5, 0.5, 0.5)), in_lab(SOURCE, (1.1, 1.1, 1.1))
    assert (slopes(source, reinhard(source, target)) > 1.8).all()
    made = transfer_colour(source, target, INSIDE)
    np.testing.assert_allclose(slopes(source, made), LARGEST_GAINS, rtol=0.03)
    # Nothing limits gains below 1.
    lowered = transfer_colour(target, source, INSIDE)
    np.testing.assert_allclose(slopes(target, lowered), 0.5 / 1.1, rtol=0.05)


def test_noise_of_colours_is_not_enlarged() -> None:
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (128, 128, 2)).astype(np.float32), (0, 0), 2)
    lab = cv2.GaussianBlur(to_lab(in_lab(SOURCE, (1, 0.4, 0.4))), (0, 0), 3)
    lab[..., 1:] += noise / noise.std()
    source = from_lab(lab)
    assert blotches(reinhard(source, SOURCE)) > 2 * blotches(source)
    assert blotches(transfer_colour(source, SOURCE, INSIDE)) < 1.05 * blotches(source)


def test_a_blurred_face_gets_no_more_contrast_than_a_sharp_one() -> None:
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 10, (128, 128, 1)).repeat(3, axis=2)
    sharp = np.clip(SOURCE + grain, 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2)
    assert slopes(blurred, reinhard(blurred, sharp))[0] > 1.3
    gain = slopes(blurred, transfer_colour(blurred, sharp, INSIDE))[0]
    assert gain == pytest.approx(1, abs=0.08)


def test_what_lies_outside_does_not_count() -> None:
    made = transfer_colour(SOURCE, TARGET, INSIDE)
    masked = SOURCE * INSIDE[..., None], TARGET * INSIDE[..., None]
    again = transfer_colour(*map(np.ascontiguousarray, masked), INSIDE)
    assert np.array_equal(again[INSIDE], made[INSIDE])


def test_source_like_target_stays() -> None:
    change = transfer_colour(SOURCE, SOURCE, INSIDE).astype(int) - SOURCE
    assert np.abs(change).max() <= 1


def test_nothing_inside_changes_nothing() -> None:
    made = transfer_colour(SOURCE, TARGET, np.zeros_like(INSIDE))
    assert np.array_equal(made, SOURCE)


def test_flat_source_takes_the_targets_mean() -> None:
    flat = np.full_like(SOURCE, (120, 90, 60))
    made = transfer_colour(flat, TARGET, INSIDE)
    assert (made == made[0, 0]).all()
    assert np.allclose(statistics(made, INSIDE)[0], statistics(TARGET, INSIDE)[0], atol=0.8)


def test_flat_target_leaves_one_colour() -> None:
    flat = np.full_like(TARGET, (120, 90, 60))
    made = transfer_colour(SOURCE, flat, INSIDE)[INSIDE].astype(int)
    assert np.abs(made - flat[INSIDE]).max() <= 1


def test_a_mask_of_one_pixel_moves_the_mean() -> None:
    inside = np.zeros_like(INSIDE)
    inside[40, 50] = True
    made = transfer_colour(SOURCE, TARGET, inside)
    assert np.abs(made[inside].astype(int) - TARGET[inside]).max() <= 1


def test_inputs_are_not_written() -> None:
    source, target = SOURCE.copy(), TARGET.copy()
    transfer_colour(source, target, INSIDE)
    assert np.array_equal(source, SOURCE)
    assert np.array_equal(target, TARGET)


def test_lab_distance_known_value_and_fall() -> None:
    grey, lighter = np.full((4, 4, 3), 119, np.uint8), np.full((4, 4, 3), 145, np.uint8)
    inside = np.ones((4, 4), bool)
    lightness = rgb2lab(lighter)[0, 0, 0] - rgb2lab(grey)[0, 0, 0]
    assert lab_distance(grey, lighter, inside) == pytest.approx(lightness, abs=0.3)
    assert lab_distance(SOURCE, SOURCE, INSIDE) == 0
    before = lab_distance(SOURCE, TARGET, INSIDE)
    assert before > 5
    assert lab_distance(transfer_colour(SOURCE, TARGET, INSIDE), TARGET, INSIDE) < 0.05 * before


def test_mean_moves_each_channel_to_the_targets() -> None:
    made = match_colour("mean", SOURCE, TARGET, INSIDE)
    for channel in range(3):
        wanted = TARGET[..., channel][INSIDE].mean()
        assert made[..., channel][INSIDE].mean() == pytest.approx(wanted, abs=2.5)
    shift = made[INSIDE].astype(int) - SOURCE[INSIDE]
    unclipped = (made[INSIDE] > 0) & (made[INSIDE] < 255)
    assert all(np.ptp(shift[unclipped[:, c], c]) <= 1 for c in range(3))


def test_histogram_takes_the_targets_distribution_inside_only() -> None:
    made = match_colour("histogram", SOURCE, TARGET, INSIDE)
    np.testing.assert_array_equal(made[~INSIDE], SOURCE[~INSIDE])
    shares = (0.1, 0.5, 0.9)
    for channel in range(3):
        one, other = (np.quantile(p[..., channel][INSIDE], shares) for p in (made, TARGET))
        np.testing.assert_allclose(one, other, atol=3)


def test_each_method_differs_and_none_changes_nothing() -> None:
    kinds = ("none", "mean", "reinhard", "histogram")
    made = [match_colour(kind, SOURCE, TARGET, INSIDE) for kind in kinds]
    assert made[0] is SOURCE
    assert len({image.tobytes() for image in made}) == 4
    nothing = np.zeros_like(INSIDE)
    assert all(match_colour(kind, SOURCE, TARGET, nothing) is SOURCE for kind in kinds)
