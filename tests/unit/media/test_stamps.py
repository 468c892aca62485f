"""Times in order: every kind of time stamp in every container, and the rules one by one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from material.media import ffmpeg, number_of, numbered, write_video

from swapset.media.decode import frames
from swapset.media.ingest import IngestRecord, ingest
from swapset.media.stamps import Stamped, in_order
from swapset.media.timeline import WithoutLeaps

INTERVAL = Fraction(1, 30)
COUNT = 90
CODECS = {
    "mp4": "libx264",
    "mov": "libx264",
    "m4v": "mpeg4",
    "3gp": "libx264",
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "libx264",
    "ts": "libx264",
    "mpg": "mpeg2video",
    "flv": "libx264",
    "nut": "libx264",
    "asf": "mpeg4",
    "wmv": "wmv2",
    "ogv": "libtheora",
    "mxf": "mpeg2video",
    "h264": "libx264",
    "hevc": "libx265",
    "ivf": "libvpx",
    "gif": "gif",
}
RAW = ("h264", "hevc")
"""Containers without time stamps."""
CONSTANT = (*RAW, "mxf", "mpg", "ogv", "gif", "ivf")
"""Containers, or codecs, of (nearly) constant rate."""
NO_B_FRAMES = ("webm", "wmv", "ogv", "ivf", "gif")


def variable() -> list[float]:
    steps = np.random.default_rng(0).choice([1, 2, 3, 6], COUNT) / 30
    return [0.0, *np.cumsum(steps)[:-1].tolist()]


def gap() -> list[float]:
    return [(number + 12 * (number >= 40)) / 30 for number in range(COUNT)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Videos without loss whose frames carry their number, by the kind of their times."""
    folder = tmp_path_factory.mktemp("sources")
    images = [numbered(number) for number in range(COUNT)]
    kinds = {"constant": None, "variable": variable(), "gap": gap()}
    return {
        kind: write_video(folder / f"{kind}.mkv", images, codec="ffv1", times=times)
        for kind, times in kinds.items()
    }


def remuxed(source: Path, ending: str, folder: Path, *options: str) -> Path:
    """Write a video to another container with B-frames where its codec has them."""
    path = folder / f"video.{ending}"
    b_frames = [] if ending in NO_B_FRAMES else ["-bf", "2" if ending != "m4v" else "1"]
    quality = ["-b:v", "2M", "-g", "30", "-sc_threshold", "0"]
    slow = ["-x265-params", "log-level=none"] if ending == "hevc" else []
    passed = ["-fps_mode", "passthrough"] if ending not in CONSTANT else []
    ffmpeg("-i", source, "-c:v", CODECS[ending], *quality, *b_frames, *slow, *passed, *options,
           path)  # fmt: skip
    return path


def shown(path: Path, **window: float) -> tuple[IngestRecord, list[int]]:
    clip = path.with_name("clip.mkv")
    record = ingest(path, clip, **window)  # type: ignore[arg-type]
    assert record.ok, record
    return record, [number_of(frame) for frame in frames(clip)]


def assert_nearest(numbers: Sequence[int], times: Sequence[float]) -> None:
    """Check that each frame, at 30 per second, is the nearest in time (2 ms are rounding)."""
    away = np.array(times)[None] - times[0] - np.arange(len(numbers))[:, None] / 30
    chosen = np.abs(away[np.arange(len(numbers)), numbers])
    assert (chosen <= np.abs(away).min(1) + 0.002).all()


@pytest.mark.parametrize("ending", CODECS)
def test_constant_rate(sources: dict[str, Path], tmp_path: Path, ending: str) -> None:
    record, numbers = shown(remuxed(sources["constant"], ending, tmp_path))
    assert numbers == list(range(COUNT))
    assert (record.damaged, record.repeated, record.dropped, record.detail) == (0, 0, 0, "")
    assert record.source_fps == pytest.approx(30, rel=0.12 if ending == "gif" else 0.01)


@pytest.mark.parametrize("kind", ["variable", "gap"])
@pytest.mark.parametrize("ending", [name for name in CODECS if name not in CONSTANT])
def test_variable_rate_and_gaps(
    sources: dict[str, Path], tmp_path: Path, ending: str, kind: str
) -> None:
    # AVI stores B-frames by the order of decoding, so their gaps come a few frames later.
    more = ["-bf", "0"] if ending == "avi" else []
    record, numbers = shown(remuxed(sources[kind], ending, tmp_path, *more))
    assert (record.damaged, record.leaps, record.detail) == (0, 0, "")
    assert set(numbers) == set(range(COUNT))
    assert record.source_frames == COUNT
    times = variable() if kind == "variable" else gap()
    assert_nearest(numbers[: numbers.index(COUNT - 1)], times)


