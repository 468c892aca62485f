"""Folders and lists of datasets: finding, reading, and saying what is wrong with them.

Standard library only, and each folder is read once: the Snakefile reads datasets when it is parsed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swapset.dataset.layouts.video import Dataset
from swapset.errors import ManifestError
from swapset.io.untrusted import whole_text

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
"""Extensions of the files that are taken for videos."""

DERIVED = frozenset({"frames", "images", "landmarks", "masks", "faces"})
"""Folders that tools put beside the videos; they may hold millions of pictures."""

_DEPTH = 6


def find_root(root: Path, inside: Sequence[str], markers: Iterable[str], dataset: str) -> Path:
    """Return the folder that a dataset is in: the one given, or one of some names inside it.

    Parameters
    ----------
    root : Path
        What the user gave.
    inside : sequence of str
        Names under which archives unpack the dataset.
    markers : iterable of str
        Paths from the dataset's folder; one of them is enough to know it.
    dataset : str
        Its name, for messages.

    Raises
    ------
    ManifestError
        If there is no such folder.
    """
    root = existing(root, dataset)
    markers = tuple(markers)
    for folder in (root, *(root / name for name in inside)):
        if any((folder / marker).exists() for marker in markers):
            return folder
    raise ManifestError(
        f"{root}: is not {dataset}, for it has no {_or(markers)}; "
        "docs/datasets.md shows the folders that are expected"
    )


def existing(root: Path, dataset: str) -> Path:
    """Return a folder that the user gave.

    Raises
    ------
    ManifestError
        If it is no folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ManifestError(f"{root}: is no folder; set the root of {dataset} to where it lies")
    return root


def subfolder(root: Path, names: Sequence[str], dataset: str) -> Path:
    """Return the first folder of some names inside `root`, upper or lower case.

    Raises
    ------
    ManifestError
        If there is none.
    """
    present = {entry.name.lower(): Path(entry.path) for entry in scan(root) if entry.is_dir()}
    for name in names:
        if name.lower() in present:
            return present[name.lower()]
    raise ManifestError(
        f"{root}: has no folder {_or(names)}, which {dataset} needs; download it or correct the "
        "root (docs/datasets.md)"
    )


def scan(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder.

    Raises
    ------
    ManifestError
        If it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise ManifestError(f"{folder}: cannot be read ({error.strerror})") from error


def list_videos(folder: Path) -> dict[str, Path]:
    """Return the videos in a folder, or in the folder `videos` inside it, by stem.

    Raises
    ------
    ManifestError
        If the folder cannot be read, or two files have the same stem.
    """
    return stems(video_files(scan(video_folder(folder))))


def video_folder(folder: Path) -> Path:
    """Return the folder `videos` inside a folder if there is one, else the folder."""
    inner = folder / "videos"
    return inner if inner.is_dir() else folder


def video_files(entries: Iterable[os.DirEntry[str]]) -> list[Path]:
    """Return the files among a folder's entries that are videos by their extension."""
    return [
        Path(entry.path)
        for entry in entries
        if entry.name.lower().endswith(SUFFIXES) and entry.name[0] != "." and entry.is_file()
    ]


def stems(paths: Iterable[Path]) -> dict[str, Path]:
    """Return files by stem.

    Raises
    ------
    ManifestError
        If two have the same.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise ManifestError(f"{found[path.stem]} and {path} are the same video; remove one")
        found[path.stem] = path
    return found


def walk(root: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Yield every folder below and its entries, but not what tools derived from the videos."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        entries = scan(folder)
        yield folder, entries
        waiting += [
            (Path(entry.path), depth + 1)
            for entry in entries
            if depth < _DEPTH
            and entry.name[0] != "."
            and not entry.name.lower().endswith(SUFFIXES)
            and entry.is_dir()
            and entry.name not in DERIVED
        ]


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    ManifestError
        If it cannot be read, is no JSON, or an object in it has a key twice.
    """
    text = whole_text(path, ManifestError)
    try:
        return json.loads(text, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: cannot be used ({error}); download it again") from error


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"{twice} stands there twice")
    return found


def report_missing(dataset: Dataset, absent: Mapping[str, str], partial: bool) -> None:
    """Fail if videos of a list are not on disk; with `partial`, leave them out instead.

    Parameters
    ----------
    dataset : Dataset
    absent : mapping of str to str
        Path or name of each such video to the list that names it, with the line if it has lines.
    partial : bool

    Raises
    ------
    ManifestError
        Naming the first one and how many there are.
    """
    if absent and not partial:
        name, where = next(iter(absent.items()))
        more = f", nor are {len(absent) - 1} more" if len(absent) > 1 else ""
        raise ManifestError(
            f"{where}: {name} is not on disk{more}; download what is missing, or set the option "
            "'partial: true' to do without it"
        )
    for name in absent:
        dataset.leave_out(name, "is listed but not on disk")


def _or(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))
