"""Read a video's size, length, frame rate and orientation, as a viewer would see it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from swapset.media.container import UnusableMedia, open_video
from swapset.media.frame_shape import ShapeReader
from swapset.media.source import SourceReader, rate_of


@dataclass(frozen=True)
class MediaInfo:
    """Properties of a video file.

    Attributes
    ----------
    width, height : int
        Size as displayed: upright and with square pixels.
    fps : Fraction or None
        Average frames per second; None if the file does not tell.
    frames : int or None
        Number of frames; None if the container does not count them.
    duration : float or None
        Duration in seconds; None if the file does not tell.
    rotation : int
        Clockwise degrees (0, 90, 180, 270) that turn the stored picture upright.
    codec, container : str
        ffmpeg's names of the codec and the container.
    """

    width: int
    height: int
    fps: Fraction | None
    frames: int | None
    duration: float | None
    rotation: int
    codec: str
    container: str


def probe(path: str | Path) -> MediaInfo:
    """Read a video's header and first frame.

    Raises
    ------
    UnusableMedia
        If no frame decodes; its `reason` is `"unreadable"` or `"no_video"`.
    """
    with open_video(path) as (container, stream):
        shapes = ShapeReader(stream)
        first = next(iter(SourceReader(container, stream)), None)
        if first is None:
            raise UnusableMedia(f"{path}: no frame of it decodes", "unreadable")
        try:
            shape = shapes.of(first[1])
        except UnusableMedia as error:
            raise UnusableMedia(f"{path}: {error}", error.reason) from error
        width, height = shape.orientation.size(*shape.square_size)
        return MediaInfo(
            width=width,
            height=height,
            fps=rate_of(container, stream),
            frames=stream.frames or None,
            duration=seconds_of(container, stream),
            rotation=shape.orientation.rotation,
            codec=stream.codec_context.name,
            container=container.format.name,
        )


def count_frames(path: str | Path) -> int:
    """Return the number of a video's frames: by an exact index, or by reading it undecoded.

    Raises
    ------
    UnusableMedia
        If the file cannot be read as a video.
    """
    count = 0
    with open_video(path) as (container, stream):
        if container.format.name.startswith("mov") and stream.frames:
            return sum(not entry.is_discard for entry in stream.index_entries)
        try:
            for packet in container.demux(stream):
                count += packet.size > 0 and not packet.is_discard
        except (av.error.FFmpegError, IndexError):  # damaged: what was counted so far is there
            pass
    return count


def seconds_of(container: InputContainer, stream: VideoStream) -> float | None:
    """Return the duration in seconds by the file's header; None if the header does not tell."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / av.time_base
    return None
