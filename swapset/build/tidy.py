"""Decide what a finished build no longer needs: only what can be made again.

Ingested clips, tracks, landmarks and models stay: more fakes of trained pairs are made from them.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.protected import ProtectedPlan

_DETECTION, _BREAKER, _PROTECTED = "detector_auc", "landmark_breaker", "protected_pairs"

_OFF = {
    _DETECTION: "build detector_auc or set detectors: []",
    _BREAKER: "build landmark_breaker or set attacks: []",
    _PROTECTED: "build landmark_breaker or set landmark_breaker.protected_pairs: 0",
}
"""What may still be built from leftovers, and how a user gets them removed."""

_THERE = "obstruction/protected/*/*"

LEFTOVERS: dict[str, tuple[str, ...]] = {
    "heads": (),
    # Faces that are made again are newer than all models, which would then be trained again.
    "faces": (_PROTECTED,),
    "events": (_BREAKER,),
    # Detectors, extractors and models of protected clips may be in training.
    "checkpoints": (_DETECTION, _BREAKER),
    "crops": (_DETECTION,),
    "extractors/labels": (_BREAKER,),
    "obstruction/frames": (_BREAKER,),
    "obstruction/noisy": (_BREAKER,),
    f"{_THERE}/clips": (_PROTECTED,),
    f"{_THERE}/tracks": (_PROTECTED,),
    f"{_THERE}/landmarks": (_PROTECTED,),
    f"{_THERE}/faces": (_PROTECTED,),
    f"{_THERE}/heads": (_PROTECTED,),
}
"""Folders of a build (patterns), and what they have to stay for until it is built."""


class TidyPlan:
    """What `tidy` waits for, and what it then removes.

    Parameters
    ----------
    build : Build
    detection : DetectionPlan
    breaker : LandmarkBreakerPlan
    protected : ProtectedPlan
    """

    def __init__(
        self,
        build: Build,
        detection: DetectionPlan,
        breaker: LandmarkBreakerPlan,
        protected: ProtectedPlan,
    ):
        self._build, self._detection = build, detection
        self._breaker, self._protected = breaker, protected

    @cached_property
    def _results(self) -> dict[str, list[str]]:
        """Return the last files of what is built beside the dataset, if this config has it."""
        build = self._build
        auc, noise = (f"{build.root}/tables/{t}.csv" for t in (_DETECTION, _BREAKER))
        return {
            _DETECTION: [auc] if self._detection.detectors else [],
            _BREAKER: [] if self._breaker.why_not else [noise],
            _PROTECTED: self._protected.results(),
        }

    def finished(self) -> list[str]:
        """Return the results, beside the dataset's, that are there: they have to be up to date."""
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
        """Return the patterns of what stays for the time being, and how to get it removed."""
        return {
            pattern: "; ".join(_OFF[needed] for needed in missing)
            for pattern in LEFTOVERS
            if (missing := self._missing(pattern))
        }

    def sources(self) -> list[str]:
        """Return the files that clips are ingested from."""
        return [self._build.source_of(clip) for clip in self._build.manifest.clips]
