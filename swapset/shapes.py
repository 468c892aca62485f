"""Whether arrays fit a network, before the network takes any memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


def check_shapes(network: nn.Module, arrays: Mapping[str, Any]) -> None:
    """Refuse arrays of other names or shapes than a network's.

    Parameters
    ----------
    network : nn.Module
        May be on torch's device "meta", where it takes no memory.
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
