"""The plan of the matrix: each detector, learnt from each training set, on each dataset.

Imports nothing heavy.
"""

from __future__ import annotations

from typing import Any

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.figures import MATRIX_FIGURES
from swapset.build.places import MATRIX_TABLES
from swapset.build.training_sets import TrainingSet


class MatrixPlan:
    """Detectors of all training sets but the first, and the files of their scores.

    One job scores a kind of videos in all its compressions, so that real videos are scored once for
    all methods. Scores of the first set are those of `DetectionPlan`.

    Parameters
    ----------
    build : Build
    detection : DetectionPlan
    """

    def __init__(self, build: Build, detection: DetectionPlan):
        self._build, self._detection = build, detection
        self.root = f"{build.root}/matrix"

    @property
    def sets(self) -> list[TrainingSet]:
        """Return all training sets; empty if there is only one, or no detector."""
        sets = self._detection.training_sets
        return sets if len(sets) > 1 and self._detection.detectors else []

    @property
    def further(self) -> list[TrainingSet]:
        """Return all training sets but the first."""
        return self.sets[1:]

    @property
    def trained(self) -> list[str]:
        """Return the names in files of all detectors that learnt from a further set."""
        if not self.sets:
            return []
        return [
            name
            for detector in self._detection.detectors
            for name in self._detection.trained(detector)[1:]
        ]

    def blocks(self, kind: str) -> list[str]:
        """Return the folders with the faces of a kind of videos, in all compressions."""
        plan = self._detection
        dataset = plan.own_datasets[0] if kind == "real" else kind
        return [
            block
            for compression in plan.compressions(dataset)
            for block in plan.blocks(dataset, compression)
            if block.startswith(f"{self._build.root}/crops/{kind}/")
        ]

    def tests(self, trained: str, kind: str) -> list[str]:
        """Return hashes of the videos of a kind that a detector is tested on."""
        return self._detection.set_of(trained).tests([kind])

    def knows_tested(self, trained: str, kind: str) -> bool:
        """Return whether the table of splits on disk has the tests of a kind."""
        return self._detection.set_of(trained).knows_tested([kind])

    def splits(self) -> list[str]:
        """Return the tables of splits of the further sets."""
        return [each.splits for each in self.further]

    def scores(self) -> list[str]:
        """Return the folders with the scores of the further sets' detectors."""
        return [
            f"{self.root}/scores/{trained}/{kind}"
            for trained in self.trained
            for kind in self._detection.all_kinds
        ]

    def first_scores(self) -> list[str]:
        """Return the files with the scores of the first set's detectors."""
        return self._detection.own_scores() if self.sets else []

    def described(self) -> list[dict[str, Any]]:
        """Return what each set is, as JSON values: name, datasets, left_out."""
        return [
            {"name": each.name, "datasets": list(each.datasets), "left_out": each.left_out}
            for each in self.sets
        ]

    def published(self) -> list[str]:
        """Return the detectors that learn from none of the sets, as they have published weights."""
        return [name for name in self._detection.detectors if self._detection.is_published(name)]

    def results(self) -> list[str]:
        """Return the tables and figures; none if there is only one training set."""
        if not self.sets:
            return []
        tables = [f"{self._build.root}/tables/{name}.csv" for name in MATRIX_TABLES]
        return [*tables, *(f"{self._build.root}/figures/{n}.png" for n in MATRIX_FIGURES)]

    def sizes(self) -> str:
        """Return how many jobs the matrix needs in all, as a sentence; "" if there is none."""
        if not self.sets:
            return ""
        plan = self._detection
        names = [name for detector in plan.detectors for name in plan.trained(detector)]
        fitted = [name for name in names if not plan.is_published(name)]
        fits = sum(len(plan.trainings(name)) for name in fitted)
        first = len(self.first_scores())
        detectors = f"{len(plan.detectors)} detector{'s' * (len(plan.detectors) > 1)}"
        return (
            f"{detectors}, {len(self.sets)} training sets "
            f"({', '.join(each.name for each in self.sets)}), {len(plan.datasets)} test sets: "
            f"{fits} fits and {first + len(self.scores())} jobs of scores in all"
        )
