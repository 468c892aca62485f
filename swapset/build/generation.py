"""The plan of generation: the models that a build trains, their steps and their starts.

Imports nothing heavy: the Snakefile asks for paths and settings.
"""

from __future__ import annotations

import math
from functools import cache, cached_property
from typing import Any

from swapset.build.build import Build
from swapset.config.methods import training_of
from swapset.config.recipes import TrainingRecipe
from swapset.dataset.selection import pair_name
from swapset.generation.size import training_memory

PREVIEWED = 4
"""Number of pairs of each recipe with training previews in the report."""


class GenerationPlan:
    """The models of a build.

    Parameters
    ----------
    build : Build
    """

    def __init__(self, build: Build):
        self._build = build
        self._settings = build.config.training
        self._memory = cache(self._memory_of)  # asked for every job

    @cached_property
    def pairs(self) -> list[str]:
        """Return the names of the pairs of subjects in the fakes."""
        return list(dict.fromkeys(swap.pair for swap in self._build.swaps))

    @property
    def shared(self) -> bool:
        """Return whether one model of all subjects makes all fakes."""
        return self._settings.scope == "all"

    @cached_property
    def warm(self) -> bool:
        """Return whether pairs start from a base model of this build."""
        if self.shared:
            return False
        wanted = self._settings.warm_start
        return wanted if isinstance(wanted, bool) else self.cost(True) < self.cost(False)

    def _starts_warm(self, recipe: str) -> bool:
        return not self.shared and (self.warm or recipe in self._settings.bases)

    def cost(self, warm: bool) -> float:
        """Return the steps of all pairs and of their base model, in units of one cold start."""
        if not warm:
            return len(self.pairs)
        return self._base_share + len(self.pairs) * self._settings.warm_steps

    @property
    def _base_share(self) -> float:
        return self._settings.base_steps * len(self._build.subjects) / 2

    def model(self, method: str, one: str, other: str) -> dict[str, str]:
        """Return the paths of a model and its card.

        Parameters
        ----------
        method : str
        one, other : str
            The two people who are swapped, in any order.
        """
        return self._files(
            self._build.model_recipe(method), "all" if self.shared else pair_name(one, other)
        )

    def trained(self) -> list[str]:
        """Return `recipe/name` of every model, base models included."""
        stems = []
        for owner in self._owners:
            names = ["all"] if self.shared else ["base"] * self.trains_base(owner) + self.pairs
            stems += [f"{owner}/{name}" for name in names]
        return stems

    def figure_inputs(self) -> list[str]:
        """Return all videos, labels and models that figures may show."""
        build = self._build
        videos = [
            f"{build.root}/dataset/{kind}/original/{name}.mp4" for kind, name in build.video_names()
        ]
        models = [f"{build.root}/models/{stem}.safetensors" for stem in self.trained()]
        return videos + build.labels() + models

    def trains_base(self, recipe: str) -> bool:
        """Return whether this build trains a base model of a recipe."""
        return self.warm and recipe not in self._settings.bases

    def previewed(self) -> list[str]:
        """Return `recipe/name` of the models with training previews in the report."""
        names = ["all"] if self.shared else self.pairs[:PREVIEWED]
        return [f"{owner}/{name}" for owner in self._owners for name in names]

    @cached_property
    def _owners(self) -> list[str]:
        return list(dict.fromkeys(map(self._build.model_recipe, self._build.methods)))

    def _files(self, recipe: str, name: str) -> dict[str, str]:
        path = f"{self._build.root}/models/{recipe}/{name}"
        return {"model": f"{path}.safetensors", "card": f"{path}.json"}

    def start(self, recipe: str) -> list[str]:
        """Return the file of the base model that a pair's training starts from, if there is one."""
        base = self._settings.bases.get(recipe)
        if not self._starts_warm(recipe):
            return []
        return [str(base) if base else self._files(recipe, "base")["model"]]

    def pair_recipe(self, recipe: str) -> dict[str, Any]:
        """Return the training recipe of a pair's model, as JSON values."""
        return self._with_steps(
            recipe, self._settings.warm_steps if self._starts_warm(recipe) else 1
        )

    def warm_rate(self, recipe: str) -> float:
        """Return the factor on the learning rate of a pair that starts from a base model."""
        return self._settings.warm_rate if self._starts_warm(recipe) else 1.0

    def shared_share(self, name: str) -> float:
        """Return the steps of the model of all subjects, `base` or `all`, over the recipe's."""
        return self._base_share if name == "base" else len(self._build.subjects) / 2

    def shared_every(self, name: str, steps: int) -> int:
        """Return a pair's interval in steps, stretched for the model of all subjects."""
        return math.ceil(steps * max(1.0, self.shared_share(name)))

    def shared_recipe(self, recipe: str, name: str) -> dict[str, Any]:
        """Return the training recipe of the model of all subjects, `base` or `all`."""
        return self._with_steps(recipe, self.shared_share(name))

    def cold_recipe(self, recipe: str) -> dict[str, Any]:
        """Return the training recipe of a pair's model that starts from random weights."""
        return self._with_steps(recipe, 1)

    def _with_steps(self, recipe: str, share: float) -> dict[str, Any]:
        values = training_of(self._build.recipes[recipe]).model_dump()
        return {**values, "steps": max(1, math.ceil(values["steps"] * share))}

    def pair_memory(self, recipe: str) -> int:
        """Return the memory, in MB, of a job that trains a pair's model."""
        return self._memory(recipe, 2, self._most_faces)

    def shared_memory(self, recipe: str) -> int:
        """Return the memory, in MB, of a job that trains a model of all subjects."""
        most = min(self._settings.shared_faces, self._most_faces)
        return self._memory(recipe, len(self._build.subjects), most)

    def _memory_of(self, recipe: str, subjects: int, faces: float) -> int:
        cold = TrainingRecipe(**self.cold_recipe(recipe))
        return training_memory(
            cold,
            subjects=subjects,
            rows=cold.steps // self._settings.preview_every + 1,
            faces=subjects * faces * 3 * self._build.config.align.size**2,
            on_gpu=bool(self._build.gpus_per_job()),
        )

    @cached_property
    def _most_faces(self) -> float:
        """Return the largest possible number of a subject's faces: every frame of every clip."""
        build, config = self._build, self._build.config
        clips = max(len(build.manifest.of(subject)) for subject in build.subjects)
        return clips * config.ingest.max_seconds * config.ingest.fps / config.align.every
