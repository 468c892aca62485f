"""Negatives of FWA and DSP-FWA: equal to the original's, coarser, and in place."""

from __future__ import annotations

import cv2
import numpy as np
from material.detectors import face, picture
from skimage.transform import estimate_transform

from swapset.detectors.face import cut_face
from swapset.detectors.inputs.warping_negatives import STANDARD, recoloured, warped_back
from swapset.detectors.warping import FWA

HULL = [*range(17, 27), *range(54, 60), 48]


class Fixed:
    """Generator with prescribed draws."""

    def __init__(self, *values: float):
        self._values = iter(values)

    def uniform(self, *_: float) -> float:
        return next(self._values)


def original_negative(frame: np.ndarray, points: np.ndarray, size: int, hull: bool) -> np.ndarray:
    """Return a negative by the steps of the original, on the whole frame."""
    matrix = estimate_transform("similarity", points[17:].astype(float), STANDARD).params[:2]
    small = cv2.GaussianBlur(cv2.warpAffine(frame, matrix * size, (size, size)), (5, 5), 0)
    made = frame.copy()
    cv2.warpAffine(
        small,
        matrix * size,
        frame.shape[1::-1],
        made,
        cv2.WARP_INVERSE_MAP,
        cv2.BORDER_TRANSPARENT,
    )
    if not hull:
        return made
    inner = np.zeros(frame.shape, np.float64)
    cv2.fillConvexPoly(inner, cv2.convexHull(points[HULL].astype(np.int32)), (1, 1, 1))
    return np.uint8(frame * (1 - inner) + made * inner)


def test_negatives_are_those_of_the_original() -> None:
    frame, points = picture(1, side=150)
    found = cut_face(frame, points)
    assert found is not None
    x, y = found.origin
    kinds = set()
    for seed in range(8):
        generator = np.random.default_rng(seed)
        size, hull = int(generator.integers(64, 128)), bool(generator.random() < 0.5)
        made = warped_back(found, np.random.default_rng(seed))
        expected = original_negative(frame, np.rint(points).astype(int), size, hull)
        expected = expected[y : y + made.shape[0], x : x + made.shape[1]]
        # In the region, rounded positions differ slightly from those in the whole frame.
        assert np.mean(made != expected) < 0.001
        assert np.mean(made != found.pixels) > 0.05
        kinds.add(hull)
    assert kinds == {True, False}


def test_negatives_lose_detail_and_keep_their_place() -> None:
    real = face(4, side=190)
    inner = np.zeros(real.pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(inner, cv2.convexHull(real.points[HULL].astype(np.int32)), 1)
    grey = cv2.cvtColor(real.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = cv2.createHanningWindow(grey.shape[::-1], cv2.CV_32F)
    for seed in range(6):
        made = warped_back(real, np.random.default_rng(seed))
        other = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY).astype(np.float32)
        detail = [cv2.Laplacian(cv2.GaussianBlur(k, (3, 3), 0), cv2.CV_32F) for k in (grey, other)]
        before, after = (np.abs(k)[inner > 0].mean() for k in detail)
        assert after < 0.8 * before
        shift = np.array(cv2.phaseCorrelate(grey, other, window)[0])
        assert np.abs(shift).max() < 0.5


def test_colours_change_as_pil_does_it_on_bgr() -> None:
    pixels = np.full((8, 8, 3), (100, 50, 200), np.uint8)
    assert np.array_equal(recoloured(pixels, Fixed(1, 1, 1, 1)), pixels)
    assert recoloured(pixels, Fixed(0.8, 1, 1, 1))[0, 0].tolist() == [80, 40, 160]
    grey = 0.299 * 200 + 0.587 * 50 + 0.114 * 100
    expected = 0.8 * pixels[0, 0] + 0.2 * grey
    assert np.abs(recoloured(pixels, Fixed(1, 1, 0.8, 1))[0, 0] - expected).max() <= 1


def test_about_half_of_the_examples_are_negatives_and_only_those_are_coarse() -> None:
    real = face(4, side=190)
    detector, generator = FWA(), np.random.default_rng(0)
    detail: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(120):
        example = detector.example(real, 0, generator)
        assert example.crop.shape == (224, 224, 3)
        grey = cv2.cvtColor(example.crop, cv2.COLOR_RGB2GRAY)[70:150, 60:164]
        detail[example.label].append(float(cv2.Laplacian(grey, cv2.CV_32F).std()))
    assert 40 <= len(detail[1]) <= 80
    assert np.median(detail[1]) < 0.8 * np.median(detail[0])
