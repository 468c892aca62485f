import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from swapset.quality.ssim import ssim, ssim_map


def pair(shape=(180, 233, 3), seed=0):
    rng = np.random.default_rng(seed)
    first = np.ascontiguousarray(data.astronaut()[: shape[0], : shape[1]])
    if len(shape) == 2:
        first = cv2.cvtColor(first, cv2.COLOR_RGB2GRAY)
    noisy = cv2.GaussianBlur(first, (0, 0), 1.5) + rng.normal(0, 6, first.shape)
    return first, np.clip(noisy, 0, 255).astype(np.uint8)


def scikit_image(first, second):
    return structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1 if first.ndim == 3 else None,
        full=True,
    )


@pytest.mark.parametrize("shape", [(180, 233, 3), (180, 233), (11, 40, 3), (300, 512, 3)])
def test_equals_scikit_image(shape):
    first, second = pair(shape)
    value, full = scikit_image(first, second)
    full = full.mean(axis=-1) if full.ndim == 3 else full
    assert ssim(first, second) == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(ssim_map(first, second), full, atol=3e-4)


@pytest.mark.parametrize("change", [lambda x: 255 - x, lambda x: x // 4, lambda x: 0 * x + 255])
def test_equals_scikit_image_far_from_similar(change):
    first, _ = pair()
    value, _ = scikit_image(first, change(first))
    assert ssim(first, change(first)) == pytest.approx(value, abs=1e-5)


def test_one_channel_axis_is_grey():
    first, second = pair((60, 70))
    np.testing.assert_array_equal(
        ssim_map(first[..., None], second[..., None]), ssim_map(first, second)
    )


def test_self_similarity_is_exactly_one_and_order_does_not_matter():
    first, second = pair()
    assert ssim(first, first) == 1
    np.testing.assert_allclose(ssim_map(first, second), ssim_map(second, first), atol=2e-4)


def test_more_noise_scores_lower():
    first, _ = pair()
    noise = np.random.default_rng(1).normal(0, 1, first.shape)
    scores = [ssim(first, np.clip(first + s * noise, 0, 255).astype(np.uint8)) for s in (2, 8, 32)]
    assert 1 > scores[0] > scores[1] > scores[2] > 0


@pytest.mark.parametrize(
    "box", [(0, 0, 233, 180), (0, 0, 9, 7), (50, 60, 51, 61), (3, 90, 233, 180)]
)
def test_box_is_cut_out_of_the_whole_map(box):
    first, second = pair()
    x0, y0, x1, y1 = box
    whole = ssim_map(first, second)[y0:y1, x0:x1]
    np.testing.assert_allclose(ssim_map(first, second, box=box), whole, atol=1e-6)


def test_views_of_larger_arrays_work():
    first, second = pair()
    half = np.s_[::2, ::-1]
    expected = ssim_map(first[half].copy(), second[half].copy())
    np.testing.assert_array_equal(ssim_map(first[half], second[half]), expected)


def test_wrong_images_are_named():
    first, second = pair()
    with pytest.raises(ValueError, match="one shape"):
        ssim(first, second[:-1])
    with pytest.raises(ValueError, match="float64"):
        ssim(first / 255, second / 255)
    with pytest.raises(ValueError, match="leaves"):
        ssim_map(first, second, box=(0, 0, 500, 10))
    with pytest.raises(ValueError, match="11 x 11"):
        ssim(first[:10], second[:10])
