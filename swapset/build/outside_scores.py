"""The plan of scores by detectors that were run elsewhere. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swapset.config.detection import ScoreFile
from swapset.detectors.registry import DETECTORS
from swapset.errors import ConfigError

Compressions = Callable[[str], Sequence[str]]
"""Returns the compressions of a dataset, the best one first."""


class OutsideScores:
    """Files of scores by detector, dataset and compression.

    Parameters
    ----------
    root : str
        The build's folder.
    files : mapping of str to (mapping of str to sequence of ScoreFile)
        The section `scores` of the config.
    """

    def __init__(self, root: str, files: Mapping[str, Mapping[str, Sequence[ScoreFile]]]):
        self._root, self._files = root, files

    @property
    def detectors(self) -> list[str]:
        """Return the names of the detectors."""
        return list(self._files)

    def check(self, datasets: Sequence[str], compressions: Compressions) -> None:
        """Check that the detectors are new, and that the build has the datasets and compressions.

        Parameters
        ----------
        datasets : sequence of str
            The build's.
        compressions : callable
            Only called for datasets with scores.

        Raises
        ------
        ConfigError
            Naming the key.
        """
        for detector, by_dataset in self._files.items():
            if detector in DETECTORS:
                raise ConfigError(
                    f"scores: {detector!r} is not allowed: a detector of swapset has this name; "
                    f"rename it, for example '{detector}-theirs'"
                )
            for dataset, files in by_dataset.items():
                key = f"scores.{detector}.{dataset}"
                if dataset not in datasets:
                    raise ConfigError(
                        f"{key}: this build has no such dataset; choose from {', '.join(datasets)}"
                    )
                _check_compressions(key, files, compressions(dataset))

    def scores(self, compressions: Compressions) -> list[str]:
        """Return the files that the jobs write."""
        return [
            f"{self._root}/scores/{detector}/{dataset}/{compression}.parquet"
            for detector, by_dataset in self._files.items()
            for dataset in by_dataset
            for compression in self._of(detector, dataset, compressions(dataset))
        ]

    def _of(self, detector: str, dataset: str, compressions: Sequence[str]) -> dict[str, ScoreFile]:
        """Return the files of a dataset by their compression."""
        files = self._files[detector][dataset]
        return {file.compression or compressions[0]: file for file in files}

    def file(self, detector: str, dataset: str, compression: str, of: Compressions) -> str:
        """Return the file with the scores of a dataset in a compression.

        Parameters
        ----------
        detector, dataset, compression : str
        of : callable
            Returns the compressions of a dataset.
        """
        return str(self._of(detector, dataset, of(dataset))[compression].file)

    def direction(self, detector: str, dataset: str, compression: str, of: Compressions) -> Any:
        """Return what a higher score means, "fake" or "real", or None if nobody says it.

        What is said of one of a detector's files counts for all.

        Parameters
        ----------
        detector, dataset, compression : str
        of : callable
            Returns the compressions of a dataset.
        """
        own = self._of(detector, dataset, of(dataset))[compression].higher
        others = (f.higher for files in self._files[detector].values() for f in files)
        return own or next(filter(None, others), None)

    def judged_by(self, detector: str) -> dict[str, list[str]]:
        """Return all files of a detector by dataset: together they tell its direction."""
        return {name: [str(f.file) for f in files] for name, files in self._files[detector].items()}


def _check_compressions(key: str, files: Sequence[ScoreFile], known: Sequence[str]) -> None:
    wanted = [file.compression or known[0] for file in files]
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"{key}.compression: {name!r} is not allowed: the build has these videos in "
                f"{', '.join(known)}"
            )
    if len(set(wanted)) < len(wanted):
        raise ConfigError(
            f"{key}: two files have scores of the same videos ({', '.join(wanted)}); say which "
            "'compression' each was made of, or leave one out"
        )
