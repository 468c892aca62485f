"""The people of all datasets, and who of them is one person. Light to import.

Datasets name people on their own, so people of different datasets are different ones, whatever they
are called, unless the config says that they are one (`detection.same_people`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Row = Sequence[str | int]
"""A row of the table of splits: kind, video, label, target, donor, fold, role."""


class People:
    """The people in the videos of a build and of public datasets, each under one name.

    Parameters
    ----------
    own : collection of str
        The kinds of videos that the build makes; they share its subjects.
    names : mapping of str to str
        The name of everybody who has several, by the others; see `key` for names.
    """

    def __init__(self, own: Collection[str], names: Mapping[str, str] | None = None):
        self._own, self._names = own, names or {}

    def key(self, kind: str, person: str) -> str:
        """Return a person's name among all datasets: `id0` in the build, or `Celeb-DF/id0`.

        Parameters
        ----------
        kind : str
            "real", a method of the build or a public dataset.
        person : str
            The name there.
        """
        name = person if kind in self._own else f"{kind}/{person}"
        return self._names.get(name, name)

    def of(self, row: Row) -> list[str]:
        """Return the names of the known people in a video, target and donor."""
        return [self.key(str(row[0]), str(person)) for person in row[3:5] if person]


def without_known(
    rows: Iterable[Row], learnt: Collection[str], own: Collection[str], people: People
) -> list[list[str | int]]:
    """Return the table of splits without tests of people whom a fold's detector knows.

    A video of another dataset than the training dataset keeps its role in a fold only if nobody in
    it is learnt from, or validated on, in that fold.

    Parameters
    ----------
    rows : iterable of Row
    learnt : collection of str
        The kinds of the training dataset.
    own : collection of str
        The kinds that the build makes. If none is learnt from, all of them are for testing.
    people : People
    """
    changed = [list(row) for row in rows]
    for row in changed:
        if row[0] in own and row[0] not in learnt and not set(own) & set(learnt):
            row[6] = "test"
    known: dict[str | int, set[str]] = {}
    for row in changed:
        if row[0] in learnt and row[6] in ("train", "val"):
            known.setdefault(row[5], set()).update(people.of(row))
    for row in changed:
        if row[6] == "test" and row[0] not in learnt and known.get(row[5]):
            row[6] = "" if known[row[5]].intersection(people.of(row)) else "test"
    return changed
