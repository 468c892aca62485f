"""One build's facts and the plan of each stage, made from them."""

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
    """All that the Snakefile asks about one build.

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
        With one message that names the key, or the file and line, that is wrong.
    """

    def __init__(self, values: Mapping[str, Any]):
        self.build = Build(values)

    @cached_property
    def generation(self) -> GenerationPlan:
        """Return the plan of the models that fakes are made by."""
        return GenerationPlan(self.build)

    @cached_property
    def detection(self) -> DetectionPlan:
        """Return the plan of detectors, datasets and who is tested."""
        return DetectionPlan(self.build)

    @cached_property
    def breaker(self) -> LandmarkBreakerPlan:
        """Return the plan of landmark extractors, attacks and who is protected."""
        return LandmarkBreakerPlan(self.build, self.generation)

    @cached_property
    def protected(self) -> ProtectedPlan:
        """Return the plan of models that are trained on protected clips."""
        return ProtectedPlan(self.build, self.breaker)

    @cached_property
    def tidying(self) -> TidyPlan:
        """Return the plan of what may go when the build is finished."""
        return TidyPlan(self.build, self.detection, self.breaker, self.protected)
