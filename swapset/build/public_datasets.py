"""Public datasets of a build: their videos, and fakes with their originals. Light to import."""

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

    Raises
    ------
    ManifestError, ConfigError
        If one cannot be read, naming the folder, the file or the line.
    """

    def __init__(self, sources: Mapping[str, DatasetSource]):
        self._datasets: dict[str, Dataset] = {
            name: read_dataset(source.layout or name, source.root, **source.options)
            for name, source in sources.items()
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def notices(self) -> list[str]:
        """Return what a user should know of them, a sentence each."""
        found = []
        for name, dataset in self._datasets.items():
            left = len(dataset.left_out)
            more = f", {left} left out (tables/left_out.csv)" if left else ""
            found.append(f"{name}: {len(dataset.videos)} videos in {dataset.root}{more}")
            found += [f"{name}: {note}" for note in dataset.notes]
        return found

    def left_out(self) -> list[list[str]]:
        """Return dataset, path and reason of what is on disk or in a list and not used."""
        return [
            [name, path, reason]
            for name, dataset in self._datasets.items()
            for path, reason in dataset.left_out.items()
        ]

    def videos(self, dataset: str) -> list[Video]:
        """Return the videos of a dataset in every compression."""
        return self._datasets[dataset].videos

    def compressions(self, dataset: str) -> list[str]:
        """Return the compressions that a dataset comes in, the best one first."""
        there = {video.compression for video in self.videos(dataset)}
        return [name for name in COMPRESSIONS if name in there]

    def files(self, dataset: str, compression: str) -> dict[str, str]:
        """Return the files of a dataset in a compression, by the videos' names."""
        return {
            video.name: str(video.path)
            for video in self.videos(dataset)
            if video.compression == compression
        }

    def best_videos(self, dataset: str) -> list[tuple[str, int]]:
        """Return path and label of a dataset's videos, each once."""
        return [(str(video.path), video.label) for video in self._best(dataset)]

    def _best(self, dataset: str) -> list[Video]:
        """Return the videos in the best compression that the dataset comes in."""
        best = self.compressions(dataset)[:1]
        return [video for video in self.videos(dataset) if video.compression in best]

    @cached_property
    def pairs(self) -> dict[str, list[list[str]]]:
        """Return of each dataset fake's name, fake, original, donor's video and how sure it is.

        Of the best compression. The donor's video is "" where the donor is unknown. "exact" pairs
        show the same frames; for "likely" ones the dataset does not promise it. Datasets whose
        fakes have no originals are not there.
        """
        found = {name: _pairs(self._best(name)) for name in self}
        return {name: pairs for name, pairs in found.items() if pairs}


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
