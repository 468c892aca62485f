"""What is planned, and that planning is light: nothing is built here."""

from __future__ import annotations

import importlib.util
import math
import sys
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
    sys.modules["plan"] = benchmark  # dataclasses look it up
    spec.loader.exec_module(benchmark)
    jobs = benchmark.plan(benchmark.make_manifest(tmp_path / "1", 1), "complete").jobs
    subjects, clips, fakes, block = 59, 590, 5639, 64
    blocks = 3 * (math.ceil(clips / block) + math.ceil(fakes / block))
    per_subject = dict.fromkeys(("ingest", "track", "align", "measure"), subjects)
    once = ("accept", "train_shared", "training_table", "dataset", "mask_ssim", "complete")
    once += ("quoted", "figures", "report", "splits", "detector_auc", "detector_figures")
    once += ("landmark_breaker_tables", "landmark_breaker_figures")
    once += ("protected_training", "protected_figure")
    people, extractors, attacks = 6, 3, 5
    groups = 2**extractors - 1  # of extractors that the robust attack follows together
    assert jobs == {
        **dict.fromkeys(once, 1),
        **per_subject,
        "real": clips,
        "train": subjects * (subjects - 1) // 2,
        "synthesise": fakes,
        "find_faces": blocks,
        "fit_detector": 13,
        "score": 3 * 13,
        "clip_labels": subjects - people,
        "train_extractor": extractors,
        "key_frames": people,
        "attack": people * (attacks * extractors + groups),
        "even_attack": people * groups,
        "measure_attack": people * (1 + attacks * extractors + 2 * groups),
        "sweep": people * extractors,
        # One pair, with noise and without, and fakes of ten clips in both directions.
        **dict.fromkeys(("protect_clips", "find_landmarks"), 2),
        **dict.fromkeys(("protected_align", "protected_train"), 2),
        "protected_synthesise": 2 * 2 * 10,
        "protected_measure": 2 * 2,
    }
    assert jobs["train"] == 1711
