"""What the Snakefile knows of Landmark Breaker: who is protected, by what. Light to import."""

from __future__ import annotations

import random
from functools import cached_property
from typing import Any

from swapset.build.build import Build
from swapset.build.chosen import check_chosen
from swapset.build.generation import GenerationPlan
from swapset.config.landmark_breaker import RUN_FRAMES
from swapset.errors import ConfigError
from swapset.extractors.registry import EXTRACTORS
from swapset.obstruction.attacks.registry import (
    ATTACKS,
    BREAKER,
    CLEAN,
    EVEN,
    ROBUST,
    SETTINGS,
    goes_on,
)
from swapset.plugins import Plugins
from swapset.seeds import derive_seed

_BEST = "hrnet"
"""Whose landmarks the chapter takes for the truth, "due to its superior performance"."""


class LandmarkBreakerPlan:
    """Extractors, attacks and the people who are protected.

    An attack's *source* is the extractor whose gradients it follows; a *target* is one whose
    landmarks are measured.

    Parameters
    ----------
    build : Build
    generation : GenerationPlan
        Whose models make the swaps.

    Raises
    ------
    ConfigError
        If an extractor, attack, method or person is unknown.
    """

    def __init__(self, build: Build, generation: GenerationPlan):
        self._build, self._generation = build, generation
        self.settings = build.config.landmark_breaker
        self.extractors = _chosen(build.config.extractors, EXTRACTORS)
        self.attacks = _chosen(build.config.attacks, ATTACKS)
        self._check()

    def _check(self) -> None:
        own, methods = self.settings, self._build.methods
        check_chosen(EXTRACTORS, "extractors", self.extractors)
        check_chosen(EXTRACTORS, "landmark_breaker.settings", own.settings)
        check_chosen(ATTACKS, "attacks", self.attacks)
        if EVEN in self.attacks and not {BREAKER, ROBUST} <= set(self.attacks):
            raise ConfigError(f"attacks: {EVEN} is compared with {BREAKER}, and needs {ROBUST}")
        if own.reference is not None and self.extractors:
            _known("landmark_breaker.reference", [own.reference], self.extractors)
        for step in own.sweep_steps:
            if step > own.epsilon:
                raise ConfigError(
                    f"landmark_breaker.sweep_steps: {step} is more than epsilon, {own.epsilon}"
                )
        key = "landmark_breaker.protected_attacks"
        check_chosen(ATTACKS, key, own.protected_attacks)
        for name in own.protected_attacks:
            if not goes_on(name):
                raise ConfigError(f"{key}: {name!r} cannot go on from one frame to the next")
        if self.extractors and own.protected_extractor is not None:
            _known(
                "landmark_breaker.protected_extractor", [own.protected_extractor], self.extractors
            )
        if own.method is not None:
            _known("landmark_breaker.method", [own.method], methods)
        if own.labels is not None and own.labels.clips and own.labels.layout == "wflw":
            raise ConfigError(
                "landmark_breaker.labels.clips: labels of clips have 68 landmarks, WFLW's 98; they "
                "cannot be learnt together"
            )
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

        Published weights are measured on them where they can be.

        Raises
        ------
        ConfigError
            If nobody is left, and neither labelled faces nor everyone's weights are given.
        """
        labels = self.settings.labels
        if labels is not None and not labels.clips:
            return []
        left = [name for name in self._build.subjects if name not in self.subjects]
        if not left and labels is None and self._are_trained:
            raise ConfigError(self.why_not)
        return left

    @property
    def _are_trained(self) -> bool:
        """Say whether any extractor is trained here."""
        return any("weights" not in self.training_params(name) for name in self.extractors)

    @property
    def why_not(self) -> str:
        """Return why this build has no Landmark Breaker; empty: it has."""
        for key, chosen in (("extractors", self.extractors), ("attacks", self.attacks)):
            if not chosen:
                return f"{key}: is empty, and Landmark Breaker needs at least one"
        if not self.subjects:
            return "landmark_breaker.subjects: nobody is protected"
        nobody_is_left = set(self._build.subjects) <= set(self.subjects)
        if self.settings.labels is None and self._are_trained and nobody_is_left:
            return (
                "landmark_breaker.subjects: extractors are trained on people who are not "
                "protected, and nobody is left; protect fewer, set landmark_breaker.labels or give "
                "every extractor weights"
            )
        return ""

    def notices(self) -> list[str]:
        """Return what a user is told who asked for attacks that this build cannot have."""
        wanted = self.attacks and self.extractors and self._build.targets
        return (
            [f"{self.why_not}. Until then 'complete' goes without"]
            if wanted and self.why_not
            else []
        )

    @property
    def runs(self) -> int:
        """Return how many runs of key frames each person gets."""
        return max(self.settings.frames // (RUN_FRAMES * len(self.subjects)), 1)

    @property
    def reference(self) -> str:
        """Return the extractor whose landmarks on clean frames count as the truth, "" if none."""
        own = self.settings.reference
        if own is not None or not self.extractors:
            return own or ""
        return _BEST if _BEST in self.extractors else self.extractors[-1]

    def extractor(self, name: str) -> str:
        """Return the file of a trained extractor."""
        return f"{self._build.root}/extractors/{name}.safetensors"

    def frames(self, attack: str, source: str, subject: str) -> str:
        """Return the folder with the frames of an attack; clean ones are the key frames."""
        root = f"{self._build.root}/obstruction"
        if attack == CLEAN:
            return f"{root}/frames/{subject}"
        return f"{root}/noisy/{attack}/{source}/{subject}"

    @property
    def method(self) -> str:
        """Return the method whose models make the swaps."""
        return self.settings.method or self._build.methods[0]

    def donor(self, subject: str) -> str:
        """Return whose face a person gets in the swaps that are compared."""
        return self._build.swaps_of(subject)[0].donor

    def model(self, subject: str) -> dict[str, str]:
        """Return the files of the model of a person and the donor."""
        return self._generation.model(self.method, subject, self.donor(subject))

    def sources(self, attack: str) -> list[str]:
        """Return what an attack is made on; clean frames have no source.

        Mostly one extractor each; one like `lb-robust` has also several, joined by +: all, and all
        but one, so that each is also met as one that the attack does not know.
        """
        if attack == CLEAN:
            return [CLEAN]
        if not ATTACKS.find(attack).traits["several"]:
            return self.extractors
        held_out = [[o for o in self.extractors if o != name] for name in self.extractors]
        groups = [self.extractors, *(group for group in held_out if group)]
        return list(dict.fromkeys(["+".join(group) for group in groups] + self.extractors))

    def members(self, source: str) -> list[str]:
        """Return the files of a source's extractors."""
        return [self.extractor(name) for name in source.split("+")]

    def compared(self, source: str, subject: str) -> list[str]:
        """Return the folders of Landmark Breaker's frames on each extractor of a source."""
        return [self.frames(BREAKER, name, subject) for name in source.split("+")]

    def measured(self) -> list[str]:
        """Return every file of measures.

        Raises
        ------
        ConfigError
            If the build has no Landmark Breaker.
        """
        if self.why_not:
            raise ConfigError(self.why_not)
        return [
            f"{self._build.root}/obstruction/measures/{attack}/{source}/{subject}.csv"
            for attack in self.attacks
            for source in self.sources(attack)
            for subject in self.subjects
        ]

    # -- figure 4.13 ---------------------------------------------------------------------------

    def sweeps(self) -> list[str]:
        """Return every file of Landmark Breaker with other steps; none if nothing is compared."""
        own = self.settings
        if BREAKER not in self.attacks or not (own.sweep_steps or own.sweep_iterations):
            return []
        return [
            f"{self._build.root}/obstruction/sweep/{extractor}/{subject}.csv"
            for extractor in self.extractors
            for subject in self.subjects
        ]

    def sweep_params(self) -> dict[str, Any]:
        """Return the fields of `swapset.obstruction.tables.Sweep`."""
        own = self.settings
        return {
            "step": own.step,
            "iterations": own.iterations,
            "steps": own.sweep_steps,
            "counts": own.sweep_iterations,
            "every": own.sweep_every,
        }

    # -- pictures ------------------------------------------------------------------------------

    @property
    def pictured(self) -> str:
        """Return the attack whose pictures are shown: Landmark Breaker, else the last on each."""
        own = [name for name in self.attacks if set(self.extractors) <= set(self.sources(name))]
        return BREAKER if BREAKER in own else [CLEAN, *own][-1]

    def pictured_frames(self) -> list[str]:
        """Return the folders of this attack's frames, on every extractor for each person."""
        return [
            self.frames(self.pictured, extractor, subject)
            for subject in self.subjects
            for extractor in self.extractors
        ]

    def attack_params(self, attack: str) -> dict[str, Any]:
        """Return the hyper-parameters of an attack, as JSON values.

        Raises
        ------
        ConfigError
            If it asks for one that the config does not have.
        """
        takes = ATTACKS.find(attack).traits["settings"]
        if unknown := ", ".join(set(takes) - set(SETTINGS)):
            raise ConfigError(
                f"attacks: {attack!r} takes {unknown} from the config, which has no such setting; "
                f"there are {', '.join(SETTINGS)}"
            )
        return {name: getattr(self.settings, name) for name in SETTINGS if name in takes}

    def labels_given(self) -> dict[str, Any] | None:
        """Return where labelled faces are, as JSON values; None: the build's own clips are used."""
        own = self.settings.labels
        return None if own is None else own.model_dump(mode="json")

    def weight_files(self, extractor: str) -> list[str]:
        """Return the files of weights that an extractor takes."""
        params = self.training_params(extractor)
        return [params[key] for key in ("weights", "backbone_weights") if key in params]

    def training_params(self, extractor: str) -> dict[str, Any]:
        """Return how an extractor is trained, as JSON values."""
        chosen = self.settings.settings.get(extractor)
        return chosen.model_dump(mode="json", exclude_none=True) if chosen else {}

    @staticmethod
    def modules(*sources: str, attack: str = "") -> list[str]:
        """Return the dotted names of the modules that extractors and an attack are in.

        Parameters
        ----------
        *sources : str
            Extractors, also several joined by +.
        attack : str
            Empty: none.
        """
        found = [ATTACKS.find(attack).module] if attack else []
        names = [name for source in sources for name in source.split("+")]
        return found + [EXTRACTORS.find(name).module for name in names]


def _chosen(names: str | list[str], among: Plugins) -> list[str]:
    """Return the names that a config lists; "all" are our own, whatever is installed."""
    return list(among.built_in) if isinstance(names, str) else names


def _known(key: str, names: list[str], among: Any) -> None:
    for name in names:
        if name not in among:
            raise ConfigError(f"{key}: {name!r} is unknown; choose of {', '.join(among)}")
