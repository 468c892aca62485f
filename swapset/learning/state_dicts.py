"""Published checkpoints of extractors; our own files are those of `swapset.learning.model_files`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from swapset.detectors.networks.resnet import read_state
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
