"""Blending of faces into frames: exact outside the mask, in place, without aliasing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from material.generation import astronaut, posed

from swapset.faces.align import crop_corners, crop_transform, scale_of, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.generation.blend import FaceMask, clone, learned_mask, paste

KINDS = ("rectangle", "hull", "smooth")


def prepared(
    degrees: float, zoom: float, size: int, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frame, transform and outline of a posed face."""
    frame, points = posed(degrees, zoom)
    matrix = crop_transform(points, size, 1.3)
    return frame, matrix, polygon(points, kind, corners=crop_corners(matrix, size))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("feather", [0.0, 6.5])
@pytest.mark.parametrize(("zoom", "size"), [(0.7, 256), (2.0, 64)])
def test_pixels_outside_the_mask_stay_to_the_bit(
    kind: str, feather: float, zoom: float, size: int
) -> None:
    frame, matrix, outline = prepared(20, zoom, size, kind)
    before = frame.copy()
    face = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    made = paste(frame, face, matrix, FaceMask(outline, feather))
    alpha = render_mask(outline, frame.shape[:2], feather)
    assert np.array_equal(made[alpha == 0], before[alpha == 0])
    assert np.array_equal(frame, before)
    changed = (made != before).any(axis=-1)
    assert changed[alpha > 0.5].mean() > 0.98


@pytest.mark.parametrize("degrees", [0, 35, -120])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.3, 2.0, 3.7])
def test_pasting_a_frames_own_crop_changes_almost_nothing(degrees: float, ratio: float) -> None:
    # `ratio` is crop pixels per frame pixel: below 1 the crop loses detail, above 1 it is shrunk.
    frame, matrix, outline = prepared(degrees, 1.0, 128, "smooth")
    size = round(128 * ratio / float(scale_of(matrix)))
    frame, matrix, outline = prepared(degrees, 1.0, size, "smooth")
    assert float(scale_of(matrix)) == pytest.approx(ratio, rel=0.02)
    made = paste(frame, warp_crop(frame, matrix, size), matrix, FaceMask(outline, 4.0))
    alpha = render_mask(outline, frame.shape[:2], 4.0)
    error = np.abs(made.astype(int) - frame)[alpha > 0]
    assert error.mean() < (0.6 if ratio >= 1 else 2.0)
    # The error is smaller than that of a shift by half a pixel.
    moved = np.abs((frame[:, 1:].astype(int) - frame[:, :-1]) / 2)[alpha[:, 1:] > 0].mean()
    assert error.mean() < moved or ratio < 1


def test_position_is_exact_to_a_fraction_of_a_pixel() -> None:
    # On a ramp of one grey level a pixel, misplacement changes the brightness. Rounding does so,
    # too, but with the same sign on a falling ramp.
    rise = np.clip(np.arange(512) - 128, 0, 255).astype(np.uint8)
    _, points = posed(0, 1.5)
    outline = polygon(points, "hull")
    inside = render_mask(outline, (512, 512), 0.0) > 0
    for size in (64, 128, 333, 512):
        matrix = crop_transform(points, size, 1.3)
        change = []
        for ramp in (rise, rise[::-1]):
            frame = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (512, 512, 3)))
            made = paste(frame, warp_crop(frame, matrix, size), matrix, FaceMask(outline, 0.0))
            change.append((made.astype(float) - frame)[inside].mean())
        assert abs(change[0] - change[1]) / 2 < 0.05


def test_feather_makes_the_edge_soft_and_the_inside_stays_full() -> None:
    frame, matrix, outline = prepared(0, 1.5, 128, "smooth")
    black, white = np.zeros_like(frame), np.full((128, 128, 3), 255, np.uint8)
    soft = paste(black, white, matrix, FaceMask(outline, 12.0))[..., 0]
    hard = paste(black, white, matrix, FaceMask(outline, 0.0))[..., 0]
    assert set(np.unique(hard)) == {0, 255}
    assert len(np.unique(soft)) > 30
    steps = [np.abs(np.diff(image.astype(int), axis=1)).max() for image in (soft, hard)]
    assert steps[0] < 0.25 * steps[1]
    alpha = render_mask(outline, black.shape[:2], 12.0)
    assert np.abs(soft / 255 - alpha).max() <= 1 / 255


def test_shrinking_does_not_alias() -> None:
    # A fine chessboard shrinks to grey; sampling without averaging would give black and white.
    frame, matrix, outline = prepared(10, 0.6, 384, "hull")
    board = np.indices((384, 384)).sum(axis=0) % 2 * 255
    face = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    made = paste(frame, face, matrix, FaceMask(outline, 0.0))
    inside = render_mask(outline, frame.shape[:2], 0.0) > 0
    assert made[inside].std() < 20
    assert made[inside].mean() == pytest.approx(127.5, abs=3)


