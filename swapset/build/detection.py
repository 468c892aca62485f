"""The plan of detection: datasets, blocks of videos, folds. Imports nothing heavy."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from swapset.build.build import Build
from swapset.build.chosen import check_chosen
from swapset.build.detector_files import (
    adapting,
    check_folders,
    doubts,
    found_compressions,
    weights_beside,
)
from swapset.build.outside_scores import OutsideScores
from swapset.build.public_datasets import PublicDatasets
from swapset.build.same_people import own_pairs, same_people
from swapset.build.split_rows import Part, Row, SplitRows
from swapset.dataset.people import People
from swapset.dataset.same_people import one_name
from swapset.dataset.splits import Fold, make_folds
from swapset.dataset.trainings import fold_of, training_name, training_number
from swapset.detectors.registry import DETECTORS, detector_record, needs_compression
from swapset.errors import ConfigError
from swapset.plugins import Plugin

DEFAULT_METHOD = "faceswap"
"""The method that detectors learn from by default, if the build has it."""


class DetectionPlan:
    """Detectors, the datasets that they are measured on, and the files of both.

    A *dataset* is a method's fakes together with the build's real videos, or a public dataset; the
    tables have one row for each. A *kind* is a folder of videos: `real`, a method, or a public
    dataset.

    Parameters
    ----------
    build : Build

    Raises
    ------
    ConfigError
        If a detector or dataset is unknown or does not fit the build.
    """

    def __init__(self, build: Build):
        self._build = build
        self.settings = build.config.detection
        chosen = build.config.detectors
        self.detectors = list(DETECTORS.built_in) if chosen == "all" else list(chosen)
        self._check()

    def _check(self) -> None:
        check_chosen(DETECTORS, "detectors", self.detectors)
        check_chosen(DETECTORS, "detection.settings", self.settings.settings)
        check_folders(self.settings.settings)
        for name in self.settings.settings:
            self._record(name)  # refuses a protocol that it has no weights of
        for name in self._build.config.datasets:
            if name in self._build.methods or name == "real":
                raise ConfigError(
                    f"datasets: {name!r} is not allowed: a method of this build has this name; "
                    "rename one"
                )
        if not self.datasets:
            raise ConfigError(
                "clips: null is not allowed without public datasets; set 'clips' or 'datasets'"
            )
        if self.train_on not in self.datasets:
            raise ConfigError(
                f"detection.train_on: {self.train_on!r} is not allowed: this build has no such "
                f"dataset; choose from {', '.join(self.datasets)}"
            )
        self.outside.check(self.datasets, self.compressions)
        if self.settings.same_people:
            self.same_people  # noqa: B018 - raises if somebody does not exist

    @cached_property
    def outside(self) -> OutsideScores:
        """Return the scores of detectors that were run elsewhere."""
        return OutsideScores(self._build.root, self._build.config.scores)

    # -- datasets ------------------------------------------------------------------------------

    @property
    def own_datasets(self) -> list[str]:
        """Return the datasets that this build makes: its methods, or nothing without clips."""
        return self._build.methods if self._build.manifest.clips else []

    @property
    def datasets(self) -> list[str]:
        """Return the names of all datasets."""
        return [*self.own_datasets, *self._build.config.datasets]

    @cached_property
    def public(self) -> PublicDatasets:
        """Return the public datasets, read from disk."""
        return PublicDatasets(self._build.config.datasets)

    @property
    def train_on(self) -> str:
        """Return the dataset that detectors learn from."""
        last = (self.datasets or [""])[-1]
        default = DEFAULT_METHOD if DEFAULT_METHOD in self.own_datasets else last
        return self.settings.train_on or default

    def is_own(self, kind: str) -> bool:
        """Return whether videos of a kind are made by this build."""
        return kind == "real" or kind in self.own_datasets

    def compressions(self, dataset: str) -> list[str]:
        """Return the compressions in which a dataset is available."""
        if dataset in self.own_datasets:
            return list(self._build.config.compressions)
        return self.public.compressions(dataset)

    def kinds(self, dataset: str) -> list[str]:
        """Return the kinds of videos in a dataset."""
        return ["real", dataset] if dataset in self.own_datasets else [dataset]

    @property
    def all_kinds(self) -> list[str]:
        """Return the kinds of videos in all datasets."""
        return list(dict.fromkeys(kind for name in self.datasets for kind in self.kinds(name)))

    # -- blocks of videos ----------------------------------------------------------------------

    def names(self, kind: str, compression: str) -> list[str]:
        """Return the names of the videos of a kind, in order."""
        if self.is_own(kind):
            return self._local_names["real" if kind == "real" else "fake"]
        return list(self.public.files(kind, compression))

    @cached_property
    def _local_names(self) -> dict[str, list[str]]:
        """Return the names of the build's videos; cached, because every block needs them."""
        fakes = [swap.name for swap in self._build.swaps]
        return {"real": list(self._build.manifest.clips), "fake": fakes}

    def blocks(self, dataset: str, compression: str) -> list[str]:
        """Return the folders with the faces of a dataset's videos."""
        size = self.settings.block
        return [
            f"{self._build.root}/crops/{kind}/{compression}/{number:04d}"
            for kind in self.kinds(dataset)
            for number in range(-(-len(self.names(kind, compression)) // size))
        ]

    def all_blocks(self) -> list[str]:
        """Return all folders with faces."""
        folders = (
            folder
            for dataset in self.datasets
            for compression in self.compressions(dataset)
            for folder in self.blocks(dataset, compression)
        )
        return list(dict.fromkeys(folders))

    # -- blocks of public fakes with their originals -------------------------------------------

    @property
    def paired(self) -> list[str]:
        """Return the names of the public datasets with fakes that have an original."""
        return list(self.public.pairs)

    def pair_blocks(self) -> list[str]:
        """Return the files of scores of the public datasets' fakes."""
        return [
            f"{self._build.root}/quality/public/{name}/{number:04d}.csv"
            for name, pairs in self.public.pairs.items()
            for number in range(-(-len(pairs) // self.settings.block))
        ]

    def pair_block(self, dataset: str, number: str) -> list[list[str]]:
        """Return the pairs of one block; see `PublicDatasets.pairs`."""
        start = int(number) * self.settings.block
        return self.public.pairs[dataset][start : start + self.settings.block]

    def pair_videos(self, dataset: str, number: str) -> list[str]:
        """Return the videos that belong to the pairs of one block."""
        pairs = self.pair_block(dataset, number)
        return sorted({path for _, *paths, _ in pairs for path in paths if path})

    # -- one block of videos -------------------------------------------------------------------

    def block(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the names of the videos in a block.

        Parameters
        ----------
        kind, compression : str
        number : str
            Number of the block, from "0000".
        """
        start = int(number) * self.settings.block
        return self.names(kind, compression)[start : start + self.settings.block]

    def sources(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the video files of a block.

        Parameters
        ----------
        kind, compression, number : str
            See `block`.
        """
        names = self.block(kind, compression, number)
        if self.is_own(kind):
            return [f"{self._build.root}/dataset/{kind}/{compression}/{n}.mp4" for n in names]
        paths = self.public.files(kind, compression)
        return [paths[name] for name in names]

    def public_sources(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the video files of a block of a public dataset; empty for the build's own videos.

        Parameters
        ----------
        kind, compression, number : str
            See `block`.
        """
        return [] if self.is_own(kind) else self.sources(kind, compression, number)

    def labels(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the label files of a block of the build's own fakes; empty for other videos.

        Parameters
        ----------
        kind, compression, number : str
            See `block`.
        """
        if kind not in self.own_datasets:
            return []
        names = self.block(kind, compression, number)
        return [f"{self._build.root}/labels/{kind}/{name}.parquet" for name in names]

    def targets(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the subjects in a block of the build's own videos; empty for other videos.

        For fakes, these are the targets.

        Parameters
        ----------
        kind, compression, number : str
            See `block`.
        """
        if not self.is_own(kind):
            return []
        names = self.block(kind, compression, number)
        return list(dict.fromkeys(name.partition("_")[0] for name in names))

    # -- training and test ---------------------------------------------------------------------

    @cached_property
    def folds(self) -> list[Fold]:
        """Return the folds of the build's people."""
        return make_folds(**self.split_people()) if self.own_datasets else []

    def split_people(self) -> dict[str, Any]:
        """Return what the folds are made from, as arguments of `make_folds`."""
        pairs = {(swap.target, swap.donor) for swap in self._build.swaps}
        return {
            "subjects": self._build.subjects,
            "pairs": sorted(pairs),
            "folds": self.settings.folds,
            "test": self.settings.test,
            "validation": self.settings.validation,
            "seed": self._build.config.seed,
            "same": own_pairs(self._build.subjects, self.same_people),
        }

    @cached_property
    def same_people(self) -> list[tuple[str, str]]:
        """Return who is one person by the config: pairs of names, see `People.key`."""
        people: dict[str, list[str]] = {name: self.public.people(name) for name in self.public}
        own = list(self._build.subjects) if self.own_datasets else []
        return same_people(self.settings.same_people, {"real": own, **people})

    @property
    def fold_numbers(self) -> list[str]:
        """Return the numbers of the folds as text; only one if detectors learn from public data."""
        return [
            str(number)
            for number in range(len(self.folds) if self.train_on in self.own_datasets else 1)
        ]

    @property
    def training_names(self) -> list[str]:
        """Return the names of all trainings of a detector: of each fold, as many as seeds."""
        return [
            training_name(int(fold), repeat)
            for repeat in range(self.settings.seeds)
            for fold in self.fold_numbers
        ]

    def learns_from(self, detector: str) -> str:
        """Return the compression of a detector's training videos; several are joined by "+".

        "original" alone means the best compression that the dataset has on disk: for
        FaceForensics++ that may be c23. A detector that adapts learns from those of its
        compressions that are there, or else from the best one.

        Raises
        ------
        ConfigError
            If the training dataset has no training videos, or not in the detector's compression.
        """
        if not self._is_published(detector) and not self._has_training(self.train_on):
            able = ", ".join(name for name in self.datasets if self._has_training(name))
            raise ConfigError(
                f"detection.train_on: {self.train_on!r} is not allowed: it has no training split, "
                f"which {detector} needs; "
                f"{f'choose from {able}' if able else 'add a dataset that has one'}, or set "
                f"detection.settings.{detector}.weights"
            )
        wanted = needs_compression(detector)
        if not (found := self._found(detector)):
            raise ConfigError(
                f"detectors: {detector!r} is not allowed: it learns from {wanted} videos, and "
                f"{self.train_on} has none; add {wanted} to 'compressions' or leave the detector "
                "out"
            )
        return "+".join(found)

    def _found(self, detector: str) -> list[str]:
        return found_compressions(detector, self.compressions(self.train_on))

    def notices(self) -> list[str]:
        """Return what is worth knowing about the detectors, one sentence each."""
        available = self.compressions(self.train_on)
        adapting_ones = [
            notice
            for detector in self.detectors
            if not self._is_published(detector)
            for notice in adapting(detector, available, self.train_on)
        ]
        return adapting_ones + doubts(self.settings.settings, self.detectors)

    def _has_training(self, dataset: str) -> bool:
        """Return whether a dataset has training videos: its own split, or the build's folds."""
        return dataset in self.own_datasets or any(
            v.split == "train" for v in self.public.videos(dataset)
        )

    @cached_property
    def _splits(self) -> SplitRows:
        return SplitRows(
            self._build,
            self.public,
            kinds=self.all_kinds,
            folds=self.folds,
            count=len(self.fold_numbers),
            train_on=self.train_on,
            people=People({"real", *self.own_datasets}, one_name(self.same_people)),
        )

    def split_rows(self) -> list[Row]:
        """Return the table of splits: rows of kind, video, label, target, donor, fold, role."""
        return list(self._splits)

    def split_params(self) -> dict[str, Any]:
        """Return what rule `splits` makes the table from, as JSON values.

        Who else is one person may only be known when `accept` has run; then people are split anew.
        """
        return {
            "rows": list(self._splits.all_tests()),
            "people": self.split_people() if self._build.same_people() else {},
            "own": self._splits.own,
            "learnt": self._splits.learnt,
            "same": [list(pair) for pair in self.same_people],
        }

    def training_blocks(self, detector: str) -> list[str]:
        """Return the folders with the faces that a detector learns from; none if it has weights."""
        compressions = self.learns_from(detector).split("+")
        if self._is_published(detector):
            return []
        return [folder for each in compressions for folder in self.blocks(self.train_on, each)]

    def learns(self, detector: str, fold: str) -> list[str]:
        """Return hashes of the videos that a detector learns from in a fold."""
        if self._is_published(detector):
            return []
        return self._splits.hashes(*self._learnt(fold))

    def tests(self, dataset: str) -> list[str]:
        """Return hashes of the videos of a dataset that detectors are tested on."""
        return self._splits.hashes(*self._tested(dataset))

    def knows_learnt(self, fold: str) -> bool:
        """Return whether the table of splits on disk has what detectors learn from in a fold."""
        return self._knows(self._learnt(fold))

    def knows_tested(self, dataset: str) -> bool:
        """Return whether the table of splits on disk has the tests of a dataset."""
        return self._knows(self._tested(dataset))

    def _knows(self, part: Part) -> bool:
        # Who is one person is known only when `accept` has run.
        return not self._build.same_people() and self._splits.is_written(*part)

    def _learnt(self, fold: str) -> Part:
        number = fold_of(training_number(fold))
        return self.kinds(self.train_on), [str(number)], ("train", "val")

    def _tested(self, dataset: str) -> Part:
        return self.kinds(dataset), self.fold_numbers, ("test",)

    def _is_published(self, detector: str) -> bool:
        return "weights" in self.fit_params(detector)

    def fit_params(self, detector: str) -> dict[str, Any]:
        """Return how a detector is fitted, as JSON values."""
        common = {"patience": self.settings.patience, "look_every": self.settings.look_every}
        special = self.settings.settings.get(detector)
        params = common | (special.model_dump(mode="json", exclude_none=True) if special else {})
        beside = self.weights_beside(detector)
        return params | ({"beside": beside} if beside else {})

    def weights_beside(self, detector: str) -> list[str]:
        """Return the files that are read together with a detector's published weights."""
        return weights_beside(detector, self.settings.settings.get(detector))

    def module(self, detector: str) -> str:
        """Return the dotted name of a detector's module."""
        return self._record(detector).module

    def _record(self, detector: str) -> Plugin:
        return detector_record(detector, self.fit_params(detector).get("protocol"))

    @property
    def margin(self) -> float:
        """Return the side of the regions that all detectors need, in sides of a face's box."""
        return max(float(self._record(name).traits["margin"]) for name in self.detectors)

    def models(self, detector: str) -> list[str]:
        """Return the files of a fitted detector, one for each fold and seed.

        Published weights are the same for all seeds.
        """
        folder = f"{self._build.root}/detectors/{detector}"
        names = self.fold_numbers if self._is_published(detector) else self.training_names
        return [f"{folder}/{name}.safetensors" for name in names]

    def cards(self) -> list[str]:
        """Return the cards of all fitted detectors, one for each fold and seed."""
        return [
            f"{model.removesuffix('.safetensors')}.json"
            for detector in self.detectors
            for model in self.models(detector)
        ]

    def scores(self) -> list[str]:
        """Return all files of scores."""
        own = [
            f"{self._build.root}/scores/{detector}/{dataset}/{compression}.parquet"
            for detector in self.detectors
            for dataset in self.datasets
            for compression in self.compressions(dataset)
        ]
        return [*own, *self.outside.scores(self.compressions)]
