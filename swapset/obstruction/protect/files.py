"""Protect pictures, videos and folders of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from swapset.errors import ConfigError, MediaError, SwapsetError
from swapset.io.files import atomic_output
from swapset.media.orientation import Orientation
from swapset.media.picture import IMAGES, is_image, read_picture
from swapset.media.stream_copy import FORMATS
from swapset.obstruction.protect.faces import check_found, picture_faces
from swapset.obstruction.protect.measure import Job
from swapset.obstruction.protect.video import protect_video

VIDEOS = FORMATS.keys() | {".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"}
VIDEOS |= {".3gp", ".ogv", ".gif"}
"""Extensions of videos. Containers that cannot be written become Matroska."""
_FOREIGN = frozenset({".heic", ".heif", ".avif", ".jxl", ".psd", ".svg"})
"""Extensions of pictures that cannot be read."""


def protect_file(source: Path, output: Path, job: Job) -> dict[str, Any]:
    """Write the protected version of a video or picture, whole or not at all.

    Parameters
    ----------
    source : Path
    output : Path
        Its extension gives the format.
    job : Job

    Returns
    -------
    dict
        JSON values: `kind`, `frames`, `frames_with_faces`, `faces`, `left_out` and those of
        `Meter.results`.

    Raises
    ------
    ConfigError
        If the output is the source itself, or exists and must not be replaced.
    DataError
        If no face is found.
    MediaError
        If the source is damaged or of an unknown format, or the output cannot be written.
    """
    if not source.is_file():
        raise MediaError(f"{source}: no such file")
    if source.suffix.lower() in _FOREIGN:
        raise MediaError(f"{source}: this format is not read; convert it to PNG or JPEG")
    if output.exists():
        if output.samefile(source):
            raise ConfigError(f"{output}: is the original itself; give the protected one a name")
        if not job.overwrite or output.is_dir():
            raise ConfigError(f"{output}: exists; give another name, or --overwrite for a file")
    return (_protect_picture if is_image(source) else protect_video)(source, output, job)


def protect_folder(
    source: Path, output: Path, job: Job
) -> Iterator[tuple[Path, Path, dict[str, Any] | str]]:
    """Write protected versions of all videos and pictures in a folder and its sub-folders.

    A file that cannot be protected does not end the run.

    Parameters
    ----------
    source : Path
        Folder of the originals.
    output : Path
        Another folder, new or existing.
    job : Job

    Yields
    ------
    file, protected file : Path
        Videos in containers that cannot be written become Matroska: `a.webm.mkv`.
    result : dict or str
        The result of `protect_file`, or the reason why there is none.

    Raises
    ------
    ConfigError
        If the output is the folder itself or a file, or there is nothing to protect.
    """
    if output.exists() and (not output.is_dir() or output.samefile(source)):
        raise ConfigError(f"{output}: must be another folder, since {source} is one")
    files = _media(source, output)
    if not files:
        raise ConfigError(f"{source}: no video or picture is in it")
    for file in files:
        target = output / file.relative_to(source)
        if not is_image(file) and file.suffix.lower() not in FORMATS:
            target = target.with_name(f"{target.name}.mkv")
        try:
            yield file, target, protect_file(file, target, job)
        except SwapsetError as error:
            yield file, target, str(error)
        except OSError as error:
            yield file, target, f"{error.filename or file}: {error.strerror or error}"


def _media(source: Path, output: Path) -> list[Path]:
    """Return the videos and pictures of a folder, without hidden and protected ones."""
    return [
        path
        for path in sorted(source.rglob("*"))
        if path.suffix.lower() in IMAGES | VIDEOS | _FOREIGN
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
        and output.resolve() not in path.resolve().parents
    ]


def _protect_picture(source: Path, output: Path, job: Job) -> dict[str, Any]:
    picture = read_picture(source)
    picture.check_writable(output)
    upright = picture.view()
    faces, turn = picture_faces(upright, which=job.which), Orientation()
    if "upside_down" in faces.hints:  # orientation metadata are wrong or missing
        turn = Orientation.turned(int(faces.hints["upside_down"]))
        faces = picture_faces(np.ascontiguousarray(turn.apply(upright)), which=job.which)
    check_found(source, faces)
    clean = np.ascontiguousarray(turn.apply(upright))
    points, meter = faces.at(0), job.meter()
    (noisy,) = job.protector.protect([clean], [points])
    picture.add(turn.undo(clean), turn.undo(noisy))
    del noisy, upright  # a large picture and its copies may take a gigabyte
    meter.add("protected", clean, np.ascontiguousarray(turn.apply(picture.view())), points)
    with atomic_output(output) as scratch:
        picture.write(scratch, quality=job.jpeg)
        del picture
        written = np.ascontiguousarray(turn.apply(read_picture(scratch).view()))
        meter.add("written", clean, written, points)
    return faces.facts() | {"kind": "picture", "left_out": []} | meter.results()
