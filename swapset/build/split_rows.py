"""The rows of the table of splits, and hashes of the parts of it that jobs use.

Imports nothing heavy.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from swapset.build.build import Build
from swapset.build.public_datasets import PublicDatasets
from swapset.dataset.people import People, without_known
from swapset.dataset.splits import Fold

Row = list[str | int]
"""Kind, video, label, target, donor, fold, role."""
Part = tuple[Sequence[str], Sequence[str], Sequence[str]]
"""Kinds, numbers of folds, and roles."""
Hashes = dict[tuple[str, ...], str]
"""Hash of the rows of each kind, fold and role."""


class SplitRows:
    """The part (train, val, test or none) of every video in every fold.

    Parameters
    ----------
    build : Build
    public : PublicDatasets
    kinds : sequence of str
        All kinds of videos: "real", the methods of the build, and public datasets.
    folds : sequence of Fold
        The folds of the build's people; empty if the build makes no videos.
    count : int
        Number of folds.
    learnt : sequence of str
        The kinds that detectors learn from.
    people : People
        Who is who among its people.
    table : str
        The table on disk.
    """

    def __init__(
        self,
        build: Build,
        public: PublicDatasets,
        *,
        kinds: Sequence[str],
        folds: Sequence[Fold],
        count: int,
        learnt: Sequence[str],
        people: People,
        table: str,
    ):
        self._build, self._public, self._kinds = build, public, kinds
        self._folds, self._count, self.learnt = folds, count, list(learnt)
        self._people, self._table = people, Path(table)

    def __iter__(self) -> Iterator[Row]:
        yield from without_known(self.all_tests(), self.learnt, self.own, self._people)

    @property
    def own(self) -> list[str]:
        """Return the kinds of videos that the build makes."""
        return [kind for kind in self._kinds if kind == "real" or kind in self._build.methods]

    def all_tests(self) -> Iterator[Row]:
        """Yield all rows, also tests of people whom a fold's detector knows."""
        for number in range(self._count):
            for kind in self._kinds:
                for name, label, target, donor, role in self._roles(kind, number):
                    yield [kind, name, label, target, donor, number, role]

    def _roles(self, kind: str, fold: int) -> Iterator[tuple[str, int, str, str, str]]:
        """Yield name, label, target, donor and role of every video of a kind in a fold."""
        if kind == "real":
            for clip in self._build.manifest.clips.values():
                role = self._folds[fold].role(clip.subject)
                yield clip.clip, 0, clip.subject, "", role or ""
        elif kind in self._build.methods:
            for swap in self._build.swaps:
                role = self._folds[fold].role(swap.target, swap.donor)
                yield swap.name, 1, swap.target, swap.donor, role or ""
        else:
            by_name = {video.name: video for video in self._public.videos(kind)}
            for name, video in by_name.items():
                split = video.split or "test"
                used = split if kind in self.learnt or split == "test" else ""
                yield name, video.label, video.target or "", video.donor or "", used

    def hashes(self, kinds: Iterable[str], folds: Iterable[str], roles: Iterable[str]) -> list[str]:
        """Return a hash of the rows of each kind, fold and role.

        Jobs depend on theirs, and not on the whole table, which every other dataset changes.

        Parameters
        ----------
        kinds : iterable of str
        folds : iterable of str
            Numbers of folds.
        roles : iterable of {"train", "val", "test"}
        """
        keys = itertools.product(kinds, folds, roles)
        return [self._hashes.get(key, "") for key in keys]

    @cached_property
    def _hashes(self) -> Hashes:
        return _hashes(self)

    @cached_property
    def _written(self) -> Hashes:
        try:
            with self._table.open(newline="") as stream:
                return _hashes(list(csv.reader(stream))[1:])
        except (OSError, ValueError):
            return {}

    def is_written(self, kinds: Iterable[str], folds: Iterable[str], roles: Iterable[str]) -> bool:
        """Return whether the table on disk has these rows as they are now.

        Parameters
        ----------
        kinds, folds, roles : iterable of str
            See `hashes`.
        """
        keys = itertools.product(kinds, folds, roles)
        return bool(self._written) and all(
            self._written.get(key) == self._hashes.get(key) for key in keys
        )


def _hashes(rows: Iterable[Sequence[str | int]]) -> Hashes:
    """Return a hash of the rows of each kind, fold and role."""
    texts: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        kind, *about, fold, role = map(str, row)
        texts.setdefault((kind, fold, role), []).append(repr(about))
    return {
        key: hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        for key, lines in texts.items()
    }
