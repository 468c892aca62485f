"""Steganalysis features of colour patches: CFA-aware co-occurrences of noise residuals.

The features are those that `SRMQ1CFA.m` of the DDE Lab, Binghamton, gives with `part = 'color'`
and `Tc = 2`: 5514 numbers in its order (the folder "CFA-aware feature sets" of
dde.binghamton.edu/download/feature_extractors). They were introduced in

- J. Fridrich, J. Kodovsky, "Rich models for steganalysis of digital images", IEEE TIFS 2012:
  the residuals (section II, figure 1), their quantisation and truncation;
- M. Goljan, J. Fridrich, R. Cogranne, "Rich model for steganalysis of color images", WIFS 2014:
  co-occurrences over the three colours of a pixel instead of neighbours;
- M. Goljan, J. Fridrich, "CFA-aware features for steganalysis of color images", SPIE 2015:
  separate counts for green pixels and for red or blue pixels of the colour filter array.

All residuals of the rich model are used with one quantisation step, the weight of their centre:
first, second and third differences in eight directions, the 3x3 and 5x5 kernels and their halves,
one by one ("spam") or as minima and maxima of several. The triples (R, G, B) of their values in
{-2, ..., 2} are counted in 125 bins, and bins that are equal by symmetry are added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, reduce
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from swapset.types import Bytes, Floats, Floats32, Frames

FEATURES = 5514
LIMIT = 2
"""Residuals are cut to [-LIMIT, LIMIT] steps; `Tc` of the original."""
_STEPS = 2 * LIMIT + 1
_BINS = _STEPS**3
_AT_ONCE = 8
"""Patches processed together; so few fit in the processor's cache."""
_CLASSES = (slice(0, 1), slice(1, 3), slice(3, 4))
"""Phases of red or blue, of green, and of blue or red pixels; see `_quantised`."""

Planes = npt.NDArray[np.int16]
"""Colour planes of several patches: (3, n, H, W) int16."""

Residuals = dict[str, npt.NDArray[np.int8]]
"""Quantised residuals by name: (3, n, 4, H W / 4) int8 each, see `_quantised`."""


class Submodel(NamedTuple):
    """One co-occurrence of the rich model.

    Attributes
    ----------
    name : str
        As in the original, without the order in front.
    maps : tuple of str
        Names of the residuals to count; several in one string = their minimum and maximum.
    scans : int
        Sum of the counts, in numbers of pixels: calls of `CoocCFA` in the original.
    """

    name: str
    maps: tuple[str, ...]
    scans: int

    @property
    def extremes(self) -> bool:
        """Return whether minima and maxima are counted."""
        return self.name.startswith("minmax")


_FOUR = ("R U RU LU", "R D RD RU", "L D LD RD", "L U LU LD")
_FOUR_TURNED = ("R U RU RD", "R D RD LD", "L D LD LU", "L U LU RU")
_DIFFERENCES = (
    Submodel("spam14c", ("R", "U"), 2),
    Submodel("minmax22c", ("R L", "U D"), 2),
    Submodel("minmax24c", ("R U", "R D", "L U", "L D"), 1),
    Submodel("minmax34hvc", ("L U R", "U R D", "R D L", "D L U"), 2),
    Submodel("minmax41c", ("R L U D",), 1),
    Submodel("minmax34c", ("R U RU", "R D RD", "L U LU", "L D LD"), 1),
    Submodel("minmax48c", _FOUR + _FOUR_TURNED, 2),
    Submodel("minmax54c", ("R U RU LU RD", "R D RD RU LD", "L D LD RD LU", "L U LU LD RU"), 2),
)
_SECOND = (
    Submodel("spam12c", ("h", "v"), 2),
    Submodel("minmax21c", ("h v",), 1),
    Submodel("minmax41c", ("h v d m",), 1),
    Submodel("minmax24c", ("m h", "d h", "m v", "d v"), 2),
    Submodel("minmax32c", ("h v m", "h v d"), 1),
)
_WHOLE = (Submodel("spam11c", ("K",), 1),)
_HALVES = (
    Submodel("spam14c", ("u", "b", "l", "r"), 2),
    Submodel("minmax24c", ("u l", "b r", "u r", "b l"), 1),
    Submodel("minmax22c", ("u b", "r l"), 2),
    Submodel("minmax41c", ("u b l r",), 1),
)
_DIRECTIONS = {"R": (0, 1), "L": (0, -1), "U": (-1, 0), "D": (1, 0)}
_DIRECTIONS |= {"RU": (-1, 1), "LU": (-1, -1), "RD": (1, 1), "LD": (1, -1)}
_UPPER_3 = np.array([[-1, 2, -1], [2, -4, 2], [0, 0, 0]])
_WHOLE_3 = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]])
_WHOLE_5 = np.array(
    [
        [-1, 2, -2, 2, -1],
        [2, -6, 8, -6, 2],
        [-2, 8, -12, 8, -2],
        [2, -6, 8, -6, 2],
        [-1, 2, -2, 2, -1],
    ]
)
_UPPER_5 = np.concatenate([_WHOLE_5[:3], np.zeros((2, 5), int)])


