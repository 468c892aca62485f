"""Models and checkpoints as safetensors: nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.errors import DataError
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.io.files import atomic_output
from swapset.learning.outlines import check_shapes, outlines


@dataclass(frozen=True)
class TrainedPair:
    """A pair's model with what it was made from."""

    model: SwapAutoencoder
    recipe: TrainingRecipe
    subjects: tuple[str, ...]


def _save(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors, contiguous and on the CPU, with `facts` as metadata."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_output(path) as scratch:
        save_file(plain, scratch, metadata={"swapset": json.dumps(facts, sort_keys=True)})


def _load(
    path: Path, decoders: Collection[str] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            if "swapset" not in metadata:
                raise DataError(f"{path}: was not written by swapset")
            names = _without_other_decoders(list(stored.keys()), decoders)
            tensors = {name: stored.get_tensor(name) for name in names}
            return tensors, json.loads(metadata["swapset"])
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged ({error})") from error


def _without_other_decoders(names: list[str], decoders: Collection[str] | None) -> list[str]:
    """Leave out the tensors of decoders that are not wanted, if all that are wanted are there."""
    owners = {name: name.split(".")[1] for name in names if name.startswith("decoders.")}
    if decoders is None or not set(decoders) <= set(owners.values()):
        return names
    return [name for name in names if name not in owners or owners[name] in decoders]


def save_model(
    path: Path,
    model: SwapAutoencoder,
    recipe: TrainingRecipe,
    facts: dict[str, Any],
    keep: torch.dtype = torch.float32,
) -> None:
    """Write a trained pair, its weights as `keep`; `facts` go into the file's metadata."""
    described = {**facts, "recipe": recipe.model_dump(), "subjects": list(model.decoders)}
    _save(path, {name: value.to(keep) for name, value in model.state_dict().items()}, described)


def load_model(
    path: Path, device: torch.device, decoders: Collection[str] | None = None
) -> TrainedPair:
    """Read a model written by `save_model`, ready for inference, its weights as float32.

    Parameters
    ----------
    path : Path
    device : torch.device
    decoders : collection of str, optional
        The subjects whose decoders are read, if the model knows all of them; else, and by default,
        those of everybody. A model of many people is mostly decoders.

    Raises
    ------
    DataError
        If the file is damaged or its tensors do not fit its recipe.
    """
    tensors, facts = _load(path, decoders)
    try:
        recipe, subjects = TrainingRecipe(**facts["recipe"]), facts["subjects"]
        if decoders is not None and set(decoders) <= set(subjects):
            subjects = [subject for subject in subjects if subject in decoders]
        if len(subjects) > len(tensors):
            raise ValueError(f"{len(subjects)} subjects, but {len(tensors)} tensors")
        with outlines():  # a file may ask for more memory than it fills
            check_shapes(SwapAutoencoder(recipe, subjects), tensors)
        model = SwapAutoencoder(recipe, subjects)
        model.load_state_dict(tensors)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"{path}: its weights do not fit its recipe ({error})") from error
    model.placed(device).eval().requires_grad_(False)
    return TrainedPair(model, recipe, tuple(subjects))


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    losses: Tensor,
    facts: dict[str, Any],
    kept: dict[str, Tensor] | None = None,
) -> None:
    """Write everything that the next step depends on, and what else was `kept` so far.

    The random state is `facts["step"]`: each step draws from a generator seeded by the training's
    seed and the step's number.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
    tensors |= {f"kept.{name}": value for name, value in (kept or {}).items()}
    _save(path, tensors | {"losses": losses}, facts)


@dataclass(frozen=True)
class Restored:
    """What a checkpoint says besides weights and the optimiser's state."""

    losses: Tensor
    facts: dict[str, Any]
    kept: dict[str, Tensor]


def load_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, fingerprint: str
) -> Restored:
    """Restore model and optimiser in place; return the rest.

    Raises
    ------
    DataError
        If the file is damaged, belongs to another training, or was written after a step that made
        weights NaN (the loss tells only at the next one); the model is then unchanged.
    """
    tensors, facts = _load(path)
    if facts.get("fingerprint") != fingerprint:
        raise DataError(f"{path}: is of another training")
    if not all(value.isfinite().all() for name, value in tensors.items() if name != "losses"):
        raise DataError(f"{path}: holds values that are not numbers")
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimiser":
            index, _, field = rest.partition(".")
            state.setdefault(int(index), {})[field] = value
    # Fused Adam walks through memory: its averages have to lie there as the weights do.
    parameters = (weight for group in optimiser.param_groups for weight in group["params"])
    for number, weight in enumerate(parameters):
        for field, value in state.get(number, {}).items():
            if value.shape == weight.shape:
                state[number][field] = torch.empty_like(weight).copy_(value)
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    try:
        model.load_state_dict(weights)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (KeyError, RuntimeError, ValueError) as error:
        raise DataError(f"{path}: does not fit this network ({error})") from error
    kept = {k.removeprefix("kept."): v for k, v in tensors.items() if k.startswith("kept.")}
    return Restored(tensors["losses"], facts, kept)
