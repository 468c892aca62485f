"""Find and read the folders and lists of datasets.

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
"""Extensions of video files."""

DERIVED = frozenset({"frames", "images", "landmarks", "masks", "faces"})
"""Folders that other tools add to datasets; they may hold millions of pictures."""

_DEPTH = 6


def find_root(root: Path, inside: Sequence[str], markers: Iterable[str], dataset: str) -> Path:
    """Return the folder of a dataset: `root`, or one of some folders inside it.

    Parameters
    ----------
    root : Path
        The folder in the config.
    inside : sequence of str
        Names of the folders into which archives unpack the dataset.
    markers : iterable of str
        Paths inside the dataset's folder; one of them is enough to recognise it.
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
        f"{root}: is not {dataset}: it has no {_or(markers)}; "
        "docs/datasets.md shows the folders that are expected"
    )


def existing(root: Path, dataset: str) -> Path:
    """Return the folder in the config after checking that it exists.

    Raises
    ------
    ManifestError
        If it is not a folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ManifestError(f"{root}: is not a folder; set the root of {dataset} to its folder")
    return root


def subfolder(root: Path, names: Sequence[str], dataset: str) -> Path:
    """Return the first folder inside `root` that has one of some names, in upper or lower case.

    Parameters
    ----------
    root : Path
    names : sequence of str
        The first one has the highest priority.
    dataset : str
        Its name, for messages.

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
    """Return the entries of a folder.

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
        If two have the same stem.
    """
    files: dict[str, Path] = {}
    for path in paths:
        if path.stem in files:
            raise ManifestError(f"{files[path.stem]} and {path} are the same video; remove one")
        files[path.stem] = path
    return files


def walk(root: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Yield all folders below `root` with their entries, except those in `DERIVED`."""
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
    """Return the content of a JSON file.

    Raises
    ------
    ManifestError
        If it cannot be read, is not JSON, or an object in it has a key twice.
    """
    text = whole_text(path, ManifestError)
    try:
        return json.loads(text, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: cannot be used ({error}); download it again") from error


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in content if names.count(name) > 1)
        raise ValueError(f"{twice} is listed twice")
    return content


def report_missing(dataset: Dataset, absent: Mapping[str, str], partial: bool) -> None:
    """Fail if videos of a list are not on disk; with `partial`, leave them out instead.

    Parameters
    ----------
    dataset : Dataset
    absent : mapping of str to str
        Path or name of each such video, to the list (and line) that names it.
    partial : bool
        Leave them out instead.

    Raises
    ------
    ManifestError
        If there are such videos; the message names the first one and their number.
    """
    if absent and not partial:
        name, where = next(iter(absent.items()))
        more = f", nor are {len(absent) - 1} more" if len(absent) > 1 else ""
        raise ManifestError(
            f"{where}: {name} is not on disk{more}; download the missing videos, or set the option "
            "'partial: true' to leave them out"
        )
    for name in absent:
        dataset.leave_out(name, "is listed but not on disk")


def _or(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))
