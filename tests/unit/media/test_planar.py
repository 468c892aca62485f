"""Pictures by their planes: the same pixels as of the RGB picture, computed only where needed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from swapset.media.colour import i420_to_rgb, rgb_to_i420
from swapset.media.planar import PlanarImage, grey_of, rgb_of, thinned


@pytest.fixture(scope="module")
def planes() -> np.ndarray:
    return rgb_to_i420(np.ascontiguousarray(data.astronaut()[:390, :502]))


def test_rgb_is_that_of_the_clip(planes: np.ndarray) -> None:
    image = PlanarImage(planes)
    assert image.shape == (390, 502, 3)
    np.testing.assert_array_equal(rgb_of(image), i420_to_rgb(planes))
    assert rgb_of(image.rgb) is image.rgb


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5, 8, 13])
def test_thinned_is_a_part_of_rgb(planes: np.ndarray, stride: int) -> None:
    image = PlanarImage(planes)
    np.testing.assert_array_equal(thinned(image, stride), image.rgb[::stride, ::stride])
    np.testing.assert_array_equal(thinned(image.rgb, stride), image.rgb[::stride, ::stride])


def test_grey_is_that_of_rgb_but_for_rounding(planes: np.ndarray) -> None:
    image = PlanarImage(planes)
    expected = cv2.cvtColor(image.rgb, cv2.COLOR_RGB2GRAY).astype(int)
    np.testing.assert_array_equal(grey_of(image.rgb), expected)
    away = np.abs(grey_of(image).astype(int) - expected)
    inside = ((image.rgb > 0) & (image.rgb < 255)).all(axis=2)  # others were cut off to fit in RGB
    assert away[inside].max() <= 1
    assert away.mean() < 0.5
