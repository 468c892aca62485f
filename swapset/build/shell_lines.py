"""Keep the path of Python and of the checkout harmless in the shell lines that Snakemake writes.

Snakemake puts `sys.executable` into shell lines without quotes, and quotes all else as Python does,
not as a shell does.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any

from swapset.errors import ConfigError

_UNUSABLE = {
    os.pathsep: "it separates folders in PATH and PYTHONPATH",
    "\n": "it ends a line",
    **dict.fromkeys("{}", "Snakemake takes it for a wildcard"),
}


def name_python_plainly() -> None:
    """Let shell lines name Python by its file name, found through PATH, if its path needs quotes.

    The jobs inherit PATH, also through Slurm.
    """
    if shlex.quote(sys.executable) != sys.executable:
        folder, sys.executable = os.path.split(sys.executable)
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])


def shell_quoted(value: Any) -> str:
    r"""Return a text with a shell's quotes, and any other value as `repr` does.

    Examples
    --------
    >>> shell_quoted("My $tuff's")
    '\'My $tuff\'"\'"\'s\''
    >>> shell_quoted(2)
    '2'
    """
    return shlex.quote(value) if isinstance(value, str) else repr(value)


def check_checkout(folder: str) -> None:
    """Refuse a checkout whose path no environment variable or shell line can hold.

    Raises
    ------
    ConfigError
        Naming the character.
    """
    for character, reason in _UNUSABLE.items():
        if character in folder:
            raise ConfigError(
                f"the path of this checkout, {folder!r}, has {character!r} in it: {reason}; rename "
                "the folder"
            )
    try:
        folder.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"the path of this checkout, {folder!r}, is not UTF-8; rename the folder"
        ) from None
