"""Turn any video into a clip: constant rate, upright, square pixels, stored without loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.files import sha256_of
from swapset.media.container import UnusableMedia, open_video
from swapset.media.decode import PlaneConverter
from swapset.media.encode import VideoWriter
from swapset.media.orientation import orientation_of
from swapset.media.probe import seconds_of, square_size
from swapset.media.source import SourceReader
from swapset.media.timeline import nearest_frames


@dataclass(frozen=True)
class IngestRecord:
    """What became of a source video.

    Attributes
    ----------
    ok : bool
        Whether a clip was written.
    reason : str
        `""`, `"unreadable"`, `"no_video"` or `"no_frames"`.
    detail : str
        The reason in words; also what was wrong with a damaged file that was used.
    frames, width, height : int
        Of the clip.
    fps : float
        Of the clip.
    rotation : int
        Clockwise degrees by which the source was turned.
    source_sha256 : str
        Of the source file; empty if there is none.
    source_fps, source_seconds : float or None
        As the source's header says.
    source_frames : int
        Intact source frames that were read.
    repeated, dropped : int
        Output frames that repeat the one before; source frames within the clip never shown.
    damaged : int
        Source frames or packets lost to damage.
    """

    ok: bool
    reason: str = ""
    detail: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    rotation: int = 0
    source_sha256: str = ""
    source_fps: float | None = None
    source_seconds: float | None = None
    source_frames: int = 0
    repeated: int = 0
    dropped: int = 0
    damaged: int = 0


def ingest(
    source: str | Path,
    destination: str | Path,
    *,
    fps: int | Fraction = 30,
    start: float | None = None,
    end: float | None = None,
    max_seconds: float = 13.0,
) -> IngestRecord:
    """Make a clip from a video file of any container and codec.

    Output frame k shows the source frame whose time stamp is nearest to k / fps, so there is no
    drift, also with variable rates. Odd sizes lose one pixel. Of damaged files, all that decodes
    is used.

    Parameters
    ----------
    source : path-like
        An untrusted file; it cannot make other files be opened.
    destination : path-like
        The clip (.mkv), written whole or not at all; an older one is removed if there is none.
    fps : int or Fraction
        Frames per second of the clip.
    start, end : float, optional
        Seconds, as a player shows them.
    max_seconds : float
        Longest clip.

    Returns
    -------
    IngestRecord
        `ok` false, with a reason, if the source holds no usable frame.

    Raises
    ------
    MediaError
        If the clip cannot be written (for example on a full disk), or `start`, `end` and
        `max_seconds` leave nothing.
    """
    window = _Window.of(source, Fraction(fps), start, end, max_seconds)
    Path(destination).unlink(missing_ok=True)
    record = IngestRecord(ok=False, fps=float(window.fps))
    if Path(source).is_file():
        record = replace(record, source_sha256=sha256_of(source))
    try:
        with open_video(source) as (container, stream):
            return _convert(container, stream, Path(destination), window, record)
    except UnusableMedia as error:
        return replace(record, reason=error.reason, detail=str(error))


@dataclass(frozen=True)
class _Window:
    """Which part of the source is wanted, in exact seconds."""

    fps: Fraction
    start: Fraction | None
    limit: int

    @classmethod
    def of(
        cls,
        source: str | Path,
        fps: Fraction,
        start: float | None,
        end: float | None,
        max_seconds: float,
    ) -> _Window:
        first = None if start is None else Fraction(start).limit_denominator(10**6)
        seconds = Fraction(max_seconds).limit_denominator(10**6)
        if end is not None:
            length = Fraction(end).limit_denominator(10**6) - (first or 0)
            seconds = min(seconds, length)
        limit = round(seconds * fps)
        if limit < 1 or (first is not None and first < 0):
            raise MediaError(
                f"{source}: start={start}, end={end}, max_seconds={max_seconds} leave no frame; "
                "start must be at least 0 and before end"
            )
        return cls(fps, first, limit)


def _convert(
    container: InputContainer,
    stream: VideoStream,
    destination: Path,
    window: _Window,
    record: IngestRecord,
) -> IngestRecord:
    reader = SourceReader(container, stream)
    rate = stream.average_rate or stream.guessed_rate
    record = replace(
        record,
        source_fps=float(rate) if rate else None,
        source_seconds=seconds_of(container, stream),
    )
    counts = _Counts()
    clip = _upright(reader, stream, window, counts)
    first = next(clip, None)
    if first is None:
        return _without_frames(record, reader, window)
    height, width = first.shape[0] * 2 // 3, first.shape[1]
    with VideoWriter(destination, width, height, fps=window.fps, codec="lossless") as writer:
        writer.write_planes(first)
        for planes in clip:
            writer.write_planes(planes)
    return replace(
        record,
        ok=True,
        detail=f"{reader.damaged} damaged or missing source frames" if reader.damaged else "",
        frames=writer.frames,
        width=width,
        height=height,
        rotation=counts.rotation,
        source_frames=reader.frames,
        repeated=counts.repeated,
        dropped=counts.dropped,
        damaged=reader.damaged,
    )


@dataclass
class _Counts:
    repeated: int = 0
    dropped: int = 0
    rotation: int = 0


def _upright(
    reader: SourceReader, stream: VideoStream, window: _Window, counts: _Counts
) -> Iterator[np.ndarray]:
    """Yield the clip's frames as planes; the first frame fixes size and orientation."""
    start = None
    if window.start is not None:
        start = window.start + (reader.origin or 0)
        reader.seek(start)
    convert, orientation = None, None
    chosen = nearest_frames(reader, fps=window.fps, start=start, limit=window.limit)
    shown = 0
    for frame, copies in chosen:
        if not copies:
            counts.dropped += bool(shown)
            continue
        if convert is None or orientation is None:
            orientation = orientation_of(frame)
            convert = PlaneConverter(square_size(frame, stream))
            counts.rotation = orientation.rotation
        try:
            planes = orientation.apply_planes(convert(frame))
        except (av.error.FFmpegError, ValueError) as error:
            raise UnusableMedia(f"{frame.format.name} frames: {error}", "unreadable") from error
        counts.repeated += copies - 1
        shown += copies
        for _ in range(copies):
            yield planes


def _without_frames(record: IngestRecord, reader: SourceReader, window: _Window) -> IngestRecord:
    """Say why no frame came out: none decodes, or the source ends before `start`."""
    if reader.frames:
        reason, detail = "no_frames", f"it ends before start={float(window.start or 0):g} s"
    else:
        reason, detail = "no_frames", f"no frame decodes ({reader.errors} errors)"
    return replace(
        record,
        reason=reason,
        detail=detail,
        source_frames=reader.frames,
        damaged=reader.damaged,
    )
