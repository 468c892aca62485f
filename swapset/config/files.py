"""Check that the files that a config names exist. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from swapset.errors import ConfigError
from swapset.io.untrusted import search_note


def check_files(files: Iterable[tuple[str, Path]], results: Path) -> None:
    """Check that models and weights exist.

    Parameters
    ----------
    files : iterable of (key, path)
        Each file with the key of the config that names it. A detector's published weights may also
        be a folder; whether that detector takes one is known to its plan.
    results : Path
        The build's folder. Files in it are not checked: the build may still make them.

    Raises
    ------
    ConfigError
        If a file does not exist; the message names the key and the file.
    """
    for key, path in files:
        # `os.path` gives False for odd names, too.
        found = os.path.isfile(path) or (_may_be_folder(key) and os.path.isdir(path))  # noqa: PTH112, PTH113
        if not found and not path.is_relative_to(results):
            raise ConfigError(f"{key}: no file {path}{search_note(path)}; correct the path")


def _may_be_folder(key: str) -> bool:
    return key.startswith("detection.settings.") and key.endswith(".weights")
