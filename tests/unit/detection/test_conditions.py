"""Conditions of faces: known values of drawn faces, and what changes them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from swapset.detection.conditions import CONDITIONS, SIDE, conditions, usual
from swapset.detectors.face import Face
from swapset.faces.boxes import box_from_landmarks
from swapset.types import Bytes

PERIOD = 16


def waves(width: int = SIDE) -> Bytes:
    """Return grey waves (width, width, 3) around 100, 40 high, of eight periods."""
    row = 100 + 40 * np.sin(2 * np.pi * np.arange(width) / (PERIOD * width / SIDE))
    return np.repeat(np.tile(row.round(), (width, 1))[..., None], 3, axis=2).astype(np.uint8)


def face_of(pixels: Bytes) -> Face:
    """Return a face whose box is all of the pixels, which are square."""
    side = len(pixels)
    points = np.random.default_rng(0).normal(size=(68, 2))
    x0, y0, x1, _ = box_from_landmarks(points)
    scale = side / (x1 - x0)
    return Face(pixels, (0, 0), ((points - (x0, y0)) * scale).astype(np.float32), (side, side))


def named(pixels: Bytes) -> dict[str, float]:
    return dict(zip(CONDITIONS, conditions(face_of(pixels)).tolist(), strict=True))


def test_waves_have_the_sharpness_of_their_period() -> None:
    """The Laplacian of a sine is 2 - 2 cos w times it; its mean size is 2 / pi of its height."""
    found = named(waves())
    bend = 2 - 2 * np.cos(2 * np.pi / PERIOD)
    assert found["sharpness"] == pytest.approx(bend * (2 / np.pi) * np.sqrt(2), rel=0.03)
    assert found["width"] == pytest.approx(SIDE, abs=1e-3)
    assert found["brightness"] == pytest.approx(100, abs=0.5)
    assert found["contrast"] == pytest.approx(40 / np.sqrt(2), rel=0.01)


def test_the_size_of_the_picture_changes_the_width_alone() -> None:
    small, large = named(waves()), named(waves(3 * SIDE))
    assert large["width"] == pytest.approx(3 * SIDE, abs=1e-3)
    for name in CONDITIONS[1:]:
        assert large[name] == pytest.approx(small[name], rel=0.05)


def test_light_moves_brightness_and_contrast_alone() -> None:
    plain, dark = named(waves(256)), named((waves(256) // 2).astype(np.uint8))
    assert dark["brightness"] == pytest.approx(plain["brightness"] / 2, abs=1)
    assert dark["contrast"] == pytest.approx(plain["contrast"] / 2, rel=0.03)
    assert dark["sharpness"] == pytest.approx(plain["sharpness"], rel=0.1)


def test_blur_and_enlarging_lower_the_sharpness_and_noise_raises_it() -> None:
    rng = np.random.default_rng(1)
    detailed = cv2.GaussianBlur(rng.integers(0, 256, (256, 256, 3)).astype(np.float32), (0, 0), 1.2)
    pixels = np.clip(128 + 4 * (detailed - 128), 0, 255).astype(np.uint8)
    small = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_AREA)
    noisy = np.clip(pixels + rng.normal(0, 60, pixels.shape), 0, 255).astype(np.uint8)
    plain = named(pixels)["sharpness"]
    assert named(cv2.GaussianBlur(pixels, (0, 0), 4))["sharpness"] < 0.6 * plain
    assert named(small)["sharpness"] < 0.6 * plain
    assert named(noisy)["sharpness"] > 1.05 * plain


def test_without_a_face_nothing_is_known() -> None:
    assert np.isnan(conditions(None)).all()
    outside = face_of(waves())
    moved = Face(outside.pixels, (500, 500), outside.landmarks, (900, 900))
    assert np.isnan(conditions(moved)[1:]).all()


def test_usual_is_what_nineteen_of_twenty_faces_have() -> None:
    values = np.column_stack([np.linspace(0, k + 1, 41) for k in range(4)])
    values[3] = np.nan  # a face outside its frame
    found = usual(values)
    assert list(found) == list(CONDITIONS)
    known = np.delete(values, 3, axis=0)
    for name, column in zip(CONDITIONS, known.T, strict=True):
        assert found[name] == pytest.approx(np.percentile(column, (2.5, 97.5)), rel=1e-3)
