from __future__ import annotations

import av
import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2ycbcr

from swapset.errors import MediaError
from swapset.media.colour import (
    LUMA_WEIGHTS,
    check_even,
    i420_to_rgb,
    rgb_to_i420,
    to_bt601,
)
from swapset.media.decode import PlaneConverter


def photograph() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:256, :256])


def planes(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(-1, y.shape[1])


def muted_blocks(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return planes of 16x16 blocks of one colour each, all inside RGB."""
    rng = np.random.default_rng(seed)
    y = np.kron(rng.integers(70, 170, (8, 8)), np.ones((16, 16))).astype(np.uint8)
    u, v = (np.kron(rng.integers(112, 144, (8, 8)), np.ones((8, 8))).astype(np.uint8) for _ in "uv")
    return y, u, v


def float_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, matrix: int, full: bool) -> np.ndarray:
    """Return RGB by the textbook equations, in floats."""
    red, blue = LUMA_WEIGHTS[matrix]
    luma = y.astype(float) if full else (y - 16.0) * 255 / 219
    cb, cr = (
        np.kron(plane.astype(float) - 128, np.ones((2, 2))) * (1 if full else 255 / 224)
        for plane in (u, v)
    )
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return np.stack([r, (luma - red * r - blue * b) / (1 - red - blue), b], -1)


def test_agrees_with_skimage_on_flat_colours() -> None:
    rng = np.random.default_rng(0)
    for colour in rng.integers(0, 256, (20, 3)):
        image = np.full((4, 4, 3), colour, np.uint8)
        expected = rgb2ycbcr(image)[0, 0]
        got = rgb_to_i420(image).ravel()[[0, 16, 20]]
        assert np.abs(got - expected).max() < 0.6


def test_decoding_and_encoding_again_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)
    first = rgb_to_i420(image)
    assert np.array_equal(rgb_to_i420(i420_to_rgb(first)), first)


def test_colours_do_not_shift_over_generations_of_a_photograph() -> None:
    image = photograph()
    first = current = i420_to_rgb(rgb_to_i420(image))
    for _ in range(10):
        current = i420_to_rgb(rgb_to_i420(current))
    assert np.abs((current.astype(float) - first).mean((0, 1))).max() < 0.02
    assert (current != first).mean() < 0.03
    assert np.abs((current.astype(float) - image).mean((0, 1))).max() < 0.1


def test_chroma_is_averaged_not_sampled() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = 255, 0, 0
    red = rgb_to_i420(np.full((2, 2, 3), (255, 0, 0), np.uint8)).ravel()[-1] - 128
    assert rgb_to_i420(image).ravel()[-1] == pytest.approx(128 + red / 4, abs=1)


@pytest.mark.parametrize("matrix", sorted(LUMA_WEIGHTS))
@pytest.mark.parametrize("full", [False, True])
def test_other_matrices_and_ranges_keep_their_colours(matrix: int, full: bool) -> None:
    y, u, v = muted_blocks(matrix)
    got = i420_to_rgb(to_bt601(planes(y, u, v), matrix=matrix, full_range=full))
    error = got - float_rgb(y, u, v, matrix, full)
    assert np.abs(error).max() < 2.5
    assert np.abs(error.mean((0, 1))).max() < 0.3


def test_wrong_matrix_would_be_noticed() -> None:
    y, u, v = muted_blocks(1)
    got = i420_to_rgb(planes(y, u, v))
    assert np.abs(got - float_rgb(y, u, v, 1, False)).max() > 5


@pytest.mark.parametrize("layout", ["rgb24", "bgra", "gbrp", "yuv444p", "yuv422p", "yuv420p10le"])
def test_every_pixel_format_keeps_its_colours(layout: str) -> None:
    image = i420_to_rgb(planes(*muted_blocks(3)))
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=layout)
    got = i420_to_rgb(PlaneConverter()(frame))
    inner = np.s_[4:12, 4:12]  # away from edges, where chroma is smoothed
    assert np.abs(got[inner].astype(int) - image[inner]).max() <= 4


def test_grey_is_full_range() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    got = i420_to_rgb(PlaneConverter()(av.VideoFrame.from_ndarray(ramp, format="gray")))
    assert np.abs(got.astype(int) - ramp[..., None]).max() <= 1


def test_odd_and_empty_sizes_are_refused() -> None:
    for size in ((3, 4), (4, 3), (0, 4), (-2, 2)):
        with pytest.raises(MediaError, match="even and positive"):
            check_even(*size)
