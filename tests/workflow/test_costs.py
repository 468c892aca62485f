"""`swapset plan` beside real builds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from material.builds import CONFIG


def plan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "swapset.cli.main", "plan", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_finished_build_costs_nothing_more(build: Path) -> None:
    done = plan(build, "--configfile", "tiny.yaml")
    assert (done.returncode, done.stdout) == (0, "Nothing is left to do.\n"), done.stderr


def test_a_new_build_is_told_by_a_finished_one(build: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer.yaml"
    recipes = {name: {**recipe, "steps": 2000} for name, recipe in CONFIG["recipes"].items()}
    longer.write_text(yaml.safe_dump({**CONFIG, "name": "longer", "recipes": recipes}))
    done = plan(build, "--configfile", str(longer), "--frames", "40", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["rule"]: row for row in json.loads(done.stdout)}
    assert {"ingest", "train", "synthesise", "mask_ssim"} <= set(rows)
    assert {row["measured"] for row in rows.values()} == {"tiny"}
    files = list(build.glob("results/tiny/benchmarks/train/*/*.tsv"))
    took = [float(path.read_text().splitlines()[1].split("\t")[0]) for path in files]
    assert rows["train"]["seconds"] > 3 * sum(took) / len(took)
    models = sum(path.stat().st_size for path in build.glob("results/tiny/models/*/*.safetensors"))
    made = sum(
        path.stat().st_size > 0 for path in build.glob("results/tiny/models/*/*.safetensors")
    )
    assert rows["train"]["disk_gb"] * 1e9 == pytest.approx(
        rows["train"]["jobs"] * models / made, rel=0.05
    )


def test_the_size_of_a_matrix_is_said(tmp_path: Path, build: Path) -> None:
    """Six training sets of one detector: three methods alone, and two of them together."""
    detection = {"train_on": ["faceswap", "fakeapp", "celebdf"], "leave_one_out": True}
    more = {"name": "m", "methods": detection["train_on"], "detectors": ["Meso4"]}
    config = tmp_path / "matrix.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, **more, "detection": detection}))
    done = plan(build, "--configfile", str(config), "--", "detector_matrix")
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    kinds, compressions = 1 + 3, 3
    jobs = 3 * compressions + 5 * kinds
    assert last.startswith("matrix: 1 detector, 6 training sets (faceswap, fakeapp, celebdf, all-")
    assert last.endswith(f"3 test sets: 6 fits and {jobs} jobs of scores in all")
    rows = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()[1:-1]}
    assert (rows["fit_detector"], rows["score"] + rows["score_matrix"]) == (6, jobs)
    assert rows["matrix_splits"] == 5
    without = plan(build, "--configfile", str(config), "--", "mask_ssim")
    assert "matrix:" not in without.stdout


def test_what_snakemake_refuses_is_said_in_one_line(build: Path) -> None:
    done = plan(build, "--configfile", "tiny.yaml", "--", "no_such_target")
    assert done.returncode == 1
    assert "no_such_target" in done.stderr
    assert "Traceback" not in done.stderr
    assert plan(build, "--configfile", "nowhere.yaml").stderr == (
        "swapset: nowhere.yaml: there is no such file; correct the path or the folder\n"
    )
