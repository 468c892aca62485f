"""The plan of detection: detectors, what they learn from, and folds. Imports nothing heavy."""

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
    with_packaged_backbones,
)
from swapset.build.outside_scores import OutsideScores
from swapset.build.same_people import own_pairs, same_people
from swapset.build.split_rows import Row
from swapset.build.training_sets import TrainingSet, asked_sets
from swapset.build.video_blocks import VideoBlocks
from swapset.dataset.people import People
from swapset.dataset.same_people import one_name
from swapset.dataset.splits import Fold, make_folds
from swapset.dataset.trainings import parted, trained_name
from swapset.detectors.margins import MARGIN
from swapset.detectors.registry import ALL, DETECTORS, detector_record, needs_compression
from swapset.errors import ConfigError
from swapset.plugins import Plugin

DEFAULT_METHOD = "faceswap"
"""The method that detectors learn from by default, if the build has it."""


class DetectionPlan(VideoBlocks):
    """Detectors, the datasets that they learn from and are measured on, and the files of all.

    Detectors may learn from several *training sets*. Tables that have one value for each detector
    are of the first set; for the others, see `swapset.build.matrix`. Names of files have a
    detector's name for the first set, and `Meso4@celebdf` for further ones.

    Parameters
    ----------
    build : Build

    Raises
    ------
    ConfigError
        If a detector or dataset is unknown or does not fit the build.
    """

    def __init__(self, build: Build):
        super().__init__(build)
        chosen = build.config.detectors
        self.detectors = list(ALL) if chosen == "all" else list(chosen)
        check_chosen(DETECTORS, "detectors", self.detectors)
        self.detector_settings = with_packaged_backbones(self.settings.settings, self.detectors)
        self._check()

    def _check(self) -> None:
        check_chosen(DETECTORS, "detection.settings", self.detector_settings)
        check_folders(self.detector_settings)
        for name in self.detector_settings:
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
        self.training_sets  # noqa: B018 - raises if a dataset does not exist
        self.outside.check(self.datasets, self.compressions)
        if self.settings.same_people:
            self.same_people  # noqa: B018 - raises if somebody does not exist

    @cached_property
    def outside(self) -> OutsideScores:
        """Return the scores of detectors that were run elsewhere."""
        return OutsideScores(self._build.root, self._build.config.scores)

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

    @cached_property
    def training_sets(self) -> list[TrainingSet]:
        """Return what detectors learn from; most tables are of the first set."""
        default = DEFAULT_METHOD if DEFAULT_METHOD in self.own_datasets else self.datasets[-1]
        asked = asked_sets(
            self.settings.train_on, default, leave_one_out=self.settings.leave_one_out
        )
        tables = [f"{self._build.root}/tables/splits.csv"]
        tables += [f"{self._build.root}/matrix/splits/{each.name}.csv" for each in asked[1:]]
        people = People({"real", *self.own_datasets}, one_name(self.same_people))
        return [
            TrainingSet(self._build, self, what, folds=self.folds, people=people, splits=table)
            for what, table in zip(asked, tables, strict=True)
        ]

    @property
    def first_set(self) -> TrainingSet:
        """Return the set that most tables are of."""
        return self.training_sets[0]

    def set_of(self, trained: str) -> TrainingSet:
        """Return what a detector learnt from, by its name in files."""
        name = parted(trained)[1]
        return next((s for s in self.training_sets[1:] if s.name == name), self.first_set)

    def sets_of(self, detector: str) -> list[TrainingSet]:
        """Return the sets that a detector learns from, the first one with published weights, too.

        Sets with the same real videos are one for detectors that learn from real faces alone.
        """
        if self.is_published(detector):
            return self.training_sets[:1]
        if self._record(detector).traits["learns_fakes"]:
            return self.training_sets
        different: dict[tuple[str, ...], TrainingSet] = {}
        for each in self.training_sets:
            different.setdefault(tuple(each.real_kinds), each)
        return list(different.values())

    def trained(self, detector: str) -> list[str]:
        """Return a detector's names in files: one for each set that it learns from."""
        further = self.sets_of(detector)[1:]
        return [detector, *(trained_name(detector, each.name) for each in further)]

    def learns_from(self, trained: str) -> str:
        """Return the compression of a detector's training videos; several are joined by "+".

        "original" alone means the best compression that the dataset has on disk: for
        FaceForensics++ that may be c23. A detector that adapts learns from those of its
        compressions that are there, or else from the best one.

        Raises
        ------
        ConfigError
            If a training dataset has no training videos, or not in the detector's compression.
        """
        detector, what = parted(trained)[0], self.set_of(trained)
        lacking = what.without_training
        if lacking and not self.is_published(detector):
            able = ", ".join(name for name in self.datasets if self.has_training(name))
            raise ConfigError(
                f"detection.train_on: {lacking[0]!r} is not allowed: it has no training split, "
                f"which {detector} needs; "
                f"{f'choose from {able}' if able else 'add a dataset that has one'}, or set "
                f"detection.settings.{detector}.weights"
            )
        if not (found := found_compressions(detector, what.compressions)):
            raise ConfigError(
                f"detectors: {detector!r} is not allowed: it learns from "
                f"{needs_compression(detector)} videos, and {what.name} has none; add "
                f"{needs_compression(detector)} to 'compressions' or leave the detector out"
            )
        return "+".join(found)

    def notices(self) -> list[str]:
        """Return what is worth knowing about the detectors, one sentence each."""
        adapting_ones = [
            notice
            for detector in self.detectors
            if not self.is_published(detector)
            for each in self.sets_of(detector)
            for notice in adapting(detector, each.compressions, each.name)
        ]
        return adapting_ones + doubts(self.detector_settings, self.detectors)

    def split_rows(self) -> list[Row]:
        """Return the table of splits: rows of kind, video, label, target, donor, fold, role."""
        return list(self.first_set.rows)

    def split_params(self, training_set: str = "") -> dict[str, Any]:
        """Return what a table of splits is made from, as JSON values.

        Who else is one person may only be known when `accept` has run; then people are split anew.

        Parameters
        ----------
        training_set : str
            Name of the set; by default the first one.
        """
        sets = {each.name: each for each in self.training_sets}
        rows = sets.get(training_set, self.first_set).rows
        return {
            "rows": list(rows.all_tests()),
            "people": self.split_people() if self._build.same_people() else {},
            "own": rows.own,
            "learnt": rows.learnt,
            "same": [list(pair) for pair in self.same_people],
        }

    # -- fits and scores -----------------------------------------------------------------------

    def training_blocks(self, trained: str) -> list[str]:
        """Return the folders with the faces that a detector learns from; none if it has weights."""
        compressions = self.learns_from(trained).split("+")
        return [] if self.is_published(trained) else self.set_of(trained).blocks(compressions)

    def learns(self, trained: str, training: str) -> list[str]:
        """Return hashes of the videos that a detector learns from in a training."""
        return [] if self.is_published(trained) else self.set_of(trained).learns(training)

    def tests(self, dataset: str) -> list[str]:
        """Return hashes of the videos of a dataset that detectors are tested on."""
        return self.first_set.tests(self.kinds(dataset))

    def knows_tested(self, dataset: str) -> bool:
        """Return whether the table of splits on disk has the tests of a dataset."""
        return self.first_set.knows_tested(self.kinds(dataset))

    def is_published(self, trained: str) -> bool:
        """Return whether a detector has published weights, and is not fitted."""
        return "weights" in self.fit_params(trained)

    def fit_params(self, trained: str) -> dict[str, Any]:
        """Return how a detector is fitted, as JSON values."""
        detector = parted(trained)[0]
        common = {"patience": self.settings.patience, "look_every": self.settings.look_every}
        special = self.detector_settings.get(detector)
        params = common | (special.model_dump(mode="json", exclude_none=True) if special else {})
        beside = self.weights_beside(detector)
        return params | ({"beside": beside} if beside else {})

    def weights_beside(self, detector: str) -> list[str]:
        """Return the files that are read together with a detector's published weights."""
        return weights_beside(detector, self.detector_settings.get(detector))

    def module(self, trained: str) -> str:
        """Return the dotted name of a detector's module."""
        return self._record(parted(trained)[0]).module

    def _record(self, detector: str) -> Plugin:
        return detector_record(detector, self.fit_params(detector).get("protocol"))

    @property
    def margin(self) -> float:
        """Return the side of the regions that all detectors need, in sides of a face's box."""
        margins = [float(self._record(name).traits["margin"]) for name in self.detectors]
        return max(margins, default=MARGIN)

    def trainings(self, trained: str) -> list[str]:
        """Return the names of a detector's trainings, one for each fold and seed.

        Published weights are the same for all seeds.
        """
        what = self.set_of(trained)
        return what.fold_numbers if self.is_published(trained) else what.training_names

    def models(self, trained: str) -> list[str]:
        """Return the files of a fitted detector, one for each fold and seed."""
        folder = f"{self._build.root}/detectors/{trained}"
        return [f"{folder}/{name}.safetensors" for name in self.trainings(trained)]

    def cards(self) -> list[str]:
        """Return the cards of all detectors of the first training set, for each fold and seed."""
        return [
            f"{model.removesuffix('.safetensors')}.json"
            for detector in self.detectors
            for model in self.models(detector)
        ]

    def own_scores(self) -> list[str]:
        """Return the files of scores of the build's detectors, of the first training set."""
        return [
            f"{self._build.root}/scores/{detector}/{dataset}/{compression}.parquet"
            for detector in self.detectors
            for dataset in self.datasets
            for compression in self.compressions(dataset)
        ]

    def scores(self) -> list[str]:
        """Return all files of scores by detector, dataset and compression."""
        return [*self.own_scores(), *self.outside.scores(self.compressions)]
