"""Plug-ins of another package through the workflow: planned, run, in tables, and hashed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import yaml
from material.builds import small_clip, write_video
from material.plugins import add_package, install_example
from material.running import Run, copy_checkout, dry_run, environment, snakemake

ODD = {"Odd.Name-1": "swapset_example.detector:Sharpness", "Bad": "bad:Bad"}
PUBLIC = {
    "name": "public",
    "clips": None,
    "device": "cpu",
    "training": {"threads": 1},
    "detectors": ["Sharpness"],
    "datasets": {"ours": {"root": "folders", "layout": "Folders"}},
    "detection": {
        "train_on": "ours",
        "frames": 4,
        "bootstrap": 20,
        "settings": {"Sharpness": {"patience": 2}},
    },
}
NOISE = {
    "name": "noise",
    "attacks": ["none", "lb", "lb-grey"],
    "extractors": ["hrnet", "tiny"],
    "landmark_breaker": {
        "settings": {"tiny": {"steps": 5}},
        "protected_attacks": ["lb-grey"],
        "protected_extractor": "tiny",
        "protected_pairs": 1,
    },
}


def _make_dataset(folder: Path) -> None:
    """Write videos of four people, real and with a blurred face; two are for testing."""
    (folder / "real").mkdir(parents=True)
    (folder / "fake").mkdir()
    clips = {clip: small_clip(clip) for clip in ("id0_0000", "id1_0000")}
    for target, donor, clip in (
        ("anna", "ben", "id0_0000"),
        ("ben", "anna", "id1_0000"),
        ("carl", "dora", "id0_0000"),
        ("dora", "carl", "id1_0000"),
    ):
        write_video(folder / "real" / f"{target}_1.mp4", clips[clip])
        coarse = [frame.copy() for frame in clips[clip]]
        for frame in coarse:
            frame[90:200, 80:180] = cv2.GaussianBlur(frame[90:200, 80:180], (0, 0), 4)
        write_video(folder / "fake" / f"{target}_{donor}_1.mp4", coarse)
    (folder / "tested.txt").write_text("carl_1\ndora_1\ncarl_dora_1\ndora_carl_1\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install_example(folder, tmp_path_factory.mktemp("source"))
    return add_package(folder, "odd-package", {"detectors": ODD}, {"bad.py": "raise OSError\n"})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_checkout(tmp_path_factory.mktemp("plugins") / "checkout")
    _make_dataset(folder / "folders")
    for config in (PUBLIC, NOISE):
        (folder / f"{config['name']}.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path, site: Path) -> tuple[Path, Run]:
    given = ("detector_auc", "detector_figures", "--configfile", "public.yaml")
    return checkout, snakemake(checkout, *given, PYTHONPATH=str(site)).check()


def planned(folder: Path, site: Path, config: dict[str, object], *targets: str) -> Run:
    (folder / "changed.yaml").write_text(yaml.safe_dump(config))
    return dry_run(folder, "--configfile", "changed.yaml", "--", *targets, PYTHONPATH=str(site))


def test_a_detector_and_a_layout_are_planned(checkout: Path, site: Path) -> None:
    """As `snakemake -n detector_auc`; names may have dots and dashes."""
    names = ["Sharpness", "Odd.Name-1", "HeadPose"]
    config = {**PUBLIC, "name": "planned", "detectors": names}
    jobs = planned(checkout, site, config, "detector_auc").check().jobs
    assert (jobs["fit_detector"], jobs["score"], jobs["find_faces"]) == (3, 3, 1)


def test_a_detector_that_the_config_does_not_name_can_be_asked_for(
    checkout: Path, site: Path
) -> None:
    target = "results/planned/detectors/Odd.Name-1/0.safetensors"
    assert planned(checkout, site, {**PUBLIC, "name": "planned"}, target).check().jobs == {
        "find_faces": 1,
        "fit_detector": 1,
        "splits": 1,
    }


def test_attacks_and_extractors_are_planned(checkout: Path, site: Path) -> None:
    given = ("--configfile", "noise.yaml", "--", "landmark_breaker")
    jobs = dry_run(checkout, *given, PYTHONPATH=str(site)).check().jobs
    people = jobs["key_frames"]
    assert jobs["train_extractor"] == 2
    assert jobs["attack"] == 2 * 2 * people
    assert jobs["measure_attack"] == (1 + 2 * 2) * people
    assert jobs["protect_clips"] == jobs["find_landmarks"] == 2  # with its noise, and clean


@pytest.mark.parametrize("name", ["public", "noise"])
def test_their_cost_is_estimated(checkout: Path, site: Path, name: str) -> None:
    target = {"public": "detector_auc", "noise": "landmark_breaker"}[name]
    paths = os.pathsep.join([str(checkout), str(site)])
    done = subprocess.run(
        [sys.executable, "-m", "swapset.cli.main", "plan", target]
        + ["--configfile", f"{name}.yaml", "--json"],
        cwd=checkout,
        env=environment(PYTHONPATH=paths),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    rows = {row["rule"]: row for row in json.loads(done.stdout)}
    rule = {"public": "fit_detector", "noise": "attack"}[name]
    assert rows[rule]["jobs"] > 0
    assert rows[rule]["cpu_hours"] > 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"detectors": ["Sharpnes"]}, "detectors: 'Sharpnes' is not allowed: it is unk"),
        (
            {"detection": {**PUBLIC["detection"], "settings": {"Gone": {"steps": 1}}}},
            "detection.settings: 'Gone' is not allowed: it is unknown",
        ),
        ({"datasets": {"ours": {"root": "folders", "layout": "Fold"}}}, "datasets: 'Fold' is not"),
        (
            {"datasets": {"ours": {"root": "folders", "layout": "Folders",
                                   "options": {"partial": "x"}}}},
            "datasets.Folders: 'x' is not allowed for the option partial",
        ),
        ({"attacks": ["lb-gray"]}, "attacks: 'lb-gray' is not allowed: it is unknown"),
        ({"extractors": ["tini"]}, "extractors: 'tini' is not allowed: it is unknown"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_before_any_job(
    checkout: Path, site: Path, changed: dict[str, object], said: str
) -> None:
    config = {**PUBLIC, "name": "planned", **changed}
    assert said in planned(checkout, site, config, "detector_auc").refused()


def test_without_the_package_its_name_is_unknown(checkout: Path, tmp_path: Path) -> None:
    said = planned(checkout, tmp_path, {**PUBLIC, "name": "planned"}, "detector_auc").refused()
    assert "detectors: 'Sharpness' is not allowed: it is unknown" in said
    assert "entry point group swapset.detectors" in said


def test_two_packages_with_one_name_and_one_without_its_code_are_refused(
    checkout: Path, site: Path, tmp_path: Path
) -> None:
    entries = {"Sharpness": "elsewhere:Sharpness", "Gone": "elsewhere:Gone"}
    add_package(tmp_path, "second-package", {"detectors": entries})
    both = os.pathsep.join([str(site), str(tmp_path)])
    config = {**PUBLIC, "name": "planned"}
    said = planned(checkout, Path(both), config, "detector_auc").refused()
    assert "package swapset-example (swapset_example.detector:Sharpness)" in said
    assert "package second-package (elsewhere:Sharpness)" in said
    config = {**config, "detectors": ["Gone"], "detection": {"train_on": "ours"}}
    said = planned(checkout, Path(both), config, "detector_auc").refused()
    assert "'Gone' is not allowed: module 'elsewhere' of package second-package (" in said


def test_its_rows_are_in_the_tables(built: tuple[Path, Run]) -> None:
    results = built[0] / "results" / "public"
    with (results / "tables" / "detector_auc.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["detector"], row["dataset"], row["level"]) for row in rows} == {
        ("Sharpness", "ours", "frame"),
        ("Sharpness", "ours", "video"),
    }
    assert all(float(row["auc"]) > 0.9 for row in rows)  # blurred faces, looked at for blur
    for name in ("auc_by_detector", "roc"):
        assert cv2.imread(str(results / "figures" / f"{name}.png")) is not None


def test_its_code_is_hashed_as_ours(built: tuple[Path, Run], site: Path) -> None:
    folder = built[0]
    module = site / "swapset_example" / "detector.py"
    text, given = module.read_text(), ("--configfile", "public.yaml", "--", "detector_auc")
    assert dry_run(folder, *given, PYTHONPATH=str(site)).nothing_to_do
    try:
        module.write_text(f"{text}# A comment runs nothing.\n")
        assert dry_run(folder, *given, PYTHONPATH=str(site)).nothing_to_do
        module.write_text(text.replace("np.log1p", "np.sqrt"))
        jobs = dry_run(folder, *given, PYTHONPATH=str(site)).check().jobs
    finally:
        module.write_text(text)
    assert jobs == {"fit_detector": 1, "score": 1, "detector_auc": 1}


def test_one_that_breaks_in_a_job_ends_in_a_line(built: tuple[Path, Run], site: Path) -> None:
    folder, config = built[0], {**PUBLIC, "detectors": ["Bad"]}
    (folder / "bad.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(folder, "detector_auc", "--configfile", "bad.yaml", PYTHONPATH=str(site))
    said = run.refused()
    assert "swapset: fit_detector: detector 'Bad' of package odd-package (bad:Bad) cannot" in said
