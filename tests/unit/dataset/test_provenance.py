from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swapset import __version__
from swapset.dataset.labels import write_labels
from swapset.dataset.provenance import fakes_table, read_records, write_provenance
from swapset.io.files import write_json

RECIPE = {"mask": "smooth", "feather": 0.12}


def verdict(accepted: bool, sha: str) -> dict[str, Any]:
    return {"accepted": accepted, "source_sha256": sha}


VERDICTS = {
    "id0": {"id0_0000": verdict(True, "a0"), "id0_0001": verdict(False, "a1")},
    "id1": {
        "id1_0000": verdict(True, "b0"),
        "id1_0001": verdict(False, "b1"),
        "id1_0002": verdict(True, "b2"),
    },
}
CLIPS = {
    clip: {"licence": f"licence of {clip}", "redistribute": False, "source": "", "url": ""}
    for clips in VERDICTS.values()
    for clip in clips
}


@pytest.fixture
def build(tmp_path: Path) -> dict[str, Any]:
    """Return a build of two real clips (one rejected) and two fakes (one not made)."""
    sizes = {"frames": 75, "width": 448, "height": 448, "fps": 30.0}
    nothing = {"frames": 0, "sha256": {}}
    records = {
        "real/id0_0000": sizes | {"sha256": {"original": "r0", "c23": "r23"}},
        "real/id0_0001": nothing,
        "celebdf/id0_id1_0000": sizes | {"sha256": {"original": "f0", "c23": "f23"}},
        "celebdf/id0_id1_0001": nothing,
    }
    for name, record in records.items():
        write_json(tmp_path / "records" / f"{name}.json", record)
    about = {"label": 1, "method": "celebdf", "target": "id0", "donor": "id1", "recipe": RECIPE}
    for number, extra in {
        "0000": {"reason": "", "model_sha256": "m0"},
        "0001": {"reason": "clip rejected: no_face"},
    }.items():
        path = tmp_path / "labels" / "celebdf" / f"id0_id1_{number}.parquet"
        write_labels(path, [], about | extra | {"clip": f"id0_{number}"})
    return {
        "root": tmp_path,
        "records": [str(tmp_path / "records" / f"{name}.json") for name in records],
        "labels": sorted(map(str, (tmp_path / "labels").rglob("*.parquet"))),
    }


def found(
    build: dict[str, Any], compressions: tuple[str, ...] = ("original", "c23")
) -> list[dict[str, Any]]:
    return read_records(
        build["root"], build["records"], build["labels"], VERDICTS, CLIPS, compressions
    )


def test_one_record_per_video_and_none_for_what_was_not_made(build: dict[str, Any]) -> None:
    assert [(each["video"], each["label"], each["compression"]) for each in found(build)] == [
        ("dataset/real/original/id0_0000.mp4", 0, "original"),
        ("dataset/real/c23/id0_0000.mp4", 0, "c23"),
        ("dataset/celebdf/original/id0_id1_0000.mp4", 1, "original"),
        ("dataset/celebdf/c23/id0_id1_0000.mp4", 1, "c23"),
    ]


def test_compressions_that_are_no_longer_asked_for_are_left_out(build: dict[str, Any]) -> None:
    assert [each["video"] for each in found(build, ("original",))] == [
        "dataset/real/original/id0_0000.mp4",
        "dataset/celebdf/original/id0_id1_0000.mp4",
    ]


def test_a_real_video_names_its_source(build: dict[str, Any]) -> None:
    real = found(build)[1]
    assert real["subject"] == "id0"
    assert real["sha256"] == "r23"
    assert (real["frames"], real["width"], real["height"], real["fps"]) == (75, 448, 448, 30.0)
    assert real["sources"] == [{"clip": "id0_0000", "sha256": "a0", **CLIPS["id0_0000"]}]


def test_a_fake_names_target_donors_accepted_clips_model_and_recipe(build: dict[str, Any]) -> None:
    fake = found(build)[2]
    assert (fake["method"], fake["target"], fake["donor"]) == ("celebdf", "id0", "id1")
    assert fake["model_sha256"] == "m0"
    assert fake["recipe"] == RECIPE
    assert [(each["clip"], each["sha256"]) for each in fake["sources"]] == [
        ("id0_0000", "a0"),
        ("id1_0000", "b0"),
        ("id1_0002", "b2"),
    ]


def test_lines_are_json_with_config_and_software(build: dict[str, Any]) -> None:
    path = build["root"] / "dataset" / "provenance.jsonl"
    videos = found(build)
    write_provenance(path, videos, "c0ffee")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    software = {"config_hash": "c0ffee", "software": f"swapset {__version__}"}
    assert lines == [video | software for video in videos]


def test_names_of_any_script_stay_readable(tmp_path: Path) -> None:
    path = tmp_path / "provenance.jsonl"
    write_provenance(path, [{"source": "Zoë, archive\nof 2020"}], "x")
    text = path.read_text(encoding="utf-8")
    assert "Zoë" in text
    assert text.count("\n") == 1


def test_fakes_table_counts_also_what_was_not_made(build: dict[str, Any]) -> None:
    table = fakes_table(map(Path, build["labels"]))
    assert list(table.columns) == ["method", "fake", "target", "donor", "clip", "made", "reason"]
    assert table.to_dict("records") == [
        {
            "method": "celebdf",
            "fake": f"id0_id1_{number}",
            "target": "id0",
            "donor": "id1",
            "clip": f"id0_{number}",
            "made": made,
            "reason": reason,
        }
        for number, made, reason in [
            ("0000", True, ""),
            ("0001", False, "clip rejected: no_face"),
        ]
    ]
