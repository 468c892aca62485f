import cv2
import numpy as np
import pytest

from swapset.errors import ConfigError
from swapset.faces.align import crop_corners, crop_transform, standard_points
from swapset.faces.masks import MASK_KINDS, polygon, render_mask

SIZE = 256
FACE = standard_points(SIZE, 1.7)
CORNERS = np.array([(-0.5, -0.5), (255.5, -0.5), (255.5, 255.5), (-0.5, 255.5)])


def outline(kind):
    return polygon(FACE, kind, corners=CORNERS)


def inside(points, kind):
    shape = outline(kind).astype(np.float32)
    return np.array([cv2.pointPolygonTest(shape, (x, y), True) for x, y in np.float64(points)])


def distances(kind):
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).reshape(-1, 2)
    return inside(grid, kind).reshape(SIZE, SIZE)


def area(points):
    return cv2.contourArea(np.asarray(points, np.float32))


def test_hull_is_eyebrows_and_lower_lip_only():
    corners = outline("hull")
    allowed = FACE[[*range(17, 27), 48, 54, 55, 56, 57, 58, 59]]
    gaps = np.linalg.norm(corners[:, None] - allowed[None], axis=2).min(axis=1)
    assert gaps.max() < 1e-3
    assert (inside(allowed, "hull") > -1e-3).all()
    assert (inside(FACE[4:13], "hull") < 0).all()


def test_smooth_covers_the_face_and_stays_inside_the_jaw():
    face_parts = np.concatenate([FACE[17:68]])
    assert (inside(face_parts, "smooth") > 0).all()
    jaw = FACE[1:16]
    assert (inside(jaw, "smooth") < 0).all()
    forehead = FACE[17:27] + 0.2 * (FACE[27] - FACE[8])
    widest = cv2.convexHull(np.float32([*jaw, *forehead]))
    assert area(outline("hull")) * 1.3 < area(outline("smooth")) < area(widest)


def test_smooth_ends_between_lower_lip_and_chin():
    lowest = outline("smooth")[:, 1].max()
    assert FACE[57, 1] < lowest < FACE[8, 1]


def test_smooth_has_no_sharp_corner():
    points = outline("smooth")
    edges = np.diff(points, axis=0, append=points[:1])
    turns = np.diff(np.unwrap(np.arctan2(edges[:, 1], edges[:, 0])))
    assert np.abs(np.rad2deg(turns)).max() < 30


def test_rectangle_is_the_crop_in_the_frame():
    matrix = crop_transform(FACE * 0.7 + 40, 128, 1.7)
    corners = crop_corners(matrix, 128)
    np.testing.assert_array_equal(polygon(FACE * 0.7 + 40, "rectangle", corners=corners), corners)
    assert area(corners) == pytest.approx((SIZE * 0.7) ** 2, rel=1e-6)
    with pytest.raises(ValueError, match="corners"):
        polygon(FACE, "rectangle")


@pytest.mark.parametrize("kind", MASK_KINDS)
@pytest.mark.parametrize("feather", [0.0, 3.0, 16.0])
def test_alpha_is_one_deep_inside_and_zero_outside(kind, feather):
    alpha = render_mask(outline(kind), (SIZE, SIZE), feather)
    distance = distances(kind)
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() == 1
    # Corners are rounded to sixteenths of a pixel.
    assert (alpha[distance < (-1.1 if feather == 0 else -0.1)] == 0).all()
    assert (alpha[distance > feather * 1.08 + 2] == 1).all()


def test_ramp_is_gradual_and_follows_the_distance():
    alpha, distance = render_mask(outline("hull"), (SIZE, SIZE), 20), distances("hull")
    assert np.abs(np.diff(alpha, axis=0)).max() < 1.5 / 20 * 1.5
    assert 0.3 < alpha[np.abs(distance - 10.5) < 0.5].mean() < 0.7


def test_masks_move_with_the_face():
    shifted = render_mask(polygon(FACE + [8, 5], "smooth"), (SIZE, SIZE), 10)
    still = render_mask(polygon(FACE, "smooth"), (SIZE, SIZE), 10)
    assert np.abs(shifted[5:, 8:] - still[:-5, :-8]).max() < 0.02


def test_small_movements_change_the_alpha_little():
    masks = [render_mask(polygon(FACE + [d, 0], "smooth"), (SIZE, SIZE), 10) for d in (0, 0.25)]
    assert np.abs(masks[0] - masks[1]).mean() < 0.002


def test_face_across_the_border_and_off_the_image():
    whole = render_mask(outline("smooth"), (SIZE, SIZE), 6)
    moved = render_mask(polygon(FACE - [128, 0], "smooth"), (SIZE, SIZE), 6)
    np.testing.assert_allclose(moved[:, :100], whole[:, 128:228], atol=0.02)
    assert render_mask(polygon(FACE + 1000, "smooth"), (SIZE, SIZE), 6).max() == 0
    assert render_mask(outline("hull"), (40, 300), 6).shape == (40, 300)


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigError, match="rectangle, hull, face-hull, smooth"):
        polygon(FACE, "oval")
    with pytest.raises(ValueError, match="feather"):
        render_mask(outline("hull"), (SIZE, SIZE), -1)
