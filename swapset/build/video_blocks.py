"""The plan of datasets: kinds of videos, and the blocks in which jobs take them.

Imports nothing heavy.
"""

from __future__ import annotations

from functools import cached_property

from swapset.build.build import Build
from swapset.build.public_datasets import PublicDatasets


class VideoBlocks:
    """The datasets of a build, and the blocks of videos in which faces are found.

    A *dataset* is a method's fakes together with the build's real videos, or a public dataset; the
    tables have one row for each. A *kind* is a folder of videos: `real`, a method, or a public
    dataset.

    Parameters
    ----------
    build : Build
    """

    def __init__(self, build: Build):
        self._build = build
        self.settings = build.config.detection

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

    def has_training(self, dataset: str) -> bool:
        """Return whether a dataset has training videos: its own split, or the build's folds."""
        return dataset in self.own_datasets or any(
            video.split == "train" for video in self.public.videos(dataset)
        )

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
