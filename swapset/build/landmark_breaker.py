"""The plan of Landmark Breaker: protected people, extractors, attacks. Imports nothing heavy."""

from __future__ import annotations

import random
from functools import cached_property
from typing import Any

from swapset.build.breaker_checks import check_breaker
from swapset.build.build import Build
from swapset.build.generation import GenerationPlan
from swapset.errors import ConfigError
from swapset.extractors.registry import EXTRACTORS
from swapset.faces.packaged_models import CENTERFACE, FACEMESH
from swapset.obstruction.attacks.registry import (
    ATTACKS,
    BREAKER,
    CENTER,
    CLEAN,
    MESH,
    SETTINGS,
)
from swapset.obstruction.runs import RUN_FRAMES
from swapset.plugins import Plugins
from swapset.seeds import derive_seed

_BEST = "hrnet"
"""The extractor that the chapter takes as reference, "due to its superior performance"."""


class LandmarkBreakerPlan:
    """Extractors, attacks, protected people, and the files of all.

    An attack's *source* is the extractor whose gradients it follows; a *target* is an extractor
    whose landmarks are measured.

    Parameters
    ----------
    build : Build
    generation : GenerationPlan
        The plan of the models that make the swaps.

    Raises
    ------
    ConfigError
        If an extractor, attack, method or person is unknown, or settings do not fit each other.
    """

    def __init__(self, build: Build, generation: GenerationPlan):
        self._build, self._generation = build, generation
        self.settings = build.config.landmark_breaker
        self.extractors = _chosen(build.config.extractors, EXTRACTORS)
        self.attacks = _chosen(build.config.attacks, ATTACKS)
        check_breaker(
            self.settings,
            self.extractors,
            self.attacks,
            methods=build.methods,
            subjects=build.subjects,
            targets=build.targets,
        )

    @cached_property
    def subjects(self) -> list[str]:
        """Return the protected people: a list from the config, or at most half of all by draw."""
        setting = self.settings.subjects
        if isinstance(setting, list):
            return setting
        targets = self._build.targets
        count = min(setting, max(len(self._build.subjects) // 2, 1), len(targets))
        draw = random.Random(derive_seed(self._build.config.seed, "protected"))  # noqa: S311 - no secret
        chosen = set(draw.sample(targets, count))
        return [subject for subject in targets if subject in chosen]

    @cached_property
    def training_people(self) -> list[str]:
        """Return the people whose clips extractors are trained on; none of them is protected.

        They are `learn_from`, or everybody else. Published weights are measured on the same clips,
        if there are any.

        Raises
        ------
        ConfigError
            If nobody is left, and the config has neither labelled faces nor weights for every
            extractor.
        """
        labels = self.settings.labels
        if labels is not None and not labels.clips:
            return []
        if not self._learnt_from and labels is None and self._are_trained:
            raise ConfigError(self.why_not)
        return self._learnt_from

    @property
    def _learnt_from(self) -> list[str]:
        """Return the people whose clips may be learnt from: those chosen, but nobody protected."""
        chosen = self.settings.learn_from
        allowed = self._build.subjects if chosen is None else chosen
        return [name for name in self._build.subjects if name in {*allowed} - {*self.subjects}]

    @property
    def _are_trained(self) -> bool:
        """Return whether this build trains any extractor."""
        return any("weights" not in self.training_params(name) for name in self.extractors)

    @property
    def why_not(self) -> str:
        """Return the reason why this build has no Landmark Breaker; "" if it has one."""
        for key, chosen in (("extractors", self.extractors), ("attacks", self.attacks)):
            if not chosen:
                return f"{key}: is empty, but Landmark Breaker needs at least one"
        if not self.subjects:
            return "landmark_breaker.subjects: nobody is protected; choose at least one person"
        if self.settings.labels is None and self._are_trained and not self._learnt_from:
            return (
                "landmark_breaker.subjects: everybody is protected, and nobody is left to train "
                "extractors on; protect fewer, let them learn from more (landmark_breaker."
                "learn_from), set landmark_breaker.labels or give every extractor weights"
            )
        return ""

    def notices(self) -> list[str]:
        """Return a notice for the user if the config asks for attacks that are not possible."""
        wanted = self.attacks and self.extractors and self._build.targets
        return (
            [f"{self.why_not}. Until then 'complete' leaves Landmark Breaker out"]
            if wanted and self.why_not
            else []
        )

    @property
    def runs(self) -> int:
        """Return the number of runs of key frames of each person."""
        return max(self.settings.frames // (RUN_FRAMES * len(self.subjects)), 1)

    @property
    def reference(self) -> str:
        """Return the extractor whose landmarks on clean frames are the reference; "" if none."""
        setting = self.settings.reference
        if setting is not None or not self.extractors:
            return setting or ""
        return _BEST if _BEST in self.extractors else self.extractors[-1]

    def extractor(self, name: str) -> str:
        """Return the file of a trained extractor."""
        return f"{self._build.root}/extractors/{name}.safetensors"

    def frames(self, attack: str, source: str, subject: str) -> str:
        """Return the folder of a subject's frames by an attack; clean ones are the key frames.

        Parameters
        ----------
        attack : str
        source : str
            The extractors that the attack follows, joined by "+"; not used for clean frames.
        subject : str
        """
        root = f"{self._build.root}/obstruction"
        if attack == CLEAN:
            return f"{root}/frames/{subject}"
        return f"{root}/noisy/{attack}/{source}/{subject}"

    @property
    def method(self) -> str:
        """Return the method that makes the swaps."""
        return self.settings.method or self._build.methods[0]

    def donor(self, subject: str) -> str:
        """Return the donor of the swaps that are made of a protected person's clips."""
        return self._build.swaps_of(subject)[0].donor

    def model(self, subject: str) -> dict[str, str]:
        """Return the files of the model of a protected person and the donor."""
        return self._generation.model(self.method, subject, self.donor(subject))

    def sources(self, attack: str) -> list[str]:
        """Return the sources of an attack: extractors, or several joined by "+".

        Most attacks have each extractor as a source. Attacks on several, such as `lb-robust`, also
        have all extractors, and all but one, so that every extractor is also measured as one that
        the attack does not know. Clean frames have the single source "none".
        """
        if attack == CLEAN:
            return [CLEAN]
        if not ATTACKS.find(attack).traits["several"]:
            return self.extractors
        all_but_one = [[o for o in self.extractors if o != name] for name in self.extractors]
        groups = [self.extractors, *(group for group in all_but_one if group)]
        return list(dict.fromkeys(["+".join(group) for group in groups] + self.extractors))

    def source_files(self, source: str) -> list[str]:
        """Return the files of a source's extractors."""
        return [self.extractor(name) for name in source.split("+")]

    def compared_frames(self, source: str, subject: str) -> list[str]:
        """Return the folders of Landmark Breaker's frames on each extractor of a source."""
        return [self.frames(BREAKER, name, subject) for name in source.split("+")]

    def measure_files(self, folder: str = "measures") -> list[str]:
        """Return all files of measures.

        Parameters
        ----------
        folder : {"measures", "detection"}
            Measures of landmarks, pictures and swaps, or of what face detectors find.

        Raises
        ------
        ConfigError
            If the build has no Landmark Breaker.
        """
        if self.why_not:
            raise ConfigError(self.why_not)
        return [
            f"{self._build.root}/obstruction/{folder}/{attack}/{source}/{subject}.csv"
            for attack in self.attacks
            for source in self.sources(attack)
            for subject in self.subjects
        ]

    @cached_property
    def black_boxes(self) -> dict[str, str]:
        """Return the files of models of other packages that attacks are measured on, by name.

        Only of packages that are installed. CenterFace may also be the config's own file.
        """
        if self.why_not:
            return {}
        own = self._build.config.track.centerface_model
        files = {MESH: FACEMESH.find(), CENTER: own or CENTERFACE.find()}
        return {name: str(path) for name, path in files.items() if path is not None}

    # -- figure 4.13 ---------------------------------------------------------------------------

    def sweep_files(self) -> list[str]:
        """Return all files of measures of Landmark Breaker with other steps, if they are wanted."""
        settings = self.settings
        if BREAKER not in self.attacks or not (settings.sweep_steps or settings.sweep_iterations):
            return []
        return [
            f"{self._build.root}/obstruction/sweep/{extractor}/{subject}.csv"
            for extractor in self.extractors
            for subject in self.subjects
        ]

    def sweep_params(self) -> dict[str, Any]:
        """Return the fields of `swapset.obstruction.tables.Sweep`."""
        settings = self.settings
        return {
            "step": settings.step,
            "iterations": settings.iterations,
            "steps": settings.sweep_steps,
            "counts": settings.sweep_iterations,
            "every": settings.sweep_every,
        }

    # -- pictures ------------------------------------------------------------------------------

    @property
    def pictured_attack(self) -> str:
        """Return the attack in the figure: Landmark Breaker, else the last on single extractors."""
        single = [name for name in self.attacks if set(self.extractors) <= set(self.sources(name))]
        return BREAKER if BREAKER in single else [CLEAN, *single][-1]

    def pictured_frames(self) -> list[str]:
        """Return the folders of frames in the figure, for each person on every extractor."""
        return [
            self.frames(self.pictured_attack, extractor, subject)
            for subject in self.subjects
            for extractor in self.extractors
        ]

    def attack_params(self, attack: str) -> dict[str, Any]:
        """Return the hyper-parameters of an attack, as JSON values.

        Raises
        ------
        ConfigError
            If its package asks for one that the config does not have.
        """
        takes = ATTACKS.find(attack).traits["settings"]
        if unknown := ", ".join(set(takes) - set(SETTINGS)):
            raise ConfigError(
                f"attacks: {attack!r} is not allowed: it takes {unknown} from the config, which "
                f"has only {', '.join(SETTINGS)}; its authors have to correct the trait 'settings'"
            )
        return {name: getattr(self.settings, name) for name in SETTINGS if name in takes}

    def label_source(self) -> dict[str, Any] | None:
        """Return the `LabelSource` of the config as JSON values; None: the build's own clips."""
        labels = self.settings.labels
        return None if labels is None else labels.model_dump(mode="json")

    def training_params(self, extractor: str) -> dict[str, Any]:
        """Return how an extractor is trained, as JSON values."""
        special = self.settings.settings.get(extractor)
        return special.model_dump(mode="json", exclude_none=True) if special else {}

    @staticmethod
    def modules(*sources: str, attack: str = "") -> list[str]:
        """Return the dotted names of the modules of extractors and of an attack.

        Parameters
        ----------
        *sources : str
            Extractors, or several joined by "+".
        attack : str
            "" = no attack.
        """
        attack_modules = [ATTACKS.find(attack).module] if attack else []
        names = [name for source in sources for name in source.split("+")]
        return attack_modules + [EXTRACTORS.find(name).module for name in names]


def _chosen(names: str | list[str], table: Plugins) -> list[str]:
    """Return the names that a config lists; "all" means the built-in ones."""
    return list(table.built_in) if isinstance(names, str) else names
