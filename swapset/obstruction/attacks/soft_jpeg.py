"""Differentiable JPEG: the effect of libjpeg on pixels, with 4:2:0 chroma, without a file.

Steps and roundings follow libjpeg-turbo with its defaults, which OpenCV uses: see
jccolor.c, jcsample.c (`h2v2_downsample`), jcparam.c (tables and quality), jdsample.c
(`h2v2_fancy_upsample`), jdcolor.c; the DCT is exact here and in fixed point there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Rounding = Callable[[Tensor], Tensor]


class _Replaced(torch.autograd.Function):
    """Other values in place of some, whose gradient they get."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, others: Tensor) -> Tensor:
        return others

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _Stored(torch.autograd.Function):
    """Values as bytes hold them, in place of some; those cut off at 0 or 255 get no gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, others: Tensor) -> Tensor:
        whole = others.round()
        stored = whole.clamp(0, 255)
        ctx.save_for_backward(whole != stored)
        return stored

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (cut,) = ctx.saved_tensors
        return gradient.masked_fill(cut, 0), None


# ITU-T T.81, tables K.1 and K.2.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# JFIF, section "color space": rows Y, Cb, Cr; columns R, G, B.
_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1, 0, 1.402), (1, -0.344136286, -0.714136286), (1, 1.772, 0))


def straight(values: Tensor) -> Tensor:
    """Round to whole numbers; the gradient is taken to be the identity.

    Parameters
    ----------
    values : (...,) float

    Returns
    -------
    (...,) float
    """
    rounded: Tensor = _Replaced.apply(values, values.detach().round())
    return rounded


def soft(values: Tensor) -> Tensor:
    """Round softly: x' + (x - x')³, where x' is x rounded.

    Parameters
    ----------
    values : (...,) float

    Returns
    -------
    (...,) float
        At most 1/8 from a whole number.

    References
    ----------
    R. Shin and D. Song, "JPEG-resistant adversarial images", NIPS workshop 2017, equation 1.
    """
    whole = values.detach().round()
    return whole + (values - whole) ** 3


def jpeg(
    images: Tensor, quality: float | Sequence[float], *, rounding: Rounding = straight
) -> Tensor:
    """Return images as read back from a JPEG file, differentiably.

    Parameters
    ----------
    images : (B, 3, H, W) float in [0, 255], RGB
    quality : float or sequence of B floats
        1 to 100, as libjpeg scales it.
    rounding : callable
        Rounding of the coefficients, `straight` or `soft`; all other roundings are straight. The
        soft one yields values that no file yields, and almost no gradient for coefficients that
        become 0.

    Returns
    -------
    (B, 3, H, W) float32
        Whole numbers in [0, 255].

    Raises
    ------
    ValueError
        If a quality is out of range, or their number is not B.
    """
    tables = _tables(quality, len(images)).to(images.device)
    # Within an attack on a network in bf16, its 8 bits would be far too coarse for coefficients.
    with torch.autocast(images.device.type, enabled=False):
        return _read_back(images.float(), tables, rounding)


def quantisers(quality: float) -> tuple[list[list[int]], list[list[int]]]:
    """Return the tables (8 × 8) of luma and chroma at a quality; `jpeg_quality_scaling`.

    Raises
    ------
    ValueError
        If the quality is not in [1, 100].
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality {quality} must lie in [1, 100]")
    percent = int(5000 / quality if quality < 50 else 200 - 2 * quality)

    def scaled(table: tuple[tuple[int, ...], ...]) -> list[list[int]]:
        return [[min(max((n * percent + 50) // 100, 1), 255) for n in row] for row in table]

    return scaled(_LUMA), scaled(_CHROMA)


def _read_back(images: Tensor, tables: Tensor, rounding: Rounding) -> Tensor:
    """Return images (B, 3, H, W) float32 as read back from JPEG with tables for each plane."""
    height, width = images.shape[2:]
    planes = _ycbcr(images)
    luma = _coded(_padded(planes[:, :1]), tables[:, :1], rounding)[:, :, :height, :width]
    halved = _halved(planes[:, 1:])
    chroma = _coded(_padded(halved), tables[:, 1:], rounding)
    chroma = chroma[:, :, : halved.shape[2], : halved.shape[3]]
    # Weights 9/16, 3/16, 3/16, 1/16 with the border repeated: libjpeg's "fancy" upsampling.
    doubled = functional.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    return _rgb(torch.cat((luma, straight(doubled)[:, :, :height, :width]), 1))


def _tables(quality: float | Sequence[float], count: int) -> Tensor:
    """Return tables (B, 3, 1, 8, 1, 8), or (1, 3, ...) for one quality."""
    qualities = [quality] if isinstance(quality, int | float) else list(quality)
    if len(qualities) not in (1, count):
        raise ValueError(f"{len(qualities)} qualities are given for {count} images")
    tables = [(luma, chroma, chroma) for luma, chroma in map(quantisers, qualities)]
    return torch.tensor(tables, dtype=torch.float32)[:, :, None, :, None, :]


@cache
def _dct(device: torch.device) -> Tensor:
    """Return the orthonormal DCT-II of blocks of 8 × 8 pixels, (64, 64): rows are frequencies."""
    place = torch.arange(8, dtype=torch.float64)
    matrix = torch.cos((2 * place + 1) * place[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return torch.kron(matrix, matrix).float().to(device)


def _coded(planes: Tensor, tables: Tensor, rounding: Rounding) -> Tensor:
    """Quantise the blocks of planes (B, C, 8h, 8w) in [0, 255], and decode them again."""
    if rounding is straight:  # the gradient passes through the DCT and its inverse: no change
        return _stored(planes, _decoded(planes.detach(), tables, torch.round))
    return _stored(_decoded(planes, tables, rounding))


def _decoded(planes: Tensor, tables: Tensor, rounding: Rounding) -> Tensor:
    """Return quantised planes (B, C, 8h, 8w), neither rounded nor cut to [0, 255]."""
    count, channels, height, width = planes.shape
    shape = (count, channels, height // 8, 8, width // 8, 8)
    blocks = (planes - 128).view(shape).transpose(3, 4).reshape(count, channels, -1, 64)
    dct = _dct(planes.device)
    tables = tables.reshape(-1, tables.shape[1], 1, 64)
    back = rounding(blocks @ dct.T / tables) * tables @ dct
    return back.view(*shape[:3], width // 8, 8, 8).transpose(3, 4).reshape(planes.shape) + 128


def _stored(values: Tensor, others: Tensor | None = None) -> Tensor:
    """Round to [0, 255]; values outside get no gradient. `others` replace the values, if given."""
    stored: Tensor = _Stored.apply(values, values.detach() if others is None else others)
    return stored


def _ycbcr(images: Tensor) -> Tensor:
    matrix = torch.tensor(_TO_YCBCR, device=images.device)
    planes = torch.einsum("dc,bchw->bdhw", matrix, images)
    offset = torch.tensor((0.0, 128.0, 128.0), device=images.device).view(3, 1, 1)
    return _stored(planes + offset)


def _rgb(planes: Tensor) -> Tensor:
    offset = torch.tensor((0.0, 128.0, 128.0), device=planes.device).view(3, 1, 1)
    matrix = torch.tensor(_TO_RGB, device=planes.device)
    return _stored(torch.einsum("dc,bchw->bdhw", matrix, planes - offset))


def _halved(planes: Tensor) -> Tensor:
    """Return means of 2 × 2 pixels; the last row or column is repeated where a side is odd."""
    height, width = planes.shape[2:]
    even = functional.pad(planes, (0, width % 2, 0, height % 2), mode="replicate")
    rows = even[:, :, 0::2] + even[:, :, 1::2]  # many times as fast as avg_pool2d
    means = (rows[..., 0::2] + rows[..., 1::2]) / 4
    # Halves are rounded down and up in turn, quarters to the nearest.
    bias = torch.tensor((-0.125, 0.125), device=planes.device).repeat(means.shape[3])
    return straight(means + bias[: means.shape[3]])


def _padded(planes: Tensor) -> Tensor:
    """Repeat the last row and column of planes up to whole blocks."""
    height, width = planes.shape[2:]
    return functional.pad(planes, (0, -width % 8, 0, -height % 8), mode="replicate")
