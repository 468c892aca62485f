"""The plan of perturbed videos: which are made, and the files of their faces and scores.

Imports nothing heavy.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.figures import ROBUSTNESS_FIGURES
from swapset.build.places import ROBUSTNESS_TABLES
from swapset.media.perturbations.names import Perturbation, expand


class RobustnessPlan:
    """Perturbations, and the files with the faces and scores of perturbed videos.

    Each dataset is perturbed in its best compression.

    Parameters
    ----------
    build : Build
    detection : DetectionPlan
    """

    def __init__(self, build: Build, detection: DetectionPlan):
        self._build, self._detection = build, detection
        self.root = f"{build.root}/perturbed"

    @cached_property
    def perturbations(self) -> dict[str, Perturbation]:
        """Return the perturbations by their keys; empty without detectors."""
        if not self._detection.detectors:
            return {}
        return {each.key: each for each in expand(self._build.config.detection.perturbations)}

    @property
    def families(self) -> dict[str, list[str]]:
        """Return the keys of the perturbations of each family, whose scores one job makes."""
        families: dict[str, list[str]] = {}
        for key, each in self.perturbations.items():
            families.setdefault(each.family, []).append(key)
        return families

    def compression(self, dataset: str) -> str:
        """Return the compression of a dataset that is perturbed: the best one."""
        return self._detection.compressions(dataset)[0]

    def blocks(self, perturbation: str, dataset: str) -> list[str]:
        """Return the folders with the faces of a dataset's perturbed videos.

        Parameters
        ----------
        perturbation : str
            A key.
        dataset : str
        """
        prefix = f"{self._build.root}/crops/"
        return [
            f"{self.root}/crops/{perturbation}/{block.removeprefix(prefix)}"
            for block in self._detection.blocks(dataset, self.compression(dataset))
        ]

    def family_blocks(self, family: str, dataset: str) -> list[str]:
        """Return the folders with the faces of all perturbations of a family."""
        return [b for key in self.families.get(family, []) for b in self.blocks(key, dataset)]

    def all_blocks(self) -> list[str]:
        """Return all folders with faces of perturbed videos."""
        pairs = product(self.perturbations, self._measured)
        return list(dict.fromkeys(block for pair in pairs for block in self.blocks(*pair)))

    @property
    def _measured(self) -> list[str]:
        """Return the datasets with videos on disk or to be made."""
        return [name for name in self._detection.datasets if self._detection.compressions(name)]

    def scores(self) -> list[str]:
        """Return the folders with the scores of perturbed videos."""
        return [
            f"{self.root}/scores/{detector}/{dataset}/{family}"
            for detector in self._detection.detectors
            for dataset in self._measured
            for family in self.families
        ]

    def plain_scores(self) -> list[str]:
        """Return the files with the scores of the same videos without a perturbation."""
        if not self.perturbations:
            return []
        return [
            f"{self._build.root}/scores/{detector}/{dataset}/{self.compression(dataset)}.parquet"
            for detector in self._detection.detectors
            for dataset in self._measured
        ]

    def listed(self) -> list[str]:
        """Return the names of the perturbations in the config's order."""
        return [each.name for each in self.perturbations.values()]

    def of_family(self, family: str) -> list[str]:
        """Return the names of the perturbations of a family."""
        return [self.perturbations[key].name for key in self.families[family]]

    def quality(self) -> list[str]:
        """Return the files with the Mask-SSIM of the build's own perturbed fakes."""
        return [
            f"{self.root}/quality/{target}/{family}.csv"
            for target in self._build.targets
            for family in self.families
        ]

    def results(self) -> list[str]:
        """Return the tables and figures; none if nothing is perturbed."""
        if not self.perturbations:
            return []
        names = ROBUSTNESS_TABLES if self._build.targets else ROBUSTNESS_TABLES[:2]
        tables = [f"{self._build.root}/tables/{name}.csv" for name in names]
        return [*tables, *(f"{self._build.root}/figures/{n}.png" for n in ROBUSTNESS_FIGURES)]
