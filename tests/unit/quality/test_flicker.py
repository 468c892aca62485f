"""Flicker of swaps whose change over time is known."""

from __future__ import annotations

import numpy as np
import pytest
from material.faces import placed

from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import polygon, render_mask
from swapset.quality.flicker import SIZE, AlignedGrey, flicker

CENTRE, SIDE = (160, 120), 110
BOX = (CENTRE[0] - SIDE / 2, CENTRE[1] - SIDE / 2, CENTRE[0] + SIDE / 2, CENTRE[1] + SIDE / 2)
TARGET = placed("astronaut", CENTRE, SIDE)
DONOR = placed("hopper", CENTRE, SIDE)
POINTS = LandmarkPredictor().predict(TARGET, BOX)
DARK = (TARGET * 0.5).astype(np.uint8)


def changed(offset: float, *, shift: float = 0.0, by: float = 0.0) -> np.ndarray:
    """Return the difference of a swap that adds `offset`, its mask and frame moved by pixels."""
    frame = np.roll(DARK, round(by), axis=1)
    outline = polygon(POINTS, "smooth") + (shift + by, 0)
    inside = render_mask(outline, frame.shape[:2], 0) > 0
    fake = frame + np.where(inside, offset, 0)[..., None]
    return AlignedGrey(frame, POINTS + (by, 0)).change(fake.astype(np.uint8), outline)


def test_the_target_itself_is_0() -> None:
    outline = polygon(POINTS, "smooth")
    same = AlignedGrey(TARGET, POINTS).change(TARGET, outline)
    assert flicker([same] * 3) == 0


@pytest.mark.parametrize("offsets", [(20, 20, 20), (10, 20, 30), (40, 25, 10)])
def test_an_even_change_is_0(offsets: tuple[int, ...]) -> None:
    assert flicker([changed(offset) for offset in offsets]) < 0.2


def test_a_swap_that_moves_with_the_head_is_0() -> None:
    assert flicker([changed(20, by=by) for by in (0, 3, 9)]) < 0.2


def test_a_flash_counts_twice_its_height() -> None:
    value = flicker([changed(offset) for offset in (20, 30, 20)])
    assert value == pytest.approx(20, rel=0.03)


def test_a_jittering_mask_counts() -> None:
    values = [flicker([changed(40, shift=s) for s in (0, pixels, 0)]) for pixels in (1, 2, 4)]
    assert values == sorted(values)
    assert values[0] > 0.3
    assert values[2] > 1


def test_a_jittering_face_counts() -> None:
    outline = polygon(POINTS, "smooth")
    inside = render_mask(outline, TARGET.shape[:2], 0)[..., None] > 0

    def swap(shift: int) -> np.ndarray:
        fake = np.where(inside, np.roll(DONOR, shift, axis=1), TARGET)
        return AlignedGrey(TARGET, POINTS).change(fake, outline)

    values = [flicker([swap(0), swap(shift), swap(0)]) for shift in (0, 1, 3)]
    assert values[0] == 0
    assert values[1] > 4
    assert values[2] > 1.5 * values[1]


def test_pixels_outside_the_outlines_do_not_count() -> None:
    small, large = (
        AlignedGrey(TARGET, POINTS).change(fake, polygon(POINTS, "hull"))
        for fake in (TARGET, DONOR)
    )
    assert small.shape == (SIZE, SIZE)
    assert 0.05 < np.isfinite(small).mean() < 0.3
    assert flicker([small, large, small]) == pytest.approx(2 * np.nanmean(np.abs(large)), rel=1e-5)
    nothing = np.full((SIZE, SIZE), np.nan, np.float32)
    assert np.isnan(flicker([nothing] * 3))
