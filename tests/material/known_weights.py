"""Weights and images that are the same everywhere, for comparing networks with others' code."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

FIXED = ("_DCT_all", "_DCT_all_T", "base")


def known_weights(state: Mapping[str, Tensor], norm: float) -> dict[str, Tensor]:
    """Return a state dict with values that depend on names and shapes alone.

    Parameters
    ----------
    state : mapping of str to Tensor
        Of the network.
    norm : float
        Mean weight of normalisations, to keep outputs from growing or vanishing.
    """
    return {name: _known(name, part, norm) for name, part in state.items()}


def _known(name: str, part: Tensor, norm: float) -> Tensor:
    last = name.rpartition(".")[2]
    if not part.is_floating_point() or last in FIXED:
        return part.clone()
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(part.shape))
    if last == "running_var":
        drawn = 1 + 0.5 * np.tanh(drawn)
    elif part.ndim == 1:
        drawn = 0.1 * drawn + norm * (last == "weight")
    elif last != "route_weights":
        drawn = drawn * np.sqrt(2 / part[0].numel())
    return torch.from_numpy(drawn).to(part.dtype)


def known_images(count: int = 2, side: int = 256) -> Tensor:
    """Return images (count, 3, side, side) float32 in about [-1, 1], coarse with fine noise."""
    drawn = torch.from_numpy(np.random.default_rng(5).standard_normal((count, 3, 9, 9))).float()
    coarse = functional.interpolate(drawn, size=side, mode="bicubic")
    rows = torch.arange(side, dtype=torch.float32)
    fine = torch.sin(rows[:, None] * rows / 7)
    return torch.tanh(coarse / 2) + 0.1 * fine
