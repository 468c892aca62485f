"""Read some frames of a video, numbered as in the clip that `ingest` would make of it.

Where the packets of a file tell which frames it has, only the frames asked for are decoded, with
those they depend on, and only they are converted to RGB. Otherwise all frames are decoded, twice:
to count them, and to read them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.clip_pictures import ClipPictures
from swapset.media.container import UnusableMedia, open_video
from swapset.media.decode import planar_frames
from swapset.media.deinterlace import Deinterlacer, FieldOrder
from swapset.media.packets import MisleadingPackets, PacketIndex, decode_stamps
from swapset.media.planar import PlanarImage
from swapset.media.source import SourceReader
from swapset.media.timeline import WithoutLeaps, nearest_frames

Result = TypeVar("Result")


class Samples(Protocol):
    """A video of which single frames are read.

    Attributes
    ----------
    frames : int
        Number of its frames.
    """

    frames: int

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """Yield the frames with some numbers in ascending order."""
        ...


def with_clip(path: Path, work: Callable[[Samples], Result]) -> Result:
    """Return the result of some work on single frames of a clip that this project wrote.

    Parameters
    ----------
    path : Path
        The clip. Its frames are numbered from 0.
    work : callable
        Gets the frames; is called again if the file's packets turn out to mislead.

    Raises
    ------
    MediaError
        If the clip is damaged where it was read, or holds fewer frames than its header says.
    """
    try:
        index = PacketIndex.read(path)
        if index.stated and index.stated != len(index.stamps):
            raise MisleadingPackets("the header states another number of frames")
        return work(_ByPackets(path, index, range(len(index.stamps))))
    except MisleadingPackets:
        return work(_WholeClip(path))


def with_source(
    path: Path, work: Callable[[Samples], Result], *, fps: int, seconds: float
) -> Result:
    """Return the result of some work on single frames of an untrusted video.

    Parameters
    ----------
    path : Path
        A video file of any container and codec.
    work : callable
        Gets the frames, upright and with square pixels; is called again if the file's packets
        turn out to mislead.
    fps : int
        Frame k is the one with the time stamp nearest to k / fps.
    seconds : float
        Length of the part that is used, from the beginning.

    Raises
    ------
    UnusableMedia
        If the video holds no usable frame.
    """
    limit = round(seconds * fps)
    try:
        index = PacketIndex.read(path, Fraction(limit, fps))
        times = ((stamp * index.unit, place) for place, stamp in enumerate(index.stamps))
        return work(_ByPackets(path, index, _shown(times, fps, limit)))
    except MisleadingPackets:
        return work(_WholeSource(path, fps, limit))


def _shown(stamped: Iterable[tuple[Fraction, int]], fps: int, limit: int) -> list[int]:
    """Return the number of the source frame that each frame of the clip shows."""
    chosen = nearest_frames(stamped, fps=Fraction(fps), limit=limit)
    return [place for place, copies in chosen for _ in range(copies)]


class _ByPackets:
    """Frames of a file whose packets tell where they are.

    Parameters
    ----------
    path : Path
    index : PacketIndex
    shown : sequence of int
        For each frame of the clip, the number of the source frame in the index.
    """

    def __init__(self, path: Path, index: PacketIndex, shown: Sequence[int]) -> None:
        self._path, self._index, self._shown = path, index, shown
        self._unsure_of_end = index.whole
        self.frames = len(shown)

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """See `Samples.read`."""
        places = [self._shown[number] for number in numbers]
        stamps = self._index.stamps
        with open_video(self._path) as (container, stream):
            # the clip's first frame tells its size, key frames tell properties of those that follow
            first, keys = self._shown[0], self._index.keys_of(places)
            # the last one may be cut off in files that were not copied whole, and the clip shorter
            end = self._shown[-1:] if self._unsure_of_end else []
            wanted = sorted({first, *(key for key in keys if key > first), *places, *end})
            decoded = decode_stamps(container, stream, self._index, [stamps[i] for i in wanted])
            frames = zip(wanted, _progressive(decoded, stream), strict=True)
            yield from _converted(frames, places, ClipPictures(stream, 0))
            deque(frames, maxlen=0)
            self._unsure_of_end = False


class _WholeSource:
    """Frames of an untrusted file that has to be decoded from its beginning."""

    def __init__(self, path: Path, fps: int, limit: int) -> None:
        self._path = path
        with open_video(path) as (container, stream):
            reader = SourceReader(container, stream)
            line = WithoutLeaps(reader, interval=reader.interval)
            times = ((time, place) for place, (time, _) in enumerate(line))
            self._shown = _shown(times, fps, limit)
            if not self._shown:
                message = f"{path}: no frame decodes ({reader.errors} errors)"
                raise UnusableMedia(message, "no_frames")
        self.frames = len(self._shown)

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """See `Samples.read`."""
        places = [self._shown[number] for number in numbers]
        with open_video(self._path) as (container, stream):
            reader = SourceReader(container, stream)
            decoded = enumerate(frame for _, frame in Deinterlacer(stream).run(reader))
            frames = islice(decoded, self._shown[0], None)
            yield from _converted(frames, places, ClipPictures(stream, 0))


def _progressive(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield the frames; interlaced ones need their neighbours."""
    fields = FieldOrder(stream)
    for frame in frames:
        fields.check(frame)
        if fields.is_interlaced(frame):
            raise MisleadingPackets("frames are interlaced")
        yield frame


def _converted(
    frames: Iterator[tuple[int, VideoFrame]], places: Sequence[int], pictures: ClipPictures
) -> Iterator[PlanarImage]:
    """Yield the source frames with some numbers, converted as in the clip.

    Parameters
    ----------
    frames : iterator of (int, VideoFrame)
        Source frames with their numbers; the first one is the clip's first.
    places : sequence of int
        Numbers of the frames to yield, ascending.
    pictures : ClipPictures
        Sees these frames, the first one, and key frames, which tell properties of later ones.
    """
    number = -1
    image: PlanarImage | None = None
    for place in places:
        while number < place:
            number, frame = next(frames)
            if image is None or number == place or frame.key_frame:
                image = PlanarImage(pictures(frame), is_cut=pictures.is_cut)
        assert image is not None  # noqa: S101 - frames have all places
        yield image


class _WholeClip:
    """Frames of one of our clips, all of which are decoded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.frames = sum(1 for _ in planar_frames(path))

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """See `Samples.read`."""
        wanted = set(numbers)
        return (image for number, image in enumerate(planar_frames(self._path)) if number in wanted)
