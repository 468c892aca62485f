"""What the Snakefile knows of Landmark Breaker: who is protected, by what. Light to import."""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING, Any

from swapset.errors import ConfigError
from swapset.extractors.names import EXTRACTORS
from swapset.obstruction.names import ATTACKS, CLEAN
from swapset.obstruction.settings import RUN
from swapset.seeds import derive_seed

if TYPE_CHECKING:
    from swapset.workflow import Build


class ObstructionPlan:
    """Extractors, attacks and the people who are protected.

    An attack's *source* is the extractor whose gradients it follows; a *target* is one whose
    landmarks are measured.

    Parameters
    ----------
    build : Build

    Raises
    ------
    ConfigError
        If an extractor, attack, method or person is unknown.
    """

    def __init__(self, build: Build):
        self._build = build
        self.settings = build.config.landmark_breaker
        self.extractors = list(build.config.extractors)
        self.attacks = list(build.config.attacks)
        self._check()

    def _check(self) -> None:
        own, methods = self.settings, self._build.methods
        _known("extractors", [*self.extractors, *own.settings], EXTRACTORS)
        _known("attacks", self.attacks, ATTACKS)
        _known("landmark_breaker.reference", [own.reference], self.extractors)
        if own.method is not None:
            _known("landmark_breaker.method", [own.method], methods)
        if isinstance(own.subjects, list):
            _known("landmark_breaker.subjects", own.subjects, self._build.targets)

    @cached_property
    def subjects(self) -> list[str]:
        """Return the people who are protected; drawn ones are at most half of all."""
        own = self.settings.subjects
        if isinstance(own, list):
            return own
        targets = self._build.targets
        count = min(own, max(len(self._build.subjects) // 2, 1), len(targets))
        draw = random.Random(derive_seed(self._build.config.seed, "protected"))  # noqa: S311 - no secret
        chosen = set(draw.sample(targets, count))
        return [subject for subject in targets if subject in chosen]

    @cached_property
    def learnt_from(self) -> list[str]:
        """Return the people whose clips extractors are trained on: none who is protected.

        Raises
        ------
        ConfigError
            If nobody is left, and no labelled faces are given.
        """
        if self.settings.labels is not None:
            return []
        left = [name for name in self._build.subjects if name not in self.subjects]
        if not left:
            raise ConfigError(
                "landmark_breaker.subjects: extractors are trained on people who are not "
                "protected, and nobody is left; protect fewer or set landmark_breaker.labels"
            )
        return left

    @property
    def runs(self) -> int:
        """Return how many runs of key frames each person gets."""
        return max(self.settings.frames // (RUN * len(self.subjects)), 1)

    @property
    def method(self) -> str:
        """Return the method whose models make the swaps."""
        return self.settings.method or self._build.methods[0]

    def swap_of(self, subject: str) -> dict[str, str]:
        """Return the files of the model that puts another face on a person, and the donor."""
        donor = self._build.swaps_of(subject)[0].donor
        return self._build.model_of(self.method, subject, donor) | {"donor": donor}

    def sources(self, attack: str) -> list[str]:
        """Return the extractors that an attack is made on; clean frames have none."""
        return [CLEAN] if attack == CLEAN else self.extractors

    def measured(self) -> list[str]:
        """Return every file of measures."""
        return [
            f"{self._build.root}/obstruction/measures/{attack}/{source}/{subject}.csv"
            for attack in self.attacks
            for source in self.sources(attack)
            for subject in self.subjects
        ]

    def attack_params(self, attack: str) -> dict[str, Any]:
        """Return the hyper-parameters of an attack, as JSON values."""
        own = self.settings
        shared = {"epsilon": own.epsilon, "budget": own.budget}
        iterated = {"iterations": own.iterations, "step": own.step}
        return shared | (iterated if attack != "base1" else {})

    def training_params(self, extractor: str) -> dict[str, Any]:
        """Return how an extractor is trained, as JSON values."""
        chosen = self.settings.settings.get(extractor)
        return chosen.model_dump(mode="json", exclude_none=True) if chosen else {}

    @staticmethod
    def module(extractor: str) -> str:
        """Return the library's file that an extractor is in."""
        return f"swapset/extractors/{EXTRACTORS[extractor].partition(':')[0]}.py"


def _known(key: str, names: list[str], among: Any) -> None:
    for name in names:
        if name not in among:
            raise ConfigError(f"{key}: {name!r} is unknown; choose of {', '.join(among)}")
