"""The names that a config makes results for: people, clips, fakes, methods, blocks and so on.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.figures import figure_names
from swapset.build.generation import GenerationPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.matrix import MatrixPlan
from swapset.build.places import NOISE, PROTECTED, TABLES
from swapset.build.protected import ProtectedPlan
from swapset.build.robustness import RobustnessPlan


@dataclass(frozen=True)
class _AllBut:
    """All names but some; of those with a prefix, the listed ones only."""

    names: Collection[str]
    prefix: str = "/"
    listed: Collection[str] = ()

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        if name.startswith(self.prefix):
            return name in self.listed
        return name not in self.names


class Made:
    """The values of the wildcards in `swapset.build.places.PLACES` that a config makes.

    Parameters
    ----------
    build : Build
    generation : GenerationPlan
    detection : DetectionPlan
    matrix : MatrixPlan
    robustness : RobustnessPlan
    breaker : LandmarkBreakerPlan
    protected : ProtectedPlan
    """

    def __init__(
        self,
        build: Build,
        generation: GenerationPlan,
        detection: DetectionPlan,
        matrix: MatrixPlan,
        robustness: RobustnessPlan,
        breaker: LandmarkBreakerPlan,
        protected: ProtectedPlan,
    ):
        self._build, self._generation, self._detection = build, generation, detection
        self._matrix, self._robustness = matrix, robustness
        self._breaker, self._protected = breaker, protected

    @property
    def root(self) -> str:
        """Return the build's folder."""
        return self._build.root

    def includes(self, values: Mapping[str, str]) -> bool:
        """Return whether the config makes what has these values of wildcards."""
        if not all(value in self._values[name] for name, value in values.items()):
            return False
        if "fold" in values:
            return values["fold"] in self._detection.trainings(values["trained"])
        return "block" not in values or self._has_block(values)

    @cached_property
    def named(self) -> set[str]:
        """Return the files in the build's folder that the config names: base models and clips."""
        build = self._build
        paths = [str(path) for path in build.config.training.bases.values()]
        paths += [build.source_of(clip) for clip in build.manifest.clips]
        prefix = f"{build.root}/"
        return {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}

    def _has_block(self, values: Mapping[str, str]) -> bool:
        number = values["block"]
        if "paired" in values:
            return f"{self.root}/quality/public/{values['paired']}/{number}.csv" in self._blocks
        return (
            f"{self.root}/crops/{values['seen']}/{values['compression']}/{number}" in self._blocks
        )

    @cached_property
    def _blocks(self) -> set[str]:
        return {*self._detection.all_blocks(), *self._detection.pair_blocks()}

    @cached_property
    def _values(self) -> dict[str, Container[str]]:
        return {
            **self._of_dataset(),
            **self._of_detection(),
            **self._of_noise(),
            **self._of_protected(),
            **self._tables(),
            "block": _AllBut(()),
        }

    def _of_dataset(self) -> dict[str, Container[str]]:
        build, clips = self._build, self._build.manifest.clips
        fakes = {swap.name for swap in build.swaps}
        models = [stem.partition("/") for stem in self._generation.trained()]
        return {
            "subject": set(build.subjects),
            "target": set(build.targets),
            "clip": set(clips),
            "demo": set(clips) if build.is_demo else (),
            "fetched": {name for name, clip in clips.items() if clip.path is None},
            "fake": fakes,
            "video": fakes | set(clips),
            "kind": {"real", *build.methods},
            "method": set(build.methods),
            "own_compression": set(build.config.compressions),
            "recipe": {recipe for recipe, _, _ in models},
            "model": {model for _, _, model in models},
        }

    def _of_detection(self) -> dict[str, Container[str]]:
        plan = self._detection
        compressions = {each for name in plan.datasets for each in plan.compressions(name)}
        return {
            "dataset": set(self._build.config.datasets),
            "paired": set(plan.paired),
            "seen": set(plan.all_kinds) if plan.detectors else (),
            "scored": set(plan.datasets),
            "compression": compressions,
            "detector": set(plan.detectors),
            "outside": set(plan.outside.detectors),
            "judge": {*plan.detectors, *plan.outside.detectors},
            "perturbation": set(self._robustness.perturbations),
            "family": set(self._robustness.families),
            "trained": {*plan.detectors, *self._matrix.trained},
            "training_set": {each.name for each in self._matrix.further},
            "fold": _AllBut(()),
        }

    def _of_noise(self) -> dict[str, Container[str]]:
        plan = self._breaker
        if plan.why_not:
            return dict.fromkeys(NOISE, ())
        return {
            "learner": set(plan.training_people),
            "shielded": set(plan.subjects),
            "extractor": set(plan.extractors),
            "attack": set(plan.attacks),
            "source": {source for attack in plan.attacks for source in plan.sources(attack)},
        }

    def _of_protected(self) -> dict[str, Container[str]]:
        plan = self._protected
        if not plan.pairs:
            return dict.fromkeys(PROTECTED, ())
        parts = [(part["target"], part["donor"]) for part in plan.parts()]
        return {
            "again": set(plan.attacks),
            "retrained": set(plan.pairs.values()),
            "pair": set(plan.pairs),
            "duo": {f"{target}_{donor}" for target, donor in parts},
            "refaked": {name for part in parts for name in plan.fakes(*part)},
        }

    def _tables(self) -> dict[str, Container[str]]:
        """Return the names of tables and figures, without those that other configs make."""
        build = self._build
        wanted = {
            "demographics": build.people,
            "detectors": self._detection.scores(),
            "robustness": self._robustness.perturbations,
            "matrix": self._matrix.sets,
            "outside": self._detection.outside.detectors,
            "noise": not self._breaker.why_not,
            "protected": self._protected.pairs,
        }
        unmade = [TABLES[name] for name, reason in wanted.items() if not reason]
        tables = {table for names, _ in unmade for table in names}
        figures = {figure for _, names in unmade for figure in names}
        made = figure_names(build.methods, build.recipes)
        return {"table": _AllBut(tables), "figure": _AllBut(figures, "contact_sheet_", made)}
