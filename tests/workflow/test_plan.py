"""What is planned, and that planning is light: nothing is built here."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from running import ROOT, dry_run

HEAVY = ("torch", "cv2", "dlib", "pandas")
BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY}:
            raise ImportError(f"{{name}} must not be imported to plan a build")

sys.meta_path.insert(0, Blocker())
"""


def test_demo_is_planned_without_heavy_imports(tmp_path: Path) -> None:
    """Cluster jobs parse the Snakefile again, each of them."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    files = ("--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "config.yaml")
    plan = dry_run(tmp_path, *files, PYTHONPATH=str(tmp_path)).check()
    subjects, clips, fakes, methods, pairs = 4, 8, 4, 2, 2
    # A job costs about a second to start: 41 and the target itself.
    assert plan.jobs == {
        "demo_clips": 1,
        "ingest": subjects,
        "track": subjects,
        "accept": 1,
        "align": subjects,
        "real": clips,
        "train": pairs * methods,
        "synthesise": fakes * methods,
        "measure": subjects,
        "dataset": 1,
        "mask_ssim": 1,
        "training_table": 1,
        "all": 1,
    }


def test_blocker_blocks(tmp_path: Path) -> None:
    """The test above would notice."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    (tmp_path / "Snakefile").write_text("import pandas\nrule all:\n    shell: 'true'\n")
    assert "must not be imported" in dry_run(tmp_path, PYTHONPATH=str(tmp_path)).output


def test_paper_scale_is_planned_whole(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("plan", ROOT / "benchmarks" / "plan.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    manifest = benchmark.make_manifest(tmp_path, 1)
    _, output = benchmark.plan(tmp_path, manifest, "all")
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.M)}
    subjects, clips, fakes = 59, 590, 5639
    assert jobs["train"] == subjects * (subjects - 1) // 2 == 1711
    assert jobs["train_shared"] == 1
    assert jobs["synthesise"] == fakes
    assert jobs["real"] == clips
    assert jobs["ingest"] == jobs["track"] == jobs["align"] == jobs["measure"] == subjects
    assert jobs["total"] < 8_500
