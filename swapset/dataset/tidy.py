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
    unmade: Iterable[str] = (),
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
    unmade : iterable of str
        Files and folders that the config no longer makes, see `swapset.build.leftovers`.

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
    rows += _remove_unmade(root, unmade, source_files)
    for pattern, way in kept.items():
        if folders := list(root.glob(pattern)):
            rows.append(Removed(pattern, *_size(folders), f"kept: {way}"))
    return rows


def _remove_unmade(root: Path, paths: Iterable[str], sources: set[Path]) -> list[Removed]:
    """Remove what the config no longer makes; return one row for each kind of it."""
    rooms: dict[tuple[str, str], list[Path]] = {}
    for path in map(Path, paths):
        if os.path.lexists(root / path):
            reason = _why_kept(root, root / path, sources)
            rooms.setdefault((path.parts[0], reason), []).append(root / path)
    rows = []
    for (room, reason), places in sorted(rooms.items()):
        rows.append(Removed(f"{room} (no longer made)", *_size(places), reason or "removed"))
        for place in places if not reason else []:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
            _remove_if_empty(place.parent, root)
    return rows


def _remove_if_empty(folder: Path, root: Path) -> None:
    """Remove a folder, and those around it up to the build's, as far as they are empty."""
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _by_reason(root: Path, pattern: str, sources: set[Path]) -> dict[str, list[Path]]:
    """Return the folders of a pattern by the reason to keep them; "" = to be removed."""
    by_reason: dict[str, list[Path]] = {}
    for folder in sorted(root.glob(pattern)):
        reason = _why_kept(root, folder, sources)
        if not reason and not folder.is_dir():
            reason = "kept: is no folder"
        by_reason.setdefault(reason, []).append(folder)
    return by_reason


def _why_kept(root: Path, path: Path, sources: set[Path]) -> str:
    """Return why a file or folder must stay; "" if it may go."""
    place = root.resolve() / path.relative_to(root)
    if path.resolve() != place:
        return "kept: is a link"
    if any(source.is_relative_to(place) for source in sources):
        return "kept: holds source clips"
    return ""


def _size(places: Iterable[Path]) -> tuple[int, int]:
    sizes = [path.lstat().st_size for place in places for path in _files(place)]
    return len(sizes), sum(sizes)


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        yield folder
    for place, _, names in os.walk(folder, followlinks=False):
        yield from (Path(place, name) for name in names)
