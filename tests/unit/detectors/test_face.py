"""Faces cut from frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from material.engine import points_at

from swapset.detectors.face import cut_face
from swapset.detectors.margins import MARGIN, WIDE
from swapset.faces.boxes import box_from_landmarks


def numbered(height: int = 120, width: int = 160) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


def test_a_region_is_the_box_and_a_margin_around_it():
    points = points_at(80, 60, 40)
    swapped = np.zeros((120, 160), bool)
    swapped[50:70, 75:90] = True
    found = cut_face(numbered(), points, swapped=swapped)
    x0, y0, x1, y1 = box_from_landmarks(points.astype(np.float32)).astype(np.float64)
    grow = (MARGIN - 1) / 2 * (x1 - x0)
    left, top = found.origin
    height, width = found.pixels.shape[:2]
    assert left <= x0 - grow < left + 1
    assert top <= y0 - grow < top + 1
    assert left + width - 2 < x1 + grow <= left + width - 1
    assert top + height - 2 < y1 + grow <= top + height - 1
    assert found.side == pytest.approx(40, abs=0.01)
    np.testing.assert_array_equal(found.pixels[0, 0], (left, top, 0))
    np.testing.assert_array_equal(found.pixels[-1, -1], (left + width - 1, top + height - 1, 0))
    np.testing.assert_allclose(found.points + found.origin, points, atol=1e-4)
    np.testing.assert_allclose(found.box + np.tile(found.origin, 2), (x0, y0, x1, y1), atol=1e-3)
    assert found.frame_size == (160, 120)
    rows, columns = np.nonzero(found.swapped)
    assert (columns.min() + left, columns.max() + left) == (75, 89)
    assert (rows.min() + top, rows.max() + top) == (50, 69)


@pytest.mark.parametrize(
    ("x", "y", "origin", "corner"),
    [
        (10, 60, (0, 20), (51, 101)),
        (80, 10, (40, 0), (121, 51)),
        (150, 110, (110, 70), (160, 120)),
        (-10, 60, (0, 20), (31, 101)),
    ],
)
def test_the_frames_border_cuts_a_region_off(x, y, origin, corner):
    found = cut_face(numbered(), points_at(x, y, 40))
    height, width = found.pixels.shape[:2]
    ends = (found.origin[0] + width, found.origin[1] + height)
    assert np.abs(np.subtract(found.origin, origin)).max() <= 1
    assert np.abs(np.subtract(ends, corner)).max() <= 1
    np.testing.assert_array_equal(found.pixels[0, 0, :2], found.origin)
    np.testing.assert_allclose(found.points + found.origin, points_at(x, y, 40), atol=1e-4)


@pytest.mark.parametrize("where", [(-90, 60), (80, 400), (np.nan, 60), (np.inf, 60)])
def test_a_face_outside_the_frame_or_nowhere_is_none(where):
    assert cut_face(numbered(), points_at(*where, 40)) is None


def test_one_missing_landmark_means_no_face():
    points = points_at(80, 60, 40)
    points[17, 1] = np.nan
    assert cut_face(numbered(), points) is None


def test_a_region_does_not_hold_the_frame():
    frame = numbered()
    found = cut_face(frame, points_at(80, 60, 40))
    before = found.pixels.copy()
    frame[:] = 0
    np.testing.assert_array_equal(found.pixels, before)


@pytest.mark.parametrize("centre", [(80, 60), (20, 15), (150, 100)])
def test_narrowed_a_wide_region_is_the_usual_one(centre: tuple[int, int]) -> None:
    points, swapped = points_at(*centre, 40), np.zeros((120, 160), bool)
    swapped[50:70, 75:90] = True
    wide = cut_face(numbered(), points, swapped=swapped, margin=WIDE)
    usual = cut_face(numbered(), points, swapped=swapped)
    assert wide is not None
    assert usual is not None
    assert wide.pixels.size > usual.pixels.size
    narrow = wide.narrowed(MARGIN)
    assert narrow.origin == usual.origin
    np.testing.assert_array_equal(narrow.pixels, usual.pixels)
    np.testing.assert_array_equal(narrow.swapped, usual.swapped)
    assert narrow.narrowed(WIDE) is narrow
