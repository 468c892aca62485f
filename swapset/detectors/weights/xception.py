"""Read Xception's weights from torch files, of which only tensors are unpickled."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from swapset.errors import DataError

_WRAPPERS = ("module.", "model.")
_HEADS = ("last_linear.1.", "fc.")
"""Names of the last layer: in the authors' models with dropout, and in the oldest on ImageNet."""


def read_xception_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file under the names of `Xception`.

    Parameters
    ----------
    path : Path
        A state dict, or a checkpoint with one under `state_dict`. Names may start with `module.`
        or `model.`, and weights of 1x1 convolutions may lack their last two axes, as in the oldest
        files.

    Returns
    -------
    dict of str to Tensor
        Any shape and floating dtype, on the CPU.

    Raises
    ------
    DataError
        If the file is damaged or holds more than tensors.
    """
    state = _tensors(path)
    while state and (prefix := next((p for p in _WRAPPERS if _all_start(state, p)), None)):
        state = {name.removeprefix(prefix): part for name, part in state.items()}
    return {_name(name): _filters(name, part) for name, part in state.items()}


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error):
            raise DataError(_whole_model(path)) from error
        raise DataError(_damaged(path)) from error
    except Exception as error:  # torch raises errors of many kinds for damaged files
        raise DataError(_damaged(path)) from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(isinstance(p, Tensor) for p in loaded.values()):
        raise DataError(f"{path}: holds no state dict; save the network's `state_dict()` to it")
    return {str(name): part for name, part in loaded.items()}


def _whole_model(path: Path) -> str:
    return (
        f"{path}: holds Python objects besides tensors, probably a whole model as FaceForensics++ "
        "publishes them. Such a file can run any code and is never opened here. Convert it once, "
        "in a separate environment with the authors' `classification` folder as working "
        'directory: torch.save(torch.load("FILE", map_location="cpu", weights_only=False)'
        '.state_dict(), "weights.pt"), and give weights.pt'
    )


def _damaged(path: Path) -> str:
    return f"{path}: is missing, damaged or not a torch file; download it again"


def _all_start(state: Mapping[str, Tensor], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in state)


def _name(name: str) -> str:
    for head in _HEADS:
        if name.startswith(head):
            return "last_linear." + name.removeprefix(head)
    return name


def _filters(name: str, part: Tensor) -> Tensor:
    return part[..., None, None] if "pointwise" in name and part.ndim == 2 else part
