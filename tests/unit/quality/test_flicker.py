"""Flicker of swaps whose change over time is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from material.faces import placed

from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import polygon, render_mask
from swapset.quality.flicker import SIZE, AlignedOriginal, AlignedSwap, flicker

CENTRE, SIDE = (160, 120), 110
BOX = (CENTRE[0] - SIDE / 2, CENTRE[1] - SIDE / 2, CENTRE[0] + SIDE / 2, CENTRE[1] + SIDE / 2)
TARGET = placed("astronaut", CENTRE, SIDE)
DONOR = placed("hopper", CENTRE, SIDE)
POINTS = LandmarkPredictor().predict(TARGET, BOX)
OUTLINE = polygon(POINTS, "smooth")
DARK = (TARGET * 0.5).astype(np.uint8)


def moved(picture: np.ndarray, pixels: float) -> np.ndarray:
    """Return a picture moved to the right."""
    matrix = np.array([[1, 0, pixels], [0, 1, 0]], np.float64)
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def pasted(face: np.ndarray, onto: np.ndarray, *, by: float = 0.0) -> np.ndarray:
    """Return a frame with another picture inside the target's outline, both moved by pixels."""
    inside = render_mask(OUTLINE + (by, 0), onto.shape[:2], 0)[..., None] > 0
    return np.where(inside, moved(face, by), onto)


def brighter(offset: float) -> AlignedSwap:
    fake = pasted(DARK + np.uint8(offset), DARK)
    return AlignedOriginal(DARK, POINTS).with_fake(fake, OUTLINE)


def test_the_target_itself_is_0() -> None:
    frames = [moved(TARGET, by) for by in (0, 1, 5)]
    assert flicker([AlignedOriginal(f, POINTS).with_fake(f, OUTLINE) for f in frames]) == 0


@pytest.mark.parametrize("offsets", [(20, 20, 20), (10, 20, 30), (40, 25, 10)])
def test_an_even_change_is_0(offsets: tuple[int, ...]) -> None:
    assert flicker([brighter(offset) for offset in offsets]) < 0.2


def test_a_flash_counts_twice_its_height() -> None:
    value = flicker([brighter(offset) for offset in (20, 30, 20)])
    assert value == pytest.approx(20, rel=0.03)


def test_a_swap_that_moves_with_the_head_is_0() -> None:
    swaps = []
    for by in (0, 3, 9):
        frame = moved(TARGET, by)
        original = AlignedOriginal(frame, POINTS + (by, 0))
        swaps.append(original.with_fake(pasted(DONOR, frame, by=by), OUTLINE + (by, 0)))
    assert flicker(swaps) < 0.3


def test_a_calm_face_on_a_lively_target_does_not_flicker() -> None:
    lively = [TARGET, np.roll(TARGET, 2, axis=0), TARGET]
    swaps = [AlignedOriginal(f, POINTS).with_fake(pasted(DONOR, f), OUTLINE) for f in lively]
    assert flicker(swaps) < 0.3
    shaking = [
        AlignedOriginal(TARGET, POINTS).with_fake(pasted(f, TARGET), OUTLINE) for f in lively
    ]
    assert flicker(shaking) > 5


def test_the_farther_a_face_and_its_mask_jitter_the_more() -> None:
    def swap(by: float) -> AlignedSwap:
        fake = pasted(DONOR, TARGET, by=by)
        return AlignedOriginal(TARGET, POINTS).with_fake(fake, OUTLINE + (by, 0))

    values = [flicker([swap(0), swap(by), swap(0)]) for by in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[1] > 1
    assert values[4] > 3 * values[1]


def test_pixels_outside_the_outlines_do_not_count() -> None:
    outline = polygon(POINTS, "hull")
    same, other = (
        AlignedOriginal(TARGET, POINTS).with_fake(fake, outline) for fake in (TARGET, DONOR)
    )
    assert same.inside.shape == (SIZE, SIZE)
    assert 0.05 < same.inside.mean() < 0.3
    expected = 2 * np.abs(other.fake - other.original)[other.inside].mean()
    assert flicker([same, other, same]) == pytest.approx(expected, rel=1e-5)
    nothing = same._replace(inside=np.zeros_like(same.inside))
    assert np.isnan(flicker([nothing] * 3))
