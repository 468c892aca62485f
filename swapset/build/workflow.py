"""The facts of one build and the plans of its stages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.generation import GenerationPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.protected import ProtectedPlan
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
        return TidyPlan(self.build, self.detection, self.breaker, self.protected)
