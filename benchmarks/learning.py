"""Compare how recipes learn in equal CPU time, by their swaps.

    python benchmarks/learning.py results/demo before celebdf --pairs id0-id1 --seconds 200 \
        --configfile benchmarks/learning.yaml --sheet swaps.png

Each recipe trains each pair on the stored faces of a finished build, on one thread, for the same
CPU seconds, in turns of a few seconds, so that other work on the machine disturbs all alike. Rates
fall, and sides grow, by the share of time. (The pipeline counts steps: its trainings do not depend
on the machine.) Then held-out faces are reconstructed, and faces of each subject, spread over all
clips, are swapped as rule `synthesise` does it. Printed are means over both directions of all
pairs:

- faces: seen in training;
- as good after: CPU seconds until the held-out DSSIM is as good as the first recipe's in the end;
- L1, DSSIM: of held-out faces, inputs neither warped nor recoloured;
- sharp: sharpness of swaps against their targets, which depends on both people;
- donor: share of swaps nearer to the donor than to the target (`identity_donor`);
- landmarks, eyes, mouth, pose: errors of swaps against their targets, see docs/quality.md;
- eyes gain, mouth gain: how far openings follow, 1 = as far as the target's; "-" if those of no
  target move enough;
- own sharp: sharpness of people's own faces, made again and put back.

`--sheet` writes a picture: for each pair and direction the targets, below them each recipe's swaps,
and with `--reconstructions` below these its reconstructions. Recipes are built-in ones, with the
changes and additions of `--configfile`. Look at the sheet: no number replaces that.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pandas as pd
import torch
import yaml

from swapset.config.methods import resolve, synthesis_of, training_of
from swapset.config.recipes import Recipe, RecipeOverride
from swapset.config.sections import AlignSettings
from swapset.faces.align import face_width
from swapset.faces.identity import FaceEmbedder, reference
from swapset.generation.augment import plain_batch
from swapset.generation.checkpoint import TrainedPair
from swapset.generation.fitting import AlignedFaces
from swapset.generation.losses import Reconstruction, dssim, l1
from swapset.generation.schedule import DECAY_FROM, WARM_UP, Schedule
from swapset.generation.synthesis import Synthesiser
from swapset.generation.training import Run, Trainer
from swapset.learning.device import uses_bf16
from swapset.quality.expression import ExpressionReader, expression_score
from swapset.quality.frame_measures import SwappedFrame
from swapset.quality.identity_share import identity_donor
from swapset.quality.sharpness import sharpness

CPU = torch.device("cpu")
TURN = 5.0
"""CPU seconds that a recipe trains before the next one's turn."""
LOOKS = 20
REFERENCES, HELD_OUT = 12, 32
SHOWN, TILE = 12, 160


