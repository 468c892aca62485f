"""Names and numbers of the detectors of a build: each fold may have several trainings.

Trainings of one fold differ in their seed alone. Light to import.
"""

from __future__ import annotations

_STEP = 1000
"""More than there can be folds."""


def training_name(fold: int, repeat: int) -> str:
    """Return the name of a training in files: "0" for the first of fold 0, "0-s1" for the next.

    Parameters
    ----------
    fold : int
    repeat : int
        From 0.
    """
    return f"{fold}-s{repeat}" if repeat else str(fold)


def training_number(name: str) -> int:
    """Return a training's number in tables of scores, from its name: the fold, if it is the first.

    Raises
    ------
    ValueError
        If the name is none of `training_name`.
    """
    fold, _, repeat = name.partition("-s")
    return int(fold) + _STEP * int(repeat or 0)


def fold_of(number: int) -> int:
    """Return the fold of a training, by its number."""
    return number % _STEP


def repeat_of(number: int) -> int:
    """Return which training of its fold a training is, from 0, by its number."""
    return number // _STEP
