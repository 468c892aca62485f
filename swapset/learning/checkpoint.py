"""Save and load checkpoints of trainings as safetensors; nothing is unpickled."""

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
    """Write tensors and facts to a file that appears whole or not at all.

    Parameters
    ----------
    path : Path
    tensors : mapping of str to Tensor
        On any device, of any shape (...) and any dtype that safetensors has, such as float32.
    facts : mapping of str to object
        JSON values for the file's metadata.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_output(path) as scratch:
        save_file(plain, scratch, metadata={"swapset": json.dumps(facts, sort_keys=True)})


def read_tensors(
    path: Path, choose: Callable[[list[str]], list[str]] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file that `write_tensors` wrote.

    Parameters
    ----------
    path : Path
    choose : callable, optional
        Takes the names of all tensors and returns those to read; by default all are read.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU, with the shapes (...) and dtypes, such as float32, that were written.
    facts : dict of str to object

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
    """State of a training, from which it can resume.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Weights, the optimiser's averages, and further tensors of the task.
    facts : dict of str to object
        Further JSON values of the task.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """File in which a training saves its state regularly, and from which it resumes.

    Attributes
    ----------
    path : Path
    every : int
        Steps between two checkpoints.
    fingerprint : str
        Identifies network, data, settings and code; a checkpoint with another one is not used.
    at_end : bool
        True: save after the last step, too, because this training is a stage of a longer one.
    """

    path: Path
    every: int
    fingerprint: str
    at_end: bool = False

    def stage(self, name: str) -> Checkpoint:
        """Return the checkpoint of a stage of this training, which has a separate file."""
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
            If the file is damaged, belongs to another training, or has values that are not finite:
            it was then saved after a step that spoilt the weights, before the loss showed it.
        """
        tensors, facts = read_tensors(self.path)
        if facts.get("fingerprint") != self.fingerprint:
            raise DataError(f"{self.path}: is of another training")
        if not all(value.isfinite().all() for value in tensors.values()):
            raise DataError(f"{self.path}: holds values that are not numbers")
        return State(tensors, facts)

    def remove(self) -> None:
        """Delete the checkpoint and those of all stages, once the results are written."""
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
    """Restore a network and its optimiser, in place, from the tensors of `network_tensors`.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Of the shapes (...) and dtypes, such as float32, of the weights; further tensors among them
        are ignored.
    network : nn.Module
    optimiser : torch.optim.Optimizer
        Of the same kind as the saved one.

    Raises
    ------
    DataError
        If the tensors do not fit; the network is then unchanged.
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
    _match_strides(state, optimiser)
    try:
        check_shapes(network, weights)
        network.load_state_dict(weights)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (KeyError, RuntimeError, ValueError) as error:
        raise DataError(f"the checkpoint does not fit this network ({error})") from error


def _match_strides(state: dict[int, dict[str, Tensor]], optimiser: torch.optim.Optimizer) -> None:
    """Give the averages in an optimiser's state the weights' strides, which fused Adam needs.

    Fused Adam goes through memory in order, without regard to strides.
    """
    parameters = (weight for group in optimiser.param_groups for weight in group["params"])
    for number, weight in enumerate(parameters):
        for field, value in state.get(number, {}).items():
            if value.shape == weight.shape:
                state[number][field] = torch.empty_like(weight).copy_(value)
