"""The public datasets of a build: videos, and fakes with originals. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from swapset.config.detection import DatasetSource
from swapset.dataset.layouts.registry import read_dataset
from swapset.dataset.layouts.video import Dataset, Video
from swapset.media.compressions import COMPRESSIONS


class PublicDatasets:
    """Public datasets by name, read from disk.

    Parameters
    ----------
    sources : mapping of str to DatasetSource
        The section `datasets` of the config.

    Raises
    ------
    ManifestError, ConfigError
        If one cannot be read; the message names the folder, the file or the line.
    """

    def __init__(self, sources: Mapping[str, DatasetSource]):
        self._datasets: dict[str, Dataset] = {
            name: read_dataset(source.layout or name, source.root, **source.options)
            for name, source in sources.items()
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def notices(self) -> list[str]:
        """Return notes on the datasets for the user, one sentence each."""
        notices = []
        for name, dataset in self._datasets.items():
            left = len(dataset.left_out)
            more = f", {left} left out (tables/left_out.csv)" if left else ""
            notices.append(f"{name}: {len(dataset.videos)} videos in {dataset.root}{more}")
            notices += [f"{name}: {note}" for note in dataset.notes]
        return notices

    def left_out(self) -> list[list[str]]:
        """Return dataset, path and reason of each video that is left out."""
        return [
            [name, path, reason]
            for name, dataset in self._datasets.items()
            for path, reason in dataset.left_out.items()
        ]

    def videos(self, dataset: str) -> list[Video]:
        """Return the videos of a dataset in all compressions."""
        return self._datasets[dataset].videos

    def people(self, dataset: str) -> list[str]:
        """Return the people in the videos of a dataset, as far as they are published."""
        return list(dict.fromkeys(name for video in self.videos(dataset) for name in video.people))

    def compressions(self, dataset: str) -> list[str]:
        """Return the compressions in which a dataset is on disk, the best one first."""
        present = {video.compression for video in self.videos(dataset)}
        return [name for name in COMPRESSIONS if name in present]

    def files(self, dataset: str, compression: str) -> dict[str, str]:
        """Return the files of a dataset in a compression, by the names of the videos."""
        return {
            video.name: str(video.path)
            for video in self.videos(dataset)
            if video.compression == compression
        }

    def best_videos(self, dataset: str) -> list[tuple[str, int]]:
        """Return path and label of each video of a dataset, in its best compression."""
        return [(str(video.path), video.label) for video in self._best(dataset)]

    def _best(self, dataset: str) -> list[Video]:
        """Return the videos in the best compression of a dataset."""
        best = self.compressions(dataset)[:1]
        return [video for video in self.videos(dataset) if video.compression in best]

    @cached_property
    def pairs(self) -> dict[str, list[list[str]]]:
        """Return the fakes of each dataset with their originals, in the best compression.

        Returns
        -------
        dict of str to list of [name, fake, original, donor's video, "exact" or "likely"]
            The videos are paths; the donor's is "" if the donor is unknown. "exact" pairs show the
            same frames; for "likely" pairs the dataset does not promise this. Datasets without
            such pairs are left out.
        """
        by_dataset = {name: _pairs(self._best(name)) for name in self}
        return {name: pairs for name, pairs in by_dataset.items() if pairs}


def _pairs(videos: Sequence[Video]) -> list[list[str]]:
    real = {video.name: str(video.path) for video in videos if not video.label}
    shows = {v.target: str(v.path) for v in videos if not v.label and v.target is not None}
    return [
        [
            video.name,
            str(video.path),
            real[original],
            shows.get(video.donor or "", ""),
            "exact" if video.original else "likely",
        ]
        for video in videos
        if video.label and (original := video.original or video.likely_original) in real
    ]
