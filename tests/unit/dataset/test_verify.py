"""A dataset against its provenance, and the command that says so."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapset.cli.main import main
from swapset.dataset.verify import PROVENANCE, read_provenance, verify
from swapset.errors import DataError

VIDEOS = ("dataset/real/c23/id0_0000.mp4", "dataset/celebdf/c23/id0_id1_0000.mp4")


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def record(video: str, content: bytes) -> dict[str, object]:
    return {"video": video, "sha256": hashlib.sha256(content).hexdigest(), "method": "celebdf"}


def write_records(root: Path, *lines: object) -> None:
    write(root / PROVENANCE, "".join(json.dumps(line) + "\n" for line in lines).encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for video in VIDEOS:
        write(tmp_path / video, video.encode())
    # Asked for, and not made.
    write(tmp_path / "dataset/celebdf/c23/id2_id1_0000.mp4", b"")
    write_records(tmp_path, *(record(video, video.encode()) for video in VIDEOS))
    return tmp_path


def test_an_untouched_dataset_is_whole(root: Path) -> None:
    findings = verify(root, read_provenance(root))
    assert findings.good
    assert findings.whole == VIDEOS


def test_what_happened_to_each_file_is_said(root: Path) -> None:
    (root / VIDEOS[0]).unlink()
    write(root / VIDEOS[1], VIDEOS[1].encode() + b"!")
    write(root / "dataset/real/c23/id9_0000.mp4", b"new")
    write(root / "dataset/real/c23/.id0_0000.77.partial.mp4", b"half")
    findings = verify(root, read_provenance(root))
    assert not findings.good
    assert (findings.whole, findings.missing, findings.changed) == ((), VIDEOS[:1], VIDEOS[1:])
    assert findings.extra == (
        "dataset/real/c23/.id0_0000.77.partial.mp4",
        "dataset/real/c23/id9_0000.mp4",
    )


def test_a_video_that_lies_elsewhere_is_not_the_datasets(root: Path, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "same.mp4"
    write(outside, VIDEOS[0].encode())
    (root / VIDEOS[0]).unlink()
    (root / VIDEOS[0]).symlink_to(outside)
    assert verify(root, read_provenance(root)).changed == VIDEOS[:1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", ":3: not JSON"),
        (b"[" * 100_000, ":3: not JSON"),
        (b"\xff\xfe", ", line 3: is not UTF-8"),
        (b"[]", ":3: must be a JSON object, not list"),
        (b'{"video": "dataset/a.mp4"}', ":3: sha256 must be 64 hex digits"),
        (json.dumps(record("/etc/passwd", b"")).encode(), ":3: video must be a path below"),
        (json.dumps(record("dataset/../../x", b"")).encode(), ":3: video must be a path below"),
        (json.dumps(record(VIDEOS[0], b"")).encode(), ":3: .*has a record already"),
    ],
)
def test_a_bad_line_is_named(root: Path, line: bytes, message: str) -> None:
    with (root / PROVENANCE).open("ab") as stream:
        stream.write(line + b"\n")
    with pytest.raises(DataError, match=message):
        read_provenance(root)


@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_one_message(tmp_path_factory, content: bytes) -> None:
    root = tmp_path_factory.mktemp("any")
    write(root / PROVENANCE, content)
    try:
        found = verify(root, read_provenance(root)).missing
    except DataError as error:
        found = (str(error),)
    # No bytes of this length name a file that is there.
    assert all("dataset/" in name for name in found)


def test_the_command_says_what_is_wrong_and_fails(root: Path, capsys) -> None:
    assert main(["verify", str(root)]) == 0
    assert "2 videos, all unchanged" in capsys.readouterr().out
    (root / VIDEOS[0]).unlink()
    assert main(["verify", str(root)]) == 1
    shown = capsys.readouterr().out
    assert f"missing: {VIDEOS[0]}" in shown
    assert "1 whole, 0 changed, 1 missing, 0 extra" in shown
    assert main(["verify", str(root), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["missing"] == [VIDEOS[0]]


@pytest.mark.parametrize("here", [True, False])
def test_a_videos_record_is_shown(root: Path, capsys, here: bool) -> None:
    video = str(root / VIDEOS[1]) if here else VIDEOS[1]
    assert main(["verify", str(root), video]) == 0
    shown = capsys.readouterr().out
    assert "method: celebdf" in shown
    assert VIDEOS[0] not in shown


def test_a_video_without_a_record_is_named(root: Path, capsys) -> None:
    assert main(["verify", str(root), "dataset/real/c23/id7_0000.mp4"]) == 1
    assert "has no record of dataset/real/c23/id7_0000.mp4" in capsys.readouterr().err


def test_a_folder_that_is_no_build_is_named(tmp_path: Path, capsys) -> None:
    assert main(["verify", str(tmp_path)]) == 1
    assert "is " + str(tmp_path) + " a build's folder" in capsys.readouterr().err
