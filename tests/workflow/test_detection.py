"""Detectors through the workflow: on a build's own fakes, and on a public dataset's layout."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from material.builds import NETWORK, small_clip, write_rows, write_video
from material.running import Run, copy_build, copy_checkout, dry_run, kill_when, snakemake
from safetensors.numpy import load_file

from swapset.build.figures import DETECTOR_FIGURES

PEOPLE = ("id0", "id1", "id2", "id3")
DETECTORS = ("HeadPose", "Meso4")
DETECTION = {
    "frames": 4,
    "bootstrap": 20,
    "look_every": 2,
    "settings": {"Meso4": {"steps": 6, "batch": 4}},
}
OWN = {
    "name": "own",
    "clips": "clips/clips.csv",
    "pairs": [["id0", "id3"], ["id1", "id2"]],
    "swaps_per_clip": "all",
    "methods": ["faceswap"],
    "recipes": {"faceswap": {**NETWORK, "steps": 150, "context": 1.2}},
    "align": {"size": 96},
    "training": {"threads": 1},
    "compressions": ["original", "c40"],
    "device": "cpu",
    "detectors": list(DETECTORS),
    "datasets": {"FF-DF": {"root": "ff"}},
    "detection": DETECTION,
}
PUBLIC = {
    "name": "public",
    "clips": None,
    "device": "cpu",
    "training": {"threads": 1},
    "detectors": ["Meso4"],
    "datasets": {"FF-DF": {"root": "ff"}},
    "detection": {**DETECTION, "train_on": "FF-DF"},
}
COLUMNS = (
    "detector,dataset,compression,level,auc,auc_low,auc_high,videos,frames,coverage"
    ",auc_ensemble,trainings,auc_trainings_sd,people,interval,faceless"
)


def _coarse(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Return frames whose middle is blurred, as a bad fake's."""
    changed = []
    for frame in frames:
        made = frame.copy()
        made[90:200, 80:180] = cv2.GaussianBlur(made[90:200, 80:180], (0, 0), 4)
        changed.append(made)
    return changed


def _make_public(folder: Path, clips: dict[str, list[np.ndarray]]) -> None:
    """Write a tiny FaceForensics++: six people, a pair for each split, one damaged fake."""
    real = folder / "original_sequences" / "youtube" / "c23" / "videos"
    fake = folder / "manipulated_sequences" / "Deepfakes" / "c23" / "videos"
    for place in (real, fake):
        place.mkdir(parents=True)
    sources = list(clips.values())
    for number in range(6):
        frames = sources[number % len(sources)]
        other = number ^ 1
        write_video(real / f"{number:03d}.mp4", frames)
        write_video(fake / f"{number:03d}_{other:03d}.mp4", _coarse(frames))
    (fake / "005_004.mp4").write_bytes(b"no video at all" * 50)
    for name, pair in {"train": (0, 1), "val": (2, 3), "test": (4, 5)}.items():
        (folder / f"{name}.json").write_text(json.dumps([[f"{k:03d}" for k in pair]]))


@pytest.fixture(scope="module")
def detected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = copy_checkout(tmp_path_factory.mktemp("detection") / "checkout")
    (folder / "clips").mkdir()
    clips = {f"{person}_0000": small_clip(f"{person}_0000") for person in PEOPLE}
    rows = [["clip", "subject", "path", "licence"]]
    for clip, frames in clips.items():
        write_video(folder / "clips" / f"{clip}.mp4", frames)
        rows.append([clip, clip.partition("_")[0], f"{clip}.mp4", "CC0"])
    write_rows(folder / "clips" / "clips.csv", rows)
    _make_public(folder / "ff", clips)
    (folder / "own.yaml").write_text(yaml.safe_dump(OWN))
    (folder / "public.yaml").write_text(yaml.safe_dump(PUBLIC))
    run = snakemake(folder, "detector_auc", "detector_figures", "--configfile", "own.yaml")
    return folder, run.check()


@pytest.fixture(scope="module")
def results(detected: tuple[Path, Run]) -> Path:
    return detected[0] / "results" / "own"


