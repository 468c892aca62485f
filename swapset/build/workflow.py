"""The facts of one build and the plans of its stages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from swapset.build.build import Build
from swapset.build.contents import Contents
from swapset.build.decisions import Decisions
from swapset.build.detection import DetectionPlan
from swapset.build.generation import GenerationPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.leftovers import Leftovers
from swapset.build.made import Made
from swapset.build.matrix import MatrixPlan
from swapset.build.outside import OutsideFiles
from swapset.build.protected import ProtectedPlan
from swapset.build.robustness import RobustnessPlan
from swapset.build.tidy import TidyPlan


class Workflow:
    """A build and its plans, each made when it is first used.

    Parameters
    ----------
    values : mapping
        See `Build`.

    Attributes
    ----------
    build : Build
        The facts.

    Raises
    ------
    SwapsetError
        If the config, or a file that it names, is wrong; see `Build`.
    """

    def __init__(self, values: Mapping[str, Any]):
        self.build = Build(values)

    @cached_property
    def generation(self) -> GenerationPlan:
        """Return the plan of the models that make the fakes."""
        return GenerationPlan(self.build)

    @cached_property
    def detection(self) -> DetectionPlan:
        """Return the plan of detectors, datasets and folds."""
        return DetectionPlan(self.build)

    @cached_property
    def matrix(self) -> MatrixPlan:
        """Return the plan of detectors that learnt from further training sets."""
        return MatrixPlan(self.build, self.detection)

    @cached_property
    def robustness(self) -> RobustnessPlan:
        """Return the plan of perturbed videos."""
        return RobustnessPlan(self.build, self.detection)

    @cached_property
    def breaker(self) -> LandmarkBreakerPlan:
        """Return the plan of landmark extractors, attacks and protected people."""
        return LandmarkBreakerPlan(self.build, self.generation)

    @cached_property
    def protected(self) -> ProtectedPlan:
        """Return the plan of models that are trained on protected clips."""
        return ProtectedPlan(self.build, self.breaker)

    @cached_property
    def tidying(self) -> TidyPlan:
        """Return the plan of the files that `tidy` removes from a finished build."""
        plans = self.detection, self.matrix, self.robustness, self.breaker, self.protected
        return TidyPlan(self.build, *plans)

    @cached_property
    def leftovers(self) -> Leftovers:
        """Return the results that the config no longer makes."""
        made_of = self.generation, self.detection, self.matrix, self.robustness
        return Leftovers(Made(self.build, *made_of, self.breaker, self.protected))

    @cached_property
    def outside(self) -> OutsideFiles:
        """Return the files from outside that the build reads."""
        return OutsideFiles(self.build, self.detection, self.breaker)

    @cached_property
    def contents(self) -> Contents:
        """Return the ids of these files; they are kept beside Snakemake's own records."""
        name = re.sub(r"[^\w.-]+", "_", self.build.root)
        store = Path.cwd() / ".snakemake" / "swapset_contents" / f"{name}.json"
        return Contents(store, self.outside.recorded_hash)

    def decisions(self, *, here: bool) -> Decisions:
        """Return the decisions of rule `accept`.

        Parameters
        ----------
        here : bool
            Whether results are files on this machine.
        """
        manifest = self.build.manifest
        return Decisions(
            self.build.root,
            self._request,
            lambda clip: self.contents.sha256_of(self.build.source_of(clip)),
            manifest.of,
            same_people=self.build.same_people(),
            here=here,
        )

    def _request(self, clip: str) -> list[Any]:
        """Return what the decision on a clip is made from, but for the contents of clips."""
        row = self.build.manifest.clips[clip]
        return [row.start, row.end, *self._judging]

    @cached_property
    def _judging(self) -> list[Any]:
        """Return the settings and the code by which clips are judged."""
        config = self.build.config
        sections = [section.model_dump(mode="json") for section in (config.ingest, config.accept)]
        track = self.contents.identify(self.build.track.model_dump(mode="json"))
        code = [self.build.code(rule) for rule in ("ingest", "track", "accept")]
        return [*sections, track, *code]
