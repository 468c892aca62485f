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


def test_memory_is_enough_for_what_was_measured() -> None:
    """On a processor, with 7,800 faces, 10,950 MB; on a GPU, with fewer, 6,000."""
    full = FULL.model_copy(update={"width": 96, "code": 1024, "batch": 32})
    face = 320 * 320 * 3
    assert 10_950 * 1.3 < training_memory(full, subjects=2, faces=7800 * face, on_gpu=False) < 20e3
    assert 6_000 < training_memory(full, subjects=2, faces=1000 * face, on_gpu=True) < 12e3


def test_a_model_of_everybody_needs_room_for_its_optimiser() -> None:
    memory = training_memory(FULL, subjects=59, faces=0, on_gpu=True)
    assert memory > 12 * weights(FULL, 59) / 1e6 > 10_000
