"""Save and load face-swap models as safetensors; nothing is unpickled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from swapset.config.recipes import TrainingRecipe
from swapset.errors import DataError
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.learning.checkpoint import read_tensors, write_tensors
from swapset.learning.outlines import check_shapes, outlines


@dataclass(frozen=True)
class TrainedPair:
    """A trained face-swap model, with its recipe and its subjects."""

    model: SwapAutoencoder
    recipe: TrainingRecipe
    subjects: tuple[str, ...]


def save_model(
    path: Path,
    model: SwapAutoencoder,
    recipe: TrainingRecipe,
    facts: dict[str, Any],
    keep: torch.dtype = torch.float32,
) -> None:
    """Write a trained model.

    Parameters
    ----------
    path : Path
    model : SwapAutoencoder
    recipe : TrainingRecipe
    facts : dict of str to object
        JSON values that go into the file's metadata.
    keep : torch.dtype
        Type of the stored weights.
    """
    described = {**facts, "recipe": recipe.model_dump(), "subjects": list(model.decoders)}
    weights = {name: value.to(keep) for name, value in model.state_dict().items()}
    write_tensors(path, weights, described)


def load_model(
    path: Path, device: torch.device, decoders: Collection[str] | None = None
) -> TrainedPair:
    """Read a model that `save_model` wrote, ready for inference, its weights as float32.

    Parameters
    ----------
    path : Path
    device : torch.device
    decoders : collection of str, optional
        Subjects whose decoders are read, if the model knows all of them; otherwise, and by default,
        all decoders are read. A model of many people is mostly decoders.

    Raises
    ------
    DataError
        If the file is damaged or its tensors do not fit its recipe.
    """
    chosen = None if decoders is None else partial(_without_other_decoders, decoders)
    tensors, facts = read_tensors(path, chosen)
    try:
        recipe, subjects = TrainingRecipe(**facts["recipe"]), facts["subjects"]
        if decoders is not None and set(decoders) <= set(subjects):
            subjects = [subject for subject in subjects if subject in decoders]
        if len(subjects) > len(tensors):
            raise ValueError(f"{len(subjects)} subjects, but {len(tensors)} tensors")
        with outlines():  # a damaged file may ask for far more memory than its size
            check_shapes(SwapAutoencoder(recipe, subjects), tensors)
        model = SwapAutoencoder(recipe, subjects)
        model.load_state_dict(tensors)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"{path}: its weights do not fit its recipe ({error})") from error
    model.placed(device).eval().requires_grad_(False)
    return TrainedPair(model, recipe, tuple(subjects))


def _without_other_decoders(decoders: Collection[str], names: list[str]) -> list[str]:
    """Leave out the tensors of other decoders, if the model has all of `decoders`."""
    owners = {name: name.split(".")[1] for name in names if name.startswith("decoders.")}
    if not set(decoders) <= set(owners.values()):
        return names
    return [name for name in names if name not in owners or owners[name] in decoders]
