import numpy as np
import pytest

from swapset.quality.identity_share import donor_distance, identity_donor

TARGET, DONOR = np.zeros(128), np.full(128, 0.05)


def test_share_counts_frames_nearer_the_donor():
    frames = np.array([TARGET, DONOR, 0.9 * DONOR, 0.4 * DONOR])
    assert identity_donor(frames, TARGET, DONOR) == 0.5
    assert identity_donor(frames, DONOR, TARGET) == 0.5
    assert identity_donor(DONOR[None], TARGET, DONOR) == 1


def test_undecided_frames_stay_the_targets():
    assert identity_donor([DONOR / 2], TARGET, DONOR) == 0


def test_frames_without_a_face_are_left_out():
    missing = np.full(128, np.nan)
    assert identity_donor([missing, DONOR], TARGET, DONOR) == 1
    assert np.isnan(identity_donor([missing], TARGET, DONOR))
    assert np.isnan(identity_donor(np.empty((0, 128)), TARGET, DONOR))


def test_distance_tells_what_is_near_to_neither():
    smear = np.where(np.arange(128) < 2, 9.0, DONOR)
    assert identity_donor([smear], TARGET, DONOR) == 1
    assert donor_distance([smear], DONOR) > 10 * donor_distance([TARGET], DONOR)
    missing = np.full(128, np.nan)
    assert donor_distance([DONOR, missing], DONOR) == 0
    assert np.isnan(donor_distance([missing], DONOR))


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        identity_donor([DONOR], TARGET[:64], DONOR)
