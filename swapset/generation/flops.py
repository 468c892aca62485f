"""How many operations the networks of a training take."""

from __future__ import annotations

import json
from functools import lru_cache

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe


def operations(recipe: TrainingRecipe) -> float:
    """Return the multiplications and additions for one face, forward and backward.

    Of encoder and decoder; critics, augmentation and optimiser are not counted.
    """
    return _counted(json.dumps(recipe.network(), sort_keys=True))


@lru_cache
def _counted(network: str) -> float:
    """Return the operations; nothing is computed."""
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
