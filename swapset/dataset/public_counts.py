"""Count a public dataset's videos and frames, as in table 4.1 of the chapter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from swapset.errors import MediaError
from swapset.media.probe import count_frames


def count_public(dataset: str, videos: Iterable[tuple[str, int]]) -> pd.DataFrame:
    """Count the videos and frames of a public dataset.

    Frames are counted by the file's index or packets, without decoding: one per file in a folder of
    pictures, none in an unreadable file.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    videos : iterable of (path, label)
        Videos of one compression; label 1 = fake.

    Returns
    -------
    DataFrame
        One row: dataset, real_videos, real_frames, fake_videos, fake_frames.
    """
    counts = {0: [0, 0], 1: [0, 0]}
    for path, label in videos:
        counts[label][0] += 1
        counts[label][1] += _frames(Path(path))
    row = (dataset, *counts[0], *counts[1])
    columns = ["dataset", "real_videos", "real_frames", "fake_videos", "fake_frames"]
    return pd.DataFrame([row], columns=columns)


def _frames(path: Path) -> int:
    if path.is_dir():
        return sum(1 for _ in path.iterdir())
    try:
        return count_frames(path)
    except MediaError:
        return 0