@pytest.mark.parametrize("ending", [name for name in CODECS if name not in (*RAW, "gif", "avi")])
def test_a_late_first_time_stamp(sources: dict[str, Path], tmp_path: Path, ending: str) -> None:
    late = remuxed(sources["constant"], ending, tmp_path, "-output_ts_offset", "7")
    record, numbers = shown(late)
    assert numbers == list(range(COUNT))
    assert (record.damaged, record.detail) == (0, "")


@pytest.mark.parametrize("ending", ["mkv", "webm", "ts", "mp4", "flv"])
@pytest.mark.parametrize("longer", ["sound", "subtitle"])
def test_other_streams_may_last_longer(
    sources: dict[str, Path], tmp_path: Path, ending: str, longer: str
) -> None:
    plain = remuxed(sources["constant"], ending, tmp_path)
    path = tmp_path / f"long.{ending}"
    if longer == "subtitle":
        if ending not in ("mkv", "webm"):
            pytest.skip("holds no subtitle that is text")
        (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:12,000\nHello\n")
        kind = "webvtt" if ending == "webm" else "srt"
        ffmpeg("-i", plain, "-i", tmp_path / "a.srt", "-c:v", "copy", "-c:s", kind, path)
    else:
        codec = "libopus" if ending == "webm" else "aac"
        ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=duration=9:r=48000", "-c:v", "copy",
               "-c:a", codec, path)  # fmt: skip
    record, numbers = shown(path)
    assert numbers == list(range(COUNT))
    assert (record.damaged, record.detail) == (0, "")


def test_an_edit_list_hides_frames_and_damages_none(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    whole, cut = remuxed(sources["constant"], "mp4", tmp_path), tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.5", "-i", whole, "-c", "copy", cut)
    with av.open(str(cut)) as container:
        assert sum(bool(packet.size) for packet in container.demux(video=0)) > 45 + 10
    record, numbers = shown(cut)
    assert numbers == list(range(45, COUNT))
    assert (record.damaged, record.detail) == (0, "")


def test_raw_streams_are_decoded_up_to_the_start(sources: dict[str, Path], tmp_path: Path) -> None:
    long = tmp_path / "long.h264"
    ffmpeg("-stream_loop", "3", "-i", sources["constant"], "-c:v", "libx264", long)
    _, numbers = shown(long, start=7.5, end=8.5)
    assert numbers == [(225 + number) % COUNT for number in range(30)]
    late = ingest(long, tmp_path / "clip.mkv", start=20)
    assert (late.ok, late.reason) == (False, "no_frames")


@pytest.mark.parametrize(
    ("codec", "ending"),
    [("libx264", "h264"), ("libx265", "hevc"), ("mpeg2video", "m2v"), ("mpeg4", "m4v")],
)
def test_the_rate_of_a_raw_stream_is_that_of_its_header(
    tmp_path: Path, codec: str, ending: str
) -> None:
    path = tmp_path / f"a.{ending}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=128x64:r=60:d=2", "-c:v", codec,
           *(["-f", "m4v"] if ending == "m4v" else []), path)  # fmt: skip
    record, _ = shown(path)
    assert record.source_fps == 60
    assert (record.frames, record.source_frames, record.damaged) == (60, 120, 0)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts", "flv", "nut"])
@pytest.mark.parametrize("seconds", [40, 3600])
def test_leaps_forward_are_closed_up(
    sources: dict[str, Path], tmp_path: Path, ending: str, seconds: int
) -> None:
    jump = f"setpts=PTS+gte(N\\,40)*{seconds}/TB"
    path = remuxed(sources["constant"], ending, tmp_path, "-vf", jump)
    record, numbers = shown(path)
    assert numbers == list(range(COUNT))
    assert (record.leaps, record.repeated, record.damaged) == (1, 0, 0)
    assert f"{seconds} s" in record.detail
    record, numbers = shown(path, end=5)
    assert numbers == list(range(40))
    record, numbers = shown(path, start=seconds + 2, end=seconds + 2.5)
    assert numbers == list(range(60, 75))