def features(patches: Frames) -> Floats32:
    """Return the steganalysis features of patches.

    Parameters
    ----------
    patches : (n, H, W, 3) uint8, RGB
        Height and width even. Pixel (0, 0) of each patch must be the same pixel of the colour
        filter array; the original calls it blue.

    Returns
    -------
    (n, 5514) float32, at least 0
        Shares of pixels. In the original's order: sub-models of first, second and third
        differences, of the halves of the 3x3 and of the 5x5 kernel, then the whole kernels.

    Raises
    ------
    ValueError
        If a side is odd or below 8.
    """
    _, height, width, _ = patches.shape
    if height % 2 or width % 2 or min(height, width) < 8:
        raise ValueError(f"sides of patches must be even and at least 8, got {height}x{width}")
    values = np.empty((len(patches), FEATURES), np.float32)
    for start in range(0, len(patches), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        values[part] = _features(np.moveaxis(patches[part], 3, 0).astype(np.int16))
    return values


def _features(planes: Planes) -> Floats:
    """Return features (n, 5514) of colour planes (3, n, H, W)."""
    three = _kernel_residuals(planes, _WHOLE_3, _UPPER_3, 4)
    five = _kernel_residuals(planes, _WHOLE_5, _UPPER_5, 12)
    parts = [
        *_submodels(_first(planes), _DIFFERENCES),
        *_submodels(_second(planes), _SECOND),
        *_submodels(_third(planes), _DIFFERENCES),
        *_submodels(three, _HALVES),
    ]
    parts += [*_submodels(five, _HALVES), *_submodels(three, _WHOLE), *_submodels(five, _WHOLE)]
    return np.concatenate(parts, axis=1)


# -- residuals -----------------------------------------------------------------------------------


def _shifted(planes: Planes, dy: int, dx: int, border: int) -> Planes:
    """Return the pixels at (dy, dx) from the pixels that are at least `border` from the edges."""
    height, width = planes.shape[2:]
    return planes[:, :, border + dy : height - border + dy, border + dx : width - border + dx]


def _quantised(residual: Planes, step: int) -> npt.NDArray[np.int8]:
    """Return round(residual / step), halves away from zero, cut to [-2, 2]; by phase.

    A residual (3, n, H, W) becomes (3, n, 4, H W / 4): first the pixels in even rows and columns,
    last those in odd ones, and between them the others, which are green.
    """
    one, two = (step + 1) // 2, (3 * step + 1) // 2
    level = (residual >= one).view(np.int8) + (residual >= two).view(np.int8)
    level -= (residual <= -one).view(np.int8)
    level -= (residual <= -two).view(np.int8)
    phases = [level[..., y::2, x::2].reshape(*level.shape[:2], -1) for y in (0, 1) for x in (0, 1)]
    return np.stack(phases, axis=2)


def _first(planes: Planes) -> Residuals:
    centre = _shifted(planes, 0, 0, 1)
    return {
        name: _quantised(_shifted(planes, dy, dx, 1) - centre, 1)
        for name, (dy, dx) in _DIRECTIONS.items()
    }


def _second(planes: Planes) -> Residuals:
    lines = {"h": (0, 1), "v": (1, 0), "d": (1, 1), "m": (-1, 1)}
    centre = 2 * _shifted(planes, 0, 0, 1)
    return {
        name: _quantised(_shifted(planes, dy, dx, 1) + _shifted(planes, -dy, -dx, 1) - centre, 2)
        for name, (dy, dx) in lines.items()
    }


def _third(planes: Planes) -> Residuals:
    centre = _shifted(planes, 0, 0, 2)
    return {
        name: _quantised(
            3 * (_shifted(planes, dy, dx, 2) - centre)
            - _shifted(planes, 2 * dy, 2 * dx, 2)
            + _shifted(planes, -dy, -dx, 2),
            3,
        )
        for name, (dy, dx) in _DIRECTIONS.items()
    }


def _kernel_residuals(
    planes: Planes,
    whole: npt.NDArray[np.int_],
    upper: npt.NDArray[np.int_],
    step: int,
) -> Residuals:
    """Return the residuals of a kernel (K) and of its upper, bottom, left and right half."""
    kernels = {"K": whole, "u": upper, "b": upper[::-1], "l": upper.T, "r": upper.T[:, ::-1]}
    return {name: _quantised(_filtered(planes, kernel), step) for name, kernel in kernels.items()}


def _filtered(planes: Planes, kernel: npt.NDArray[np.int_]) -> Planes:
    """Return the correlation with a kernel; sums stay within 16 bits."""
    border = len(kernel) // 2
    taps = [(y, x) for y, x in np.argwhere(kernel) - border]
    total = np.zeros_like(_shifted(planes, 0, 0, border))
    for y, x in taps:
        total += np.int16(kernel[y + border, x + border]) * _shifted(planes, y, x, border)
    return total


# -- co-occurrences ------------------------------------------------------------------------------


def _submodels(residuals: Residuals, models: Iterable[Submodel]) -> list[Floats]:
    """Return the symmetrised co-occurrences (n, 102 or 200) of each sub-model."""
    return [_symmetrised(_cooccurrence(residuals, model), model) for model in models]


def _cooccurrence(residuals: Residuals, model: Submodel) -> Floats:
    """Return shares (n, 3, 125) of triples at even, green and odd pixels of the filter array.

    A triple is in bin (r + 2) + 5 (g + 2) + 25 (b + 2). Maxima are counted with their signs
    changed, which is how the original merges them with minima.
    """
    maps = [signed for name in model.maps for signed in _signed(residuals, name, model.extremes)]
    codes = np.empty((len(maps), *maps[0].shape[1:]), np.uint8)
    for code, (red, green, blue) in zip(codes, maps, strict=True):
        level = red + np.int8(_STEPS) * green
        level += np.int8(_STEPS**2) * blue
        np.add(level, np.int8(_BINS // 2), out=code.view(np.int8))
    by_patch = np.ascontiguousarray(np.moveaxis(codes, 0, 2))
    pixels = 4 * codes.shape[-1] * len(model.maps)
    counted = [[_histogram(patch[part]) for part in _CLASSES] for patch in by_patch]
    return np.array(counted, np.float64) * (model.scans / pixels)


def _signed(residuals: Residuals, name: str, extremes: bool) -> list[npt.NDArray[np.int8]]:
    chosen = [residuals[part] for part in name.split()]
    if not extremes:
        return chosen
    return [reduce(np.minimum, chosen), -reduce(np.maximum, chosen)]


def _histogram(codes: Bytes) -> Floats32:
    counts = cv2.calcHist([codes.reshape(1, -1)], [0], None, [_BINS], [0, _BINS])
    return np.asarray(counts, np.float32).ravel()


def _symmetrised(counts: Floats, model: Submodel) -> Floats:
    """Return the bins that remain after merging: of red and blue pixels, then of green ones."""
    red_blue = counts[:, 0] + counts[:, 2][:, _swapped()]
    if model.extremes:
        return np.concatenate([red_blue, counts[:, 1] @ _merging(sign=False, swap=True)], axis=1)
    parts = [
        red_blue @ _merging(sign=True, swap=False),
        counts[:, 1] @ _merging(sign=True, swap=True),
    ]
    return np.concatenate(parts, axis=1)


@cache
def _swapped() -> npt.NDArray[np.int64]:
    """Return for each bin (r, g, b) the bin (b, g, r)."""
    return np.arange(_BINS).reshape(_STEPS, _STEPS, _STEPS).transpose(2, 1, 0).ravel()


@cache
def _merging(*, sign: bool, swap: bool) -> Floats:
    """Return the matrix (125, kept) that adds up bins equal by sign, or by swapping R and B.

    The kept bins are in the order in which `symmsign`, `symm` and `symm_dir` of the original reach
    them: r changes slowest, b fastest; with signs merged, (0, 0, 0) comes first.
    """
    bins = np.arange(_BINS)
    alike = [bins] + ([_BINS - 1 - bins] if sign else [])
    alike += [_swapped()[other] for other in alike] if swap else []
    first = np.min([_swapped()[other] for other in alike], axis=0)
    kept = np.unique(first)
    if sign:
        middle = kept == _BINS // 2
        kept = np.concatenate([kept[middle], kept[~middle]])
    return (first[:, None] == kept).astype(np.float64)
