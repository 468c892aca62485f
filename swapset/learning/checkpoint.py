"""Checkpoints of trainings, and tensors with facts in general, as safetensors: never unpickled."""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from swapset.errors import DataError
from swapset.io.files import atomic_output
from swapset.learning.outlines import check_shapes

_MODEL, _OPTIMISER = "model.", "optimiser."


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a file of tensors, whole or not at all.

    Parameters
    ----------
    path : Path
    tensors : mapping of str to Tensor
        Written contiguous and from the CPU.
    facts : mapping of str to JSON values
        Become the file's metadata.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_output(path) as scratch:
        save_file(plain, scratch, metadata={"swapset": json.dumps(facts, sort_keys=True)})


def read_tensors(
    path: Path, choose: Callable[[list[str]], list[str]] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what `write_tensors` wrote: tensors by name, on the CPU, and facts.

    Parameters
    ----------
    path : Path
    choose : callable, optional
        Returns, of the names of all tensors, those to read; by default all.

    Raises
    ------
    DataError
        If the file is missing, damaged or of another program.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            if "swapset" not in metadata:
                raise DataError(f"{path}: was not written by swapset")
            names = list(stored.keys())
            tensors = {
                name: stored.get_tensor(name) for name in (choose(names) if choose else names)
            }
            return tensors, json.loads(metadata["swapset"])
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged ({error})") from error


@dataclass(frozen=True)
class State:
    """What a training goes on from.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Weights, the optimiser's averages, and what else was gathered.
    facts : dict of str to JSON values
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """Where a training saves what it goes on from, and when.

    Attributes
    ----------
    path : Path
    every : int
        Steps between two checkpoints.
    fingerprint : str
        Names what is trained on what, how and by which code; a checkpoint with another one is not
        used.
    at_end : bool
        Save after the last step, too: where this training is a stage of a longer one.
    """

    path: Path
    every: int
    fingerprint: str
    at_end: bool = False

    def stage(self, name: str) -> Checkpoint:
        """Return the checkpoint of a stage of this training, in a file of its own."""
        return replace(
            self,
            path=self.path.with_suffix(f".{name}{self.path.suffix}"),
            fingerprint=f"{self.fingerprint} {name}",
            at_end=True,
        )

    def save(self, state: State) -> None:
        """Write a state."""
        facts = {"fingerprint": self.fingerprint, **state.facts}
        write_tensors(self.path, state.tensors, facts)

    def load(self) -> State:
        """Return the state that was saved last.

        Raises
        ------
        DataError
            If the file is damaged, belongs to another training, or was written after a step that
            made weights NaN (the loss tells only at the next one).
        """
        tensors, facts = read_tensors(self.path)
        if facts.get("fingerprint") != self.fingerprint:
            raise DataError(f"{self.path}: is of another training")
        if not all(value.isfinite().all() for value in tensors.values()):
            raise DataError(f"{self.path}: holds values that are not numbers")
        return State(tensors, facts)

    def remove(self) -> None:
        """Delete the checkpoint and those of all stages, once the training's results are there."""
        stages = self.path.parent.glob(f"{glob.escape(self.path.stem)}.*{self.path.suffix}")
        for path in (self.path, *stages):
            path.unlink(missing_ok=True)


def network_tensors(network: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the weights of a network and its optimiser's averages, by name."""
    tensors = {_MODEL + name: value for name, value in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if value is not None:
                tensors[f"{_OPTIMISER}{index}.{name}"] = torch.as_tensor(value)
    return tensors


def restore_network(
    tensors: Mapping[str, Tensor], network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Put back what `network_tensors` gave, in place.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        May hold others besides.
    network : nn.Module
    optimiser : torch.optim.Optimizer
        Of the network's weights.

    Raises
    ------
    DataError
        If it does not fit; the network is then unchanged.
    """
    weights = {
        name.removeprefix(_MODEL): value
        for name, value in tensors.items()
        if name.startswith(_MODEL)
    }
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(_OPTIMISER):
            index, _, field = name.removeprefix(_OPTIMISER).partition(".")
            state.setdefault(int(index), {})[field] = value
    # Fused Adam walks through memory: its averages have to lie there as the weights do.
    parameters = (weight for group in optimiser.param_groups for weight in group["params"])
    for number, weight in enumerate(parameters):
        for field, value in state.get(number, {}).items():
            if value.shape == weight.shape:
                state[number][field] = torch.empty_like(weight).copy_(value)
    try:
        check_shapes(network, weights)
        network.load_state_dict(weights)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (KeyError, RuntimeError, ValueError) as error:
        raise DataError(f"the checkpoint does not fit this network ({error})") from error
