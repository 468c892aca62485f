"""Split a build's people into training, validation and test people. Light to import."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from swapset.errors import ConfigError, DataError
from swapset.seeds import derive_seed

Role = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Fold:
    """The people to train on, the people who decide when to stop, and the people to test on.

    Attributes
    ----------
    train, val, test : frozenset of str
        Subjects, each in one part only. `val` may be empty in a build of few people.
    """

    train: frozenset[str]
    val: frozenset[str]
    test: frozenset[str]

    def role(self, *people: str) -> Role | None:
        """Return the part that contains all these people; None if they are in several."""
        parts: tuple[tuple[Role, frozenset[str]], ...] = (
            ("train", self.train),
            ("val", self.val),
            ("test", self.test),
        )
        return next((name for name, part in parts if part.issuperset(people)), None)


def make_folds(
    subjects: Sequence[str],
    pairs: Iterable[tuple[str, str]],
    *,
    folds: int,
    test: float,
    validation: float,
    seed: int,
    same: Sequence[tuple[str, str]] = (),
) -> list[Fold]:
    """Split people into folds.

    People who are swapped with each other, directly or through others, stay together if that
    leaves at least two groups; then no fake is lost. Otherwise people are split one by one, and
    a fake of two people in different parts is not used.

    Parameters
    ----------
    subjects : sequence of str
        All people.
    pairs : iterable of (str, str)
        People who are swapped with each other.
    folds : int
        1: a single split. More: everybody is tested in exactly one of the folds.
    test, validation : float
        Shares of the people, in [0, 1]; `test` is used for a single split only.
    seed : int
        Seed of the split.
    same : sequence of (str, str)
        Subjects who are one person: they always stay together.

    Returns
    -------
    list of Fold

    Raises
    ------
    ConfigError
        If there are too few people.
    """
    groups = _groups(subjects, [*pairs, *same])
    if len(groups) < 2:
        groups = _groups(subjects, same)
    random.Random(derive_seed(seed, "split")).shuffle(groups)  # noqa: S311 - no secret
    if len(groups) < max(2, folds):
        raise ConfigError(
            f"detection.folds: {folds} folds need at least {max(2, folds)} people, or groups of "
            f"people that are swapped with each other; there are {len(groups)}"
        )
    parts = [_take(groups, test * len(subjects))] if folds == 1 else _deal(groups, folds)
    return [_fold(groups, part, validation * len(subjects)) for part in parts]


def _groups(subjects: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the connected components of the graph of pairs, in order."""
    leader = {subject: subject for subject in subjects}

    def find(subject: str) -> str:
        while leader[subject] != subject:
            leader[subject] = leader[leader[subject]]
            subject = leader[subject]
        return subject

    for one, other in pairs:
        leader[find(other)] = find(one)
    groups: dict[str, list[str]] = {}
    for subject in subjects:
        groups.setdefault(find(subject), []).append(subject)
    return list(groups.values())


def _take(groups: Sequence[list[str]], people: float) -> list[int]:
    """Return the first groups that together have at least `people` people, but not all groups."""
    taken, count = [0], len(groups[0])
    for number in range(1, len(groups) - 1):
        if count >= people:
            break
        taken.append(number)
        count += len(groups[number])
    return taken


def _deal(groups: Sequence[list[str]], folds: int) -> list[list[int]]:
    """Deal the groups, largest first, to parts of about the same number of people."""
    parts: list[list[int]] = [[] for _ in range(folds)]
    sizes = [0] * folds
    for number in sorted(range(len(groups)), key=lambda k: -len(groups[k])):
        smallest = sizes.index(min(sizes))
        parts[smallest].append(number)
        sizes[smallest] += len(groups[number])
    return parts


def _fold(groups: Sequence[list[str]], tested: Sequence[int], validation: float) -> Fold:
    rest = [group for number, group in enumerate(groups) if number not in tested]
    kept_back = _take(rest, validation) if validation > 0 and len(rest) >= 2 else []
    return Fold(
        train=frozenset(s for k, group in enumerate(rest) if k not in kept_back for s in group),
        val=frozenset(s for k in kept_back for s in rest[k]),
        test=frozenset(s for number in tested for s in groups[number]),
    )


def check_leakage(people: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
    """Refuse a split with a person in videos of two parts.

    Parameters
    ----------
    people : mapping of role to mapping of video to its people
        Targets and donors alike.

    Raises
    ------
    DataError
        If a person is in two parts; the message names the person and the two videos.
    """
    seen: dict[str, tuple[str, str]] = {}
    for role, videos in people.items():
        for video, shown in videos.items():
            for person in shown:
                first_role, first_video = seen.setdefault(person, (role, video))
                if first_role != role:
                    raise DataError(
                        f"{person} is in {first_video} ({first_role}) and in {video} ({role}): "
                        "detectors would be tested on people from their training"
                    )
