"""Count the arithmetic operations of a training's networks."""

from __future__ import annotations

import json
from functools import lru_cache

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe


def operations(recipe: TrainingRecipe) -> float:
    """Return the multiplications and additions for one face, forward and backward.

    Encoder and decoder are counted; critics, augmentation and optimiser are not.
    """
    return _counted(json.dumps(recipe.network(), sort_keys=True))


@lru_cache
def _counted(network: str) -> float:
    """Count the operations on torch's device "meta", without computing anything."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from swapset.generation.autoencoder import SwapAutoencoder

    recipe = training_of(BUILT_IN["celebdf"]).model_copy(update=json.loads(network))
    with torch.device("meta"):
        model = SwapAutoencoder(recipe, ["one"])
        faces = torch.empty(1, 3, recipe.input_side, recipe.input_side)
    counter = FlopCounterMode(display=False)
    with counter:
        model.reconstruct({"one": faces})["one"].sum().backward()
    return float(counter.get_total_flops())
