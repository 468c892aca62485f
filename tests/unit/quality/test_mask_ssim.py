import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from swapset.bootstrap import bootstrap_interval, paired_difference
from swapset.quality.mask_ssim import head_ssim, mask_ssim, masked_frame_ssim

SETTING = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 255,
    "channel_axis": -1,
}


def head_at(x, y, shape=(200, 240), axes=(40, 55)):
    mask = cv2.ellipse(np.zeros(shape, np.uint8), (x, y), axes, 10, 0, 360, 1, -1)
    return mask.astype(bool)


def pair():
    original = np.ascontiguousarray(data.astronaut()[:200, 120:360])
    fake = cv2.GaussianBlur(original, (0, 0), 2)
    return original, fake


@pytest.mark.parametrize("centre", [(110, 100), (5, 10), (239, 199)])
def test_equals_scikit_image(centre):
    (original, fake), head = pair(), head_at(*centre)
    _, full = structural_similarity(original, fake, full=True, **SETTING)
    shown = head[..., None].astype(np.uint8)
    masked = structural_similarity(original * shown, fake * shown, **SETTING)
    score = mask_ssim(original, fake, head)
    assert score.mask_ssim == pytest.approx(full.mean(axis=-1)[head].mean(), abs=1e-5)
    assert score.masked_frame_ssim == pytest.approx(masked, abs=1e-5)


def test_only_the_head_counts():
    (original, fake), head = pair(), head_at(110, 100)
    far = cv2.dilate(head.astype(np.uint8), np.ones((13, 13))) == 0
    outside_changed = np.where(far[..., None], 255 - original, original)
    assert head_ssim(original, outside_changed, head) == 1
    assert masked_frame_ssim(original, outside_changed, head) == 1
    inside_changed = np.where(head[..., None], fake, original)
    assert head_ssim(original, inside_changed, head) < 0.95


def test_a_small_head_inflates_only_the_masked_frame():
    (original, fake) = pair()
    small, large = head_at(110, 90, axes=(20, 25)), head_at(110, 90, axes=(60, 80))
    assert masked_frame_ssim(original, fake, small) > masked_frame_ssim(original, fake, large)
    assert masked_frame_ssim(original, fake, small) > head_ssim(original, fake, small)


def test_bad_masks_are_named():
    original, fake = pair()
    with pytest.raises(ValueError, match="empty"):
        mask_ssim(original, fake, np.zeros((200, 240), bool))
    with pytest.raises(ValueError, match="does not fit"):
        mask_ssim(original, fake, np.ones((10, 10), bool))


def test_bootstrap_is_near_the_normal_interval_and_repeats():
    values = np.random.default_rng(0).normal(0.8, 0.1, 400)
    low, high = bootstrap_interval(values, seed=1)
    assert low == pytest.approx(values.mean() - 1.96 * 0.1 / 20, abs=0.002)
    assert high == pytest.approx(values.mean() + 1.96 * 0.1 / 20, abs=0.002)
    assert bootstrap_interval(values, seed=1) == (low, high)
    assert bootstrap_interval(values, seed=2) != (low, high)
    narrow = bootstrap_interval(values, seed=1, level=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_bootstrap_of_one_video_is_its_value():
    assert bootstrap_interval([0.7], seed=0) == (0.7, 0.7)
    for wrong in ([], [0.5, np.nan]):
        with pytest.raises(ValueError, match="finite"):
            bootstrap_interval(wrong, seed=0)
    with pytest.raises(ValueError, match="level"):
        bootstrap_interval([0.5], seed=0, level=95)


def test_paired_difference_sees_through_the_spread_of_fakes():
    rng = np.random.default_rng(0)
    base = {f"id0_id1_{k:04d}": v for k, v in enumerate(rng.uniform(0.5, 0.9, 30))}
    better = {name: v + 0.02 + rng.normal(0, 0.005) for name, v in base.items()}
    better["id9_id9_0000"] = 0.1
    result = paired_difference(better, base, seed=0)
    assert result.pairs == 30
    assert result.low < result.mean < result.high
    assert result.low > 0.015
    assert result.share_higher == 1
    opposite = paired_difference(base, better, seed=0)
    assert opposite.mean == pytest.approx(-result.mean)
    with pytest.raises(ValueError, match="both methods"):
        paired_difference({"a": 1.0}, {"b": 1.0}, seed=0)
