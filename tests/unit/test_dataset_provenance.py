from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swapset import __version__
from swapset.dataset.labels import write_labels
from swapset.dataset.provenance import any_accepted, fakes_table, read_records, write_provenance
from swapset.files import write_json

CLIPS = {
    name: {"licence": f"L-{name}", "redistribute": name == "id1_0001", "source": "", "url": ""}
    for name in ("id0_0000", "id0_0001", "id1_0000", "id1_0001", "id1_0002")
}
VERDICTS = {
    subject: {
        name: {"accepted": name != "id1_0000", "source_sha256": f"sha-{name}"}
        for name in CLIPS
        if name.startswith(subject)
    }
    for subject in ("id0", "id1")
}


def record(frames: int, *compressions: str) -> dict[str, Any]:
    """Return what `finish_video` says about a video."""
    hashes = {name: f"{name}-hash" for name in compressions}
    return {"frames": frames, "width": 64, "height": 48, "fps": 30.0, "sha256": hashes}


@pytest.fixture
def build(tmp_path: Path) -> tuple[list[str], list[str]]:
    """Write the records and labels of two real videos and two fakes, one of each not made."""
    written = {
        "real/id0_0000": record(7, "original", "c23", "c40"),
        "real/id1_0000": {"frames": 0, "sha256": {}},
        "celebdf/id0_id1_0000": record(7, "original", "c40"),
        "celebdf/id1_id0_0000": {"frames": 0, "sha256": {}},
    }
    for name, value in written.items():
        write_json(tmp_path / "records" / f"{name}.json", value)
    for target, donor, reason in (("id0", "id1", ""), ("id1", "id0", "clip rejected: no_face")):
        facts = {
            "label": 1,
            "method": "celebdf",
            "target": target,
            "donor": donor,
            "clip": f"{target}_0000",
            "recipe": {"mask": "hull"},
            "reason": reason,
        }
        facts |= {} if reason else {"model_sha256": "m" * 64}
        write_labels(tmp_path / "labels/celebdf" / f"{target}_{donor}_0000.parquet", [], facts)
    records = [str(tmp_path / "records" / f"{name}.json") for name in written]
    return records, sorted(map(str, (tmp_path / "labels/celebdf").iterdir()))


def videos_of(build: tuple[list[str], list[str]]) -> dict[str, dict[str, Any]]:
    """Return the records by video."""
    found = read_records(Path("unused"), *build, VERDICTS, CLIPS)
    return {video["video"]: video for video in found}


def test_one_record_per_video_that_was_made(build: tuple[list[str], list[str]]) -> None:
    assert list(videos_of(build)) == [
        "dataset/real/original/id0_0000.mp4",
        "dataset/real/c23/id0_0000.mp4",
        "dataset/real/c40/id0_0000.mp4",
        "dataset/celebdf/original/id0_id1_0000.mp4",
        "dataset/celebdf/c40/id0_id1_0000.mp4",
    ]


def test_real_video_names_its_clip(build: tuple[list[str], list[str]]) -> None:
    assert videos_of(build)["dataset/real/c23/id0_0000.mp4"] == {
        "video": "dataset/real/c23/id0_0000.mp4",
        "label": 0,
        "compression": "c23",
        "sha256": "c23-hash",
        "frames": 7,
        "width": 64,
        "height": 48,
        "fps": 30.0,
        "subject": "id0",
        "sources": [{"clip": "id0_0000", "sha256": "sha-id0_0000", **CLIPS["id0_0000"]}],
    }


def test_fake_names_its_clip_and_all_that_its_donor_gave(
    build: tuple[list[str], list[str]],
) -> None:
    fake = videos_of(build)["dataset/celebdf/c40/id0_id1_0000.mp4"]
    assert (fake["label"], fake["compression"], fake["sha256"]) == (1, "c40", "c40-hash")
    assert (fake["method"], fake["target"], fake["donor"]) == ("celebdf", "id0", "id1")
    assert fake["model_sha256"] == "m" * 64
    assert fake["recipe"] == {"mask": "hull"}
    # The donor's rejected clip taught the model nothing.
    assert [source["clip"] for source in fake["sources"]] == ["id0_0000", "id1_0001", "id1_0002"]
    for source in fake["sources"]:
        assert source["sha256"] == f"sha-{source['clip']}"
        assert source["licence"] == f"L-{source['clip']}"
        assert source["redistribute"] == (source["clip"] == "id1_0001")
    assert "reason" not in fake


def test_lines_come_back_with_config_and_software(
    build: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    videos = list(videos_of(build).values())
    videos[0]["subject"] = "Zoë\u2028"
    path = tmp_path / "provenance.jsonl"
    write_provenance(path, videos, "c" * 64)
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    software = {"config_hash": "c" * 64, "software": f"swapset {__version__}"}
    assert [json.loads(line) for line in lines] == [video | software for video in videos]


def test_table_of_fakes_keeps_those_that_were_not_made(
    build: tuple[list[str], list[str]],
) -> None:
    table = fakes_table(map(Path, build[1]))
    assert list(table.columns) == ["method", "fake", "target", "donor", "clip", "made", "reason"]
    assert table.to_numpy().tolist() == [
        ["celebdf", "id0_id1_0000", "id0", "id1", "id0_0000", True, ""],
        ["celebdf", "id1_id0_0000", "id1", "id0", "id1_0000", False, "clip rejected: no_face"],
    ]


def test_any_accepted() -> None:
    assert any_accepted(VERDICTS["id1"])
    assert not any_accepted({"id1_0000": VERDICTS["id1"]["id1_0000"]})
    assert not any_accepted({})
