import cv2
import numpy as np
import pytest
from skimage import data
from skimage.transform import SimilarityTransform, estimate_transform

from swapset.faces import align
from swapset.faces.align import (
    MEAN_FACE,
    crop_corners,
    crop_transform,
    invert,
    scale_of,
    shape_error,
    standard_points,
    transform_points,
    umeyama,
    warp_crop,
)

MIRROR = np.concatenate(
    [
        np.arange(16, -1, -1),
        np.arange(26, 16, -1),
        [27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65],
    ]
)


def similarity(scale, degrees, x, y):
    angle = np.deg2rad(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


def faces(count=5, seed=0):
    rng = np.random.default_rng(seed)
    points = np.stack(
        [
            transform_points(
                similarity(rng.uniform(50, 300), rng.uniform(-40, 40), *rng.uniform(0, 300, 2)),
                MEAN_FACE,
            )
            for _ in range(count)
        ]
    )
    return points + rng.normal(0, 2, points.shape)


def test_mean_face_is_symmetric_and_fills_the_unit_square():
    np.testing.assert_allclose(MEAN_FACE[MIRROR] * [-1, 1] + [1, 0], MEAN_FACE, atol=1e-9)
    assert MEAN_FACE.min() == 0
    assert MEAN_FACE.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        MEAN_FACE[0] = 0


def test_shape_error_sees_the_shape_only():
    points = np.stack([MEAN_FACE, transform_points(similarity(90, 40, 5, -8), MEAN_FACE)])
    np.testing.assert_allclose(shape_error(points), 0, atol=1e-12)
    assert (shape_error(faces()) < 0.05).all()
    assert shape_error(np.random.default_rng(2).uniform(size=(68, 2))) > 0.2
    assert np.isnan(shape_error(np.full((1, 68, 2), np.nan))).all()


def test_umeyama_equals_scikit_image():
    for points in faces():
        expected = estimate_transform("similarity", points, MEAN_FACE).params[:2]
        np.testing.assert_allclose(umeyama(points, MEAN_FACE), expected, atol=1e-10)


def test_umeyama_recovers_a_known_similarity():
    known = similarity(0.37, 158.0, -20.0, 45.0)
    found = umeyama(MEAN_FACE, transform_points(known, MEAN_FACE))
    np.testing.assert_allclose(found, known, atol=1e-12)


def test_umeyama_never_mirrors():
    matrix = umeyama(MEAN_FACE * [-1, 1] + 0.1 * MEAN_FACE[:, ::-1], MEAN_FACE)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_umeyama_batch_equals_one_by_one_and_keeps_missing_missing():
    points = faces(6)
    points[2] = np.nan
    batch = umeyama(points, MEAN_FACE)
    for one, matrix in zip(points, batch, strict=True):
        np.testing.assert_allclose(umeyama(one, MEAN_FACE), matrix, atol=1e-12)
    assert np.isnan(batch[2]).all()
    assert np.isfinite(np.delete(batch, 2, axis=0)).all()
    np.testing.assert_allclose(umeyama(points[:2], points[3:5]).shape, (2, 2, 3))


def test_umeyama_names_what_is_wrong():
    with pytest.raises(ValueError, match="different source points"):
        umeyama(np.ones((68, 2)), MEAN_FACE)
    with pytest.raises(ValueError, match=r"\(67, 2\)"):
        umeyama(np.ones((67, 2)), MEAN_FACE)


def test_inverse_is_exact():
    matrices = crop_transform(faces(), 128, 1.7)
    points = np.random.default_rng(1).uniform(0, 500, (5, 20, 2))
    back = transform_points(invert(matrices), transform_points(matrices, points))
    np.testing.assert_allclose(back, points, atol=1e-10)
    np.testing.assert_allclose(invert(invert(matrices)), matrices, rtol=1e-12)
    with pytest.raises(ValueError, match="no inverse"):
        invert(np.zeros((2, 3)))


def test_crop_holds_the_context_asked_for():
    tight = standard_points(100, 1.0)
    assert tight.min() == pytest.approx(-0.5)
    assert tight.max() == pytest.approx(99.5)
    wide = standard_points(100, 2.0)
    assert np.ptp(wide, axis=0) * 2 == pytest.approx(np.ptp(tight, axis=0))
    above, below = wide[:, 1].min(), 99 - wide[:, 1].max()
    assert above > below > 0
    assert wide[:, 0].min() == pytest.approx(99 - wide[:, 0].max())


def test_resolution_changes_the_crop_only_in_scale():
    points = faces(1)[0]
    small, large = crop_transform(points, 64, 1.6), crop_transform(points, 256, 1.6)
    np.testing.assert_allclose(crop_corners(small, 64), crop_corners(large, 256), atol=1e-9)
    assert scale_of(large) == pytest.approx(4 * scale_of(small))


def test_crop_transform_refuses_nonsense():
    with pytest.raises(ValueError, match="positive"):
        crop_transform(MEAN_FACE, 0, 1.5)


def test_identity_crop_is_the_frame():
    frame = data.astronaut()[:128, :128]
    np.testing.assert_array_equal(warp_crop(frame, np.eye(2, 3), 128), frame)


def test_whole_pixel_shift_copies_pixels():
    frame = data.astronaut()
    crop = warp_crop(frame, similarity(1, 0, -100, -40), 64)
    np.testing.assert_array_equal(crop, frame[40:104, 100:164])


def test_shrinking_averages_every_pixel():
    frame = np.ascontiguousarray(data.astronaut()[:480, :480])
    matrix = np.array([[1 / 8, 0, -7 / 16], [0, 1 / 8, -7 / 16]])
    expected = frame.reshape(60, 8, 60, 8, 3).mean(axis=(1, 3))
    assert np.abs(warp_crop(frame, matrix, 60) - expected).max() <= 1


def test_shrinking_does_not_alias():
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    matrix = similarity(0.2, 7, 0, 0)
    matrix[:, 2] = [32, 32] - matrix[:, :2] @ [256, 256]
    inside = warp_crop(stripes, matrix, 64)[10:-10, 10:-10]
    plain = cv2.warpAffine(stripes, matrix, (64, 64))[10:-10, 10:-10]
    assert inside.std() < 0.25 * plain.std()
    assert inside.mean() == pytest.approx(127.5, abs=2)


def test_absurdly_large_regions_stay_affordable():
    assert warp_crop(data.astronaut(), similarity(1e-6, 0, 0, 0), 32).shape == (32, 32, 3)


@pytest.mark.parametrize("frames", [2.9, 8, 30])
def test_regions_of_many_frames_are_cut_out_of_a_grid_of_three(frames, monkeypatch):
    frame, size, sizes = data.astronaut(), 64, []
    scale = size / (512 * frames)
    matrix = similarity(scale, 7, size / 2 - scale * 300, size / 2 - scale * 200)
    warp = cv2.warpAffine

    def watched(*arguments, **options):
        sizes.append(arguments[2][0])
        return warp(*arguments, **options)

    monkeypatch.setattr(cv2, "warpAffine", watched)
    crop = warp_crop(frame, matrix, size)
    monkeypatch.setattr(align, "MOST_FRAMES", 1000)
    exact = warp_crop(frame, matrix, size)
    assert sizes[0] <= 3 * 512
    assert sizes[0] == sizes[1] or frames > 3
    assert np.abs(crop.astype(int) - exact).mean() < 0.2


def test_warp_and_back_recovers_the_frame():
    frame = cv2.GaussianBlur(data.astronaut(), (0, 0), 2)
    matrix = similarity(1.3, 12, -90, -60)
    crop = warp_crop(frame, matrix, 300)
    back = cv2.warpAffine(crop, invert(matrix), (512, 512))
    seen = cv2.warpAffine(np.ones((300, 300), np.uint8), invert(matrix), (512, 512)) == 1
    seen = cv2.erode(seen.astype(np.uint8), np.ones((5, 5))) == 1
    assert np.abs(back.astype(int) - frame)[seen].mean() < 1


def test_transforms_agree_with_scikit_image():
    matrix = similarity(0.7, 33, 5, -8)
    full = np.vstack([matrix, [0, 0, 1]])
    points = faces(1)[0]
    expected = SimilarityTransform(matrix=full)(points)
    np.testing.assert_allclose(transform_points(matrix, points), expected)