class ByTime(Schedule):
    """A schedule by the share of the CPU time, not of the steps."""

    share = 0.0

    @property
    def decay_from(self) -> float:
        """Return a step that lies ahead until the rate falls."""
        return float("inf") if self.share < DECAY_FROM else -1.0

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate at the present share of time."""
        if self.share < DECAY_FROM:
            return min(1.0, 0.01 + self.share / WARM_UP)
        return 1.0 - 0.9 * min(1.0, (self.share - DECAY_FROM) / (1 - DECAY_FROM))


@dataclass
class Contestant:
    """One recipe's training of one pair."""

    name: str
    recipe: Recipe
    trainer: Trainer
    seconds: float = 0.0
    history: list[tuple[float, float]] = field(default_factory=list)

    def train(self, until: float, whole: float) -> None:
        """Train until this many CPU seconds are used, of `whole` in all."""
        trainer, schedule = self.trainer, cast(ByTime, self.trainer.schedule)
        begin = time.process_time() - self.seconds
        while self.seconds < until:
            schedule.share = self.seconds / whole
            trainer.step(trainer.loop.done)
            trainer.loop.done += 1
            self.seconds = time.process_time() - begin

    @torch.inference_mode()
    def held_out(self) -> tuple[float, float]:
        """Return L1 and DSSIM of the held-out faces."""
        values, recipe = [], self.trainer.recipe
        for subject, bank in self.trainer.held_out.items():
            index = torch.linspace(0, len(bank) - 1, min(HELD_OUT, len(bank))).round().long()
            batch = plain_batch(bank, index, recipe.resolution, recipe.input_side)
            inputs = batch.warped.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=uses_bf16("auto", CPU)):
                output = self.trainer.model(inputs, subject).float()
            part = Reconstruction(output[:, :3], batch.target, batch.target)
            values.append((float(l1(part)), float(dssim(part))))
        first, second = np.mean(values, axis=0)
        return float(first), float(second)

    def learnt(self, goal: float) -> dict[str, object]:
        """Return what was learnt, and when the held-out DSSIM reached `goal`."""
        loss, structure = self.held_out()
        reached = (seconds for seconds, value in self.history if value <= goal)
        return {
            "recipe": self.name,
            "faces": self.trainer.loop.done * self.trainer.per_step,
            "as good after": next(reached, np.nan),
            "L1": loss,
            "DSSIM": structure,
        }


