"""Files from outside that a build reads, and the hashes that jobs keep of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from material.layouts import plant_ff

from swapset.build.job import record_hashes
from swapset.build.workflow import Workflow
from swapset.io.files import content_hash


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two clips, FF-DF, weights and a predictor."""
    monkeypatch.chdir(tmp_path)
    rows = ["clip,subject,path,licence,url"]
    for person in ("id0", "id1"):
        (tmp_path / f"{person}.mp4").write_text(person)
        rows.append(f"{person}_0000,{person},{person}.mp4,CC0,")
    rows += ["id0_0001,id0,,CC0,s3://bucket/a.mp4", "id1_0001,id1,,CC0,https://example.org/a.mp4"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    plant_ff(tmp_path / "ff")
    for name in ("weights.h5", "points.dat", "base.safetensors"):
        (tmp_path / name).write_text(name)
    return tmp_path


def stages(**values: Any) -> Workflow:
    usual = {
        "clips": "clips.csv",
        "datasets": {"FF-DF": {"root": "ff"}},
        "detectors": ["Meso4"],
        "detection": {"settings": {"Meso4": {"weights": "weights.h5"}}},
        "track": {"predictor": "points.dat"},
        "training": {"bases": {"celebdf": "base.safetensors"}},
        "methods": ["celebdf"],
    }
    return Workflow({**usual, **values})


def test_all_that_the_config_names_is_looked_at(folder: Path) -> None:
    outside = {file.key: file for file in stages().outside}
    videos = [key for key in outside if key.startswith("datasets/FF-DF/c23/")]
    assert len(videos) == 8 + 8
    packaged = {f"landmark_breaker.black_boxes.{name}" for name in ("facemesh", "centerface")}
    assert set(outside) - set(videos) == {
        *("clips/id0_0000", "clips/id1_0000"),  # others are downloaded, or in object storage
        *("training.bases.celebdf", "track.predictor", "detection.settings.Meso4.weights"),
        *packaged,
    }
    assert outside["clips/id0_0000"].path == "id0.mp4"
    # What may be many large files is read by jobs alone.
    assert {key for key, file in outside.items() if file.hashed_now} == {
        *("training.bases.celebdf", "track.predictor", "detection.settings.Meso4.weights"),
        *packaged,
    }


def test_jobs_record_what_they_have_read(folder: Path) -> None:
    root = Path(stages().build.root)
    videos = stages().detection.public_sources("FF-DF", "c23", "0000")
    record_hashes(f"{root}/sources/find_faces/0.json", stages().outside.keys(videos))
    (root / "clips" / "id0").mkdir(parents=True)
    record = {"id0_0000": {"source_sha256": "abc"}}
    (root / "clips" / "id0" / "ingest.json").write_text(json.dumps(record))
    outside = stages().outside
    assert outside.recorded_hash("clips/id0_0000") == "abc"
    assert outside.recorded_hash("clips/id1_0000") is None
    keys = outside.keys(videos)
    assert len(keys) == 16
    for key, video in keys.items():
        assert outside.recorded_hash(key) == content_hash(video)
    (root / "sources" / "find_faces" / "0.json").write_text("{")
    assert stages().outside.recorded_hash(next(iter(keys))) is None


def test_a_moved_dataset_stays_what_it_is(folder: Path) -> None:
    def ids(root: str) -> list[str]:
        moved = stages(datasets={"FF-DF": {"root": root}})
        moved.contents.look(moved.outside, print)
        videos = moved.detection.public_sources("FF-DF", "c23", "0000")
        notes = f"{moved.build.root}/sources/find_faces/FF-DF/c23/0000.json"
        record_hashes(notes, moved.outside.keys(videos))
        return moved.contents.identify(videos)

    before = ids("ff")
    assert all(before)
    (folder / "ff").rename(folder / "elsewhere")
    assert ids("elsewhere") == before
    video = next((folder / "elsewhere").rglob("000_003.mp4"))
    video.write_text("other")
    changed = ids("elsewhere")
    assert [one == other for one, other in zip(before, changed, strict=True)].count(False) == 1


def test_a_file_that_vanishes_is_left_out_of_the_note(folder: Path) -> None:
    record_hashes("note.json", {"a": "id0.mp4", "b": "gone.mp4"})
    assert set(json.loads(Path("note.json").read_text())) == {"a"}
