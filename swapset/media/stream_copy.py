"""Decide which streams and metadata are copied when a video's frames are re-encoded."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.media.source import rate_of

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Containers that can be written, by file ending."""

_ANYWHERE = ("mpegts", "mpeg")
"""Containers with an arbitrary first time stamp, which is subtracted; others keep their times."""

_TEXT = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "text", "mov_text"})
"""Codecs of subtitles that are text, not pictures."""


@dataclass(frozen=True)
class CopyPlan:
    """The parts of a video that are copied, and the timing of its new frames.

    Attributes
    ----------
    source : Path
        The video.
    picture : int
        Index of the stream that is re-encoded.
    kept : list of int
        Indices of the streams that are copied.
    options : dict of str to str
        ffmpeg's codec option for each copied stream.
    left_out : list of str
        Descriptions of the streams that are not copied.
    time_base : Fraction
        Unit of the frames' times, in seconds.
    origin : Fraction
        Seconds that are subtracted from all times.
    aspect : Fraction
        Width of a pixel over its height.
    rate : Fraction
        Average frames per second.
    """

    source: Path
    picture: int
    kept: list[int]
    options: dict[str, str]
    left_out: list[str]
    time_base: Fraction
    origin: Fraction
    aspect: Fraction
    rate: Fraction


def plan_rewrite(
    source: Path, container: InputContainer, stream: VideoStream, output: Path
) -> CopyPlan:
    """Decide which streams of a video can be copied to a file of another format.

    Parameters
    ----------
    source : Path
        The video.
    container : InputContainer
        The open video.
    stream : VideoStream
        The stream that will be re-encoded.
    output : Path
        The new file; its ending decides the container.

    Returns
    -------
    CopyPlan

    Raises
    ------
    MediaError
        If the output's container is unknown, or cannot hold the sound or subtitles.
    """
    kind = FORMATS.get(output.suffix.lower())
    if kind is None:
        raise MediaError(
            f"{output}: videos are written as {', '.join(FORMATS)}; choose one of these endings"
        )
    kept: list[int] = []
    left_out: list[str] = []
    options: dict[str, str] = {}
    for other in container.streams:
        if other is stream:
            continue
        if other.type in ("audio", "subtitle") or (other.type, kind) == ("attachment", "matroska"):
            kept.append(other.index)
            options[f"c:{len(kept)}"] = _codec(other, kind, output)
        else:
            left_out.append(_in_words(other))
    anywhere = container.format.name in _ANYWHERE and container.start_time is not None
    rate = rate_of(container, stream) or Fraction(30)
    return CopyPlan(
        source=source,
        picture=stream.index,
        kept=kept,
        options=options,
        left_out=left_out,
        time_base=Fraction(stream.time_base or 1 / rate),
        origin=Fraction(container.start_time or 0, av.time_base) if anywhere else Fraction(0),
        aspect=Fraction(stream.sample_aspect_ratio or 1),
        rate=Fraction(rate),
    )


def _codec(stream: Stream, kind: str, output: Path) -> str:
    """Return the codec of a copied stream: "copy", or the format to convert text subtitles to."""
    codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
    if kind == "matroska":
        return "subrip" if codec == "mov_text" else "copy"
    if stream.type == "subtitle" and codec in _TEXT:
        return "mov_text"
    with tempfile.TemporaryFile() as nothing, av.open(nothing, "w", format=kind) as empty:
        if codec not in empty.supported_codecs:
            raise MediaError(
                f"{output}: cannot hold the {stream.type} of the video ({codec}); "
                f"name it {output.with_suffix('.mkv').name}"
            )
    return "copy"


def _in_words(stream: Stream) -> str:
    if stream.type == "video":
        return f"stream {stream.index}: a second picture or cover, which is not protected"
    return f"stream {stream.index}: {stream.type}"
