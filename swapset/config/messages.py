"""Messages about wrong keys and values of a config, one line each. Imports nothing heavy."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlevel = 2
# pydantic adds the branch of a union to the location of an error, which users did not write.
_UNION_MARKS = ("literal[", "list[", "constrained-", "float", "function-")


def describe(problems: Sequence[Any], config: type[BaseModel]) -> list[str]:
    """Return one line for each wrong key; messages of the branches of a union are joined by "or".

    Parameters
    ----------
    problems : sequence
        The errors that pydantic found.
    config : type
        The model of the whole config.
    """
    lines: dict[str, str] = {}
    for problem in problems:
        parts = [str(part) for part in problem["loc"]]
        key = ".".join(part for part in parts if not part.startswith(_UNION_MARKS))
        says = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            lines[key] = f"{key}: unknown key; {_allowed_beside(problem['loc'], config)}"
        elif key in lines:
            lines[key] += f", or: {says}"
        elif problem["type"] == "value_error" and isinstance(problem["input"], dict):
            lines[key] = f"{key}: {says}"  # the message names the wrong part
        else:
            lines[key] = f"{key}: {shown(problem['input'])} is not allowed: {says}"
            if problem["type"] == "list_type" and isinstance(problem["input"], str):
                lines[key] += f"; write [{problem['input'][:100]}]"
    return list(lines.values())


def shown(value: Any) -> str:
    """Return a value for a message; long or deep values are cut.

    A few lines of YAML can expand to gigabytes of text, and Python refuses to write numbers of
    too many digits.
    """
    try:
        return _SHORT.repr(value)
    except ValueError:
        return f"a number of {value.bit_length()} bits" if isinstance(value, int) else "a value"


def _allowed_beside(location: tuple[int | str, ...], config: type[BaseModel]) -> str:
    """Return the keys that are allowed in the place of an unknown one."""
    model = config
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        if field is not None:  # else the part is a name that the user chose, such as a recipe's
            kinds = [field.annotation, *get_args(field.annotation)]
            model = next(
                (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)),
                model,
            )
    return "allowed here: " + ", ".join(model.model_fields)
