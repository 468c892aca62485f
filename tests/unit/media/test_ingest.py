from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from material.media import HEIGHT, WIDTH, corners, ffmpeg, number_of, numbered, write_video

from swapset.errors import MediaError
from swapset.media.decode import frames
from swapset.media.ingest import IngestRecord, ingest
from swapset.media.probe import probe


def images(count: int) -> list[np.ndarray]:
    return [numbered(index) for index in range(count)]


def numbers(path: Path) -> list[int]:
    return [number_of(frame) for frame in frames(path)]


def nearest(times: list[float], fps: int = 30) -> list[int]:
    """Return the source frame nearest in time to each output frame, by brute force."""
    stamps = np.round(np.array(times) * 30000) / 30000
    count = round((stamps[-1] + stamps[-1] - stamps[-2] - stamps[0]) * fps)
    wanted = stamps[0] + np.arange(count) / fps
    return [
        int(np.argmin(np.abs(stamps - time) + 1e-9 * np.arange(len(stamps)))) for time in wanted
    ]


def used(record: IngestRecord) -> IngestRecord:
    assert record.ok, record
    json.dumps(asdict(record), allow_nan=False)
    return record


def test_constant_rate_comes_through_frame_by_frame(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(60))
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert numbers(tmp_path / "out.mkv") == list(range(60))
    assert (record.frames, record.source_frames, record.repeated, record.dropped) == (60, 60, 0, 0)
    assert (record.width, record.height, record.fps) == (WIDTH, HEIGHT, 30)
    assert (record.reason, record.detail, record.damaged) == ("", "", 0)
    assert record.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert record.source_fps == pytest.approx(30)
    assert record.source_seconds == pytest.approx(2, abs=0.01)


