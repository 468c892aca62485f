"""List a video's frames by its packets, and decode only some of them.

Packets tell when frames are shown and where decoding can begin, without being decoded. Files are
not trusted: wherever the packets leave doubt, or the decoder gives other frames than they promise,
`MisleadingPackets` asks for decoding from the start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from swapset.media.container import open_video
from swapset.media.stamps import LEAP, WINDOW

_NEAR = 8  # frames from here to a key frame; seeking is not worth its while for fewer
_SPARE = 2  # seconds of packets to read beyond the last frame, because frames are reordered


class MisleadingPackets(Exception):  # noqa: N818 - a question, answered by decoding all frames
    """Packets that leave doubt which frames a video has, or promise other frames than it has."""


@dataclass(frozen=True)
class PacketIndex:
    """The frames of a video by its packets.

    Attributes
    ----------
    stamps : list of int
        Time stamps of all frames in the order in which they are shown, strictly increasing.
    keys : list of int
        Time stamps of the packets where decoding can begin, ascending.
    unit : Fraction
        Seconds per unit of the stamps.
    stated : int
        Number of frames by the file's header; 0 if it does not tell.
    whole : bool
        Whether all packets were read, not only those of the first seconds.
    """

    stamps: list[int]
    keys: list[int]
    unit: Fraction
    stated: int
    whole: bool

    @classmethod
    def read(cls, path: Path, seconds: Fraction | None = None) -> PacketIndex:
        """List the frames of a file, or only those of its first seconds.

        Raises
        ------
        UnusableMedia
            If the file is missing, cannot be read as a video, or holds no video stream.
        MisleadingPackets
            If stamps are missing, repeated, or leap; if packets are damaged; or if the first
            picture lacks an earlier one.
        """
        with open_video(path) as (container, stream):
            unit = Fraction(stream.time_base or 0)
            limit = None if seconds is None or not unit else (seconds + _SPARE) / unit
            packets, whole = _packets_until(container, stream, limit)
            stamps = _checked([packet.pts for packet in packets if packet.shown], unit)
            keys = [packet.pts for packet in packets if packet.key]
            if not packets[0].key or stamps[0] < keys[0]:
                raise MisleadingPackets("the first picture lacks an earlier one")
            return cls(stamps, sorted(keys), unit, stream.frames, whole)

    def key_of(self, stamp: int) -> int:
        """Return the stamp of the last key frame up to a time stamp."""
        return self.keys[max(bisect_right(self.keys, stamp) - 1, 0)]

    def keys_of(self, places: Iterable[int]) -> set[int]:
        """Return the numbers of the last key frames up to some frames, of those that are shown."""
        keys = {self.key_of(self.stamps[place]) for place in places}
        numbers = {key: bisect_left(self.stamps, key) for key in keys}
        return {number for key, number in numbers.items() if self.stamps[number] == key}

    def steps(self, earlier: int, later: int) -> int:
        """Return the number of frames from one time stamp to another."""
        return bisect_left(self.stamps, later) - bisect_left(self.stamps, earlier)


class _Noted(NamedTuple):
    """A packet's time stamp, and whether it is shown, and a key frame."""

    pts: int
    shown: bool
    key: bool


def _packets_until(
    container: InputContainer, stream: VideoStream, limit: Fraction | None
) -> tuple[list[_Noted], bool]:
    """Return the packets up to a time after the first, and whether these are all."""
    in_order = container.format.name != "avi"  # it stores no stamps, only the order of packets
    if not in_order and stream.codec_context.has_b_frames:
        raise MisleadingPackets("packets are numbered in another order than frames are shown")
    packets: list[_Noted] = []
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            pts = packet.pts if in_order else packet.dts
            if pts is None or packet.is_corrupt:
                raise MisleadingPackets("a packet is damaged or has no time stamp")
            packets.append(_Noted(pts, not packet.is_discard, packet.is_keyframe))
            if limit is not None and pts - packets[0].pts > limit:
                return packets, False
    except (av.error.FFmpegError, IndexError) as error:  # IndexError: as in `SourceReader`
        raise MisleadingPackets(f"the container is damaged ({error})") from error
    if not packets:
        raise MisleadingPackets("there are no packets")
    return packets, True


