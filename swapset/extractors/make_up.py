"""Make up faces in training: brows, eyes, lips, nose and jaw lighter, darker or of other colours.

One person's brows may be pale and their eyes dark, another's the other way round. An extractor that
learns from a single person would take one for the other.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SIDE = 64
"""Side of the maps of gains, in pixels; they are smooth and are enlarged."""
_BETWEEN = 4
"""Points of a line from each landmark to the next."""
_LIGHT = (0.9, 0.5, 0.6, 0.5, 0.4)
"""Standard deviations of the gains' logarithms: of brows, eyes, lips, jaw and nose."""
_COLOUR, _SHARE = 0.3, 0.6
_WIDTHS, _THINNEST = (0.03, 0.09), 0.7
_SHIFT = 0.04
"""Standard deviation of a line's shift. Widths and shifts are in distances of the eyes."""
_LIMITS = (-2.5, 1.2)
# First and last landmark, whether the line closes, and the number in `_LIGHT`.
_LINES = (
    (17, 21, False, 0),
    (22, 26, False, 0),
    (36, 41, True, 1),
    (42, 47, True, 1),
    (48, 59, True, 2),
    (0, 16, False, 3),
    (27, 35, False, 4),
)
_OUTER_CORNERS = (36, 45)


def make_up(images: Tensor, points: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change lightness and colour along parts of faces, each part by chance.

    The changes are soft and a little beside the landmarks, so that they do not show where these
    are.

    Parameters
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    points : (B, 68, 2) float32
        Landmarks x, y in pixels. Faces that lack some stay as they are.
    strength : float
        Factor of the gains' logarithms; 1 = strong.
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    count, side = len(images), images.shape[-1]
    places = (points + 0.5) * (_SIDE / side) - 0.5
    left, right = (places[:, corner] for corner in _OUTER_CORNERS)
    unit = (right - left).norm(dim=-1)
    gains = [_drawn_gain(count, light, generator) for light in _LIGHT]
    low, high = _WIDTHS
    widths = [unit * (low + (high - low) * _uniform(generator, count)) for _ in _LIGHT]
    total = torch.zeros(count, 3, _SIDE, _SIDE)
    for first, last, closed, part in _LINES:
        beside = _SHIFT * unit[:, None, None] * torch.randn(count, 1, 2, generator=generator)
        line = _line(places[:, first : last + 1] + beside, closed=closed)
        total += gains[part] * _soft_line(line, widths[part].clamp_min(_THINNEST))[:, None]
    known = total.isfinite().flatten(1).all(1)[:, None, None, None]
    total = torch.where(known, strength * total, 0.0).clamp(*_LIMITS).to(images.device)
    smooth = functional.interpolate(total, (side, side), mode="bilinear")
    return (images * smooth.exp()).clamp(0, 255)


def _drawn_gain(count: int, light: float, generator: torch.Generator) -> Tensor:
    """Return logarithms of gains (B, 3, 1, 1), 0 for those that chance leaves as they are."""
    grey = light * torch.randn(count, 1, 1, 1, generator=generator)
    colour = _COLOUR * torch.randn(count, 3, 1, 1, generator=generator)
    return (grey + colour) * (_uniform(generator, count, 1, 1, 1) < _SHARE)


def _line(points: Tensor, *, closed: bool) -> Tensor:
    """Return points (B, m, 2) along the line through points (B, n, 2)."""
    if closed:
        points = torch.cat((points, points[:, :1]), 1)
    ways = torch.arange(_BETWEEN)[:, None] / _BETWEEN
    return (points[:, :-1, None] + ways * points.diff(dim=1)[:, :, None]).flatten(1, 2)


def _soft_line(points: Tensor, widths: Tensor) -> Tensor:
    """Return maps (B, side, side) that are near 1 on the points and fall off by Gaussians."""
    axis = torch.arange(_SIDE)
    spread = 2 * widths.square()[:, None, None]
    across, down = (torch.exp(-((axis - points[..., k, None]) ** 2) / spread) for k in range(2))
    return 1 - torch.exp(-1.5 * torch.einsum("bny,bnx->byx", down, across))


def _uniform(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator)
