"""Read published checkpoints; `swapset.learning.model_files` reads swapset's own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from swapset.errors import DataError

_PARALLEL = "module."


def read_published(path: Path) -> dict[str, Tensor]:
    """Return the state dict of a published checkpoint, without the prefix `module.`.

    The file holds the state dict itself, or a dictionary with it under `state_dict`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to Tensor
        Tensors of any shape and dtype, on the CPU.

    Raises
    ------
    DataError
        If the file is missing, or holds something else; no code in it runs.
    """
    state = read_state(path, "state_dict")
    if all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): part for name, part in state.items()}
    return state


def output_channels(state: Mapping[str, Tensor], layer: str, path: Path) -> int:
    """Return the number of output channels of a convolution in a state dict.

    Parameters
    ----------
    state : mapping of str to Tensor
        Its entry `<layer>.weight` has the shape (O, I, h, w), any floating dtype.
    layer : str
    path : Path
        The checkpoint, for the message.

    Raises
    ------
    DataError
        If there is no such layer.
    """
    weight = state.get(f"{layer}.weight")
    if weight is None or weight.ndim != 4:
        raise DataError(f"{path}: has no layer {layer}; see docs/weights.md for the expected file")
    return weight.shape[0]


def with_counters(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Fill in `num_batches_tracked`, which old PyTorch checkpoints do not have.

    Parameters
    ----------
    state : mapping of str to Tensor
    network : nn.Module
        Gives the missing entries, each a scalar int64.
    """
    fresh = network.state_dict()
    lacking = {name for name in fresh if name.endswith(".num_batches_tracked")} - set(state)
    return {**state, **{name: fresh[name] for name in lacking}}


def read_state(path: Path, key: str | None = None) -> dict[str, Tensor]:
    """Return the state dict in a torch file; only tensors and plain values are unpickled.

    Parameters
    ----------
    path : Path
    key : str, optional
        Key of the state dict in a checkpoint that holds more; a bare state dict is accepted too.

    Returns
    -------
    dict of str to Tensor
        Tensors of any shape and dtype, on the CPU.

    Raises
    ------
    DataError
        If the file is missing, or holds something else.
    """
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds of errors for damaged files
        first = str(error).splitlines()[:1]
        raise DataError(f"{path}: cannot be read as torch weights ({' '.join(first)})") from error
    if isinstance(content, Mapping) and key is not None and key in content:
        content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise DataError(f"{path}: holds no state dict; see docs/weights.md for the expected file")
    return dict(content)