@pytest.mark.parametrize("shift", [(-300, 0), (0, 280), (-250, -200)])
def test_faces_cut_by_the_border(shift: tuple[float, float]) -> None:
    frame, points = posed(0, 1.5)
    points = points + shift
    matrix = crop_transform(points, 128, 1.3)
    face = np.full((128, 128, 3), 255, np.uint8)
    made = paste(frame, face, matrix, FaceMask(polygon(points, "smooth"), 3.0))
    alpha = render_mask(polygon(points, "smooth"), frame.shape[:2], 3.0)
    assert np.array_equal(made[alpha == 0], frame[alpha == 0])
    assert (made[alpha == 1] == 255).all()


def test_face_wholly_outside_changes_nothing() -> None:
    frame, points = posed(0, 1.0)
    points = points + [2000, 0]
    made = paste(
        frame,
        np.zeros((64, 64, 3), np.uint8),
        crop_transform(points, 64, 1.3),
        FaceMask(polygon(points, "hull"), 2.0),
    )
    assert made is None


def test_strided_frames_work() -> None:
    wide = np.concatenate([astronaut(), astronaut()], axis=1)
    half = wide[:, :512]
    _, points = posed(0, 1.0)
    matrix, outline = crop_transform(points, 64, 1.3), polygon(points, "hull")
    face = np.full((64, 64, 3), 9, np.uint8)
    expected = paste(np.ascontiguousarray(half), face, matrix, FaceMask(outline, 2.0))
    assert np.array_equal(paste(half, face, matrix, FaceMask(outline, 2.0)), expected)


def test_only_pixels_in_a_learned_mask_change() -> None:
    frame, points = posed(8, 1.2)
    matrix = crop_transform(points, 96, 1.3)
    made = np.zeros((96, 96), np.uint8)
    made[30:70, 35:60] = 255
    mask = learned_mask(made, matrix, 2.0, 5.0)
    assert mask is not None
    result = paste(frame, np.full((96, 96, 3), 255, np.uint8), matrix, mask)
    changed = (result != frame).any(axis=-1)
    inside = render_mask(mask.outline, frame.shape[:2], 0) > 0
    assert not changed[~inside].any()
    # The square's area in the frame, by the transform's scale.
    area = 40 * 25 / float(scale_of(matrix)) ** 2
    assert changed.sum() == pytest.approx(area, rel=0.15)


def test_a_faint_mask_is_none() -> None:
    _, points = posed(0, 1.0)
    matrix = crop_transform(points, 96, 1.3)
    assert learned_mask(np.full((96, 96), 20, np.uint8), matrix, 2.0, 5.0) is None


def test_a_learned_mask_fades_at_the_crops_border() -> None:
    _, points = posed(0, 1.0)
    mask = learned_mask(np.full((96, 96), 255, np.uint8), crop_transform(points, 96, 1.3), 5, 10.0)
    assert mask is not None
    assert mask.alpha is not None
    assert mask.alpha[0].max() == 0
    assert mask.alpha[48, 48] == 1
    assert (np.diff(mask.alpha[48, :11]) > 0).all()


def test_cloning_keeps_the_rest_and_takes_the_frames_colours() -> None:
    frame, points = posed(0, 1.0)
    matrix = crop_transform(points, 128, 1.3)
    tinted = np.clip(warp_crop(frame, matrix, 128).astype(int) + [60, 0, -40], 0, 255)
    mask = FaceMask(polygon(points, "face-hull"), 0.0)
    hard = paste(frame, tinted.astype(np.uint8), matrix, mask).astype(int)
    soft, changed = clone(frame, tinted.astype(np.uint8), matrix, mask)
    inside = render_mask(changed.outline, frame.shape[:2], 0) > 0
    np.testing.assert_array_equal(soft[~inside], frame[~inside])
    deep = render_mask(mask.outline, frame.shape[:2], 20.0) == 1
    errors = [np.abs(one.astype(int) - frame)[deep].mean() for one in (hard, soft)]
    assert errors[1] < 0.4 * errors[0]


@pytest.mark.parametrize("shift", [(0, -160), (-170, 0), (220, 180)])
def test_cloning_works_at_the_frames_border(shift: tuple[int, int]) -> None:
    frame, points = posed(0, 1.0)
    points = points + shift
    matrix = crop_transform(points, 64, 1.3)
    face = np.full((64, 64, 3), 128, np.uint8)
    mask = FaceMask(polygon(points, "hull"), 0.0)
    assert clone(frame, face, matrix, replace(mask, outline=mask.outline + 2000)) is None
    made, changed = clone(frame, face, matrix, mask)
    assert made.shape == frame.shape
    inside = render_mask(changed.outline, frame.shape[:2], 0) > 0
    np.testing.assert_array_equal(made[~inside], frame[~inside])
