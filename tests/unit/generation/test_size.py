"""Numbers of weights and memory, computed without making the networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from material.generation import bank

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.preview import preview_row
from swapset.generation.size import training_memory, weights

FULL = training_of(BUILT_IN["faceswap"]).model_copy(
    update={"resolution": 256, "width": 96, "code": 1024, "batch": 32, "steps": 100_000}
)
"""A large convolutional network, whose memory was measured."""
CHANGES: list[dict[str, Any]] = [
    {},
    {"kernel": 3},
    {"decoder": "textures"},
    {"decoder": "textures", "textures": 5, "kernel": 3, "coarse_first": True, "width": 9},
    {"decoder": "textures", "textures": 1, "halvings": 5, "residual": True, "attention": True},
]


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_weights_are_those_of_the_networks(name: str, changes: dict[str, Any]) -> None:
    recipe = TrainingRecipe(**training_of(BUILT_IN[name]).model_dump() | changes)
    with torch.device("meta"):
        model = SwapAutoencoder(recipe, ["id0", "id1", "id2"])
    assert weights(recipe, 3) == sum(weight.numel() for weight in model.parameters())


def test_memory_is_enough_for_what_was_measured() -> None:
    """Measured: 10,950 MB on a processor with 7,800 faces; 6,000 MB on a GPU with fewer."""
    face = 320 * 320 * 3
    for low, high, faces, on_gpu in ((1.3 * 10_950, 20e3, 7800, False), (6e3, 12e3, 1000, True)):
        asked = training_memory(FULL, subjects=2, faces=faces * face, rows=0, on_gpu=on_gpu)
        assert low < asked < high


@pytest.mark.parametrize(
    ("sides", "width", "batch", "textures", "measured"),
    [
        ((64, 64), 8, 64, 16, 980),
        ((128, 128), 8, 32, 32, 2280),
        ((128, 128), 24, 32, 16, 1660),
        ((64, 128), 24, 32, 8, 1140),
        ((256, 256), 24, 4, 16, 1200),
        ((64, 256), 48, 8, 16, 1780),
        ((64, 256), 48, 16, 8, 1980),
    ],
)
def test_memory_of_textures_is_enough_for_what_was_measured(
    sides: tuple[int, int], width: int, batch: int, textures: int, measured: int
) -> None:
    """Measured in MB on a processor, with few faces, in bf16."""
    values = {"input_resolution": sides[0], "resolution": sides[1], "width": width, "code": 256}
    values |= {"batch": batch, "textures": textures, "decoder": "textures"}
    recipe = FULL.model_copy(update=values)
    asked = training_memory(recipe, subjects=2, faces=0, rows=0, on_gpu=False)
    assert 1.2 * measured < asked < 2 * measured


def test_faces_in_smaller_sizes_need_room() -> None:
    many = {"subjects": 2, "faces": 1e9, "rows": 0, "on_gpu": False}
    plain, small, coarse, both, equal = (
        training_memory(FULL.model_copy(update=changes), **many)
        for changes in (
            {},
            {"input_resolution": 64},
            {"coarse_first": True},
            {"input_resolution": 64, "coarse_first": True},
            {"input_resolution": 128, "coarse_first": True},
        )
    )
    added = [each - plain for each in (small, coarse, both, equal)]
    # A sixteenth, a quarter, both, and one size for both purposes. Encoders are smaller, too.
    assert added[1] == pytest.approx(250, abs=1)
    assert added[2] - added[0] == pytest.approx(250, abs=1)
    assert added[0] < 63
    assert added[3] < 250


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