def _checked(stamps: Sequence[int], unit: Fraction) -> list[int]:
    """Return the stamps in order; refuse those that `swapset.media.stamps` would have to mend."""
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    shown = [stamps[place] for place in order]
    if not shown or not unit:
        raise MisleadingPackets("there are no time stamps")
    if any(abs(place - number) > WINDOW for number, place in enumerate(order)):
        raise MisleadingPackets("time stamps leap back")
    steps = [later - earlier for earlier, later in pairwise(shown)]
    if min(steps, default=1) <= 0 or max(steps, default=1) * unit > LEAP:
        raise MisleadingPackets("time stamps repeat or leap")
    return shown


def decode_stamps(
    container: InputContainer, stream: VideoStream, index: PacketIndex, stamps: Sequence[int]
) -> Iterator[VideoFrame]:
    """Decode the frames with some time stamps, and as few others as possible.

    Decoding begins at the key frame before a stamp; frames that no other frame needs are skipped.

    Parameters
    ----------
    container : InputContainer
        The open file, at its beginning.
    stream : VideoStream
        Its video stream.
    index : PacketIndex
        The file's frames.
    stamps : sequence of int
        Time stamps from the index, ascending.

    Yields
    ------
    VideoFrame
        One for each stamp.

    Raises
    ------
    MisleadingPackets
        If the decoder gives other frames, or damaged ones.
    """
    decoder = _Decoder(container, stream, index, frozenset(stamps))
    for stamp in stamps:
        decoder.approach(stamp)
        yield decoder.frame(stamp)


class _Decoder:
    """A decoder's position in a file, and the wanted frames that it gave."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        index: PacketIndex,
        wanted: frozenset[int],
    ) -> None:
        self._container, self._stream = container, stream
        self._index, self._wanted = index, wanted
        self._has_order = container.format.name != "avi"
        self._packets = container.demux(stream)
        self._ready: dict[int, VideoFrame] = {}
        self._latest = index.keys[0]  # stamp of the latest packet
        self._given: int | None = None  # stamp of the last frame since the decoder began

    def approach(self, stamp: int) -> None:
        """Go to the key frame before a stamp if this leaves out frames."""
        key = self._index.key_of(stamp)
        if stamp in self._ready or self._index.steps(self._latest, key) <= _NEAR:
            return
        try:
            self._container.seek(key, backward=True, stream=self._stream)
        except av.error.FFmpegError as error:
            raise MisleadingPackets(f"seeking failed ({error})") from error
        self._packets = self._container.demux(self._stream)
        self._given = None
        first = next(self._packets, None)
        if first is None or not first.is_keyframe or first.pts is None or first.pts > key:
            raise MisleadingPackets("seeking went somewhere else")
        self._decode(first)

    def frame(self, stamp: int) -> VideoFrame:
        """Decode up to the frame with a stamp."""
        while stamp not in self._ready:
            packet = next(self._packets, None)
            if packet is None or (self._given is not None and self._given > stamp):
                raise MisleadingPackets("a frame is missing")
            self._decode(packet)
        return self._ready.pop(stamp)

    def _decode(self, packet: Packet) -> None:
        if not self._has_order:
            packet.pts = packet.dts
        self._latest = self._latest if packet.pts is None else max(self._latest, packet.pts)
        unwanted = packet.pts not in self._wanted
        self._stream.codec_context.skip_frame = "NONREF" if unwanted else "DEFAULT"
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            raise MisleadingPackets(f"a packet does not decode ({error})") from error
        for frame in frames:
            self._keep(frame)

    def _keep(self, frame: object) -> None:
        if not isinstance(frame, VideoFrame) or frame.pts is None:
            raise MisleadingPackets("a frame has no time stamp")
        if self._given is not None and frame.pts <= self._given:
            raise MisleadingPackets("frames are not in order")
        self._given = frame.pts
        if frame.pts in self._wanted:
            if frame.is_corrupt:
                raise MisleadingPackets("a frame is damaged")
            self._ready[frame.pts] = frame
