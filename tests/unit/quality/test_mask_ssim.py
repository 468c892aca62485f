import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

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
