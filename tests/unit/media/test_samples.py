"""Single frames of a video: the same as those of the clip that ingest makes, whatever the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from material.media import corners, ffmpeg, number_of, numbered, write_video

from swapset.errors import MediaError
from swapset.media import samples
from swapset.media.any_source import with_samples
from swapset.media.container import UnusableMedia
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest
from swapset.media.packets import (
    MisleadingPackets,
    PacketIndex,
    _Decoder,
    decode_stamps,
)
from swapset.media.samples import Samples, with_clip
from swapset.types import Image

COUNT = 90
STEP = 7
CODECS = {
    "mp4": "libx264",
    "mov": "libx264",
    "m4v": "mpeg4",
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "avi": "libx264",
    "ts": "libx264",
    "mpg": "mpeg2video",
    "flv": "libx264",
    "asf": "mpeg4",
    "ogv": "libtheora",
    "h264": "libx264",
    "gif": "gif",
}

UNSURE = ("avi", "h264")
"""Containers whose packets do not tell the frames."""


def every_seventh(video: Samples) -> tuple[int, list[Image]]:
    return video.frames, [image.rgb for image in video.read(range(0, video.frames, STEP))]


def assert_same_as_clip(path: Path) -> list[int]:
    """Compare single frames with those of the clip; return their numbers."""
    clip = path.parent / "clip.mkv"
    record = ingest(path, clip, max_seconds=120)
    assert record.ok, record
    count, images = with_samples(path, every_seventh)
    expected = list(decode(clip))
    assert count == len(expected)
    for image, frame in zip(images, expected[::STEP], strict=True):
        np.testing.assert_array_equal(image, frame)
    return [number_of(image) for image in images]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video without loss whose frames carry their number."""
    path = tmp_path_factory.mktemp("source") / "a.mkv"
    return write_video(path, [numbered(number) for number in range(COUNT)], codec="ffv1")


def encoded(source: Path, path: Path, *options: str) -> Path:
    codec = CODECS[path.suffix[1:]]
    ffmpeg("-i", source, "-c:v", codec, "-b:v", "2M", "-g", "20", *options, path)
    return path


