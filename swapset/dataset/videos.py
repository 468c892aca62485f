"""Encode and compress the videos of the dataset, real and fake ones alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swapset import __version__
from swapset.errors import MediaError
from swapset.io.files import is_empty, sha256_of, write_empty, write_json
from swapset.media.compressions import CRF
from swapset.media.decode import frames
from swapset.media.encode import Codec, VideoWriter
from swapset.media.probe import probe
from swapset.media.recompress import recompress
from swapset.types import Image

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoding:
    """Encoding of the dataset's original videos, the same for real and fake ones.

    Attributes
    ----------
    codec : str
        See `swapset.media.encode.codec_options`.
    quality : int
        See `swapset.media.encode.codec_options`.
    fps : int
        Frames per second.
    """

    codec: Codec
    quality: int
    fps: int


def label_of(kind: str, **facts: str) -> dict[str, str]:
    """Return the container metadata that labels a video as "real" or "fake".

    The label is JSON in the key `comment`, which every player and ffprobe show.
    """
    text = {"label": kind, **facts, "software": f"swapset {__version__}"}
    return {"comment": json.dumps(text, sort_keys=True, ensure_ascii=False)}


def encode(
    pictures: Iterable[Image], output: Path, encoding: Encoding, label: dict[str, str]
) -> int:
    """Encode frames as a video of the dataset.

    Parameters
    ----------
    pictures : iterable of (H, W, 3) uint8, RGB
        The frames, in [0, 255].
    output : Path
        The video.
    encoding : Encoding
        Its codec, quality and frame rate.
    label : dict of str to str
        Its container metadata, see `label_of`.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    MediaError
        If there is no frame, or the video cannot be written.
    """
    numbered = iter(pictures)
    first = next(numbered, None)
    if first is None:
        raise MediaError(f"{output}: there is no frame to encode")
    height, width = first.shape[:2]
    with VideoWriter(
        output,
        width,
        height,
        fps=encoding.fps,
        codec=encoding.codec,
        quality=encoding.quality,
        metadata=label,
    ) as video:
        video.write(first)
        for picture in numbered:
            video.write(picture)
        return video.frames


def write_real(
    clip: str, verdict: Mapping[str, Any], source: Path, output: Path, encoding: Encoding
) -> None:
    """Encode an accepted clip; write an empty file for a rejected one.

    Parameters
    ----------
    clip : str
        Name of the clip.
    verdict : mapping
        Its verdict, as written by rule `accept`.
    source : Path
        The ingested clip.
    output : Path
        The video.
    encoding : Encoding
        Its codec, quality and frame rate.

    Raises
    ------
    MediaError
        If the clip is damaged, or the video cannot be written.
    """
    if not verdict["accepted"]:
        logger.warning("%s was rejected: %s", clip, verdict["reason"])
        write_empty(output)
        return
    label = label_of("real", clip=clip, subject=verdict["subject"])
    count = encode(frames(source), output, encoding, label)
    logger.info("%s: %d frames", clip, count)


def finish_video(versions: Mapping[str, Path], record: Path) -> None:
    """Make the compressed versions of a video, and the record of all its versions.

    Parameters
    ----------
    versions : mapping of str to Path
        File of each version: "original", which exists (empty if the video was not made), and the
        compressions to make of it ("c23", "c40").
    record : Path
        JSON file with `frames`, `width`, `height`, `fps` and `sha256` by version; for an empty
        video only `frames` (0) and `sha256` (empty).

    Raises
    ------
    MediaError
        If a version cannot be made.
    """
    original = versions["original"]
    compressions = [name for name in versions if name != "original"]
    if is_empty(original):
        for name in compressions:
            write_empty(versions[name])
        write_json(record, {"frames": 0, "sha256": {}})
        return
    for name in compressions:
        recompress(original, versions[name], crf=CRF[name])
    facts = probe(original)
    about = {
        "frames": facts.frames,
        "width": facts.width,
        "height": facts.height,
        "fps": float(facts.fps or 0),
        "sha256": {name: sha256_of(path) for name, path in versions.items()},
    }
    write_json(record, about)