def _table(results: Path, name: str) -> list[dict[str, str]]:
    with (results / "tables" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_table_has_every_detector_dataset_compression_and_level(results: Path) -> None:
    rows = _table(results, "detector_auc.csv")
    assert ",".join(rows[0]) == COLUMNS
    found = {(r["detector"], r["dataset"], r["compression"], r["level"]) for r in rows}
    assert found == {
        (detector, dataset, compression, level)
        for detector in DETECTORS
        for dataset, compression in (
            ("faceswap", "original"),
            ("faceswap", "c40"),
            ("FF-DF", "c23"),
        )
        for level in ("frame", "video")
    }
    for row in rows:
        assert 0 <= float(row["auc_low"]) <= float(row["auc"]) <= float(row["auc_high"]) <= 1
        assert 0.5 < float(row["coverage"]) <= 1


def test_people_are_tested_or_learnt_from(results: Path) -> None:
    rows = [row for row in _table(results, "splits.csv") if row["kind"] in ("real", "faceswap")]
    parts: dict[str, set[str]] = {}
    for row in rows:
        people = {row["target"], row["donor"]} - {""}
        parts.setdefault(row["role"], set()).update(people)
    assert set(parts) == {"train", "test"}
    assert parts["train"].isdisjoint(parts["test"])
    assert parts["train"] | parts["test"] == set(PEOPLE)


def test_only_people_that_are_tested_are_scored(results: Path) -> None:
    tested = {r["video"] for r in _table(results, "splits.csv") if r["role"] == "test"}
    paths = list((results / "scores").rglob("*.parquet"))
    assert paths
    for path in paths:
        rows = pq.read_table(path).to_pylist()
        assert {row["video"] for row in rows} <= tested
        assert {row["label"] for row in rows} == {0, 1}
        fake_names = 1 if path.parent.name == "FF-DF" else 2  # 004_005, id0_id1_0000
        for row in rows:
            assert row["label"] == int(row["video"].count("_") == fake_names)


def test_a_damaged_public_video_is_left_out_and_counted(results: Path) -> None:
    (row,) = _table(results, "left_out.csv")
    assert (row["kind"], row["video"], row["reason"]) == ("FF-DF", "005_004", "unreadable")


def test_figures_and_curves(results: Path) -> None:
    for name in DETECTOR_FIGURES:
        assert cv2.imread(str(results / "figures" / f"{name}.png")) is not None
    assert {row["dataset"] for row in _table(results, "roc.csv")} == {"faceswap", "FF-DF"}
    for row in _table(results, "detector_rates.csv"):
        assert 0 <= float(row["equal_error_rate"]) <= 1


def test_a_second_run_has_nothing_to_do(detected: tuple[Path, Run]) -> None:
    run = dry_run(detected[0], "--configfile", "own.yaml", "--", "detector_auc")
    assert run.nothing_to_do, run.output


def test_a_killed_fit_goes_on_to_the_same_weights(
    detected: tuple[Path, Run], tmp_path: Path
) -> None:
    """Checkpoints at other steps, too, give the same model."""
    folder = copy_build(detected[0], tmp_path / "killed")
    (folder / "often.yaml").write_text(
        yaml.safe_dump({"training": {**OWN["training"], "checkpoint_every": 1}})
    )
    base = folder / "results" / "own"
    model = base / "detectors" / "Meso4" / "0.safetensors"
    before, card = load_file(model), json.loads(model.with_suffix(".json").read_text())
    again = ("--configfile", "own.yaml", "often.yaml", "--", model.relative_to(folder))
    assert dry_run(folder, *again).nothing_to_do
    for path in (model, model.with_suffix(".json")):
        path.unlink()
    checkpoint = base / "checkpoints" / "detectors" / "Meso4" / "0.safetensors"
    kill_when(checkpoint, folder, *again)
    assert not model.exists()
    run = snakemake(folder, *again).check()
    assert run.jobs == {"fit_detector": 1}
    assert "resumed from step" in (base / "logs/fit_detector/Meso4/0.log").read_text()
    after = load_file(model)
    assert before.keys() == after.keys()
    for name, part in before.items():
        np.testing.assert_array_equal(part, after[name], err_msg=name)
    found = json.loads(model.with_suffix(".json").read_text())
    assert {**found, "sha256": ""} == {**card, "sha256": ""}
    assert not checkpoint.exists()


def test_one_more_detector_fits_and_scores_that_one(detected: tuple[Path, Run]) -> None:
    more = "detectors=[HeadPose,Meso4,VA-LogReg]"
    options = ("--configfile", "own.yaml", "--config", more)
    run = dry_run(detected[0], *options, "--", "detector_auc").check()
    assert run.jobs == {"fit_detector": 1, "score": 3, "detector_auc": 1}


def test_another_seed_fits_once_more_and_keeps_the_first(detected: tuple[Path, Run]) -> None:
    seeds = {"detection": {**DETECTION, "seeds": 2}}
    (detected[0] / "seeds.yaml").write_text(yaml.safe_dump(seeds))
    run = dry_run(
        detected[0], "--configfile", "own.yaml", "seeds.yaml", "--", "detector_auc"
    ).check()
    assert run.jobs == {"fit_detector": 2, "score": 6, "detector_auc": 1}


def test_steps_of_one_detector_fit_that_one_again(detected: tuple[Path, Run]) -> None:
    changed = {"detection": {**DETECTION, "settings": {"Meso4": {"steps": 8, "batch": 4}}}}
    (detected[0] / "steps.yaml").write_text(yaml.safe_dump(changed))
    run = dry_run(
        detected[0], "--configfile", "own.yaml", "steps.yaml", "--", "detector_auc"
    ).check()
    assert run.jobs == {"fit_detector": 1, "score": 3, "detector_auc": 1}


def test_public_datasets_need_no_clips(detected: tuple[Path, Run], tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    copy_checkout(folder)
    shutil.copytree(detected[0] / "ff", folder / "ff")
    shutil.copy(detected[0] / "public.yaml", folder)
    run = snakemake(folder, "detector_auc", "--configfile", "public.yaml").check()
    assert run.jobs == {
        "find_faces": 1,
        "splits": 1,
        "fit_detector": 1,
        "score": 1,
        "detector_auc": 1,
    }
    card = json.loads((folder / "results/public/detectors/Meso4/0.json").read_text())
    assert card["faces"] == 4 * 4  # two real videos and two fakes of four frames
    assert card["validation_faces"] == 4 * 4


def test_public_datasets_are_introduced(detected: tuple[Path, Run]) -> None:
    assert "swapset: FF-DF: 12 videos in ff" in detected[1].output


def test_a_missing_dataset_is_named_before_any_job(detected: tuple[Path, Run]) -> None:
    path = detected[0] / "missing.yaml"
    path.write_text(yaml.safe_dump({"datasets": {"DFD": {"root": "nowhere"}}}))
    run = dry_run(detected[0], "--configfile", "own.yaml", "missing.yaml", "--", "detector_auc")
    assert "nowhere" in run.refused()


PERTURBATIONS = ["contrast/2", "contrast/5", "messenger"]


@pytest.fixture(scope="module")
def more(detected: tuple[Path, Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the build: perturbed videos, scores of another program, two training sets."""
    folder = copy_build(detected[0], tmp_path_factory.mktemp("more") / "build")
    splits = _table(folder / "results" / "own", "splits.csv")
    videos = {row["video"]: row["label"] for row in splits if row["kind"] in ("real", "faceswap")}
    tested = [row["video"] for row in splits if row["role"] == "test" and row["kind"] == "real"]
    rows = [[video, 1 - int(label)] for video, label in videos.items() if video != tested[0]]
    write_rows(folder / "theirs.csv", [["video", "score"], *rows])
    config = {
        "detection": {"perturbations": PERTURBATIONS, "train_on": ["faceswap", "FF-DF"]},
        "scores": {"Theirs": {"faceswap": "theirs.csv"}},
    }
    (folder / "more.yaml").write_text(yaml.safe_dump(config))
    targets = ("robustness_figure", "robustness_ssim", "detector_auc", "outside_scores_table")
    targets += ("detector_matrix_figure",)
    run = snakemake(folder, *targets, "--configfile", "own.yaml", "more.yaml").check()
    for rule in ("track", "train", "synthesise", "find_faces", "score"):
        assert f"(Rule: {rule})" not in run.output, "made again"
    assert (run.jobs["fit_detector"], run.jobs["score_matrix"]) == (2, 2 * 3), "one fold of FF-DF"
    said = (
        "2 detectors, 2 training sets (faceswap, FF-DF), 2 test sets: 4 fits and 12 jobs of scores"
    )
    assert said in run.output
    return folder


def test_detectors_are_tested_on_perturbed_videos(more: Path) -> None:
    results = more / "results" / "own"
    rows = _table(results, "robustness.csv")
    found = [(r["detector"], r["dataset"], r["compression"], r["perturbation"]) for r in rows]
    assert found == [
        (detector, dataset, compression, name)
        for detector in DETECTORS
        for dataset, compression in (("faceswap", "original"), ("FF-DF", "c23"))
        for name in ("none", *PERTURBATIONS)
    ]
    plain = [r for r in _table(results, "detector_auc.csv") if r["level"] == "frame"]
    aucs = {(r["detector"], r["dataset"], r["compression"]): r["auc"] for r in plain}
    for row in rows:
        if row["perturbation"] == "none":
            about = row["detector"], row["dataset"], row["compression"]
            assert row["frame_auc"] == aucs[about], "also in its digits"
            assert row["level"] == "0"
    assert [r["level"] for r in rows[1:4]] == ["2", "5", ""]
    assert {r["kind"] for r in _table(results, "robustness_area.csv")} == {"contrast", "all"}
    assert cv2.imread(str(results / "figures" / "robustness.png")) is not None
    assert not list(results.rglob("perturbed/**/*.mp4"))


def test_perturbed_fakes_are_less_like_their_originals(more: Path) -> None:
    rows = _table(more / "results" / "own", "robustness_ssim.csv")
    values = {row["perturbation"]: float(row["mask_ssim"]) for row in rows}
    assert list(values) == ["none", *PERTURBATIONS]
    assert values["none"] > values["contrast/2"] > values["contrast/5"]


def test_scores_from_elsewhere_are_in_the_tables(more: Path) -> None:
    """Their scores are perfect, but say how likely a video is real; one video is missing."""
    results = more / "results" / "own"
    (row,) = _table(results, "outside_scores.csv")
    assert (row["detector"], row["higher"], row["missing"]) == ("Theirs", "real", "1")
    assert row["direction"] == "found on other videos"
    theirs = [r for r in _table(results, "detector_auc.csv") if r["detector"] == "Theirs"]
    # The missing real video ranks in the middle of three others: level with both fakes.
    assert [(r["level"], float(r["auc"])) for r in theirs] == [("frame", 1.0), ("video", 0.75)]
    assert float(theirs[0]["coverage"]) == 0.75


def test_two_training_sets_make_a_matrix(more: Path) -> None:
    results = more / "results" / "own"
    rows = [r for r in _table(results, "detector_matrix.csv") if r["level"] == "video"]
    found = [(r["detector"], r["trained_on"], r["dataset"], r["compression"]) for r in rows]
    tests = [("faceswap", "original"), ("faceswap", "c40"), ("FF-DF", "c23")]
    assert found == [
        (detector, learnt, *test) for detector in DETECTORS for learnt in ("faceswap", "FF-DF")
        for test in tests
    ]  # fmt: skip
    assert all((r["learnt"] == "True") == (r["trained_on"] == r["dataset"]) for r in rows)
    # Those of the first set are those of the other tables; FF-DF knows nobody of the build.
    plain = [r for r in _table(results, "detector_auc.csv") if r["level"] == "video"]
    aucs = {(r["detector"], r["dataset"], r["compression"]): (r["auc"], r["videos"]) for r in plain}
    for row in rows:
        about = row["detector"], row["dataset"], row["compression"]
        if row["trained_on"] == "faceswap":
            assert (row["auc"], row["videos"]) == aucs[about]
        elif row["dataset"] == "faceswap":
            assert row["videos"] == "8", "all four people are new to it"
    card = json.loads((results / "detectors" / "Meso4@FF-DF" / "0.json").read_text())
    assert (card["detector"], card["trained_on"]["datasets"]) == ("Meso4", ["FF-DF"])
    first = json.loads((results / "detectors" / "Meso4" / "0.json").read_text())
    assert first["trained_on"]["datasets"] == ["faceswap"]
    between = {r["between"] for r in _table(results, "detector_matrix_differences.csv")}
    assert between == {"training sets"}, "no two datasets have a compression in common"
    drops = [r for r in _table(results, "detector_matrix_drop.csv") if r["level"] == "video"]
    assert {r["compression"] for r in drops} == {"best"}
    assert [r["trained_on"] for r in drops] == ["faceswap", "FF-DF"] * 2 + ["mean"] * 2
    assert cv2.imread(str(results / "figures" / "detector_matrix.png")) is not None


def test_what_is_perturbed_no_more_is_left_over(more: Path) -> None:
    run = dry_run(more, "--configfile", "own.yaml", "--", "detector_auc")
    said = run.output.splitlines()[-1]
    assert "no longer made (" in said
    for room in (
        "perturbed",
        "matrix",
        "detectors",
        "scores",
        "figures",
        "tables",
        "logs",
        "benchmarks",
    ):
        assert f"{room} " in said
