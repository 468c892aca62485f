"""Read `detection.same_people`: who is one person in several datasets. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from swapset.dataset.same_people import one_name
from swapset.errors import ConfigError

OWN = "real"
"""Stands for the subjects of the build's own clips."""


def same_people(
    asked: Mapping[str, str], people: Mapping[str, Collection[str]]
) -> list[tuple[str, str]]:
    """Return pairs of names that mean one person, the second one's first.

    Parameters
    ----------
    asked : mapping of str to str
        `Celeb-DF/id2: id0`, between people of two datasets or of one; or `Celeb-DF-v2: Celeb-DF`
        for all people of the same name in two datasets.
    people : mapping of str to collection of str
        The people of each dataset by its name; "real": the subjects of the build.

    Returns
    -------
    list of (str, str)
        Names as of `swapset.dataset.people.People.key`.

    Raises
    ------
    ConfigError
        If somebody does not exist; the message names the entry.
    """
    pairs: list[tuple[str, str]] = []
    for one, other in asked.items():
        if one in people and other in people:
            shared = sorted(set(people[one]) & set(people[other]))
            if not shared:
                raise ConfigError(
                    f"detection.same_people: {one} and {other} have no name in common; name people "
                    f"one by one, as in {one}/NAME: {other}/NAME"
                )
            pairs += [(_full(other, name), _full(one, name)) for name in shared]
        else:
            pairs.append((_somebody(other, people), _somebody(one, people)))
    return pairs


def own_pairs(subjects: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs of the build's subjects who are one person, also over somebody else's name.

    Parameters
    ----------
    subjects : iterable of str
    pairs : iterable of (str, str)
        Those of `same_people`.
    """
    names, first = one_name(pairs), dict[str, str]()
    others = [(first.setdefault(names.get(each, each), each), each) for each in subjects]
    return [(one, other) for one, other in others if one != other]


def _full(dataset: str, name: str) -> str:
    return name if dataset == OWN else f"{dataset}/{name}"


def _somebody(text: str, people: Mapping[str, Collection[str]]) -> str:
    """Return the full name of the person that a text names."""
    for dataset, names in people.items():
        if any(text == _full(dataset, name) for name in names):
            return text
        if dataset != OWN and text.startswith(f"{dataset}/"):
            raise ConfigError(
                f"detection.same_people: nobody in {dataset} is called "
                f"{text.removeprefix(f'{dataset}/')!r}; {_known(names)}"
            )
    raise ConfigError(
        f"detection.same_people: {text!r} is nobody; write the name of a subject of the clips, or "
        f"DATASET/NAME with a dataset: {', '.join(sorted(set(people) - {OWN})) or 'there is none'}"
    )


def _known(names: Collection[str]) -> str:
    if not names:
        return "it does not publish who is in its videos"
    return f"its people are {', '.join(sorted(names)[:3])}{' and so on' * (len(names) > 3)}"
