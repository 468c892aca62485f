"""NME: known values, units, and landmarks without a label or prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swapset.extractors.markup import AMONG_98, MIRRORED, as_68
from swapset.extractors.nme import nme


def faces(count: int, number: int = 3) -> np.ndarray:
    """Return landmarks whose outer eye corners are 10 apart."""
    points = np.random.default_rng(1).uniform(0, 50, (number, count, 2))
    one, other = (36, 45) if count == 68 else (60, 72)
    points[:, one], points[:, other] = (10, 20), (16, 28)
    return points


@pytest.mark.parametrize("count", [68, 98])
def test_shift_is_measured_in_eye_distances(count: int) -> None:
    truth = faces(count)
    np.testing.assert_allclose(nme(truth + (3, -4), truth), 0.5)
    np.testing.assert_array_equal(nme(truth, truth), 0)


def test_one_wrong_landmark_counts_for_its_share() -> None:
    truth = faces(68)
    found = truth.copy()
    found[1, 5] += (0, 10)
    np.testing.assert_allclose(nme(found, truth), [0, 1 / 68, 0])


def test_unit_of_length_does_not_matter() -> None:
    truth = faces(68)
    found = truth + np.random.default_rng(2).normal(size=truth.shape)
    np.testing.assert_allclose(nme(7 * found + 3, 7 * truth + 3), nme(found, truth))


def test_what_is_not_labelled_does_not_count() -> None:
    truth = faces(68)
    truth[0, :30] = np.nan
    np.testing.assert_allclose(nme(faces(68) + (10, 0), truth), 1)
    truth[1, 36] = np.nan
    assert np.isnan(nme(faces(68), truth)).tolist() == [False, True, False]
    assert np.isnan(nme(faces(68), np.full((3, 68, 2), np.nan))).all()


def test_what_is_not_found_has_no_error() -> None:
    truth = faces(68)
    found = truth.copy()
    found[2, 0, 1] = np.nan
    np.testing.assert_array_equal(nme(found, truth), [0, 0, np.nan])
    truth[2, 0] = np.nan
    np.testing.assert_array_equal(nme(found, truth), 0)


def test_eyes_in_one_place_give_no_number_and_no_warning() -> None:
    truth = faces(68)
    truth[0, 36] = truth[0, 45]
    assert np.isnan(nme(truth + 1, truth)).tolist() == [True, False, False]


def test_no_faces_have_no_errors() -> None:
    assert nme(np.empty((0, 68, 2)), np.empty((0, 68, 2))).shape == (0,)


@pytest.mark.parametrize("shape", [(3, 67, 2), (3, 68, 3), (68, 2), (2, 68, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(.*2\)"):
        nme(np.zeros(shape), np.zeros((3, 68, 2)) if shape == (2, 68, 2) else np.zeros(shape))


def test_mirroring_and_taking_68_of_98_can_be_exchanged() -> None:
    assert len(set(AMONG_98)) == 68
    assert [MIRRORED[98][k] for k in AMONG_98] == [AMONG_98[k] for k in MIRRORED[68]]


def test_nme_of_eye_corners_is_the_same_among_98() -> None:
    truth = faces(98)
    np.testing.assert_allclose(nme(as_68(truth) + (3, 4), as_68(truth)), 0.5)
    tensor = torch.from_numpy(truth)
    assert torch.equal(as_68(tensor), torch.from_numpy(as_68(truth)))
    assert as_68(faces(68)).shape == (3, 68, 2)
    with pytest.raises(ValueError, match="not 29"):
        as_68(truth[:, :29])
