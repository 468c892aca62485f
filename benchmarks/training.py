"""Time training at 64 x 64 on two threads: bf16 and channels_last beside fp32.

Run `python benchmarks/training.py [--width 64] [--rounds 5]`. The same network trains on the same
faces three times: by the pipeline's trainer in bf16, by it in fp32 (both with channels_last), and
by a plain fp32 loop in PyTorch's default layout. Augmentation is part of all three. The ways
alternate; a first round is dropped; medians of wall time, and of the ratios within a round.

bf16 pays where the processor computes in it (avx512_bf16 or amx_bf16), so its flags are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage import data

from swapset.generation.augment import FaceBank, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.methods import BUILT_IN, training_of
from swapset.generation.recipes import Recipe
from swapset.generation.training import Schedule, Trainer

THREADS = 2
STEPS = 8
CPU = torch.device("cpu")
TARGET = 1.5
"""Times fp32 with channels_last, where the processor has avx512_bf16."""


def face_bank(recipe: Recipe) -> FaceBank:
    """Return 64 crops around the astronaut's face."""
    picture, rng = data.astronaut(), np.random.default_rng(0)
    corners = rng.integers((40, 130), (80, 170), (64, 2))
    faces = np.stack([picture[y : y + 144, x : x + 144] for y, x in corners])
    return FaceBank.of(faces, resolution=recipe.resolution, share=2 / 3, device=CPU)


def by_trainer(precision: str, recipe: Recipe, banks: dict[str, FaceBank]) -> float:
    """Return seconds that the pipeline's trainer needs for all steps."""
    with tempfile.TemporaryDirectory() as folder:
        schedule = Schedule(0, CPU, precision, Path(folder, "checkpoint"), 10 * STEPS)
        trainer = Trainer(training_of(recipe), banks, schedule, "benchmark")
        with open(Path(folder, "log"), "w", encoding="utf-8") as log:
            start = time.perf_counter()
            for _ in trainer.run(log):
                pass
            return time.perf_counter() - start


def plainly(recipe: Recipe, banks: dict[str, FaceBank]) -> float:
    """Return seconds of a plain fp32 loop in the default layout."""
    torch.manual_seed(0)
    model = SwapAutoencoder(training_of(recipe), list(banks))
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, betas=(0.5, 0.999))
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for _ in range(STEPS):
        loss = torch.zeros(())
        for subject, bank in banks.items():
            batch = draw_batch(
                bank,
                recipe.batch,
                recipe.resolution,
                colour=recipe.colour_augmentation,
                generator=generator,
            )
            loss = loss + (model(batch.warped, subject) - batch.target).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.perf_counter() - start


def main() -> None:
    """Print faces/s of the three ways and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=64, help="channels of the first layer")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    changes = {"width": given.width, "code": 512, "batch": 16, "steps": STEPS}
    recipe = BUILT_IN["faceswap"].model_copy(update=changes)
    banks = {"one": face_bank(recipe), "other": face_bank(recipe)}
    ways: dict[str, Callable[[], float]] = {
        "ours: bf16, channels_last": lambda: by_trainer("bf16", recipe, banks),
        "fp32, channels_last": lambda: by_trainer("fp32", recipe, banks),
        "plain fp32": lambda: plainly(recipe, banks),
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(given.rounds + 1)][1:]
    flags = [name for name, here in torch.cpu.get_capabilities().items() if here is True]
    weights = sum(w.numel() for w in SwapAutoencoder(training_of(recipe), list(banks)).parameters())
    print("CPU flags:", " ".join(flags))
    print(f"{recipe.resolution} x {recipe.resolution}, {weights / 1e6:.1f} M weights, ", end="")
    print(f"batch {recipe.batch} of each subject, {THREADS} threads")
    first = next(iter(ways))
    for name in ways:
        speed = statistics.median(2 * recipe.batch * STEPS / each[name] for each in rounds)
        ratio = statistics.median(each[name] / each[first] for each in rounds)
        print(f"  {name:28s} {speed:7.1f} faces/s   ours is {ratio:4.2f} x")
    print(f"  target {TARGET} x fp32 with channels_last, where avx512_bf16 is there")


if __name__ == "__main__":
    main()
