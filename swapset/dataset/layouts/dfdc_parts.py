"""The parts of the Deepfake Detection Challenge: folders of videos, each with a list."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from swapset.dataset.layouts.files import read_json, report_missing, video_files, walk
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ManifestError
from swapset.io.names import composed
from swapset.io.tables import read_table

_LISTS = ("metadata.json", "labels.csv")
_LABELS = {"real": 0, "fake": 1, "0": 0, "1": 1}
_SPLITS: dict[str, Split] = {"train": "train", "validation": "val", "val": "val", "test": "test"}


@dataclass
class _Entry:
    label: int
    split: Split
    original: str | None = None


@dataclass
class _Part:
    """A list and the videos beside it, by file name."""

    listing: Path
    files: dict[str, Path] = field(default_factory=dict)


def add_parts(dataset: Dataset, *, partial: bool) -> None:
    """Add the videos of all parts in a dataset's folder.

    Raises
    ------
    ManifestError
        If there is no part, or a list is wrong or names a missing video.
    """
    parts = _find(dataset)
    if not parts:
        raise ManifestError(
            f"{dataset.root}: is not DFDC: it has no dataset.json (preview), metadata.json or "
            "labels.csv (challenge); docs/datasets.md shows the files that are expected"
        )
    for part in parts:
        _add(dataset, part, partial)
    _settle(dataset)


def _find(dataset: Dataset) -> list[_Part]:
    parts: dict[Path, _Part] = {}
    waiting: list[tuple[Path, list[Path]]] = []
    for folder, entries in walk(dataset.root):
        listing = _listing(entries)
        if listing:
            parts[folder] = _Part(listing)
        waiting.append((folder, video_files(entries)))
    for folder, files in waiting:
        owner = folder.parent if folder.name == "videos" and folder not in parts else folder
        if owner in parts:
            parts[owner].files.update({file.name: file for file in files})
        else:
            for file in files:
                dataset.leave_out(file, "has no metadata.json or labels.csv beside it")
    return sorted(parts.values(), key=lambda part: part.listing)


def _listing(entries: Iterable[os.DirEntry[str]]) -> Path | None:
    """Return the list among a folder's entries; of two, the one with more facts."""
    lists = {entry.name: Path(entry.path) for entry in entries if entry.name in _LISTS}
    return next((lists[name] for name in _LISTS if name in lists), None)


def _add(dataset: Dataset, part: _Part, partial: bool) -> None:
    listed = _read_csv(part.listing) if part.listing.suffix == ".csv" else _read(part.listing)
    for name, file in part.files.items():
        entry = listed.pop(composed(name), None)
        if entry is None:
            dataset.leave_out(file, f"is not in its {part.listing.name}")
            continue
        video = Video(
            file.stem,
            file,
            entry.label,
            split=entry.split,
            original=entry.original,
        )
        dataset.videos.append(video)
    where = part.listing.parent
    absent = {(where / name).as_posix(): str(part.listing) for name in listed}
    report_missing(dataset, absent, partial)


def _read(path: Path) -> dict[str, _Entry]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise ManifestError(f"{path}: is not an object of videos; download it again")
    return {composed(name): _entry(path, name, value) for name, value in content.items()}


def _entry(path: Path, name: str, value: Any) -> _Entry:
    value = value if isinstance(value, dict) else {}
    text = value.get("label", value.get("is_fake"))
    default = "test" if "is_fake" in value else "train"
    split = _SPLITS.get(str(value.get("split", default)))
    label = _LABELS.get(str(text).lower())
    if label is None:
        raise ManifestError(
            f"{path}, {name}: label {text!r} is not allowed: it is REAL or FAKE; download the list "
            "again"
        )
    if split is None:
        raise ManifestError(
            f"{path}, {name}: split {value['split']!r} is not allowed: it is one of "
            f"{', '.join(_SPLITS)}; download the list again"
        )
    original = value.get("original")
    exact = (
        label == 1 and split != "test" and isinstance(original, str)
    )  # test videos are augmented
    return _Entry(label, split, original.rpartition(".")[0] or original if exact else None)


def _read_csv(path: Path) -> dict[str, _Entry]:
    """Read `filename,label` of test videos."""
    listed: dict[str, _Entry] = {}
    try:
        for line, row in read_table(path, ("filename", "label"), (), ManifestError, others=True):
            _add_row(f"{path}, line {line}", row, listed)
    except ManifestError as error:
        raise ManifestError(f"{error}; download the list again") from error
    return listed


def _add_row(where: str, row: dict[str, str], listed: dict[str, _Entry]) -> None:
    name, text = row["filename"], row["label"]
    label = _LABELS.get(text.lower())
    if label is None:
        raise ManifestError(f"{where}: label {text!r} is not allowed: it is 0 (real) or 1 (fake)")
    if composed(name) in listed:
        raise ManifestError(f"{where}: {name} is listed twice")
    listed[composed(name)] = _Entry(label, "test")


def _settle(dataset: Dataset) -> None:
    """Remove originals that are not on disk, and the split if there are no test videos."""
    real = {video.name for video in dataset.videos if video.label == 0}
    tested = any(video.split == "test" for video in dataset.videos)
    for number, video in enumerate(dataset.videos):
        original = video.original if video.original in real else None
        split = video.split if tested else None
        if (original, split) != (video.original, video.split):
            dataset.videos[number] = replace(video, original=original, split=split)
