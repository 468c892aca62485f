"""Check that the files that a config names exist, before anything is planned. Light to import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from swapset.errors import ConfigError
from swapset.io.untrusted import search_note


def check_files(files: Iterable[tuple[str, Path]], results: Path) -> None:
    """Look for models and weights; those in the build's own results may come yet.

    Parameters
    ----------
    files : iterable of (key, path)
        Each file with the key of the config that names it.
    results : Path
        The build's folder.

    Raises
    ------
    ConfigError
        Naming the key and the file that is not there.
    """
    for key, path in files:
        if not path.is_relative_to(results) and not os.path.isfile(path):  # noqa: PTH113 - says no to every odd name
            raise ConfigError(f"{key}: no file {path}{search_note(path)}")