@pytest.fixture
def packets(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the stamps of the packets that are decoded for single frames."""
    fed: list[int] = []
    decode_one = _Decoder._decode

    def counted(decoder: _Decoder, packet: av.Packet) -> None:
        fed.append(packet.pts)
        decode_one(decoder, packet)

    monkeypatch.setattr(_Decoder, "_decode", counted)
    return fed


@pytest.mark.parametrize("ending", CODECS)
def test_any_container(source: Path, tmp_path: Path, packets: list[int], ending: str) -> None:
    numbers = assert_same_as_clip(encoded(source, tmp_path / f"a.{ending}"))
    assert numbers == list(range(0, COUNT, STEP))
    assert bool(packets) == (ending not in UNSURE)


@pytest.mark.parametrize("rate", ["24000/1001", "25", "50"])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts"])
def test_any_rate(source: Path, tmp_path: Path, ending: str, rate: str) -> None:
    path = encoded(source, tmp_path / f"a.{ending}", "-vf", f"setpts=N/({rate})/TB", "-r", rate)
    assert_same_as_clip(path)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_variable_rates_and_leaps(source: Path, tmp_path: Path, ending: str) -> None:
    for name, times in (("vary", "N+3*floor(N/4)"), ("leap", "N+gte(N\\,40)*1200")):
        folder = tmp_path / name
        folder.mkdir()
        given = ("-vf", f"setpts=({times})/30/TB", "-fps_mode", "passthrough")
        assert_same_as_clip(encoded(source, folder / f"a.{ending}", *given))


@pytest.mark.parametrize("gop", ["1", "20", "400"])
@pytest.mark.parametrize("bframes", ["0", "3"])
def test_few_frames_need_few_packets(
    source: Path, tmp_path: Path, packets: list[int], gop: str, bframes: str
) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg("-stream_loop", "3", "-i", source, "-c:v", "libx264", "-crf", "10", "-g", gop, "-bf",
           bframes, "-sc_threshold", "0", path)  # fmt: skip
    wanted = [50, 51, 52, 170, 300]
    images = with_samples(path, lambda video: [image.rgb for image in video.read(wanted)])
    assert [number_of(image) for image in images] == [number % COUNT for number in wanted]
    most = {"1": 45, "20": 150, "400": 362}
    assert len(packets) < most[gop]


def test_an_edit_list_hides_frames(source: Path, tmp_path: Path) -> None:
    whole, cut = encoded(source, tmp_path / "a.mp4"), tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.5", "-i", whole, "-c", "copy", cut)
    assert assert_same_as_clip(cut) == list(range(45, COUNT, STEP))


def test_a_stream_that_begins_inside_a_recording(source: Path, tmp_path: Path) -> None:
    whole = encoded(source, tmp_path / "a.ts").read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(whole[len(whole) // 6 // 188 * 188 :])
    assert_same_as_clip(path)


def test_joined_recordings(source: Path, tmp_path: Path) -> None:
    part = encoded(source, tmp_path / "a.ts").read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(part + part)
    assert_same_as_clip(path)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts"])
@pytest.mark.parametrize("damage", ["truncated", "holes"])
def test_damaged_videos(source: Path, tmp_path: Path, ending: str, damage: str) -> None:
    first = ["-movflags", "+faststart"] if (ending, damage) == ("mp4", "truncated") else []
    noise = ["-vf", "noise=alls=20:allf=t"]  # so that most of the file is pictures
    path = encoded(source, tmp_path / f"a.{ending}", *noise, *first)
    data = bytearray(path.read_bytes())
    if damage == "truncated":
        data = data[: len(data) * 2 // 3]
    else:
        for start in np.linspace(0.3, 0.7, 5) * len(data):
            data[int(start) : int(start) + 60] = bytes(60)
    path.write_bytes(data)
    assert_same_as_clip(path)


def test_one_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [numbered(77)])
    assert assert_same_as_clip(path) == [77]


def test_rotated_anamorphic_and_odd_pictures(tmp_path: Path) -> None:
    images = [corners(128, 64)] * 10
    path = write_video(tmp_path / "a.mp4", images, rotation=90, aspect=Fraction(4, 3))
    clip = tmp_path / "clip.mkv"
    assert ingest(path, clip).ok
    (image,) = with_samples(path, lambda video: [image.rgb for image in video.read([8])])
    np.testing.assert_array_equal(image, list(decode(clip))[8])
    assert image.shape == (170, 64, 3)


def test_only_the_first_two_minutes_count(tmp_path: Path) -> None:
    times = [0.9 * number for number in range(150)]
    path = write_video(tmp_path / "a.mkv", [numbered(n) for n in range(150)], times=times)
    count, images = with_samples(
        path, lambda v: (v.frames, [last.rgb for last in v.read([v.frames - 1])])
    )
    assert count == 3600
    assert number_of(images[0]) == 133


def test_wrong_promises_are_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All frames are decoded where the decoder does not confirm what the packets tell."""
    path = encoded(source, tmp_path / "a.mp4")
    index = PacketIndex.read(path)
    wrong = [stamp + 1 for stamp in index.stamps]

    def lie(*_: object) -> PacketIndex:
        return PacketIndex(wrong, index.keys, index.unit, index.stated, index.whole)

    monkeypatch.setattr(samples.PacketIndex, "read", lie)
    assert assert_same_as_clip(path) == list(range(0, COUNT, STEP))


class TooFar:
    """A container that seeks a second too far."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def seek(self, offset: int, **where: Any) -> None:
        self._container.seek(offset + 30 * 512, **where)


def test_seeks_that_go_elsewhere_are_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encoded(source, tmp_path / "a.mp4")
    opened = samples.open_video

    @contextmanager
    def opened_badly(file: Path) -> Iterator[tuple[TooFar, Any]]:
        with opened(file) as (container, stream):
            yield TooFar(container), stream

    monkeypatch.setattr(samples, "open_video", opened_badly)
    index = PacketIndex.read(path)
    with opened_badly(path) as (container, stream):
        decoded = decode_stamps(container, stream, index, index.stamps[45:46])
        with pytest.raises(MisleadingPackets, match="somewhere else"):
            next(decoded)
    assert assert_same_as_clip(path) == list(range(0, COUNT, STEP))


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    for name in ("text.mp4", "empty"):
        with pytest.raises(UnusableMedia) as caught:
            with_samples(tmp_path / name, every_seventh)
        assert caught.value.reason == "unreadable"


def write_pictures(folder: Path, count: int) -> None:
    for number in range(count):
        done, data = cv2.imencode(".png", numbered(number)[..., ::-1])
        assert done
        (folder / f"{number + 1:03d}").write_bytes(data.tobytes())


def test_folders_of_pictures(tmp_path: Path) -> None:
    write_pictures(tmp_path, 20)
    (tmp_path / "000").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    count, images = with_samples(tmp_path, every_seventh)
    assert (count, [number_of(image) for image in images]) == (20, [0, 7, 14])


def test_a_picture_that_does_not_decode_is_no_frame(tmp_path: Path) -> None:
    write_pictures(tmp_path, 20)
    whole = (tmp_path / "008").read_bytes()
    (tmp_path / "008").write_bytes(whole[:33])  # a PNG's header alone
    count, images = with_samples(tmp_path, every_seventh)
    assert (count, [number_of(image) for image in images]) == (19, [0, 8, 15])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 128, 64, codec="h264", quality=10) as video:
        for number in range(COUNT):
            video.write(numbered(number))
    return path


def test_clips_of_ours(clip: Path, packets: list[int]) -> None:
    count, images = with_clip(clip, every_seventh)
    assert count == COUNT
    for image, frame in zip(images, list(decode(clip))[::STEP], strict=True):
        np.testing.assert_array_equal(image, frame)
    assert packets


def test_damaged_clips_of_ours_are_refused(clip: Path) -> None:
    broken = clip.with_name("broken.mp4")
    shutil.copy(clip, broken)
    data = bytearray(clip.read_bytes())
    broken.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        with_clip(broken, every_seventh)


def test_packets_out_of_order_are_refused(source: Path, tmp_path: Path) -> None:
    """AVI stores no stamps, so that those of B-frames are not told."""
    path = encoded(source, tmp_path / "a.avi", "-bf", "2")
    with pytest.raises(MisleadingPackets):
        PacketIndex.read(path)
