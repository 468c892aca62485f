"""UADFV: 49 real videos, and a fake of each.

    <root>/real/0000.mp4         real
    <root>/fake/0000_fake.mp4    its fake

Source: Yang, Li and Lyu, "Exposing Deep Fakes Using Inconsistent Head Poses", ICASSP 2019. The
archive is also known as `fake_videos.zip`.
"""

from __future__ import annotations

import re
from pathlib import Path

from swapset.dataset.layouts.files import find_root, list_videos, subfolder
from swapset.dataset.layouts.video import Dataset, Video

_REAL = re.compile(r"\d+")
_FAKE = re.compile(r"(\d+)(?:_fake)?")
_REAL_FOLDERS = ("real", "real_videos")
_FAKE_FOLDERS = ("fake", "fake_videos")


def read(root: Path) -> Dataset:
    """Read UADFV.

    The dataset publishes no split: all of it is for testing. The people in the videos are not
    published, either.

    Parameters
    ----------
    root : Path
        The folder with `real` and `fake`, or the one above it.

    Raises
    ------
    ManifestError
        If a folder is missing or a video occurs twice.
    """
    root = find_root(root, ("UADFV", "uadfv", "fake_videos"), _REAL_FOLDERS, "UADFV")
    dataset = Dataset("UADFV", root)
    for stem, path in list_videos(subfolder(root, _REAL_FOLDERS, "UADFV")).items():
        if _REAL.fullmatch(stem):
            dataset.videos.append(Video(stem, path, 0))
        else:
            dataset.leave_out(path, "is not called NNNN")
    real = {video.name for video in dataset.videos}
    for stem, path in list_videos(subfolder(root, _FAKE_FOLDERS, "UADFV")).items():
        name = _FAKE.fullmatch(stem)
        if name:
            original = name[1] if name[1] in real else None
            fake = Video(f"{name[1]}_fake", path, 1, method="FakeApp", original=original)
            dataset.videos.append(fake)
        else:
            dataset.leave_out(path, "is not called NNNN_fake")
    return dataset
