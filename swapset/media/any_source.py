"""Read videos of public datasets, which are files of any codec or folders of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from swapset.errors import MediaError
from swapset.media.colour import rgb_to_i420
from swapset.media.container import MAX_PIXELS, UnusableMedia
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest
from swapset.media.picture import decode_picture, open_picture
from swapset.media.planar import PlanarImage
from swapset.media.samples import Samples, with_source
from swapset.types import Image

Result = TypeVar("Result")

FPS = 30
LONGEST = 120.0
"""Seconds of a video that are used, from its beginning."""

_ORIENTATION, _TRANSPOSED = 0x0112, 5  # EXIF's tag, and the first of its values that swaps sides


def with_samples(source: Path, work: Callable[[Samples], Result]) -> Result:
    """Return the result of some work on single frames of an untrusted video.

    Frames are numbered at 30 frames/s from the beginning, as in the clip of `converted_clip`.

    Parameters
    ----------
    source : Path
        A video file, or a folder of pictures.
    work : callable
        Gets the frames; may be called a second time.

    Raises
    ------
    UnusableMedia
        If there is no frame; its `reason` is "unreadable", "no_video" or "no_frames".
    """
    if source.is_dir():
        return _with_pictures(source, work)
    return with_source(source, work, fps=FPS, seconds=LONGEST)


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
    files = _files(source, _decoded_size)
    if not files:
        return "unreadable"
    images = _Pictures(files).read(range(len(files)))
    first = next(images)
    with VideoWriter(clip, *first.shape[1::-1], fps=FPS, codec="lossless") as video:
        for image in chain([first], images):
            video.write(image.rgb)
    return ""


def _with_pictures(source: Path, work: Callable[[Samples], Result]) -> Result:
    """Choose the pictures by their headers or, if these mislead, by decoding all."""
    for size_of in (_stated_size, _decoded_size):
        files = _files(source, size_of)
        if not files:
            break
        try:
            return work(_Pictures(files))
        except _MisleadingHeader:
            continue
    raise UnusableMedia(f"{source}: holds no picture that can be read", "unreadable")


def _files(source: Path, size_of: Callable[[Path], tuple[int, int] | None]) -> list[Path]:
    """Return a folder's pictures of the size of its first one, in the order of their names."""
    paths = sorted(path for path in source.iterdir() if path.is_file())[: round(LONGEST * FPS)]
    sizes = [size_of(path) for path in paths]
    first = next((size for size in sizes if size is not None), None)
    return [path for path, size in zip(paths, sizes, strict=True) if size and size == first]


def _stated_size(path: Path) -> tuple[int, int] | None:
    """Return height and width of a picture by its header; None if it is none."""
    try:
        with open_picture(path) as header:
            turned = header.getexif().get(_ORIENTATION, 1) >= _TRANSPOSED
            return header.size if turned else header.size[::-1]
    except MediaError:
        return None


def _decoded_size(path: Path) -> tuple[int, int] | None:
    image = _picture(path)
    return None if image is None else image.shape[:2]


def _picture(path: Path) -> Image | None:
    """Return a file's picture, (H, W, 3) uint8 RGB; None if the file does not decode as one."""
    try:
        return decode_picture(path, most_pixels=MAX_PIXELS)
    except MediaError:
        return None


class _MisleadingHeader(Exception):  # noqa: N818 - answered by decoding all pictures
    """A picture that does not decode to the size that its header states."""


class _Pictures:
    """Pictures of one size as the frames of a video; odd sizes lose one pixel."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self.frames = len(files)

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """See `Samples.read`; the colours are those of stored video."""
        size: tuple[int, int] | None = None
        for number in numbers:
            image = _picture(self._files[number])
            if image is None or image.shape[:2] != (size or image.shape[:2]):
                raise _MisleadingHeader
            size = image.shape[:2]
            height, width = (side // 2 * 2 for side in size)
            yield PlanarImage(rgb_to_i420(np.ascontiguousarray(image[:height, :width])))
