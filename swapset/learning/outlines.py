"""Whether arrays fit a network, before the network takes any memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_FILLING = frozenset(("normal_", "uniform_", "fill_", "zero_"))


class _Unfilled(TorchFunctionMode):
    """Leaves new weights as they are: filling those without memory imports half of torch."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__name__", "") in _FILLING:
            return args[0] if args else named["tensor"]
        return func(*args, **named)


@contextmanager
def outlines() -> Iterator[None]:
    """Make networks without memory for their weights, on torch's device "meta"."""
    with torch.device("meta"), _Unfilled():
        yield


def check_shapes(network: nn.Module, arrays: Mapping[str, Any]) -> None:
    """Refuse arrays of other names or shapes than a network's.

    Parameters
    ----------
    network : nn.Module
        May be an outline, see `outlines`.
    arrays : mapping of str to tensor or array

    Raises
    ------
    ValueError
        Naming the first one that is missing, unknown or of another shape.
    """
    expected = {name: tuple(part.shape) for name, part in network.state_dict().items()}
    found = {name: tuple(part.shape) for name, part in arrays.items()}
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            raise ValueError(f"{name} is {found.get(name)} instead of {expected.get(name)}")
