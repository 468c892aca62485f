"""DFD: the DeepFakeDetection dataset of Google and Jigsaw, which comes with FaceForensics++.

    <root>/original_sequences/actors/<raw|c23|c40>/videos/01__walking.mp4
    <root>/manipulated_sequences/DeepFakeDetection/<raw|c23|c40>/videos/01_02__walking__YVGY8LOK.mp4

or, in copies of a single compression, `<root>/DFD_original sequences` and
`<root>/DFD_manipulated_sequences`. The frames are those of actor 01 and the face is that of 02.

Source: Dufour and Gully, "Contributing Data to Deepfake Detection Research", 2019;
ondyari/FaceForensics, `dataset/README.md`: "<actor number>__<scene name>" and "<target
actor>_<source actor>__<sequence name>__<8 charactor long experiment id>".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from swapset.dataset.layouts.files import find_root, list_videos
from swapset.dataset.layouts.sequences import (
    ROOTS,
    check_compressions,
    compression_folders,
    in_common,
)
from swapset.dataset.layouts.video import Dataset, Video
from swapset.media.compressions import Compression

_REAL = re.compile(r"(\d+)__(.+)")
_FAKE = re.compile(r"(\d+)_(\d+)__(.+)__[A-Za-z0-9]+")
_ACTORS = ("original_sequences/actors", "DFD_original sequences", "DFD_original_sequences")
_FAKES = (
    "manipulated_sequences/DeepFakeDetection",
    "DFD_manipulated_sequences/DFD_manipulated_sequences",
    "DFD_manipulated_sequences",
    "DeepFakeDetection",
)


def read(root: Path, *, compressions: Sequence[str] | None = None) -> Dataset:
    """Read DFD.

    The dataset publishes no split: all of it is for testing. Target and donor are numbers of
    actors. The real video of the same actor and scene is the *likely* original of a fake, because
    it need not show the same frames (the chapter found 311 exact pairs among 3,068 fakes).

    Parameters
    ----------
    root : Path
        The folder with `original_sequences`, or the one above it.
    compressions : sequence of str, optional
        Some of "original" (on disk `raw`), "c23", "c40"; by default all that are on disk.

    Raises
    ------
    ManifestError
        If a folder is missing or a video occurs twice.
    ConfigError
        If an option is wrong.
    """
    wanted = check_compressions(compressions, "DFD")
    root = find_root(root, ROOTS, (*_ACTORS, *_FAKES), "DFD")
    dataset = Dataset("DFD", root)
    real = compression_folders(root, _ACTORS, wanted, "DFD")
    fake = compression_folders(root, _FAKES, wanted, "DFD")
    for compression in in_common(dataset, [real, fake]):
        _add_real(dataset, list_videos(real[compression]), compression)
        present = {v.name for v in dataset.videos if v.compression == compression}
        _add_fakes(dataset, list_videos(fake[compression]), compression, present)
    return dataset


def _add_real(dataset: Dataset, files: dict[str, Path], compression: Compression) -> None:
    for stem, path in files.items():
        name = _REAL.fullmatch(stem)
        if name:
            real = Video(stem, path, 0, target=name[1], compression=compression)
            dataset.videos.append(real)
        else:
            dataset.leave_out(path, "is not called ACTOR__SCENE")


def _add_fakes(
    dataset: Dataset, files: dict[str, Path], compression: Compression, present: set[str]
) -> None:
    for stem, path in files.items():
        name = _FAKE.fullmatch(stem)
        if name is None:
            dataset.leave_out(path, "is not called ACTOR_ACTOR__SCENE__ID")
            continue
        likely = f"{name[1]}__{name[3]}"
        fake = Video(
            stem,
            path,
            1,
            target=name[1],
            donor=name[2],
            compression=compression,
            method="DeepFakeDetection",
            likely_original=likely if likely in present else None,
        )
        dataset.videos.append(fake)
