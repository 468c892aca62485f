"""The last steps of every video of the dataset, the same for real and fake ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swapset import __version__
from swapset.errors import MediaError
from swapset.io.files import is_empty, sha256_of, write_empty, write_json
from swapset.media.compressions import CRF
from swapset.media.decode import frames
from swapset.media.encode import Codec, VideoWriter
from swapset.media.probe import probe
from swapset.media.recompress import recompress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoding:
    """How a video of the dataset is encoded, real and fake alike."""

    codec: Codec
    quality: int
    fps: int


def label_of(kind: str, **facts: str) -> dict[str, str]:
    """Return the container metadata that labels a video as "real" or "fake".

    The label stands in `comment` as JSON, which every player and ffprobe shows.
    """
    text = {"label": kind, **facts, "software": f"swapset {__version__}"}
    return {"comment": json.dumps(text, sort_keys=True, ensure_ascii=False)}


def encode(
    pictures: Iterable[np.ndarray], output: Path, encoding: Encoding, label: dict[str, str]
) -> int:
    """Encode frames (H, W, 3) uint8 RGB as a video of the dataset; return their number.

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
    """Encode an accepted clip; leave an empty file for a rejected one.

    Parameters
    ----------
    clip : str
        Name of the clip.
    verdict : mapping
        As rule `accept` wrote it.
    source : Path
        The ingested clip.
    output : Path
        The video.
    encoding : Encoding
    """
    if not verdict["accepted"]:
        logger.warning("%s was rejected: %s", clip, verdict["reason"])
        write_empty(output)
        return
    label = label_of("real", clip=clip, subject=verdict["subject"])
    count = encode(frames(source), output, encoding, label)
    logger.info("%s: %d frames", clip, count)


def finish_video(versions: Mapping[str, Path], record: Path) -> None:
    """Make the compressed versions of a video, and the record of all versions.

    Parameters
    ----------
    versions : mapping of str to Path
        File of each version: "original", which is there (empty if there was nothing to make),
        and the compressions to make of it ("c23", "c40").
    record : Path
        JSON with `frames`, `width`, `height`, `fps` and `sha256` by version; of an empty video
        only `frames`, 0, and `sha256`, empty.

    Raises
    ------
    MediaError
        If a version cannot be made.
    """
    original = versions["original"]
    made = [name for name in versions if name != "original"]
    if is_empty(original):
        for name in made:
            write_empty(versions[name])
        write_json(record, {"frames": 0, "sha256": {}})
        return
    for name in made:
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
