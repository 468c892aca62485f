"""Remove leftovers of a finished build and report them. Standard library only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Removed:
    """One kind of leftovers, removed or kept.

    Attributes
    ----------
    kind : str
        Pattern of the folders.
    files, bytes : int
        Number and size of the files in them.
    fate : str
        "removed", or "kept" with the reason.
    """

    kind: str
    files: int
    bytes: int
    fate: str


def tidy(
    root: Path,
    removed: Iterable[str],
    kept: Mapping[str, str],
    sources: Sequence[str],
) -> list[Removed]:
    """Remove leftovers of a finished build.

    Links are not followed: a folder that is a link, or is reached through one, is kept.

    Parameters
    ----------
    root : Path
        The build's folder.
    removed : iterable of str
        Patterns of the folders to remove, see `swapset.build.tidy.TidyPlan`.
    kept : mapping of str to str
        Other leftovers: what has to be done before they are removed, by the pattern of their
        folders.
    sources : sequence of str
        Source clips: a folder that contains one is kept.

    Returns
    -------
    list of Removed
        All leftovers, removed and kept.
    """
    rows = []
    source_files = {Path(source).resolve() for source in sources}
    for pattern in removed:
        for reason, folders in _by_reason(root, pattern, source_files).items():
            rows.append(Removed(pattern, *_size(folders), reason or "removed"))
            for folder in folders if not reason else []:
                shutil.rmtree(folder)
    for pattern, way in kept.items():
        if folders := list(root.glob(pattern)):
            rows.append(Removed(pattern, *_size(folders), f"kept: {way}"))
    return rows


def _by_reason(root: Path, pattern: str, sources: set[Path]) -> dict[str, list[Path]]:
    """Return the folders of a pattern by the reason to keep them; "" = to be removed."""
    by_reason: dict[str, list[Path]] = {}
    for folder in sorted(root.glob(pattern)):
        place = root.resolve() / folder.relative_to(root)
        reason = ""
        if folder.resolve() != place or not folder.is_dir():
            reason = "kept: is a link"
        elif any(source.is_relative_to(place) for source in sources):
            reason = "kept: holds source clips"
        by_reason.setdefault(reason, []).append(folder)
    return by_reason


def _size(folders: Iterable[Path]) -> tuple[int, int]:
    sizes = [path.lstat().st_size for folder in folders for path in _files(folder)]
    return len(sizes), sum(sizes)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, followlinks=False):
        yield from (Path(place, name) for name in names)
