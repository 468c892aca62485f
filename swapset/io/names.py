"""Find files whose names have letters with accents, however the name's writer composed them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path


class Names:
    """Finds paths on disk that are equal but for the composition of their letters.

    An é is one character (NFC, as most programs write it) or an e with an accent that follows (NFD,
    as macOS and some archives write it). Folders are listed at most once, and only if a path does
    not exist as it is written.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, str | None]] = {}

    def on_disk(self, path: Path) -> Path:
        """Return the path as it is on disk; the path itself if nothing or several things fit it."""
        if os.path.lexists(path):
            return path
        found = Path(path.anchor)
        for part in path.relative_to(path.anchor).parts:
            exact = found / part
            if part == ".." or os.path.lexists(exact):
                found = exact
                continue
            name = self._listed(found).get(composed(part))
            if name is None:
                return path
            found /= name
        return found

    def _listed(self, folder: Path) -> dict[str, str | None]:
        """Return the names in a folder by their composed form; None if two have the same."""
        if folder not in self._folders:
            names: dict[str, str | None] = {}
            try:
                for name in os.listdir(folder):  # noqa: PTH208 - names alone
                    names[composed(name)] = None if composed(name) in names else name
            except OSError:
                names = {}
            self._folders[folder] = names
        return self._folders[folder]


def composed(name: str) -> str:
    """Return a name with its accents composed (NFC).

    Examples
    --------
    >>> composed("e\u0301") == "\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name)


def on_disk(path: Path) -> Path:
    """Return one path as it is on disk; see `Names.on_disk`."""
    return Names().on_disk(path)
