"""Read published checkpoints; our own model files are those of `swapset.learning.model_files`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.errors import DataError

_PARALLEL = "module."


def read_published(path: Path) -> dict[str, Tensor]:
    """Return the state dict of a checkpoint: bare or under `state_dict`, `module.` taken off.

    Raises
    ------
    DataError
        If the file is missing, or holds something else; nothing in it is run.
    """
    state = read_state(path, "state_dict")
    if all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): part for name, part in state.items()}
    return state


def output_channels(state: Mapping[str, Tensor], layer: str, path: Path) -> int:
    """Return how many channels a layer of a state dict gives.

    Raises
    ------
    DataError
        If there is no such layer; `path` is named in the message.
    """
    weight = state.get(f"{layer}.weight")
    if weight is None or weight.ndim != 4:
        raise DataError(f"{path}: has no layer {layer}; see docs/weights.md for the expected file")
    return weight.shape[0]


def with_counters(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Add what files from before BatchNorm counted its batches lack."""
    own = network.state_dict()
    lacking = {name for name in own if name.endswith(".num_batches_tracked")} - set(state)
    return {**state, **{name: own[name] for name in lacking}}


def read_state(path: Path, key: str | None = None) -> dict[str, Tensor]:
    """Return the state dict in a torch file; nothing but tensors and plain values is unpickled.

    Parameters
    ----------
    path : Path
    key : str, optional
        Where it stands in a checkpoint that holds more; a bare state dict is taken as well.

    Raises
    ------
    DataError
        If the file is missing, or holds something else.
    """
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of damaged files, torch raises whatever it stumbles over
        first = str(error).splitlines()[:1]
        raise DataError(
            f"{path}: cannot be read as weights of torch ({' '.join(first)})"
        ) from error
    if isinstance(held, Mapping) and key is not None and key in held:
        held = held[key]
    if not isinstance(held, Mapping) or not all(isinstance(v, Tensor) for v in held.values()):
        raise DataError(f"{path}: holds no state dict; see docs/weights.md for the expected file")
    return dict(held)
