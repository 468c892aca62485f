from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from media_material import HEIGHT, WIDTH, number_of, numbered

from swapset import __version__
from swapset.errors import MediaError
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.media.finish import Encoding, encode, finish_video, label_of, write_real

ENCODING = Encoding("mpeg4", 2, 30)
LABEL = label_of("fake", method="celebdf", target="id0")


def pictures(count: int) -> Iterator[np.ndarray]:
    """Yield frames that carry their number, over some texture that compression costs."""
    noise = np.random.default_rng(0).integers(-15, 16, (HEIGHT, WIDTH, 1))
    for number in range(count):
        yield np.clip(numbered(number) + noise, 0, 255).astype(np.uint8)


def label_in(path: Path) -> dict[str, str]:
    """Read the label from a container."""
    with av.open(str(path)) as video:
        return json.loads(video.metadata["comment"])


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.mp4"
    assert encode(pictures(9), path, ENCODING, LABEL) == 9
    return path


def test_label_names_kind_facts_and_software() -> None:
    label = label_of("real", clip="id0_0000", subject="Zoë")
    assert list(label) == ["comment"]
    assert "Zoë" in label["comment"]
    assert json.loads(label["comment"]) == {
        "label": "real",
        "clip": "id0_0000",
        "subject": "Zoë",
        "software": f"swapset {__version__}",
    }


def test_encoded_frames_come_back_in_order(original: Path) -> None:
    assert [number_of(frame) for frame in frames(original)] == list(range(9))
    assert label_in(original) == json.loads(LABEL["comment"])


def test_nothing_to_encode_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none\.mp4: there is no frame"):
        encode(iter(()), tmp_path / "none.mp4", ENCODING, LABEL)
    assert list(tmp_path.iterdir()) == []


def test_failing_source_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield from pictures(3)
        raise MediaError("the source is damaged")

    with pytest.raises(MediaError, match="damaged"):
        encode(failing(), tmp_path / "half.mp4", ENCODING, LABEL)
    assert list(tmp_path.iterdir()) == []


def ingested(path: Path) -> Path:
    """Write a clip as it is stored after ingest."""
    with VideoWriter(path, WIDTH, HEIGHT, codec="lossless") as video:
        for picture in pictures(5):
            video.write(picture)
    return path


def test_accepted_clip_becomes_a_real_video(tmp_path: Path) -> None:
    verdict = {"accepted": True, "subject": "id0"}
    output = tmp_path / "id0_0000.mp4"
    write_real("id0_0000", verdict, ingested(tmp_path / "clip.mkv"), output, ENCODING)
    assert [number_of(frame) for frame in frames(output)] == list(range(5))
    label = label_in(output)
    assert (label["label"], label["clip"], label["subject"]) == ("real", "id0_0000", "id0")


def test_rejected_clip_leaves_an_empty_file_and_is_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    verdict = {"accepted": False, "reason": "no_face", "subject": "id0"}
    output = tmp_path / "id0_0000.mp4"
    write_real("id0_0000", verdict, tmp_path / "missing.mkv", output, ENCODING)
    assert output.read_bytes() == b""
    assert "id0_0000 was rejected: no_face" in caplog.text


def test_record_tells_what_is_on_disk(original: Path, tmp_path: Path) -> None:
    outputs = {name: tmp_path / name / "v.mp4" for name in ("c23", "c40")}
    record = finish_video(original, outputs)
    hashes = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in {"original": original, **outputs}.items()
    }
    assert record == {
        "frames": 9,
        "width": WIDTH,
        "height": HEIGHT,
        "fps": 30.0,
        "sha256": hashes,
    }
    assert len(set(hashes.values())) == 3
    assert json.loads(json.dumps(record)) == record


def test_compressed_versions_keep_frames_and_label_and_lose_quality(
    original: Path, tmp_path: Path
) -> None:
    outputs = {name: tmp_path / name / "v.mp4" for name in ("c23", "c40")}
    finish_video(original, outputs)
    errors = {}
    for name, path in outputs.items():
        decoded = list(frames(path))
        assert [number_of(frame) for frame in decoded] == list(range(9))
        assert label_in(path) == label_in(original)
        errors[name] = np.abs(np.stack(decoded).astype(int) - np.stack(list(pictures(9)))).mean()
    assert errors["c40"] > 1.5 * errors["c23"]
    assert outputs["c40"].stat().st_size < outputs["c23"].stat().st_size


def test_same_frames_same_bytes(original: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    encode(pictures(9), again, ENCODING, LABEL)
    records = [
        finish_video(path, {"c23": tmp_path / f"{path.stem}-c23.mp4"}) for path in (original, again)
    ]
    assert records[0] == records[1]


def test_empty_in_empty_out(tmp_path: Path) -> None:
    original = tmp_path / "original.mp4"
    original.touch()
    outputs = {name: tmp_path / name / "v.mp4" for name in ("c23", "c40")}
    assert finish_video(original, outputs) == {"frames": 0, "sha256": {}}
    assert [path.read_bytes() for path in outputs.values()] == [b"", b""]


def test_only_what_is_asked_for_is_made(original: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    assert list(finish_video(original, {})["sha256"]) == ["original"]
    assert set(tmp_path.rglob("*")) == before