@dataclass(frozen=True)
class Subject:
    """Stored faces of a subject, and its mean embedding."""

    faces: AlignedFaces
    embedding: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Subject:
        """Read the faces of a build."""
        faces = AlignedFaces.load(folder)
        embedder, places = FaceEmbedder(), spread(len(faces.images), REFERENCES)
        parts = [embedder.embed(faces.images[i], faces.points[i]) for i in places]
        return cls(faces, reference(np.stack(parts)))


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` evenly spread numbers below `count`."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()


def contestant(
    name: str, recipe: Recipe, people: Mapping[str, Subject], options: argparse.Namespace
) -> Contestant:
    """Return a training that has not begun."""
    banks = {
        subject: each.faces.bank(recipe, options.context, CPU) for subject, each in people.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options.seed, CPU, "auto", Path(folder, "none"), 10**9, preview_every=10**9)
        long = training_of(recipe).model_copy(update={"steps": 10**6})
        trainer = Trainer(long, banks, run, "benchmark")
    trainer.schedule = ByTime(long.steps)
    return Contestant(name, recipe, trainer)


@dataclass(frozen=True)
class Swaps:
    """Faces of a target, the donor's faces put into them, and measures of these."""

    originals: list[np.ndarray]
    swaps: list[np.ndarray]
    measures: dict[str, float]


def swap(
    each: Contestant, people: Mapping[str, Subject], target: str, donor: str, count: int
) -> Swaps:
    """Swap the donor's face into faces of the target, spread over all its clips."""
    model, recipe = each.trainer.model, each.trainer.recipe
    pair = TrainedPair(model, recipe, tuple(people))
    synthesiser = Synthesiser(pair, donor, synthesis_of(each.recipe), CPU)
    faces = people[target].faces
    places = spread(len(faces.images), count)
    originals = [np.ascontiguousarray(faces.images[i]) for i in places]
    reader, embedder = ExpressionReader(), FaceEmbedder()
    swaps, sharp, expressions, embeddings = [], [], [], []
    for original, landmarks, (made, label) in zip(
        originals,
        faces.points[places],
        synthesiser.swap(originals, faces.points[places]),
        strict=True,
    ):
        swaps.append(made)
        if label.outline is None:
            continue
        inside = SwappedFrame(made, label.outline, label.feather).inside(whole=True)
        sharp.append(sharpness(original, made, inside, float(face_width(landmarks))))
        expressions.append([reader.read(picture, landmarks) for picture in (original, made)])
        embeddings.append(embedder.embed(made, landmarks))
    score = expression_score(*zip(*expressions, strict=True))
    known = people[target].embedding, people[donor].embedding
    measures = {
        "sharp": float(np.nanmean(sharp)),
        "donor": identity_donor(np.stack(embeddings), *known),
        "landmarks": score.landmark_distance,
        "eyes": score.eye_error,
        "mouth": score.mouth_error,
        "pose": score.pose_error,
        "eyes gain": score.eyes_gain,
        "mouth gain": score.mouth_gain,
    }
    return Swaps(originals, swaps, measures)


def tiles(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return some pictures side by side, cut to the face."""
    side = pictures[0].shape[0]
    low, high = round(0.14 * side), round(0.86 * side)
    shown = [pictures[i][low:high, low:high] for i in spread(len(pictures), SHOWN)]
    return np.concatenate(
        [cv2.resize(each, (TILE, TILE), interpolation=cv2.INTER_AREA) for each in shown], axis=1
    )


def compete(
    pair: str, recipes: Mapping[str, Recipe], options: argparse.Namespace
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Train a pair by all recipes; return a row for each recipe and direction, and the sheet."""
    people = {name: Subject.load(options.build / "faces" / name) for name in pair.split("-")}
    all_ = [contestant(name, recipe, people, options) for name, recipe in recipes.items()]
    turns = np.arange(TURN, options.seconds + TURN, TURN).clip(max=options.seconds)
    for number, until in enumerate(turns):
        for each in all_:
            each.train(until, options.seconds)
            if number % max(1, len(turns) // LOOKS) == 0 or until == options.seconds:
                each.history.append((each.seconds, each.held_out()[1]))
    goal = all_[0].history[-1][1]
    learnt = {each.name: each.learnt(goal) for each in all_}
    rows, sheet = [], []
    for target, donor in itertools.permutations(people):
        for each in all_:
            made = swap(each, people, target, donor, options.swaps)
            own = swap(each, people, target, target, options.swaps)
            rows.append(learnt[each.name] | made.measures | {"own sharp": own.measures["sharp"]})
            sheet += [tiles(made.originals)] if each is all_[0] else []
            sheet.append(tiles(made.swaps))
            if options.reconstructions:
                sheet.append(tiles(own.swaps))
    return pd.DataFrame(rows), sheet


def table(rows: pd.DataFrame) -> str:
    """Return the means of each recipe as a table in Markdown."""
    means = rows.groupby("recipe", sort=False).mean()
    lines = [["recipe", *means.columns], ["---"] * (1 + len(means.columns))]
    for name, values in means.iterrows():
        lines.append([str(name), *map(number, values)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float) -> str:
    """Return a number with the digits that matter."""
    if np.isnan(value):
        return "-"
    return f"{value:.0f}" if value > 50 else f"{value:.4f}" if value < 0.3 else f"{value:.2f}"


def main() -> None:
    """Print the table of all recipes; write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="a build whose faces are aligned")
    parser.add_argument("recipes", nargs="+", metavar="RECIPE")
    parser.add_argument("--configfile", type=Path)
    parser.add_argument("--pairs", nargs="+", default=["id0-id1"])
    parser.add_argument("--seconds", type=float, default=190)
    parser.add_argument("--swaps", type=int, default=48, help="faces of each subject")
    parser.add_argument("--context", type=float, default=AlignSettings().context)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--reconstructions", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    given = yaml.safe_load(options.configfile.read_text()) if options.configfile else {}
    overrides = {k: RecipeOverride(**v) for k, v in (given.get("recipes") or {}).items()}
    known = resolve(overrides)
    recipes = {name: known[name] for name in options.recipes}
    results = [compete(pair, recipes, options) for pair in options.pairs]
    print(table(pd.concat([rows for rows, _ in results])))
    if options.sheet:
        picture = np.concatenate([row for _, sheet in results for row in sheet])
        cv2.imwrite(str(options.sheet), picture[..., ::-1])


if __name__ == "__main__":
    main()
