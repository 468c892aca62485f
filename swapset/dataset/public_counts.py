"""Videos and frames of a public dataset, as table 4.1 of the chapter counts them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from swapset.errors import MediaError
from swapset.media.probe import probe


def count_public(dataset: str, videos: Iterable[tuple[str, int]]) -> pd.DataFrame:
    """Return one row: dataset, real_videos, real_frames, fake_videos, fake_frames.

    Parameters
    ----------
    dataset : str
    videos : iterable of (path, label)
        Of one compression; label 1 = fake. Frames are those that a file's header announces; a
        folder of pictures has one a file; of an unreadable file none.
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
        return probe(path).frames or 0
    except MediaError:
        return 0
