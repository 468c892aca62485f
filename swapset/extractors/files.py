"""Published checkpoints of extractors; our own files are those of `swapset.detectors.files`."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from swapset.detectors.resnet import read_state

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