def test_stored_clip_equals_the_source_to_the_bit(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(60, 200, (8, 64, 64, 3), dtype=np.uint8)
    source = write_video(tmp_path / "a.mkv", list(noise), codec="ffv1")
    ingest(source, tmp_path / "out.mkv")
    with av.open(str(source)) as one, av.open(str(tmp_path / "out.mkv")) as two:
        for a, b in zip(one.decode(video=0), two.decode(video=0), strict=True):
            assert np.array_equal(a.to_ndarray(), b.to_ndarray())


@pytest.mark.parametrize("rate", [12, 15, 24, 25, 30000 / 1001, 50, 60])
def test_other_rates_do_not_drift(tmp_path: Path, rate: float) -> None:
    times = [index / rate for index in range(round(4 * rate))]
    source = write_video(tmp_path / "a.mp4", images(len(times)), times=times)
    record = used(ingest(source, tmp_path / "out.mkv"))
    got = numbers(tmp_path / "out.mkv")
    assert got == nearest(times)
    assert abs(len(got) - 120) <= 1
    assert record.repeated == len(got) - len(set(got))
    assert record.dropped == len(times) - len(set(got))


def test_variable_rate_follows_its_time_stamps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = [0.0, *np.cumsum(rng.choice([0.01, 1 / 30, 0.05, 0.2], 80))]
    source = write_video(tmp_path / "a.mp4", images(len(times)), times=times)
    ingest(source, tmp_path / "out.mkv")
    got = numbers(tmp_path / "out.mkv")
    assert got == nearest(times)
    longest_gap = max(np.diff(times))
    late = np.array([times[number] for number in got]) - np.arange(len(got)) / 30
    assert np.abs(late).max() <= longest_gap / 2 + 1e-3


def test_first_time_stamp_need_not_be_zero(tmp_path: Path) -> None:
    times = [7 + index / 30 for index in range(20)]
    source = write_video(tmp_path / "a.mkv", images(20), times=times)
    ingest(source, tmp_path / "out.mkv")
    assert numbers(tmp_path / "out.mkv") == list(range(20))


def test_start_end_and_longest(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(90))
    ingest(source, tmp_path / "out.mkv", start=1, end=1.5)
    assert numbers(tmp_path / "out.mkv") == list(range(30, 45))
    ingest(source, tmp_path / "out.mkv", max_seconds=0.5)
    assert numbers(tmp_path / "out.mkv") == list(range(15))
    ingest(source, tmp_path / "out.mkv", start=2.5, end=99)
    assert numbers(tmp_path / "out.mkv") == list(range(75, 90))
    late = ingest(source, tmp_path / "out.mkv", start=5)
    assert (late.ok, late.reason) == (False, "no_frames")
    assert "5 s" in late.detail
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mp4", "libx264"),
        ("mkv", "libx264"),
        ("avi", "mpeg4"),
        ("mpg", "mpeg2video"),
        ("ts", "libx264"),
    ],
)
def test_late_start_is_exact_in_every_container(tmp_path: Path, suffix: str, codec: str) -> None:
    every_half_second = [numbered(index // 15) for index in range(20 * 30)]
    write_video(tmp_path / "a.mkv", every_half_second)
    source = tmp_path / f"b.{suffix}"
    ffmpeg("-i", tmp_path / "a.mkv", "-c:v", codec, "-b:v", "2M", "-g", "100", source)
    used(ingest(source, tmp_path / "out.mkv", start=14, end=16))
    assert numbers(tmp_path / "out.mkv") == [28 + index // 15 for index in range(60)]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_metadata_turns_the_picture(tmp_path: Path, rotation: int) -> None:
    stored = np.ascontiguousarray(np.rot90(corners(), rotation // 90))  # counterclockwise
    source = write_video(tmp_path / "a.mp4", [stored] * 4, rotation=-rotation)  # PyAV's sign
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert (record.width, record.height, record.rotation) == (WIDTH, HEIGHT, rotation)
    first = next(frames(tmp_path / "out.mkv"))
    inner = np.s_[8:-8, 8:-8]
    assert np.median(np.abs(first[inner].astype(int) - corners()[inner])) < 6
    assert (probe(source).width, probe(source).height) == (WIDTH, HEIGHT)
    assert probe(source).rotation == rotation


def test_rotation_agrees_with_ffmpeg(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [corners()] * 4, rotation=90)
    ffmpeg("-i", source, "-c:v", "ffv1", tmp_path / "ffmpeg.mkv")
    ingest(source, tmp_path / "ours.mkv")
    ours, theirs = next(frames(tmp_path / "ours.mkv")), next(frames(tmp_path / "ffmpeg.mkv"))
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_turn_comes_on_top_of_metadata(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [corners()] * 4, rotation=90)
    record = used(ingest(source, tmp_path / "out.mkv", turn=90))
    first = next(frames(tmp_path / "out.mkv"))
    assert record.rotation == 0
    assert np.median(np.abs(first.astype(int) - corners())) < 6
    with pytest.raises(MediaError, match="turn=45"):
        ingest(source, tmp_path / "out.mkv", turn=45)


def test_pixels_become_square(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(5), aspect=Fraction(3, 2))
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert (record.width, record.height) == (WIDTH * 3 // 2, HEIGHT)
    assert (probe(source).width, probe(source).height) == (WIDTH * 3 // 2, HEIGHT)
    assert numbers(tmp_path / "out.mkv") == list(range(5))


def test_nearly_square_pixels_are_left_alone(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(5), aspect=Fraction(135, 136))
    assert used(ingest(source, tmp_path / "out.mkv")).width == WIDTH


def test_odd_size_grey_ffv1(tmp_path: Path) -> None:
    grey = [numbered(index, 131, 67)[..., 0].copy() for index in range(10)]
    source = write_video(tmp_path / "a.mkv", grey, codec="ffv1", pix_fmt="gray")
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert (record.width, record.height, record.frames) == (130, 66, 10)
    for index, frame in enumerate(frames(tmp_path / "out.mkv")):
        assert np.abs(frame.astype(int) - grey[index][:66, :130, None]).max() <= 1


def test_size_that_changes_midway_is_scaled_to_the_first(tmp_path: Path) -> None:
    for name, size in (("a", (128, 64)), ("b", (192, 96))):
        pictures = [numbered(index, *size) for index in range(10)]
        write_video(tmp_path / f"{name}.ts", pictures)
    joint = tmp_path / "joint.ts"
    joint.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    used(ingest(joint, tmp_path / "out.mkv"))
    got = numbers(tmp_path / "out.mkv")
    assert got[:10] == list(range(10))
    assert got[-5:] == [5, 6, 7, 8, 9]


def test_one_frame(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(1))
    assert used(ingest(source, tmp_path / "out.mkv")).frames == 1


def test_audio_only(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", source)
    record = ingest(source, tmp_path / "out.mkv")
    assert (record.ok, record.reason) == (False, "no_video")
    assert record.source_sha256


def test_cover_picture_is_not_a_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", tmp_path / "c.png")
    cover = ["-map", "0", "-map", "1", "-c:v", "png", "-disposition:v", "attached_pic"]
    source = tmp_path / "a.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-i", tmp_path / "c.png", *cover, source)
    assert ingest(source, tmp_path / "out.mkv").reason == "no_video"


@pytest.mark.parametrize(
    "content", [b"", b"not a video at all\n", b"\x00" * 4096, bytes(range(256)) * 64, b"RIFF\x10"]
)
def test_unreadable(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(content)
    record = ingest(source, tmp_path / "out.mkv")
    assert not record.ok
    assert record.reason in ("unreadable", "no_video", "no_frames")
    assert record.detail
    assert not (tmp_path / "out.mkv").exists()
    with pytest.raises(MediaError) as error:
        probe(source)
    assert error.value.reason in ("unreadable", "no_video")  # type: ignore[attr-defined]


def test_missing_file_and_folder_are_unreadable(tmp_path: Path) -> None:
    assert ingest(tmp_path / "none.mp4", tmp_path / "out.mkv").reason == "unreadable"
    assert ingest(tmp_path, tmp_path / "out.mkv").reason == "unreadable"


def test_truncated_with_header_first_gives_what_is_there(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, HEIGHT, WIDTH, 3), dtype=np.uint8)
    source = write_video(tmp_path / "a.mp4", list(noise), faststart=True)
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert 20 <= record.source_frames <= 40
    assert record.damaged >= 64 - record.source_frames - 1
    assert str(record.damaged) in record.detail
    assert len(list(frames(tmp_path / "out.mkv"))) == record.frames


def test_truncated_with_header_lost_is_unreadable(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(60))
    source.write_bytes(source.read_bytes()[:-2000])
    assert ingest(source, tmp_path / "out.mkv").reason == "unreadable"


def test_damage_in_the_middle_keeps_the_time_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        numbered(i) // 2 + rng.integers(0, 60, (HEIGHT, WIDTH, 1), dtype=np.uint8)
        for i in range(90)
    ]
    source = write_video(tmp_path / "a.mp4", pictures, options={"g": "15"})
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    source.write_bytes(content)
    record = used(ingest(source, tmp_path / "out.mkv"))
    assert 0 < record.damaged < 45
    assert record.frames == 90
    assert record.repeated >= 1


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_never_crashes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    suffix, codec = [("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4")][seed % 3]
    source = write_video(tmp_path / f"a.{suffix}", images(60), codec=codec)
    content = bytearray(source.read_bytes())
    for place in rng.integers(0, len(content), 60):
        content[place] = rng.integers(256)
    source.write_bytes(content)
    record = ingest(source, tmp_path / "out.mkv")
    assert record.ok == (tmp_path / "out.mkv").exists()
    assert record.ok or record.reason


@pytest.mark.parametrize("suffix", ["m3u8", "mp4", "ffconcat", "mpd", "sdp"])
def test_playlists_open_no_other_file(tmp_path: Path, suffix: str) -> None:
    other = write_video(tmp_path / "other.ts", images(30))
    texts = {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other.name}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile {other.name}\n",
        "mpd": f"<MPD><Period><AdaptationSet><Representation><BaseURL>{other.name}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "sdp": "v=0\nm=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\na=rtpmap:96 H264/90000\n",
    }
    for text in [texts[suffix]] if suffix in texts else texts.values():
        source = tmp_path / f"list.{suffix}"
        source.write_text(text)
        record = ingest(source, tmp_path / "out.mkv")
        assert (record.ok, record.reason) == (False, "unreadable")


@pytest.mark.parametrize(
    "name",
    [
        "with space.mp4",
        "-dash.mp4",
        "img%d.mp4",
        "%05d.mp4",
        'it\'s "q".mp4',
        "日本 ü.mp4",
        "http:x.mp4",
        "a:b|c.mp4",
        "[x]*?.mp4",
        "concat:other.mp4",
    ],
)
def test_file_names_are_only_names(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / name, images(6))
    used(ingest(name, f"out {name}.mkv"))
    assert numbers(tmp_path / f"out {name}.mkv") == list(range(6))


def test_same_source_same_bytes(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(30))
    for name in ("one", "two"):
        ingest(source, tmp_path / f"{name}.mkv")
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()


def test_failed_ingest_leaves_no_older_clip(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", images(6))
    ingest(source, tmp_path / "out.mkv")
    source.write_bytes(b"")
    assert not ingest(source, tmp_path / "out.mkv").ok
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize(
    "window", [{"start": 2, "end": 2}, {"start": 3, "end": 1}, {"start": -1}, {"max_seconds": 0}]
)
def test_empty_windows_are_the_users_error(tmp_path: Path, window: dict[str, float]) -> None:
    with pytest.raises(MediaError, match="leave no frame"):
        ingest(tmp_path / "a.mp4", tmp_path / "out.mkv", **window)  # type: ignore[arg-type]


def test_probe(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mp4", images(45)))
    assert (info.width, info.height, info.frames, info.rotation) == (WIDTH, HEIGHT, 45, 0)
    assert info.fps == 30
    assert info.duration == pytest.approx(1.5, abs=0.01)
    assert info.codec == "h264"
    assert "mp4" in info.container
