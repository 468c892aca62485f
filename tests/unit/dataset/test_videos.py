from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from material.media import HEIGHT, WIDTH, number_of, numbered

from swapset import __version__
from swapset.dataset.videos import Encoding, encode, finish_video, label_of, write_real
from swapset.errors import MediaError
from swapset.io.files import is_empty, read_json, sha256_of
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter

ENCODING = Encoding(codec="mpeg4", quality=2, fps=30)
NUMBERS = [3, 77, 129, 254, 18]
ACCEPTED = {"accepted": True, "reason": "", "subject": "id0"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finish") / "id0_0000.mkv"
    with VideoWriter(path, WIDTH, HEIGHT, codec="lossless") as writer:
        for number in NUMBERS:
            writer.write(numbered(number))
    return path


def metadata(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return json.loads(container.metadata["comment"])


def video_facts(path: Path) -> tuple[str, str | None, object]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate


def test_a_label_is_json_with_the_software() -> None:
    label = label_of("fake", method="celebdf", target="id0", donor="id1", clip="id0_0000")
    assert json.loads(label["comment"]) == {
        "label": "fake",
        "method": "celebdf",
        "target": "id0",
        "donor": "id1",
        "clip": "id0_0000",
        "software": f"swapset {__version__}",
    }


@pytest.mark.parametrize(("codec", "name"), [("mpeg4", "mpeg4"), ("h264", "h264")])
def test_encode_keeps_frames_rate_and_label(tmp_path: Path, codec: str, name: str) -> None:
    path = tmp_path / "out.mp4"
    encoding = Encoding(codec=codec, quality=5, fps=25)  # type: ignore[arg-type]
    count = encode(map(numbered, NUMBERS), path, encoding, label_of("fake", method="celebdf"))
    assert count == len(NUMBERS)
    assert [number_of(frame) for frame in frames(path)] == NUMBERS
    assert video_facts(path) == (name, "yuv420p", 25)
    assert metadata(path)["label"] == "fake"


def test_real_and_fake_videos_differ_in_nothing_but_the_label(tmp_path: Path, clip: Path) -> None:
    real, fake = tmp_path / "real.mp4", tmp_path / "fake.mp4"
    write_real("id0_0000", ACCEPTED, clip, real, ENCODING)
    encode(frames(clip), fake, ENCODING, label_of("fake"))
    for one, other in zip(frames(real), frames(fake), strict=True):
        assert np.array_equal(one, other)
    assert video_facts(real) == video_facts(fake)
    with av.open(str(real)) as one, av.open(str(fake)) as other:
        assert set(one.metadata) == set(other.metadata)
        packets = [
            [bytes(packet) for packet in container.demux(video=0)] for container in (one, other)
        ]
    assert packets[0] == packets[1]


def test_a_real_video_says_so(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "real.mp4"
    write_real("id0_0000", ACCEPTED, clip, path, ENCODING)
    facts = metadata(path)
    assert (facts["label"], facts["clip"], facts["subject"]) == ("real", "id0_0000", "id0")
    assert [number_of(frame) for frame in frames(path)] == NUMBERS


def test_a_rejected_clip_leaves_an_empty_file_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "real.mp4"
    verdict = {"accepted": False, "reason": "no_face", "subject": "id0"}
    write_real("id0_0000", verdict, tmp_path / "there is none.mkv", path, ENCODING)
    assert is_empty(path)
    assert "no_face" in caplog.text


def test_nothing_to_encode_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no frame"):
        encode([], tmp_path / "out.mp4", ENCODING, {})
    assert list(tmp_path.iterdir()) == []


def test_an_error_midway_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield numbered(1)
        raise MediaError("the clip is damaged")

    with pytest.raises(MediaError, match="damaged"):
        encode(broken(), tmp_path / "out.mp4", ENCODING, {})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def versions_of(folder: Path, *names: str) -> dict[str, Path]:
    return {name: folder / name / "a.mp4" for name in ("original", *names)}


def test_finish_records_every_version(tmp_path: Path, clip: Path) -> None:
    versions = versions_of(tmp_path, "c23", "c40")
    encode(frames(clip), versions["original"], ENCODING, label_of("fake", method="celebdf"))
    finish_video(versions, tmp_path / "deep" / "record.json")
    record = read_json(tmp_path / "deep" / "record.json")
    assert {key: record[key] for key in ("frames", "width", "height", "fps")} == {
        "frames": len(NUMBERS),
        "width": WIDTH,
        "height": HEIGHT,
        "fps": 30.0,
    }
    assert record["sha256"] == {name: sha256_of(path) for name, path in versions.items()}
    for name in ("c23", "c40"):
        assert [number_of(frame) for frame in frames(versions[name])] == NUMBERS
        assert video_facts(versions[name]) == ("h264", "yuv420p", 30)
        assert metadata(versions[name]) == metadata(versions["original"])


def test_stronger_compression_costs_quality_and_saves_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-15, 16, (HEIGHT, WIDTH, 1))
    pictures = [np.clip(numbered(n) + noise, 0, 255).astype(np.uint8) for n in NUMBERS]
    versions = versions_of(tmp_path, "c23", "c40")
    encode(pictures, versions["original"], ENCODING, label_of("real"))
    finish_video(versions, tmp_path / "record.json")
    error = {
        name: np.abs(np.stack(list(frames(path))).astype(int) - np.stack(pictures)).mean()
        for name, path in versions.items()
    }
    assert error["c40"] > 1.5 * error["c23"]
    assert versions["c40"].stat().st_size < versions["c23"].stat().st_size


def test_only_what_is_asked_for_is_made(tmp_path: Path, clip: Path) -> None:
    versions = versions_of(tmp_path)
    encode(frames(clip), versions["original"], ENCODING, label_of("real"))
    finish_video(versions, tmp_path / "record.json")
    assert list(read_json(tmp_path / "record.json")["sha256"]) == ["original"]
    made = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {versions["original"], tmp_path / "record.json"}


def test_finish_of_nothing_is_empty_files_and_no_hash(tmp_path: Path) -> None:
    versions = versions_of(tmp_path, "c23")
    versions["original"].parent.mkdir()
    versions["original"].touch()
    finish_video(versions, tmp_path / "record.json")
    assert read_json(tmp_path / "record.json") == {"frames": 0, "sha256": {}}
    assert is_empty(versions["c23"])


def test_finish_twice_gives_the_same_bytes(tmp_path: Path, clip: Path) -> None:
    records = []
    for name in ("one", "two"):
        versions = versions_of(tmp_path / name, "c40")
        encode(frames(clip), versions["original"], ENCODING, label_of("real"))
        finish_video(versions, tmp_path / f"{name}.json")
        records.append((tmp_path / f"{name}.json").read_bytes())
    assert records[0] == records[1]
