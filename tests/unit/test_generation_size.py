"""Weights that are counted without making the networks."""

from __future__ import annotations

import pytest
import torch

from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.methods import BUILT_IN, training_of
from swapset.generation.size import training_memory, weights

FULL = training_of(BUILT_IN["celebdf"])


@pytest.mark.parametrize("name", BUILT_IN)
def test_weights_are_those_of_the_networks(name: str) -> None:
    recipe = training_of(BUILT_IN[name])
    with torch.device("meta"):
        model = SwapAutoencoder(recipe, ["id0", "id1", "id2"])
    assert weights(recipe, 3) == sum(weight.numel() for weight in model.parameters())


def test_a_processor_holds_what_a_gpu_takes_off_it() -> None:
    there, here = (
        training_memory(FULL, subjects=2, faces=1e9, on_gpu=gpu) for gpu in (True, False)
    )
    assert here - there == pytest.approx(4 * 4 * weights(FULL, 2) / 1e6, abs=2)


def test_a_model_of_everybody_needs_room_for_its_optimiser() -> None:
    memory = training_memory(FULL, subjects=59, faces=0, on_gpu=True)
    assert memory > 12 * weights(FULL, 59) / 1e6 > 10_000
