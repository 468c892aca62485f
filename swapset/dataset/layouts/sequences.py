"""The folders of FaceForensics++ and DFD, one for each compression."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from swapset.dataset.layouts.files import list_videos
from swapset.dataset.layouts.video import Dataset
from swapset.errors import ConfigError, ManifestError
from swapset.media.compressions import COMPRESSIONS, Compression

ROOTS = ("FaceForensics++", "FaceForensics", "FaceForensics++_C23", "FF++", "DFD")
"""Names of the folders into which archives unpack the dataset."""

_FOLDERS: dict[Compression, tuple[str, ...]] = {
    "original": ("raw", "c0"),
    "c23": ("c23",),
    "c40": ("c40",),
}


def compression_folders(
    root: Path, places: Sequence[str], wanted: Sequence[Compression] | None, dataset: str
) -> dict[Compression, Path]:
    """Return the folder of the videos in each compression.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    places : sequence of str
        Folders inside `root` that may have the videos: in folders `raw` (or `c0`), `c23` and
        `c40`, or directly, as in copies of a single compression.
    wanted : sequence of str, optional
        Compressions that must be on disk; by default those that are.
    dataset : str
        Its name, for messages.

    Raises
    ------
    ManifestError
        If no place exists, or it does not have a wanted compression.
    ConfigError
        If the compression of a place without such folders is unclear.
    """
    for place in (root / name for name in places):
        if place.is_dir():
            folders = {
                compression: place / name
                for compression, names in _FOLDERS.items()
                for name in names
                if (place / name).is_dir()
            }
            if not folders and list_videos(place):
                folders = {_only(root, wanted): place}
            return _choose(place, folders, wanted, dataset)
    raise ManifestError(
        f"{root}: has no folder {' or '.join(map(repr, places))}, which {dataset} needs; download "
        "it or correct the root (docs/datasets.md)"
    )


def _only(root: Path, wanted: Sequence[Compression] | None) -> Compression:
    """Return the compression of a single-compression copy, by its folder's name or the option."""
    name = re.search(r"(?i)(?<![a-z0-9])(raw|c0|c23|c40)(?![a-z0-9])", root.name.replace("_", " "))
    for compression, names in _FOLDERS.items():
        if name and name[1].lower() in names:
            return compression
    if wanted is None or len(wanted) != 1:
        raise ConfigError(
            f"{root}: the compression of its videos is unclear; set the option "
            "'compressions' to one of [original], [c23], [c40]"
        )
    return wanted[0]


def _choose(
    place: Path,
    folders: dict[Compression, Path],
    wanted: Sequence[Compression] | None,
    dataset: str,
) -> dict[Compression, Path]:
    if not folders:
        raise ManifestError(
            f"{place}: has no folder raw, c23 or c40 with the videos of {dataset}; download one"
        )
    for compression in wanted or ():
        if compression not in folders:
            raise ManifestError(
                f"{place}: has {dataset} in {', '.join(folders)} and not in {compression}; "
                "download it or correct the option 'compressions'"
            )
    return {name: folders[name] for name in wanted or folders}


def in_common(dataset: Dataset, parts: Sequence[Mapping[Compression, Path]]) -> list[Compression]:
    """Return the compressions that all parts of a dataset have, and add notes on the others.

    Raises
    ------
    ManifestError
        If there is none.
    """
    common = [name for name in COMPRESSIONS if all(name in part for part in parts)]
    if not common:
        raise ManifestError(
            f"{dataset.root}: the real and the fake videos of {dataset.name} have no compression "
            f"in common ({'; '.join(', '.join(part) for part in parts)}); download one for both"
        )
    for place in (part[name] for part in parts for name in part if name not in common):
        inside = place.relative_to(dataset.root).as_posix()
        dataset.notes.append(f"{inside} is not read: other parts have no such compression.")
    return common


def check_compressions(value: object, dataset: str) -> list[Compression] | None:
    """Check the option `compressions` and return it as a list; None means all.

    Raises
    ------
    ConfigError
        If it is not a list of compressions.
    """
    if value is None:
        return None
    names = [value] if isinstance(value, str) else value
    if (
        not isinstance(names, list | tuple)
        or not names
        or any(n not in COMPRESSIONS for n in names)
    ):
        raise ConfigError(
            f"{dataset}: compressions {value!r} is not allowed: it must be a list of some of "
            f"{', '.join(COMPRESSIONS)}"
        )
    return list(names)
