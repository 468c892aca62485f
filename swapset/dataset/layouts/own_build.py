"""A dataset that was built by swapset.

    <root>/dataset/real/<original|c23|c40>/id0_0000.mp4
    <root>/dataset/<method>/<original|c23|c40>/id0_id16_0000.mp4    id0_0000 with the face of id16

See docs/dataset.md. Files of 0 bytes stand for videos that could not be made.
"""

from __future__ import annotations

import re
from pathlib import Path

from swapset.dataset.layouts.files import find_root, list_videos, scan
from swapset.dataset.layouts.video import Dataset, Video
from swapset.errors import ConfigError, ManifestError
from swapset.media.compressions import COMPRESSIONS, Compression

_REAL = re.compile(r"([A-Za-z0-9]+)_[A-Za-z0-9]+")
_FAKE = re.compile(r"([A-Za-z0-9]+)_([A-Za-z0-9]+)_([A-Za-z0-9]+)")
_EMPTY = "is empty, for it could not be made"


def read(root: Path, *, method: str | None = None) -> Dataset:
    """Read the real videos of a build and the fakes of one of its methods.

    All of it is for testing: the split of a build is drawn where detectors are fitted on it.

    Parameters
    ----------
    root : Path
        The build's folder, `results/<name>`, or the folder `dataset` in it.
    method : str, optional
        The method of the fakes; by default the only method of the build.

    Raises
    ------
    ManifestError
        If a folder is missing.
    ConfigError
        If the build does not have the method, or has several and none is named.
    """
    root = find_root(root, ("dataset",), ("real",), "a build of swapset")
    methods = sorted(e.name for e in scan(root) if e.is_dir() and e.name != "real")
    if method is None and len(methods) == 1:
        method = methods[0]
    if method not in methods:
        raise ConfigError(
            f"{root}: method {method!r} is not allowed: the build does not have it; set the option "
            f"'method' to one of {', '.join(methods)}"
        )
    dataset = Dataset(method, root)
    for compression in COMPRESSIONS:
        folders = root / "real" / compression, root / method / compression
        if all(folder.is_dir() for folder in folders):
            _add(dataset, *folders, compression)
    if not dataset.videos:
        raise ManifestError(f"{root}: has no real and {method} videos in the same compression")
    return dataset


def _add(dataset: Dataset, real: Path, fake: Path, compression: Compression) -> None:
    present = set()
    for stem, path in list_videos(real).items():
        name = _REAL.fullmatch(stem)
        if name and path.stat().st_size:
            present.add(stem)
            video = Video(stem, path, 0, target=name[1], compression=compression)
            dataset.videos.append(video)
        else:
            dataset.leave_out(path, _EMPTY if name else "is not called SUBJECT_NUMBER")
    for stem, path in list_videos(fake).items():
        name = _FAKE.fullmatch(stem)
        if name and path.stat().st_size:
            original = f"{name[1]}_{name[3]}"
            video = Video(
                stem,
                path,
                1,
                target=name[1],
                donor=name[2],
                compression=compression,
                method=dataset.name,
                original=original if original in present else None,
            )
            dataset.videos.append(video)
        else:
            dataset.leave_out(path, _EMPTY if name else "is not called TARGET_DONOR_NUMBER")
