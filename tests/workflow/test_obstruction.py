"""Landmark Breaker through the workflow: extractors from the build's clips, noise, tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from material.builds import FACELESS
from material.running import Run, copy_build, dry_run, snakemake

from swapset.media.decode import frames
from swapset.obstruction.evaluation import face_ssim
from swapset.obstruction.keyframes import read_runs

EXTRACTORS = ("fan", "hrnet")
SEVERAL = ("fan+hrnet", "hrnet", "fan")
"""All extractors, and each time all but one."""
SOURCES = {
    "none": ("none",),
    "base1": EXTRACTORS,
    "lb": EXTRACTORS,
    "lb-robust": SEVERAL,
    "lb-robust-ssim": SEVERAL,
}
TARGETS = (*EXTRACTORS, "dlib", "facemesh")
DETECTORS = ("hog", "centerface")
PERTURBATION = "contrast/5"
COMPRESSIONS = ("none", "mpeg4", PERTURBATION)
SMALL = {"width": 0.1, "steps": 2, "batch": 2, "learning_rate": 1e-6}
"""Networks that stay as they were drawn: their landmarks differ, which a few steps would end."""
CONFIG = {
    "extractors": list(EXTRACTORS),
    "attacks": list(SOURCES),
    "detectors": [],
    "landmark_breaker": {
        "subjects": ["id0"],
        "frames": 15,
        "compressions": ["none", "mpeg4"],
        "perturbations": [PERTURBATION],
        "reference": "fan",
        "swap_every": 5,
        "iterations": 2,
        "sweep_steps": [1.0, 2.0],
        "sweep_iterations": [1, 2, 3],
        "sweep_every": 1,
        "label_frames": 6,
        "protected_pairs": 1,
        "protected_attacks": ["lb"],
        "settings": dict.fromkeys(EXTRACTORS, SMALL),
    },
}


@pytest.fixture(scope="module")
def attacked(build: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = copy_build(build, tmp_path_factory.mktemp("obstruction") / "build")
    (folder / "lb.yaml").write_text(yaml.safe_dump(CONFIG))
    asked = ("landmark_breaker", "report", "--configfile", "tiny.yaml", "lb.yaml")
    run = snakemake(folder, *asked)
    return folder, run.check()


@pytest.fixture(scope="module")
def results(attacked: tuple[Path, Run]) -> Path:
    return attacked[0] / "results" / "tiny"


def table(results: Path, name: str) -> list[dict[str, str]]:
    with (results / "tables" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_table_has_every_attack_compression_source_and_target(results: Path) -> None:
    rows = table(results, "landmark_breaker")
    assert list(rows[0]) == [
        *("attack", "compression", "source", "target"),
        *("nme", "moved", "ssim_i", "ssim_w", "images"),
    ]
    found = {(r["attack"], r["compression"], r["source"], r["target"]) for r in rows}
    assert found == {
        (attack, compression, source, target)
        for attack, sources in SOURCES.items()
        for compression in COMPRESSIONS
        for source in sources
        for target in TARGETS
    }
    assert {row["images"] for row in rows} == {"15"}


def test_clean_frames_are_what_noise_is_measured_against(results: Path) -> None:
    rows = {
        (r["attack"], r["compression"], r["source"], r["target"]): r
        for r in table(results, "landmark_breaker")
    }
    for target in TARGETS:
        clean = rows["none", "none", "none", target]
        assert float(clean["ssim_i"]) == float(clean["ssim_w"]) == 1
        assert (float(clean["nme"]) == 0) == (target == "fan")
        assert float(clean["moved"]) == 0
        base1, lb = (rows[attack, "none", "fan", target] for attack in ("base1", "lb"))
        assert float(base1["ssim_i"]) < float(lb["ssim_i"]) < 1
        assert float(rows["none", "mpeg4", "none", target]["ssim_i"]) < 1
    for target in ("fan", "dlib", "facemesh"):
        assert float(rows["base1", "none", "fan", target]["moved"]) > 0


def test_faces_are_looked_for_after_every_attack_and_compression(results: Path) -> None:
    rows = table(results, "landmark_breaker_detection")
    found = {(r["attack"], r["compression"], r["source"], r["detector"]): r for r in rows}
    assert set(found) == {
        (attack, compression, source, detector)
        for attack, sources in SOURCES.items()
        for compression in COMPRESSIONS
        for source in sources
        for detector in DETECTORS
    }
    assert {row["frames"] for row in rows} == {"15"}
    assert all(float(found["none", "none", "none", name]["found"]) == 1 for name in DETECTORS)


def test_protected_pictures_are_perturbed_as_detectors_videos_are(results: Path) -> None:
    """A picture with noise and a third of its contrast has the SSIM that is computed here."""
    rows = {
        (r["attack"], r["compression"], r["source"], r["target"]): float(r["ssim_i"])
        for r in table(results, "landmark_breaker")
    }
    assert rows["none", PERTURBATION, "none", "fan"] < rows["none", "mpeg4", "none", "fan"]
    folder = results / "obstruction/frames/id0"
    (path,), (run,) = folder.glob("*.npy"), read_runs(folder)
    for attack in ("base1", "lb"):
        noisy = np.load(results / f"obstruction/noisy/{attack}/hrnet/id0" / path.name)
        dark = (noisy * np.float32(0.35)).astype(np.uint8)
        expected = face_ssim(np.load(path), dark, run).mean()
        assert rows[attack, PERTURBATION, "hrnet", "fan"] == pytest.approx(expected, abs=2e-6)


def test_noise_is_inside_its_budget(results: Path) -> None:
    clean = sorted((results / "obstruction/frames/id0").glob("*.npy"))
    assert len(clean) == 1
    for attack, most in (("base1", 15), ("lb", 2), ("lb-robust", 4)):
        for path in clean:
            noisy = np.load(results / f"obstruction/noisy/{attack}/hrnet/id0" / path.name)
            change = np.abs(noisy.astype(int) - np.load(path)).max()
            assert 0 < change <= most


def test_noise_is_made_as_visible_as_landmark_breakers(results: Path) -> None:
    quality = {
        (r["attack"], r["source"]): float(r["ssim_i"])
        for r in table(results, "landmark_breaker")
        if r["compression"] == "none"
    }
    lb = {source: quality["lb", source] for source in EXTRACTORS}
    lb["fan+hrnet"] = sum(lb.values()) / 2
    for source in SEVERAL:
        assert quality["lb-robust-ssim", source] == pytest.approx(lb[source], abs=0.01)
        assert quality["lb-robust", source] != pytest.approx(lb[source], abs=1e-4)


def test_nobody_who_is_protected_is_learnt_from(results: Path) -> None:
    labels = results / "extractors/labels"
    assert {path.name for path in labels.iterdir()} == {"id1", "id2"}
    card = json.loads((results / "extractors/fan.json").read_text())
    assert card["faces"] + card["validation_faces"] == 12
    assert (results / "extractors/fan.png").stat().st_size > 1000


def test_attacks_in_order_are_compared_run_by_run(results: Path) -> None:
    rows = table(results, "landmark_breaker_differences")
    pairs = {("lb", "base1"), ("lb-robust", "lb"), ("lb-robust-ssim", "lb")}
    boxes = {("fan", "white"), ("hrnet", "white"), *((target, "black") for target in TARGETS)}
    found = {((r["target"], r["box"]), (r["attack"], r["against"])) for r in rows}
    alone = {((name, "alone"), pair) for name in EXTRACTORS for pair in pairs - {("lb", "base1")}}
    assert found == {(box, pair) for box in boxes for pair in pairs} | alone
    assert len(rows) == len(COMPRESSIONS) * len(found)
    assert {row["runs"] for row in rows} == {"1"}


def test_other_steps_are_measured_on_who_is_attacked(results: Path) -> None:
    rows = table(results, "landmark_breaker_sweep")
    assert [(r["varied"], float(r["step"]), int(r["iterations"])) for r in rows] == [
        (varied, step, count)
        for varied, step, count in [
            ("step", 1, 2),
            ("step", 2, 2),
            ("iterations", 1, 1),
            ("iterations", 1, 2),
            ("iterations", 1, 3),
        ]
        for _ in EXTRACTORS
    ]
    usual = {
        (r["attack"], r["compression"], r["source"], r["target"]): r
        for r in table(results, "landmark_breaker")
    }
    for row in rows:
        assert row["images"] == "15"
        if (float(row["step"]), row["iterations"]) == (1, "2"):
            same = usual["lb", "none", row["extractor"], row["extractor"]]
            for measure in ("nme", "ssim_i"):
                assert float(row[measure]) == pytest.approx(float(same[measure]), abs=2e-6)
    quality = {(r["extractor"], r["step"], r["iterations"]): float(r["ssim_i"]) for r in rows}
    for name in EXTRACTORS:
        once, *_, far = sorted({key[1:] for key in quality if key[0] == name})
        assert quality[name, *far] < quality[name, *once]


def test_errors_in_white_boxes_have_intervals_over_runs(results: Path) -> None:
    rows = table(results, "landmark_breaker_white_box")
    assert {(r["attack"], r["source"] == r["extractor"]) for r in rows} == {
        ("none", False),
        ("base1", True),
        ("lb", True),
        *((name, alone) for name in ("lb-robust", "lb-robust-ssim") for alone in (False, True)),
    }
    for row in rows:
        # One run: nothing is known of how runs vary.
        assert float(row["nme"]) >= 0
        assert (row["low"], row["high"], row["runs"]) == ("", "", "1")


def test_report_shows_tables_and_figures_of_noise(results: Path) -> None:
    for name in ("pictures", "robustness", "sweep"):
        assert (results / f"figures/landmark_breaker_{name}.png").stat().st_size > 10_000
    ours, quoted = (results / "report.html").read_text().split('<section id="quoted">')
    assert "<h2>Landmark Breaker</h2>" in ours
    assert "Attacks on known extractors, by compression" in ours
    assert "Models that no attack follows" in ours
    assert "Table 4.8" not in ours
    assert "Table 4.8" in quoted
    assert "<h2>Models trained on protected clips</h2>" in ours


def test_models_are_trained_again_on_clips_with_and_without_noise(results: Path) -> None:
    rows = table(results, "protected_training")
    assert [(r["attack"], r["target"], r["donor"], r["role"]) for r in rows] == [
        (attack, *part)
        for part in (("id1", "id0", "donor"), ("id0", "id1", "target"))
        for attack in ("none", "lb")
    ]
    assert {(r["source"], r["method"], r["videos"]) for r in rows} == {("fan", "celebdf", "2")}
    assert all(0 < float(row["mask_ssim"]) < 1 and float(row["nme"]) > 0 for row in rows)
    models = [
        json.loads((folder / "fan/models/celebdf/id0-id1.json").read_text())
        for folder in (results / "obstruction/protected").iterdir()
    ]
    main = json.loads((results / "models/celebdf/id0-id1.json").read_text())
    assert len({card["sha256"] for card in [main, *models]}) == 3
    assert all(card["recipe"] == main["recipe"] for card in models)
    assert (results / "figures/protected_training.png").stat().st_size > 1000


def test_protected_clips_are_the_clips_with_noise(results: Path) -> None:
    folder = results / "obstruction/protected"
    for name in ("id0_0000", "id0_0001"):
        clips = [
            np.stack(list(frames(place / "id0" / f"{name}.mkv"))).astype(int)
            for place in (results / "clips", folder / "none/fan/clips", folder / "lb/fan/clips")
        ]
        # RGB and back: colours of half the size are found and lost again.
        assert np.abs(clips[1] - clips[0]).mean() < 0.5
        assert np.abs(clips[1] - clips[0]).max() <= 15
        changed = np.abs(clips[2] - clips[1]).max((1, 2, 3)) > 0
        faceless = FACELESS if name == "id0_0000" else 0
        assert not changed[:faceless].any()
        assert changed[faceless:].all()


def test_a_second_run_does_nothing_and_a_setting_only_what_depends_on_it(
    attacked: tuple[Path, Run],
) -> None:
    folder, _ = attacked
    asked = ("--configfile", "tiny.yaml", "lb.yaml", "--", "landmark_breaker")
    assert dry_run(folder, *asked).nothing_to_do
    changed = {**CONFIG, "landmark_breaker": {**CONFIG["landmark_breaker"], "decay": 0.9}}  # type: ignore[dict-item]
    (folder / "other.yaml").write_text(yaml.safe_dump(changed))
    asked = ("--configfile", "tiny.yaml", "other.yaml", "--", "landmark_breaker")
    jobs = dry_run(folder, *asked).jobs
    assert jobs == {
        "attack": 5,
        "match_ssim": 3,
        "measure_attack": 8,
        "sweep": 2,
        **{"protect_clips": 1, "find_landmarks": 1, "protected_align": 1, "protected_train": 1},
        **{"protected_synthesise": 4, "protected_measure": 2},
        **{"protected_training": 1, "protected_figure": 1},
        "landmark_breaker_tables": 1,
        "landmark_breaker_figures": 1,
        "landmark_breaker": 1,
    }


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"attacks": []}, "attacks: is empty"),
        ({"extractors": []}, "extractors: is empty"),
        ({"landmark_breaker": {"subjects": ["id0", "id1", "id2"]}}, "nobody is left"),
    ],
)
def test_complete_goes_without_what_a_build_cannot_have(
    build: Path, tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    (tmp_path / "less.yaml").write_text(yaml.safe_dump(changed))
    asked = ("--configfile", "tiny.yaml", str(tmp_path / "less.yaml"), "--")
    jobs = dry_run(build, *asked, "complete").check().jobs
    assert {"report", "detector_figures", "complete"} <= set(jobs)
    assert not {"attack", "train_extractor", "landmark_breaker_figures"} & set(jobs)
    run = dry_run(build, *asked, "landmark_breaker")
    assert run.code
    assert why in run.output


def test_complete_has_noise_where_it_can(build: Path) -> None:
    jobs = dry_run(build, "--configfile", "tiny.yaml", "--", "complete").check().jobs
    assert jobs["landmark_breaker_tables"] == jobs["landmark_breaker_figures"] == 1
    assert jobs["sweep"] == jobs["train_extractor"] == 3  # all of them


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"attacks": ["lbx"]},
            "attacks: 'lbx' is not allowed: it is unknown",
        ),
        (
            {"extractors": ["fan"], "landmark_breaker": {"reference": "hrnet"}},
            "landmark_breaker.reference: 'hrnet' is not allowed: it is unknown; choose from fan",
        ),
        ({"landmark_breaker": {"subjects": ["id9"]}}, "landmark_breaker.subjects: 'id9'"),
        (
            {"landmark_breaker": {"protected_attacks": ["lbx"]}},
            "landmark_breaker.protected_attacks: 'lbx' is not allowed: it is unknown",
        ),
        ({"landmark_breaker": {"sweep_steps": [16]}}, "landmark_breaker.sweep_steps: 16.0 is not"),
    ],
)
def test_mistakes_are_told_before_any_job(
    build: Path, tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(changed))
    run = snakemake(build, "-n", "--configfile", "tiny.yaml", str(tmp_path / "wrong.yaml"))
    assert said in run.refused()
