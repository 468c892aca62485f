"""Convert any video to a clip: constant frame rate, upright, square pixels, lossless."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.io.files import sha256_of
from swapset.media.clip_pictures import ClipPictures
from swapset.media.container import UnusableMedia, open_video
from swapset.media.deinterlace import Deinterlacer
from swapset.media.encode import VideoWriter
from swapset.media.probe import seconds_of
from swapset.media.source import SourceReader, rate_of
from swapset.media.timeline import WithoutLeaps, nearest_frames

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class IngestRecord:
    """The result of ingesting one source video.

    Attributes
    ----------
    ok : bool
        Whether a clip was written.
    reason : str
        `""`, `"unreadable"`, `"no_video"`, `"no_frames"` or `"unsupported_picture"`.
    detail : str
        The reason in words; for a clip, what is unusual about its source, such as damage.
    frames, width, height : int
        Length of the clip in frames and its size in pixels.
    fps : float
        Frames per second of the clip.
    rotation : int
        Clockwise degrees by which the source was turned: by its metadata and by `turn`.
    source_sha256 : str
        SHA-256 of the source file; empty if there is no such file.
    source_fps, source_seconds : float or None
        Frame rate and duration by the source's header.
    source_frames : int
        Undamaged source frames that were read.
    repeated, dropped : int
        Frames of the clip that repeat the one before; source frames within the clip that it does
        not show.
    damaged : int
        Source frames or packets lost to damage.
    leaps : int
        Places where the source's time stamps leap forward, which were closed up.
    converted : list of str
        Conversions that change what software would show that ignores the file's properties, such
        as tone mapping or deinterlacing; see `swapset.media.properties`.
    cuts : list of int
        Frames of the clip at which the size or shape of the source's picture changes.
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
    leaps: int = 0
    converted: list[str] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)


def ingest(
    source: str | Path,
    destination: str | Path,
    *,
    fps: int | Fraction = 30,
    start: float | None = None,
    end: float | None = None,
    max_seconds: float = 13.0,
    turn: int = 0,
) -> IngestRecord:
    """Make a clip from a video file of any container and codec.

    Output frame k shows the source frame with the time stamp nearest to k / fps, so there is no
    drift, even with variable frame rates. Pictures come out as people see them, whatever their
    colours, fields and shape (`swapset.media.properties`). Damaged files are used as far as they
    decode.

    Parameters
    ----------
    source : path-like
        An untrusted file; it cannot cause other files to be opened.
    destination : path-like
        The clip (.mkv), written whole or not at all; an older clip is removed in any case.
    fps : int or Fraction
        Frames per second of the clip.
    start, end : float, optional
        First and last second to use, as a player shows them.
    max_seconds : float
        Longest clip.
    turn : {0, 90, 180, 270}
        Clockwise degrees by which to turn the picture in addition to its metadata, for files with
        wrong metadata.

    Returns
    -------
    IngestRecord
        With `ok` false and a reason if the source holds no usable frame.

    Raises
    ------
    MediaError
        If the clip cannot be written (for example on a full disk), `start`, `end` and
        `max_seconds` leave no frame, or `turn` is not one of its values.
    """
    wanted = _Wanted.of(source, Fraction(fps), start, end, max_seconds, turn)
    Path(destination).unlink(missing_ok=True)
    record = IngestRecord(ok=False, fps=float(wanted.fps))
    if Path(source).is_file():
        record = replace(record, source_sha256=sha256_of(source))
    try:
        with open_video(source) as (container, stream):
            return _convert(_Clip(container, stream, wanted), Path(destination), record)
    except UnusableMedia as error:
        return replace(record, reason=error.reason, detail=str(error))


@dataclass(frozen=True)
class _Wanted:
    """The requested part of the source, in exact seconds, with its frame rate and extra turn."""

    fps: Fraction
    start: Fraction | None
    end: Fraction | None
    limit: int
    turn: int

    @classmethod
    def of(
        cls,
        source: str | Path,
        fps: Fraction,
        start: float | None,
        end: float | None,
        max_seconds: float,
        turn: int,
    ) -> _Wanted:
        if turn not in (0, 90, 180, 270):
            raise MediaError(f"{source}: turn={turn} must be 0, 90, 180 or 270")
        first, last = (None if value is None else _exact(value) for value in (start, end))
        seconds = _exact(max_seconds)
        if last is not None:
            seconds = min(seconds, last - (first or 0))
        limit = round(seconds * fps)
        if limit < 1 or (first is not None and first < 0):
            raise MediaError(
                f"{source}: start={start}, end={end}, max_seconds={max_seconds} leave no frame; "
                "start must be at least 0 and before end"
            )
        return cls(fps, first, last, limit, turn)


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(10**6)


