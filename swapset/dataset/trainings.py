"""Names and numbers of the detectors of a build: each fold may have several trainings.

Trainings of one fold differ in their seed alone. Detectors that learn from several training sets
have a name for each. Light to import.
"""

from __future__ import annotations

_STEP = 1000
"""More than there can be folds."""
_AT = "@"
"""Between a detector and its training set; "+" and "-" are in names of datasets."""


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


def trained_name(detector: str, training_set: str) -> str:
    """Return the name in files of a detector that learnt from a further training set.

    Parameters
    ----------
    detector : str
        Its name, which is also its name in files for the first training set.
    training_set : str
    """
    return f"{detector}{_AT}{training_set}"


def parted(trained: str) -> tuple[str, str]:
    """Return a detector and the training set that its name in files has; "" = the first one."""
    detector, _, training_set = trained.partition(_AT)
    return detector, training_set
