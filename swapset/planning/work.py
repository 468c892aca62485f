"""Amount of work of a job, in the unit with which its time grows."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from swapset.build.workflow import Workflow
from swapset.config.recipes import TrainingRecipe
from swapset.generation.flops import operations
from swapset.generation.schedule import DECAY_FROM
from swapset.io.files import read_json

UNITS = {
    "ingest": "frames",
    "track": "frames",
    "align": "frames",
    "real": "frames",
    "synthesise": "frames",
    "measure": "frames",
    "protect_clips": "frames",
    "find_landmarks": "frames",
    "train": "Tflop",
}
"""Units of rules whose jobs differ in size; for all other rules the unit is a job."""


LIKE = {f"protected_{rule}": rule for rule in ("align", "train", "synthesise", "measure")} | {
    "find_faces_perturbed": "find_faces",
    "score_perturbed": "score",
    "score_matrix": "score",
}
"""Rules whose jobs do the same work as another rule's, or several times as much."""


_PER_TEXTURE = 8000
"""Operations of convolutions that take a processor as long as moving and mixing a texture's pixel,
forward and backward; measured at 64, 128 and 256 pixels with 4, 8 and 16 textures."""
_OF_A_SUBJECT = (
    *("ingest", "track", "align"),
    *("protect_clips", "find_landmarks", "protected_align", "protected_measure"),
)


def training_work(recipe: dict[str, Any], steps: int) -> float:
    """Return the Tflop of a training's networks, and of convolutions as long as the rest takes."""
    training = TrainingRecipe(**recipe)
    return steps * 2 * training.batch * (operations(training) + _mixing(training)) / 1e12


def _mixing(recipe: TrainingRecipe) -> float:
    """Return the operations whose time a face's textures take."""
    if recipe.decoder != "textures":
        return 0.0
    share = 1 - 0.75 * DECAY_FROM if recipe.coarse_first else 1.0
    return share * _PER_TEXTURE * recipe.textures * recipe.resolution**2


class FinishedWork:
    """Amounts of work of the jobs of a finished build.

    Parameters
    ----------
    root : Path
        The build's folder.
    """

    def __init__(self, root: Path):
        self.root = root
        clips = pd.read_csv(root / "tables" / "clips.csv", dtype={"clip": str, "subject": str})
        self.frames = dict(zip(clips["clip"], clips["frames"].fillna(0), strict=True))

    def of(self, rule: str, place: tuple[str, ...]) -> float | None:
        """Return the work of a job; None if it is unknown, for example because the job never ran.

        Parameters
        ----------
        rule : str
        place : tuple of str
            Parts of its benchmark file's path below the rule's folder, without extension.
        """
        if rule not in UNITS:
            return 1.0
        if rule == "train":
            return self._training(place)
        name = place[-1]
        if rule in ("real", "synthesise"):
            target, *_, number = name.split("_")
            return self.frames.get(f"{target}_{number}")
        if rule == "measure":
            labels = (self.root / "labels").glob(f"*/{name}_*_*.parquet")
            return sum(self.of("synthesise", (path.stem,)) or 0 for path in labels)
        return sum(count for clip, count in self.frames.items() if clip.split("_")[0] == name)

    def _training(self, place: tuple[str, ...]) -> float | None:
        card = self.root.joinpath("models", *place).with_suffix(".json")
        if len(place) != 2 or not card.is_file():
            return None
        facts = read_json(card)
        return training_work(facts["recipe"], facts["steps"]) if facts["trained"] else None


class PlannedWork:
    """Amounts of work of the jobs of a planned build.

    Parameters
    ----------
    stages : Workflow
    frames : float
        Mean number of frames of a clip.
    """

    def __init__(self, stages: Workflow, frames: float):
        self.build, self.frames = stages.build, frames
        self._generation, robustness = stages.generation, stages.robustness
        self._perturbations = len(robustness.perturbations) / max(1, len(robustness.families))

    def mean(self, rule: str) -> float:
        """Return the mean work of a rule's jobs."""
        build, plan = self.build, self._generation
        clips = len(build.manifest.clips) / max(1, len(build.subjects))
        if rule in _OF_A_SUBJECT:
            return clips * self.frames
        if rule in ("real", "synthesise", "protected_synthesise"):
            return self.frames
        if rule == "measure":
            fakes = len(build.swaps) * len(build.methods)
            return fakes / max(1, len(build.targets)) * self.frames
        if rule == "score_perturbed":
            return self._perturbations
        shared = "all" if plan.shared else "base"
        recipes = {
            "train": plan.pair_recipe,
            "protected_train": plan.cold_recipe,
            "train_shared": lambda recipe: plan.shared_recipe(recipe, shared),
        }
        if rule in recipes:
            return fmean(self._training(recipes[rule](recipe)) for recipe in self._model_recipes())
        return 1.0

    def memory(self, rule: str) -> int:
        """Return the memory in MB of a rule's largest training."""
        plan = self._generation
        needs = plan.shared_memory if rule == "train_shared" else plan.pair_memory
        return max(map(needs, self._model_recipes()))

    def _model_recipes(self) -> list[str]:
        """Return the recipes whose models the methods use."""
        return list(dict.fromkeys(map(self.build.model_recipe, self.build.methods)))

    def _training(self, recipe: dict[str, Any]) -> float:
        return training_work(recipe, recipe["steps"])
