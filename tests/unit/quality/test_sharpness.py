"""Sharpness of pictures that were blurred or sharpened, or that show grain, by a known amount."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from material.faces import placed

from swapset.quality.sharpness import sharpness

FACE = placed("astronaut", (160, 120), 150)
INSIDE = np.zeros(FACE.shape[:2], bool)
INSIDE[65:175, 110:210] = True
WIDTH = 150.0


def swapped(face: np.ndarray) -> np.ndarray:
    """Return the target with another picture inside the mask."""
    return np.where(INSIDE[..., None], face, FACE)


def blurred(sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(FACE, (0, 0), sigma)


def test_the_target_itself_is_1() -> None:
    assert sharpness(FACE, FACE, INSIDE, WIDTH) == 1


def test_a_face_of_one_colour_is_0() -> None:
    assert sharpness(FACE, swapped(np.full_like(FACE, 120)), INSIDE, WIDTH) == 0


def test_the_more_blur_the_less() -> None:
    values = [sharpness(FACE, swapped(blurred(s)), INSIDE, WIDTH) for s in (0.5, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.9
    assert values[2] < 0.5
    assert values[4] < 0.02


def test_a_blur_changes_it_as_gaussians_add_up() -> None:
    """A pattern of one wavelength loses the square of the blur's known gain."""
    waves = 128 + 60 * np.sin(np.arange(320) * 2 * np.pi / 20)
    picture = np.tile(np.rint(waves).astype(np.uint8), (240, 1))
    sigma = 3.0
    made = cv2.GaussianBlur(picture, (0, 0), sigma)
    gain = np.exp(-((2 * np.pi / 20 * sigma) ** 2) / 2)
    assert sharpness(picture, made, INSIDE, WIDTH) == pytest.approx(gain**2, rel=0.03)


def test_grain_hardly_counts() -> None:
    grain = np.random.default_rng(0).normal(0, 6, FACE.shape)
    grainy = np.clip(blurred(2) + grain, 0, 255).astype(np.uint8)
    smooth, with_grain = (
        sharpness(FACE, swapped(face), INSIDE, WIDTH) for face in (blurred(2), grainy)
    )
    inside = INSIDE[1:-1, 1:-1]
    plain = [
        cv2.Laplacian(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.CV_32F)[1:-1, 1:-1][inside].var()
        for face in (FACE, grainy)
    ]
    assert plain[1] / plain[0] > 0.8  # without the blur, grain makes up for the lost detail
    assert with_grain < smooth + 0.1 < 0.6


def test_pixels_outside_and_at_the_masks_edge_do_not_count() -> None:
    made = swapped(blurred(2))
    changed = np.where(
        INSIDE[..., None], made, np.random.default_rng(0).integers(0, 256, made.shape)
    )
    value = sharpness(FACE, made, INSIDE, WIDTH)
    assert sharpness(FACE, changed.astype(np.uint8), INSIDE, WIDTH) == value


def test_grey_pictures_and_any_size_of_face() -> None:
    grey, made = (cv2.cvtColor(face, cv2.COLOR_RGB2GRAY) for face in (FACE, swapped(blurred(2))))
    value = sharpness(grey, made, INSIDE, WIDTH)
    assert value == sharpness(FACE, swapped(blurred(2)), INSIDE, WIDTH)
    double = [
        cv2.resize(each, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for each in (grey, made)
    ]
    larger = np.kron(INSIDE, np.ones((2, 2), bool))
    assert sharpness(*double, larger, 2 * WIDTH) == pytest.approx(value, rel=0.1)


def test_too_few_pixels_are_not_measured() -> None:
    small = np.zeros_like(INSIDE)
    small[100:106, 100:106] = True
    assert np.isnan(sharpness(FACE, FACE, small, WIDTH))
    assert np.isnan(sharpness(FACE, FACE, np.zeros_like(INSIDE), WIDTH))
    assert np.isnan(sharpness(np.zeros_like(FACE), FACE, INSIDE, WIDTH))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        sharpness(FACE, FACE[1:], INSIDE, WIDTH)
    with pytest.raises(ValueError, match="face_width must be positive"):
        sharpness(FACE, FACE, INSIDE, float("nan"))
