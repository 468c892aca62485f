"""Sets of datasets that detectors learn from, and the part of every video in their folds.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from swapset.build.build import Build
from swapset.build.split_rows import Part, SplitRows
from swapset.build.video_blocks import VideoBlocks
from swapset.dataset.people import People
from swapset.dataset.splits import Fold
from swapset.dataset.trainings import fold_of, training_name, training_number
from swapset.errors import ConfigError

LEFT_OUT = "all-but-"
"""Beginning of the name of a set that leaves out one dataset."""


@dataclass(frozen=True)
class Together:
    """Datasets that detectors learn from together.

    Attributes
    ----------
    name : str
    datasets : tuple of str
    left_out : str
        The one dataset that is left out of all that are learnt from; "" = none.
    """

    name: str
    datasets: tuple[str, ...]
    left_out: str = ""


def asked_sets(
    train_on: str | Sequence[str | Sequence[str]] | None, default: str, *, leave_one_out: bool
) -> list[Together]:
    """Return the sets that a config asks for; tables that have only one set are of the first.

    Parameters
    ----------
    train_on : str, sequence of str or of sequences of str, or None
        See `detection.train_on`.
    default : str
        The dataset for None.
    leave_one_out : bool
        Add all datasets but one, for each of them.

    Raises
    ------
    ConfigError
        If two sets are the same, or too few datasets are there to leave one out.
    """
    listed = [train_on or default] if isinstance(train_on, str | None) else list(train_on)
    groups = [[each] if isinstance(each, str) else list(dict.fromkeys(each)) for each in listed]
    sets = [Together("+".join(group), tuple(group)) for group in groups]
    every = list(dict.fromkeys(chain.from_iterable(groups)))
    if leave_one_out and len(every) < 3:
        raise ConfigError(
            "detection.leave_one_out: true is not allowed: it needs three datasets or more in "
            f"detection.train_on, which has {', '.join(every)}"
        )
    if leave_one_out:
        sets += [
            Together(f"{LEFT_OUT}{gone}", tuple(each for each in every if each != gone), gone)
            for gone in every
        ]
    _check_different(sets)
    return sets


def _check_different(sets: Sequence[Together]) -> None:
    seen: dict[frozenset[str], str] = {}
    for each in sets:
        key = frozenset(each.datasets)
        if key in seen:
            raise ConfigError(
                f"detection.train_on: {each.name!r} is not allowed: it has the same datasets as "
                f"{seen[key]!r}; remove one of the two"
            )
        seen[key] = each.name


class TrainingSet:
    """Datasets that detectors learn from together, and who is in which part of their folds.

    Parameters
    ----------
    build : Build
    videos : VideoBlocks
        All datasets of the build.
    what : Together
    folds : sequence of Fold
        Those of the build's people; empty if the build makes no videos.
    people : People
        Who is who in all datasets.
    splits : str
        The table of the parts, a file.

    Raises
    ------
    ConfigError
        If the build has no such dataset.
    """

    def __init__(
        self,
        build: Build,
        videos: VideoBlocks,
        what: Together,
        *,
        folds: Sequence[Fold],
        people: People,
        splits: str,
    ):
        self.name, self.datasets, self.left_out = what.name, what.datasets, what.left_out
        self.splits = splits
        self._build, self._videos, self._folds, self._people = build, videos, folds, people
        for dataset in what.datasets:
            if dataset not in videos.datasets:
                raise ConfigError(
                    f"detection.train_on: {dataset!r} is not allowed: this build has no such "
                    f"dataset; choose from {', '.join(videos.datasets)}"
                )

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of videos that are learnt from."""
        return list(dict.fromkeys(chain.from_iterable(map(self._videos.kinds, self.datasets))))

    @property
    def real_kinds(self) -> list[str]:
        """Return the kinds with the real videos among them."""
        own = self._videos.own_datasets
        return list(dict.fromkeys("real" if name in own else name for name in self.datasets))

    @property
    def compressions(self) -> list[str]:
        """Return the compressions in which all of its datasets are available, best first."""
        first, *others = map(self._videos.compressions, self.datasets)
        return [each for each in first if all(each in other for other in others)]

    @property
    def without_training(self) -> list[str]:
        """Return its datasets that have no training videos."""
        return [name for name in self.datasets if not self._videos.has_training(name)]

    def blocks(self, compressions: Sequence[str]) -> list[str]:
        """Return the folders with the faces that are learnt from, each once."""
        folders = (
            folder
            for each in compressions
            for name in self.datasets
            for folder in self._videos.blocks(name, each)
        )
        return list(dict.fromkeys(folders))

    # -- folds ---------------------------------------------------------------------------------

    @property
    def fold_numbers(self) -> list[str]:
        """Return the numbers of the folds as text; only one if all of it is public."""
        own = set(self.datasets) & set(self._videos.own_datasets)
        return [str(number) for number in range(len(self._folds) if own else 1)]

    @property
    def training_names(self) -> list[str]:
        """Return the names of all trainings of a detector: of each fold, as many as seeds."""
        return [
            training_name(int(fold), repeat)
            for repeat in range(self._videos.settings.seeds)
            for fold in self.fold_numbers
        ]

    @cached_property
    def rows(self) -> SplitRows:
        """Return the part of every video in every fold."""
        return SplitRows(
            self._build,
            self._videos.public,
            kinds=self._videos.all_kinds,
            folds=self._folds,
            count=len(self.fold_numbers),
            learnt=self.kinds,
            people=self._people,
            table=self.splits,
        )

    def learns(self, training: str) -> list[str]:
        """Return hashes of the videos that a detector learns from, by the name of its training."""
        return self.rows.hashes(*self._learnt(training))

    def tests(self, kinds: Sequence[str]) -> list[str]:
        """Return hashes of the videos of some kinds that detectors are tested on."""
        return self.rows.hashes(*self._tested(kinds))

    def knows_learnt(self, training: str) -> bool:
        """Return whether the table on disk has what a detector learns from as it is now."""
        return self._knows(self._learnt(training))

    def knows_tested(self, kinds: Sequence[str]) -> bool:
        """Return whether the table on disk has the tests of some kinds as they are now."""
        return self._knows(self._tested(kinds))

    def _knows(self, part: Part) -> bool:
        # Who is one person is known only when `accept` has run.
        return not self._build.same_people() and self.rows.is_written(*part)

    def _learnt(self, training: str) -> Part:
        fold = fold_of(training_number(training))
        return self.kinds, [str(fold)], ("train", "val")

    def _tested(self, kinds: Sequence[str]) -> Part:
        return kinds, self.fold_numbers, ("test",)
