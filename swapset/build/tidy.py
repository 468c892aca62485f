"""The plan of `tidy`: the files that a finished build no longer needs and that can be made again.

Ingested clips, tracks, landmarks and models stay: further fakes of trained pairs need them.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.matrix import MatrixPlan
from swapset.build.protected import ProtectedPlan
from swapset.build.robustness import RobustnessPlan

_DETECTION, _BREAKER, _PROTECTED = "detector_auc", "landmark_breaker", "protected_pairs"
_MATRIX, _ROBUSTNESS = "detector_matrix", "robustness"

_OFF = {
    _DETECTION: "build detector_auc or set detectors: []",
    _MATRIX: "build detector_matrix or name one dataset in detection.train_on",
    _ROBUSTNESS: "build robustness or set detection.perturbations: []",
    _BREAKER: "build landmark_breaker or set attacks: []",
    _PROTECTED: "build landmark_breaker or set landmark_breaker.protected_pairs: 0",
}
"""For each result that needs leftovers: what a user does to have them removed."""

_THERE = "obstruction/protected/*/*"

LEFTOVERS: dict[str, tuple[str, ...]] = {
    "heads": (_ROBUSTNESS,),
    # Faces that are made again are newer than all models, which would then be trained again.
    "faces": (_PROTECTED,),
    "events": (_BREAKER,),
    # Detectors, extractors and models of protected clips may be in training.
    "checkpoints": (_DETECTION, _MATRIX, _BREAKER),
    "crops": (_DETECTION, _MATRIX),
    "perturbed/crops": (_ROBUSTNESS,),
    "extractors/labels": (_BREAKER,),
    "obstruction/frames": (_BREAKER,),
    "obstruction/noisy": (_BREAKER,),
    f"{_THERE}/clips": (_PROTECTED,),
    f"{_THERE}/tracks": (_PROTECTED,),
    f"{_THERE}/landmarks": (_PROTECTED,),
    f"{_THERE}/faces": (_PROTECTED,),
    f"{_THERE}/heads": (_PROTECTED,),
}
"""Folders of a build (patterns) to the results that need them: they stay until these are built."""


class TidyPlan:
    """The results that `tidy` waits for, and the folders that it then removes or keeps.

    Parameters
    ----------
    build : Build
    detection : DetectionPlan
    matrix : MatrixPlan
    robustness : RobustnessPlan
    breaker : LandmarkBreakerPlan
    protected : ProtectedPlan
    """

    def __init__(
        self,
        build: Build,
        detection: DetectionPlan,
        matrix: MatrixPlan,
        robustness: RobustnessPlan,
        breaker: LandmarkBreakerPlan,
        protected: ProtectedPlan,
    ):
        self._build, self._detection = build, detection
        self._matrix, self._robustness = matrix, robustness
        self._breaker, self._protected = breaker, protected

    @cached_property
    def _results(self) -> dict[str, list[str]]:
        """Return the last files of all results beside the dataset; empty if the config has none."""
        build = self._build
        auc, noise = (f"{build.root}/tables/{t}.csv" for t in (_DETECTION, _BREAKER))
        return {
            _DETECTION: [auc] if self._detection.scores() else [],
            _MATRIX: self._matrix.results(),
            _ROBUSTNESS: self._robustness.results(),
            _BREAKER: [] if self._breaker.why_not else [noise],
            _PROTECTED: self._protected.results(),
        }

    def finished(self) -> list[str]:
        """Return the existing results beside the dataset, which have to be up to date first."""
        return [path for paths in self._results.values() for path in paths if Path(path).exists()]

    def _missing(self, pattern: str) -> list[str]:
        """Return what a folder has to stay for: what is not built yet."""
        return [
            needed
            for needed in LEFTOVERS[pattern]
            if not all(Path(path).exists() for path in self._results[needed])
        ]

    def removed(self) -> list[str]:
        """Return the patterns of what is removed."""
        return [pattern for pattern in LEFTOVERS if not self._missing(pattern)]

    def kept(self) -> dict[str, str]:
        """Return the patterns of the folders that stay for now, to what a user does about it."""
        return {
            pattern: "; ".join(_OFF[needed] for needed in missing)
            for pattern in LEFTOVERS
            if (missing := self._missing(pattern))
        }

    def sources(self) -> list[str]:
        """Return the source files of all clips."""
        return [self._build.source_of(clip) for clip in self._build.manifest.clips]