def test_slow_rates_do_not_leap(tmp_path: Path) -> None:
    times = [2.0 * number for number in range(6)]
    source = write_video(tmp_path / "a.mp4", [numbered(n) for n in range(6)], times=times)
    record, numbers = shown(source)
    assert (record.leaps, record.frames) == (0, 360)
    assert set(numbers) == set(range(6))


def test_a_stream_that_begins_inside_a_recording(sources: dict[str, Path], tmp_path: Path) -> None:
    whole = remuxed(sources["constant"], "ts", tmp_path).read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(whole[len(whole) // 6 // 188 * 188 :])
    record, numbers = shown(path)
    assert numbers == list(range(30, COUNT))
    assert record.damaged == 0
    assert "begins inside a recording" in record.detail


def test_joined_recordings_follow_each_other(sources: dict[str, Path], tmp_path: Path) -> None:
    part = remuxed(sources["constant"], "ts", tmp_path).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(part + part)
    record, numbers = shown(path)
    assert numbers == [*range(COUNT), *range(COUNT)]
    assert (record.damaged, record.repeated, record.dropped) == (0, 0, 0)


def ordered(stamps: Sequence[float | None]) -> list[float]:
    """Return the times of frames with these stamps, all in frames."""
    made = [
        Stamped(None if stamp is None else Fraction(stamp) * INTERVAL, INTERVAL, place)
        for place, stamp in enumerate(stamps)
    ]
    result = list(in_order(made, interval=INTERVAL))
    assert [place for _, place in result] == list(range(len(stamps)))
    times = [time for time, _ in result]
    assert all(one < other for one, other in pairwise(times))
    return [round(float(time / INTERVAL), 3) for time in times]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        pytest.param([3, 4, 5], [3, 4, 5], id="in order"),
        pytest.param([1, 4, 3, 5, 2, 7, 8, 6], [1, 2, 3, 4, 5, 6, 7, 8], id="order of decoding"),
        pytest.param([5, None, 7, 8], [5, 6, 7, 8], id="missing"),
        pytest.param([5, None, None, 7], [5, 5.667, 6.333, 7], id="too many missing"),
        pytest.param([None, None, 5, 6], [3, 4, 5, 6], id="missing at the beginning"),
        pytest.param([5, 6, None, None], [5, 6, 7, 8], id="missing at the end"),
        pytest.param([None] * 4, [0, 1, 2, 3], id="none at all"),
        pytest.param([5, 6, None, 20], [5, 6, 7, 20], id="missing before a gap"),
        pytest.param([5, 5, 6, 7], [5, 5.5, 6, 7], id="repeated"),
        pytest.param([5, 5, 7, 7, 9], [5, 6, 7, 8, 9], id="repeated by turns"),
        pytest.param([4, 5, 9000, 7, 8], [4, 5, 6, 7, 8], id="one stamp far ahead"),
        pytest.param([400, 401, 0, 403], [400, 401, 402, 403], id="one stamp far back"),
        pytest.param([400, 401, 0, 1, 2], [400, 401, 402, 403, 404], id="joined recordings"),
        pytest.param([4, 5, 6, 5, 6, 7, 8], [4, 5, 6, 7, 8, 9, 10], id="times that come again"),
        pytest.param(
            [4, 5, 6, 5, 6, 7, 10, 11], [4, 5, 6, 7, 8, 9, 10, 11], id="until stamps leave a gap"
        ),
        pytest.param([1, 2, 900, 901], [1, 2, 900, 901], id="a leap forward stays"),
    ],
)
def test_rules_of_order(stamps: Sequence[float | None], times: list[float]) -> None:
    assert ordered(stamps) == times


def test_stamps_of_any_kind_keep_all_frames() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        steps = rng.choice([-400, -3, -1, 0, 1, 1, 1, 2, 700], 60)
        stamps = [None if rng.random() < 0.1 else int(value) for value in np.cumsum(steps)]
        ordered(stamps)  # checks that times increase and no frame is lost


def test_only_leaps_are_closed_up() -> None:
    times = [Fraction(n, 30) for n in range(10)] + [Fraction(100) + Fraction(n, 30) for n in (0, 1)]
    line = WithoutLeaps(((time, None) for time in times), interval=INTERVAL)
    assert [time for time, _ in line] == [Fraction(n, 30) for n in range(12)]
    assert (line.leaps, line.seconds) == (1, times[10] - times[9] - INTERVAL)