class _Clip:
    """Iterate over the clip's frames as planes; the first frame fixes their size."""

    def __init__(self, container: InputContainer, stream: VideoStream, wanted: _Wanted) -> None:
        self.container, self.stream, self.wanted = container, stream, wanted
        self.reader = SourceReader(container, stream)
        self.line = WithoutLeaps(self.reader, interval=self.reader.interval)
        self.deinterlacer = Deinterlacer(stream)
        self.pictures = ClipPictures(stream, wanted.turn)
        self.shown = self.repeated = self.dropped = 0
        self.cuts: list[int] = []

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame, copies in self._chosen():
            if not copies:
                self.dropped += self.shown > 0
                continue
            planes = self.pictures(frame)
            if self.pictures.is_cut:
                self.cuts.append(self.shown)
            self.shown += copies
            self.repeated += copies - 1
            yield from repeat(planes, copies)

    @property
    def converted(self) -> list[str]:
        count = self.deinterlacer.frames
        interlaced = [f"{count} interlaced frames deinterlaced"] if count else []
        return interlaced + self.pictures.converted

    def notes(self) -> list[str]:
        """Return what is unusual about the source, in words, once it was read."""
        reader, line = self.reader, self.line
        notes = []
        if reader.damaged:
            notes.append(f"{reader.damaged} damaged or missing source frames")
        if line.leaps:
            notes.append(
                f"time stamps leap forward at {line.leaps} place(s), by {float(line.seconds):.0f} "
                "s in all; closed up"
            )
        return notes + reader.notes()

    def _chosen(self) -> Iterator[tuple[VideoFrame, int]]:
        wanted, start = self.wanted, None
        origin = self.reader.origin or Fraction(0)
        if wanted.start is not None:
            start = wanted.start + origin
            self.reader.seek(start)
        end = None if wanted.end is None else wanted.end + origin
        self.line = WithoutLeaps(self.reader, interval=self.reader.interval, start=start, end=end)
        whole = self.deinterlacer.run(self.line)
        return nearest_frames(whole, fps=wanted.fps, start=start, limit=wanted.limit)


def _convert(clip: _Clip, destination: Path, record: IngestRecord) -> IngestRecord:
    rate = rate_of(clip.container, clip.stream)
    record = replace(
        record,
        source_fps=float(rate) if rate else None,
        source_seconds=seconds_of(clip.container, clip.stream),
    )
    frames = iter(clip)
    first = next(frames, None)
    if first is None:
        return _without_frames(record, clip)
    height, width = first.shape[0] * 2 // 3, first.shape[1]
    with VideoWriter(destination, width, height, fps=clip.wanted.fps, codec="lossless") as writer:
        for planes in chain([first], frames):
            writer.write_planes(planes)
    notes = clip.notes()
    for note in notes:
        logger.warning("%s: %s", destination.stem, note)
    for conversion in clip.converted:
        logger.info("%s: %s", destination.stem, conversion)
    return replace(
        record,
        ok=True,
        detail="; ".join(notes),
        frames=writer.frames,
        width=width,
        height=height,
        rotation=clip.pictures.rotation,
        source_frames=clip.reader.frames,
        repeated=clip.repeated,
        dropped=clip.dropped,
        damaged=clip.reader.damaged,
        leaps=clip.line.leaps,
        converted=clip.converted,
        cuts=clip.cuts,
    )


def _without_frames(record: IngestRecord, clip: _Clip) -> IngestRecord:
    """Return the record of a source without frames: none decodes, or it ends before `start`."""
    reader = clip.reader
    if reader.frames:
        detail = f"it ends before start={float(clip.wanted.start or 0):g} s"
    else:
        detail = f"no frame decodes ({reader.errors} errors)"
    return replace(
        record,
        reason="no_frames",
        detail=detail,
        source_frames=reader.frames,
        damaged=reader.damaged,
    )
