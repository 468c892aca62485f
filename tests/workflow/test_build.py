"""One real build, from clips to tables, held against the design."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
from material.builds import CLIPS, CONFIG, FACELESS, FRAMES, REJECTED, SIZE, SWAPS
from material.running import Run, digest

from swapset.media.decode import frames

METHODS = ("celebdf", "faceswap")
COMPRESSIONS = ("original", "c23", "c40")
MADE = ("id0_id1_0000", "id1_id0_0000")
NOT_MADE = ("id0_id2_0001", "id2_id0_0000")


def _table(results: Path, name: str) -> list[dict[str, str]]:
    with (results / "tables" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def _provenance(results: Path) -> list[dict[str, Any]]:
    lines = (results / "dataset" / "provenance.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _stream_facts(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return {
            "container": container.format.name,
            "codec": context.name,
            "profile": context.profile,
            "pixels": context.pix_fmt,
            "size": (context.width, context.height),
            "rate": stream.average_rate,
            "base": stream.time_base,
            "colours": (context.colorspace, context.color_range, context.color_primaries),
            "b_frames": context.has_b_frames,
            "other": len(container.streams) - 1,
            "frames": stream.frames,
        }


def _label(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return json.loads(container.metadata["comment"])


def test_every_job_ran_once(first_run: tuple[Path, Run]) -> None:
    run = first_run[1]
    assert set(run.jobs) >= {"ingest", "track", "accept", "align", "train", "synthesise", "measure"}
    assert f"{sum(run.jobs.values())} of {sum(run.jobs.values())} steps (100%) done" in run.output


def test_layout(results: Path) -> None:
    names = {"real": {*CLIPS, *REJECTED}} | {method: {*MADE, *NOT_MADE} for method in METHODS}
    for kind, expected in names.items():
        for compression in COMPRESSIONS:
            folder = results / "dataset" / kind / compression
            assert {path.name for path in folder.iterdir()} == {f"{n}.mp4" for n in expected}
    for method in METHODS:
        assert {p.stem for p in (results / "labels" / method).iterdir()} == {*MADE, *NOT_MADE}
    kept = {
        "training.csv",
        "clips.csv",
        "datasets.csv",
        "fakes.csv",
        "mask_ssim.csv",
        "expression.csv",
        "demographics.csv",
    }
    assert kept <= {path.name for path in (results / "tables").iterdir()}
    assert (results / "logs").is_dir()
    assert (results / "benchmarks").is_dir()


def test_nothing_half_written_is_left(results: Path) -> None:
    assert not list(results.rglob("*.partial*"))
    assert not list((results / "checkpoints").rglob("*.safetensors"))


def test_nobody_is_taken_for_another(results: Path) -> None:
    assert (results / "tables" / "same_people.csv").read_text() == "subject,same_as\n"


def test_clips_table_says_what_was_rejected_and_why(results: Path) -> None:
    rows = {row["clip"]: row for row in _table(results, "clips.csv")}
    header = "clip,subject,accepted,reason,frames,width,height,fps,face_height,repeated"
    assert ",".join(next(iter(rows.values()))) == header
    assert {clip: row["reason"] for clip, row in rows.items() if row["reason"]} == REJECTED
    assert {clip for clip, row in rows.items() if row["accepted"] == "True"} == set(CLIPS)
    assert rows["id0_0000"]["frames"] == str(FRAMES - FACELESS)
    assert rows["id0_0001"]["frames"] == str(FRAMES)
    assert rows["id0_0001"]["width"] == rows["id0_0001"]["height"] == str(SIZE)
    assert 60 < float(rows["id1_0000"]["face_height"]) < 160


def test_user_is_told_of_rejected_clips_and_lost_subjects(
    first_run: tuple[Path, Run], results: Path
) -> None:
    log = (results / "logs" / "accept.log").read_text()
    for said in (log, first_run[1].output):
        for clip, reason in REJECTED.items():
            assert f"{clip} rejected: {reason}" in said
        assert "subject id2 has no accepted clip: its pairs are left out" in said


def test_rejected_clips_leave_empty_files(results: Path) -> None:
    for compression in COMPRESSIONS:
        for clip in REJECTED:
            assert not (results / "dataset" / "real" / compression / f"{clip}.mp4").stat().st_size
        for method in METHODS:
            for fake in NOT_MADE:
                path = results / "dataset" / method / compression / f"{fake}.mp4"
                assert not path.stat().st_size


def test_fakes_table_gives_reasons(results: Path) -> None:
    rows = {(row["method"], row["fake"]): row for row in _table(results, "fakes.csv")}
    assert len(rows) == len(SWAPS) * len(METHODS)
    for method in METHODS:
        assert [rows[method, fake]["made"] for fake in MADE] == ["True", "True"]
        assert rows[method, NOT_MADE[0]]["reason"] == "no model: no accepted clip of id2"
        assert rows[method, NOT_MADE[1]]["reason"] == "clip rejected: unreadable"


def test_datasets_table(results: Path) -> None:
    expected = {
        "real_videos": str(len(CLIPS)),
        "real_frames": str(len(CLIPS) * FRAMES),
        "fake_videos": str(len(MADE)),
        "fake_frames": str(len(MADE) * FRAMES),
    }
    rows = [{"dataset": method, **expected} for method in METHODS]
    assert _table(results, "datasets.csv") == rows


def test_demographics_count_the_subjects_that_are_shown(results: Path) -> None:
    rows = {
        (r["attribute"], r["group"]): r["subjects"] for r in _table(results, "demographics.csv")
    }
    assert rows["gender", "female"] == rows["gender", "male"] == "1"
    assert rows["age", "younger than 30"] == rows["age", "40s"] == "1"
    assert rows["ethnicity", "a"] == "1"


def test_mask_ssim_table(results: Path) -> None:
    rows = _table(results, "mask_ssim.csv")
    assert ",".join(rows[0]) == (
        "method,videos,frames,mask_ssim,mask_ssim_low,mask_ssim_high,masked_frame_ssim,"
        "identity_donor,interval"
    )
    assert [row["method"] for row in rows] == list(METHODS)
    for row in rows:
        assert row["videos"] == str(len(MADE))
        low, middle, high = (float(row[f"mask_ssim{part}"]) for part in ("_low", "", "_high"))
        assert 0 < low <= middle <= high < float(row["masked_frame_ssim"]) <= 1
        assert 0 <= float(row["identity_donor"]) <= 1


def test_expression_tables(results: Path) -> None:
    rows = _table(results, "expression.csv")
    assert ",".join(rows[0]) == "measure,method,videos,mean,low,high,interval"
    assert [row["method"] for row in rows] == list(METHODS) * (len(rows) // len(METHODS))
    known = {row["measure"] for row in rows if row["videos"] == str(len(MADE))}
    assert {"landmark_distance", "pose_error", "sharpness", "flicker"} <= known
    for row in rows:
        if row["measure"] in known:
            assert float(row["low"]) <= float(row["mean"]) <= float(row["high"])
    fakes = _table(results, "expression_per_fake.csv")
    assert sorted(row["fake"] for row in fakes if not row["reason"]) == sorted(MADE * len(METHODS))
    for row in fakes:
        assert bool(row["reason"]) == (row["landmark_distance"] == "")
    pairs = _table(results, "expression_differences.csv")
    assert {(row["method"], row["against"]) for row in pairs} == {tuple(METHODS)}


def test_provenance_matches_the_files(results: Path, build: Path) -> None:
    records = _provenance(results)
    assert len(records) == len(COMPRESSIONS) * (len(CLIPS) + len(MADE) * len(METHODS))
    for record in records:
        path = results / record["video"]
        assert record["sha256"] == digest(path)
        assert record["compression"] == path.parent.name
        assert record["label"] == int(path.parent.parent.name != "real")
        for source in record["sources"]:
            assert source["sha256"] == digest(build / "clips" / f"{source['clip']}.mp4")
            assert source["licence"] == "CC0"
            assert source["redistribute"] is True
        assert record["config_hash"]
        assert record["software"].startswith("swapset ")


def test_provenance_names_model_and_people(results: Path) -> None:
    for record in _provenance(results):
        if record["label"]:
            model = results / "models" / record["method"] / "id0-id1.safetensors"
            assert record["model_sha256"] == digest(model)
            target, donor, number = Path(record["video"]).stem.split("_")
            assert (record["target"], record["donor"]) == (target, donor)
            clips = [f"{target}_{number}", f"{donor}_0000", f"{donor}_0001"]
            assert [source["clip"] for source in record["sources"]] == clips
            assert (
                record["recipe"]["mask"]
                == {"celebdf": "smooth", "faceswap": "hull"}[record["method"]]
            )
            asked = CONFIG["recipes"][record["method"]]
            assert asked.items() <= record["training"]["recipe"].items()
            assert record["training"]["steps"] == asked["steps"]


def test_every_container_carries_its_label(results: Path) -> None:
    for record in _provenance(results):
        label = _label(results / record["video"])
        assert label["label"] == ("fake" if record["label"] else "real")
        for key in ("method", "target", "donor"):
            assert label.get(key) == record.get(key)


def test_real_and_fake_pass_through_the_same_encoder(results: Path) -> None:
    for compression, codec in zip(COMPRESSIONS, ("mpeg4", "h264", "h264"), strict=True):
        videos = [("real", clip) for clip in CLIPS]
        videos += [(method, fake) for method in METHODS for fake in MADE]
        facts = [
            _stream_facts(results / "dataset" / kind / compression / f"{name}.mp4")
            for kind, name in videos
        ]
        assert all(fact == facts[0] for fact in facts)
        assert facts[0]["codec"] == codec
        assert facts[0]["pixels"] == "yuv420p"
        assert facts[0]["rate"] == 30
        assert facts[0]["frames"] == FRAMES


def test_compression_costs_what_it_says(results: Path) -> None:
    for kind, name in [("real", "id0_0001"), ("celebdf", MADE[0])]:
        sizes = [
            (results / "dataset" / kind / compression / f"{name}.mp4").stat().st_size
            for compression in COMPRESSIONS
        ]
        assert sizes[0] > sizes[1] > 1.5 * sizes[2]


def test_labels_say_which_frames_are_swapped(results: Path) -> None:
    for method in METHODS:
        rows = pq.read_table(results / "labels" / method / f"{MADE[0]}.parquet").to_pylist()
        assert [row["frame"] for row in rows] == list(range(FRAMES))
        swapped = [row["swapped"] for row in rows]
        assert swapped == [False] * FACELESS + [True] * (FRAMES - FACELESS)
        assert all((row["mask"] is not None) == row["swapped"] for row in rows)
        assert all(len(row["transform"] or [0] * 6) == 6 for row in rows)
        empty = pq.read_table(results / "labels" / method / f"{NOT_MADE[0]}.parquet")
        assert empty.num_rows == 0


def test_only_the_face_is_changed(results: Path) -> None:
    """Frames before the first swapped one decode just as in the real video; later ones differ."""
    for method in METHODS:
        fake = frames(results / "dataset" / method / "original" / f"{MADE[0]}.mp4")
        real = frames(results / "dataset" / "real" / "original" / "id0_0000.mp4")
        pairs = list(islice(zip(real, fake, strict=True), FACELESS + 1))
        for one, other in pairs[:FACELESS]:
            assert np.array_equal(one, other)
        difference = np.abs(pairs[-1][0].astype(int) - pairs[-1][1])
        labels = pq.read_table(results / "labels" / method / f"{MADE[0]}.parquet").to_pylist()
        x, y = np.array(labels[FACELESS]["mask"]).reshape(-1, 2).mean(axis=0).astype(int)
        assert difference[y - 20 : y + 20, x - 20 : x + 20].mean() > 3
        assert difference[:40, :40].mean() < 1


def test_model_card_and_log(results: Path) -> None:
    card = json.loads((results / "models" / "celebdf" / "id0-id1.json").read_text())
    assert card["trained"] is True
    assert card["steps"] == 150
    assert card["faces"] == {"id0": 2 * FRAMES - FACELESS, "id1": 2 * FRAMES}
    log = (results / "logs" / "train" / "celebdf" / "id0-id1.log").read_text()
    assert "100%|" in log
    assert "face/s" in log
    assert "held out" in log
    assert "L1 " in log
    untrained = json.loads((results / "models" / "celebdf" / "id0-id2.json").read_text())
    assert untrained == {"trained": False, "reason": "no accepted clip of id2"}
