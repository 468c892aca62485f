"""Compare the steps of a pair's training from a base model with those of a cold start.

Run `python benchmarks/warm_start.py FACES --pairs id10-id11 id12-id13`, where FACES is the folder
`faces` of a build. For each pair, a cold start takes all steps, and warm starts take shares of them
from a base model of all subjects, or (`--unseen`) of all other subjects, which has never seen the
pair. Printed are the L1 of held-out faces at the end of each training, and the number of steps
after which a warm start is better than the cold start's end.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe
from swapset.config.sections import TrainingSettings
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.checkpoint import load_model, save_model
from swapset.generation.fitting import AlignedFaces
from swapset.generation.training import Run, Trainer


def train(
    name: str,
    recipe: TrainingRecipe,
    banks: dict[str, FaceBank],
    options: argparse.Namespace,
    start: SwapAutoencoder | None = None,
) -> Trainer:
    """Train without plateau stop, and print time and held-out L1."""
    device = torch.device(options.device)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, "checkpoint")
        run = Run(options.seed, device, "auto", checkpoint, 10**9, preview_every=10**9)
        trainer = Trainer(recipe, banks, run, name, start)
        before = sum(trainer.validate().values()) / len(banks)
        begin = time.perf_counter()
        trainer.run()
        seconds = time.perf_counter() - begin
    end = trainer.schedule.history[-1][1]
    print(
        f"{name:44s} {recipe.steps:7d} steps {seconds:7.1f} s   held-out L1 "
        f"{before:.4f} -> {end:.4f}",
        flush=True,
    )
    return trainer


def _warm(options: argparse.Namespace, share: float) -> dict[str, float]:
    """Return the changes of the recipe for a warm start."""
    rate = options.rate * options.warm_rate
    return {"steps": round(options.steps * share), "learning_rate": rate}


def of_base(
    name: str, recipe: TrainingRecipe, banks: dict[str, FaceBank], options: argparse.Namespace
) -> SwapAutoencoder:
    """Train a base model of some subjects."""
    steps = round(options.steps * options.base_steps * len(banks) / 2)
    return train(name, recipe.model_copy(update={"steps": steps}), banks, options).model


def kept_base(
    recipe: TrainingRecipe, banks: dict[str, FaceBank], options: argparse.Namespace
) -> SwapAutoencoder:
    """Return the base model of all subjects, from `--base` if it is there."""
    if options.base and options.base.exists():
        return load_model(options.base, torch.device(options.device)).model.requires_grad_(True)
    base = of_base("base of all subjects", recipe, banks, options)
    if options.base:
        save_model(options.base, base, recipe, {})
    return base


def compare(
    pair: str,
    recipe: TrainingRecipe,
    banks: dict[str, FaceBank],
    options: argparse.Namespace,
    base: SwapAutoencoder,
) -> None:
    """Train a pair cold and warm; print the steps after which the warm model is as good."""
    two = {person: banks[person] for person in pair.split("-")}
    cold = train(f"{pair} cold", recipe, two, options).schedule.history[-1][1]
    for share in options.warm_steps:
        short = recipe.model_copy(update=_warm(options, share))
        warm = train(f"{pair} warm, {share:g} of the steps", short, two, options, base)
        reached = next((s for s, loss in warm.schedule.history if loss <= cold), None)
        text = "not reached" if reached is None else f"{reached / options.steps:.3f} of the steps"
        print(f"    the cold start's L1 ({cold:.4f}) after {text}", flush=True)


def never_seen(
    pair: str, recipe: TrainingRecipe, banks: dict[str, FaceBank], options: argparse.Namespace
) -> None:
    """Train a pair from a base model that has never seen it."""
    people = pair.split("-")
    others = {name: bank for name, bank in banks.items() if name not in people}
    base = of_base(f"base of all but {pair}", recipe, others, options)
    two = {person: banks[person] for person in people}
    for share in options.warm_steps:
        short = recipe.model_copy(update=_warm(options, share))
        train(f"{pair} never seen, {share:g} of the steps", short, two, options, base)


def read_banks(recipe: TrainingRecipe, options: argparse.Namespace) -> dict[str, FaceBank]:
    """Load the faces of every subject that has any."""
    loaded = {path.name: AlignedFaces.load(path, 1000) for path in sorted(options.faces.iterdir())}
    return {
        subject: faces.bank(recipe, options.context, torch.device(options.device))
        for subject, faces in loaded.items()
        if len(faces.images)
    }


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--pairs", nargs="+", required=True)
    parser.add_argument("--method", default="celebdf", choices=sorted(BUILT_IN))
    parser.add_argument("--context", type=float, default=1.6, help="align.context of the build")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--code", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=4000, help="of a cold start")
    parser.add_argument("--base-steps", type=float, default=2.0)
    parser.add_argument("--warm-steps", type=float, nargs="+", default=[0.1, 0.2])
    parser.add_argument(
        "--warm-rate", type=float, default=TrainingSettings().warm_rate, help="share of --rate"
    )
    parser.add_argument("--base", type=Path, help="keep the base model here, or take it from here")
    parser.add_argument("--unseen", action="store_true", help="also a base without the first pair")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> None:
    """Train cold, base and warm models; print steps and ratios."""
    options = arguments()
    torch.set_num_threads(options.threads)
    changes = {name: getattr(options, name) for name in ("resolution", "width", "code", "batch")}
    changes |= {"learning_rate": options.rate, "steps": options.steps}
    recipe = training_of(BUILT_IN[options.method]).model_copy(update=changes)
    banks = read_banks(recipe, options)
    print(f"{len(banks)} subjects, {options.method} at {options.resolution}, width {options.width}")
    base = kept_base(recipe, banks, options)
    for pair in options.pairs:
        compare(pair, recipe, banks, options, base)
    if options.unseen:
        never_seen(options.pairs[0], recipe, banks, options)


if __name__ == "__main__":
    main()
