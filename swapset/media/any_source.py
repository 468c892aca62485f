"""Convert videos of public datasets (files of any codec, or folders of pictures) to clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from swapset.errors import MediaError
from swapset.media.container import MAX_PIXELS
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest
from swapset.media.picture import decode_picture
from swapset.types import Image

FPS = 30
LONGEST = 120.0
"""Seconds of a video that are used, from its beginning."""


@contextmanager
def converted_clip(source: Path) -> Iterator[tuple[Path, str]]:
    """Convert an untrusted video to an upright clip of 30 frames/s, in a temporary file.

    Parameters
    ----------
    source : Path
        A video file, or a folder of pictures (as in VidTIMIT, with or without extension): one
        picture per frame, in the order of their names.

    Yields
    ------
    clip : Path
        The clip; it is deleted at the end of the `with` block.
    reason : str
        Why there is no clip; empty if there is one.
    """
    with TemporaryDirectory(prefix="swapset-") as folder:
        clip = Path(folder, "clip.mkv")
        if source.is_dir():
            yield clip, _from_pictures(source, clip)
        else:
            record = ingest(source, clip, fps=FPS, max_seconds=LONGEST)
            yield clip, "" if record.ok else record.reason


def _from_pictures(source: Path, clip: Path) -> str:
    files = sorted(path for path in source.iterdir() if path.is_file())[: round(LONGEST * FPS)]
    pictures = (image for path in files if (image := _picture(path)) is not None)
    first = next(pictures, None)
    if first is None:
        return "unreadable"
    height, width = (side // 2 * 2 for side in first.shape[:2])
    with VideoWriter(clip, width, height, fps=FPS, codec="lossless") as video:
        video.write(np.ascontiguousarray(first[:height, :width]))
        for image in pictures:
            if image.shape == first.shape:
                video.write(np.ascontiguousarray(image[:height, :width]))
    return ""


def _picture(path: Path) -> Image | None:
    """Return a file's picture, (H, W, 3) uint8 RGB; None if the file does not decode as one."""
    try:
        return decode_picture(path, most_pixels=MAX_PIXELS)
    except MediaError:
        return None
