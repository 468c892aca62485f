"""What the Snakefile knows of detection: datasets, blocks of videos, folds. Light to import."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from swapset.dataset.layouts.registry import read_dataset
from swapset.dataset.layouts.video import Dataset, Video
from swapset.dataset.splits import Fold, make_folds
from swapset.detectors.names import COMPRESSIONS, DETECTORS, needs_compression
from swapset.errors import ConfigError

if TYPE_CHECKING:
    from swapset.workflow import Build

OLD_METHOD = "faceswap"


class DetectionPlan:
    """Detectors, datasets and the jobs between them.

    A *dataset* is what a table's row is about: a method's fakes with the build's real videos, or
    a public dataset. A *kind* is a folder of videos: `real`, a method, or a public dataset.

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
        self.detectors = list(DETECTORS) if chosen == "all" else list(chosen)
        self._check()

    def _check(self) -> None:
        for name in [*self.detectors, *self.settings.settings]:
            if name not in DETECTORS:
                raise ConfigError(
                    f"detectors: {name!r} is unknown; choose of {', '.join(DETECTORS)}"
                )
        for name in self._build.config.datasets:
            if name in self._build.methods or name == "real":
                raise ConfigError(f"datasets.{name}: is also a method of this build; rename it")
        if not self.datasets:
            raise ConfigError("clips: is empty, and there is no dataset either; set 'datasets'")
        if self.train_on not in self.datasets:
            raise ConfigError(
                f"detection.train_on: {self.train_on!r} is none of {', '.join(self.datasets)}"
            )

    # -- datasets ------------------------------------------------------------------------------

    @property
    def own(self) -> list[str]:
        """Return the datasets that this build makes: its methods, if it has clips."""
        return self._build.methods if self._build.manifest.clips else []

    @property
    def datasets(self) -> list[str]:
        """Return the names of all datasets."""
        return [*self.own, *self._build.config.datasets]

    @cached_property
    def public(self) -> dict[str, Dataset]:
        """Return the public datasets, read from disk."""
        return {
            name: read_dataset(source.layout or name, source.root, **source.options)
            for name, source in self._build.config.datasets.items()
        }

    def notices(self) -> list[str]:
        """Read the public datasets; return what a user should know of them.

        Raises
        ------
        ManifestError, ConfigError
            If one cannot be read, naming the folder, the file or the line.
        """
        found = []
        for name, dataset in self.public.items():
            left = len(dataset.left_out)
            more = f", {left} left out (tables/left_out.csv)" if left else ""
            found.append(f"{name}: {len(dataset.videos)} videos in {dataset.root}{more}")
            found += [f"{name}: {note}" for note in dataset.notes]
        return found

    @property
    def train_on(self) -> str:
        """Return the dataset that detectors learn from."""
        old = OLD_METHOD if OLD_METHOD in self.own else (self.datasets or [""])[-1]
        return self.settings.train_on or old

    def compressions(self, dataset: str) -> list[str]:
        """Return the compressions that a dataset comes in."""
        if dataset in self.own:
            return list(self._build.config.compressions)
        there = {video.compression for video in self.public[dataset].videos}
        return [name for name in COMPRESSIONS if name in there]

    def kinds(self, dataset: str) -> list[str]:
        """Return the folders of videos that a dataset consists of."""
        return ["real", dataset] if dataset in self.own else [dataset]

    @property
    def all_kinds(self) -> list[str]:
        """Return every folder of videos."""
        return list(dict.fromkeys(kind for name in self.datasets for kind in self.kinds(name)))

    # -- blocks of videos ----------------------------------------------------------------------

    def names(self, kind: str, compression: str) -> list[str]:
        """Return the names of the videos of a kind, in order."""
        if kind == "real":
            return list(self._build.manifest.clips)
        if kind in self.own:
            return [swap.name for swap in self._build.swaps]
        return [v.name for v in self.public[kind].videos if v.compression == compression]

    def blocks(self, dataset: str, compression: str) -> list[str]:
        """Return the folders with the faces of a dataset's videos."""
        size = self.settings.block
        return [
            f"{self._build.root}/crops/{kind}/{compression}/{number:04d}"
            for kind in self.kinds(dataset)
            for number in range(-(-len(self.names(kind, compression)) // size))
        ]

    def all_blocks(self) -> list[str]:
        """Return every folder with faces."""
        found = (
            folder
            for dataset in self.datasets
            for compression in self.compressions(dataset)
            for folder in self.blocks(dataset, compression)
        )
        return list(dict.fromkeys(found))

    def left_out(self) -> list[list[str]]:
        """Return dataset, path and reason of what is on disk or in a list and not used."""
        return [
            [name, path, reason]
            for name, dataset in self.public.items()
            for path, reason in dataset.left_out.items()
        ]

    # -- fakes with their exact originals ------------------------------------------------------

    def pairs(self, dataset: str) -> list[list[str]]:
        """Return fake's name, fake, original and a video of the donor ("" = unknown).

        Of the best compression that the dataset comes in; nothing where it has no exact pairs.
        """
        videos = self._best(dataset)
        real = {video.name: str(video.path) for video in videos if not video.label}
        shows = {v.target: str(v.path) for v in videos if not v.label and v.target is not None}
        return [
            [video.name, str(video.path), real[video.original], shows.get(video.donor or "", "")]
            for video in videos
            if video.label and video.original in real
        ]

    def _best(self, dataset: str) -> list[Video]:
        """Return the videos of a public dataset in the best compression that it comes in."""
        best = self.compressions(dataset)[:1]
        return [v for v in self.public[dataset].videos if v.compression in best]

    def best_videos(self, dataset: str) -> list[tuple[str, int]]:
        """Return path and label of a public dataset's videos, each once."""
        return [(str(video.path), video.label) for video in self._best(dataset)]

    @property
    def paired(self) -> list[str]:
        """Return the public datasets that have exact pairs."""
        return [name for name in self._build.config.datasets if self.pairs(name)]

    def pair_blocks(self) -> list[str]:
        """Return the files of scores of the public datasets' fakes."""
        return [
            f"{self._build.root}/quality/public/{name}/{number:04d}.csv"
            for name in self.paired
            for number in range(-(-len(self.pairs(name)) // self.settings.block))
        ]

    def pair_block(self, dataset: str, number: str) -> list[list[str]]:
        """Return the pairs of one block."""
        start = int(number) * self.settings.block
        return self.pairs(dataset)[start : start + self.settings.block]

    # -- faces by blocks -----------------------------------------------------------------------

    def block(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the names of the videos in a block."""
        start = int(number) * self.settings.block
        return self.names(kind, compression)[start : start + self.settings.block]

    def sources(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the video files of a block."""
        names = self.block(kind, compression, number)
        if kind == "real" or kind in self.own:
            return [f"{self._build.root}/dataset/{kind}/{compression}/{n}.mp4" for n in names]
        paths = {
            video.name: str(video.path)
            for video in self.public[kind].videos
            if video.compression == compression
        }
        return [paths[name] for name in names]

    def labels(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the label files of a block of the build's own fakes; else nothing."""
        if kind not in self.own:
            return []
        names = self.block(kind, compression, number)
        return [f"{self._build.root}/labels/{kind}/{name}.parquet" for name in names]

    def targets(self, kind: str, compression: str, number: str) -> list[str]:
        """Return the people whose clips a block of the build's own videos is made of."""
        if kind != "real" and kind not in self.own:
            return []
        names = self.block(kind, compression, number)
        return list(dict.fromkeys(name.partition("_")[0] for name in names))

    # -- who is learnt from and tested ---------------------------------------------------------

    @cached_property
    def folds(self) -> list[Fold]:
        """Return the folds of the build's people."""
        if not self.own:
            return []
        pairs = {(swap.target, swap.donor) for swap in self._build.swaps}
        own = self.settings
        return make_folds(
            self._build.subjects,
            sorted(pairs),
            folds=own.folds,
            test=own.test,
            validation=own.validation,
            seed=self._build.config.seed,
        )

    @property
    def fold_numbers(self) -> list[str]:
        """Return the names of the folds: a public dataset that is learnt from has one split."""
        return [
            str(number) for number in range(len(self.folds) if self.train_on in self.own else 1)
        ]

    def learns_from(self, detector: str) -> str:
        """Return the compression of the training videos of a detector.

        "original" is the best that the dataset comes in: FaceForensics++ may be there as c23 only.

        Raises
        ------
        ConfigError
            If the dataset that is learnt from does not come in it.
        """
        wanted, there = needs_compression(detector), self.compressions(self.train_on)
        if wanted == "original" and there:
            return there[0]
        if wanted not in there:
            raise ConfigError(
                f"detectors: {detector} learns from {wanted}, in which {self.train_on} does not "
                "come; add it to 'compressions' or leave the detector out"
            )
        return wanted

    def split_rows(self) -> list[list[str | int]]:
        """Return the rows of the table of splits: kind, video, label, target, donor, fold, role."""
        rows: list[list[str | int]] = []
        for number in range(len(self.fold_numbers)):
            for kind in self.all_kinds:
                rows += [
                    [kind, name, label, target, donor, number, role]
                    for name, label, target, donor, role in self._roles(kind, number)
                ]
        return rows

    def _roles(self, kind: str, fold: int) -> Iterator[tuple[str, int, str, str, str]]:
        """Yield name, label, target, donor and part of every video of a kind."""
        if kind == "real":
            for clip in self._build.manifest.clips.values():
                role = self.folds[fold].role(clip.subject)
                yield clip.clip, 0, clip.subject, "", role or ""
        elif kind in self.own:
            for swap in self._build.swaps:
                role = self.folds[fold].role(swap.target, swap.donor)
                yield swap.name, 1, swap.target, swap.donor, role or ""
        else:
            known = {video.name: video for video in self.public[kind].videos}
            for name, video in known.items():
                part = video.split or "test"
                learnt = kind == self.train_on
                shown = part if learnt or part == "test" else ""
                yield name, video.label, video.target or "", video.donor or "", shown

    def fit_params(self, detector: str) -> dict[str, Any]:
        """Return how a detector is fitted, as JSON values."""
        own = self.settings
        chosen = own.settings.get(detector)
        common = {"patience": own.patience, "look_every": own.look_every}
        return common | (chosen.model_dump(mode="json", exclude_none=True) if chosen else {})

    def weight_files(self, detector: str) -> list[str]:
        """Return the files of weights that a detector takes."""
        params = self.fit_params(detector)
        return [params[key] for key in ("weights", "backbone_weights") if key in params]

    @staticmethod
    def module(detector: str) -> str:
        """Return the library's file that a detector is in."""
        return f"swapset/detectors/{DETECTORS[detector].partition(':')[0]}.py"

    def models(self, detector: str) -> list[str]:
        """Return the files of a fitted detector, one per fold."""
        folder = f"{self._build.root}/detectors/{detector}"
        return [f"{folder}/{fold}.safetensors" for fold in self.fold_numbers]

    def scores(self) -> list[str]:
        """Return every file of scores."""
        return [
            f"{self._build.root}/scores/{detector}/{dataset}/{compression}.parquet"
            for detector in self.detectors
            for dataset in self.datasets
            for compression in self.compressions(dataset)
        ]
