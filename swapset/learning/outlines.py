"""Check that arrays fit a network before the network takes memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_FILLING = frozenset(("normal_", "uniform_", "fill_", "zero_"))


class _Unfilled(TorchFunctionMode):
    """Skips the filling of new weights, which on device "meta" would import half of torch."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__name__", "") in _FILLING:
            return args[0] if args else named["tensor"]
        return func(*args, **named)


@contextmanager
def outlines() -> Iterator[None]:
    """Build networks without memory for their weights, on torch's device "meta"."""
    with torch.device("meta"), _Unfilled():
        yield


def check_shapes(network: nn.Module, arrays: Mapping[str, Any]) -> None:
    """Check that arrays have the names and shapes of a network's weights.

    Parameters
    ----------
    network : nn.Module
        It may have been built within `outlines`.
    arrays : mapping of str to tensor or array
        Of any shape (...) and dtype, such as float32.

    Raises
    ------
    ValueError
        If one is missing, unknown or of another shape; the message names the first.
    """
    expected = {name: tuple(part.shape) for name, part in network.state_dict().items()}
    shapes = {name: tuple(part.shape) for name, part in arrays.items()}
    for name in sorted({*expected, *shapes}):
        if expected.get(name) != shapes.get(name):
            raise ValueError(f"{name} is {shapes.get(name)} instead of {expected.get(name)}")
