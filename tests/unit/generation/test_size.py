"""Numbers of weights and memory, computed without making the networks."""

from __future__ import annotations

import pytest
import torch
from material.generation import bank

from swapset.config.methods import BUILT_IN, training_of
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.preview import preview_row
from swapset.generation.size import training_memory, weights

FULL = training_of(BUILT_IN["celebdf"])


@pytest.mark.parametrize("name", BUILT_IN)
def test_weights_are_those_of_the_networks(name: str) -> None:
    recipe = training_of(BUILT_IN[name])
    with torch.device("meta"):
        model = SwapAutoencoder(recipe, ["id0", "id1", "id2"])
    assert weights(recipe, 3) == sum(weight.numel() for weight in model.parameters())


def test_memory_is_enough_for_what_was_measured() -> None:
    """Measured: 10,950 MB on a processor with 7,800 faces; 6,000 MB on a GPU with fewer."""
    full = FULL.model_copy(update={"width": 96, "code": 1024, "batch": 32})
    face = 320 * 320 * 3
    for low, high, faces, on_gpu in ((1.3 * 10_950, 20e3, 7800, False), (6e3, 12e3, 1000, True)):
        asked = training_memory(full, subjects=2, faces=faces * face, rows=0, on_gpu=on_gpu)
        assert low < asked < high


def test_a_model_of_everybody_needs_room_for_its_optimiser() -> None:
    memory = training_memory(FULL, subjects=59, faces=0, rows=0, on_gpu=True)
    assert memory > 12 * weights(FULL, 59) / 1e6 > 10_000


def test_a_long_previews_rows_count() -> None:
    sizes = [
        training_memory(FULL, subjects=people, faces=0, rows=rows, on_gpu=True)
        for people in (2, 59)
        for rows in (0, 50)
    ]
    row = preview_row(
        lambda faces, _: faces,
        {"id0": bank(0, 256), "id1": bank(1, 256)},
        FULL,
    ).nbytes
    assert sizes[1] - sizes[0] == pytest.approx(3 * 50 * row / 1e6, abs=1)
    assert sizes[3] - sizes[2] == pytest.approx(2 * 3 * 50 * row / 1e6, abs=1)  # four people
