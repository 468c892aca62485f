"""Planned jobs and the cost of planning; nothing is built here."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from material.running import ROOT, dry_run

from swapset.build.workflow import Workflow
from swapset.cli.plan import _extend
from swapset.planning.estimate import TRAINING
from swapset.planning.rates import reference_rates
from swapset.planning.work import LIKE, PlannedWork

HEAVY = ("torch", "cv2", "dlib", "pandas")
BLOCKER = f"""
import pkgutil
import sys

# Snakemake imports all plugins that are installed, and Slurm's brings pandas: not here.
modules = pkgutil.iter_modules
pkgutil.iter_modules = lambda *given: (
    module for module in modules(*given) if module.name != "snakemake_executor_plugin_slurm"
)

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
    subjects, clips, fakes, methods, pairs = 4, 8, 8, 2, 2
    # A job costs about a second to start: 49 and the target itself.
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


def _benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def paper_scale(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The stand-in manifest of the paper's scale, and the jobs that are planned for it, by rule."""
    benchmark = _benchmark("plan")
    manifest = benchmark.make_manifest(tmp_path_factory.mktemp("plan") / "1", 1)
    return manifest, benchmark.plan(manifest, "complete").jobs


def test_paper_scale_is_planned_whole(paper_scale: tuple[Path, dict[str, int]]) -> None:
    jobs = paper_scale[1]
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
        "fit_detector": 16,
        "score": 3 * 16,
        "clip_labels": subjects - people,
        "train_extractor": extractors,
        "key_frames": people,
        "attack": people * (attacks * extractors + groups),
        "match_ssim": people * groups,
        "measure_attack": people * (1 + attacks * extractors + 2 * groups),
        "sweep": people * extractors,
        # One pair, with noise and without, and fakes of ten clips in both directions.
        **dict.fromkeys(("protect_clips", "find_landmarks"), 2),
        **dict.fromkeys(("protected_align", "protected_train"), 2),
        "protected_synthesise": 2 * 2 * 10,
        "protected_measure": 2 * 2,
    }
    assert jobs["train"] == 1711


CLUSTERS = ("slurm", "cluster-generic", "kubernetes")
FEW = 6
"""A rule with no more jobs in the full plan costs little whatever its jobs take."""
TOGETHER = ({"ingest", "track"},)
"""Rules of a group whose jobs for one subject belong together; all others' stand alone."""
LARGER = {"find_faces": 64 / 8, "score": 6229 / 16}
"""Work of these rules' jobs in units of the demo's: all videos of a block, or of a dataset."""


def _seconds(manifest: Path) -> Callable[[str], float]:
    """Return what says how long a job of a rule takes, as `swapset plan` does."""
    values: dict[str, Any] = {}
    for path in (ROOT / "config.yaml", ROOT / "config" / "celebdf.yaml"):
        _extend(values, yaml.safe_load(path.read_text()))
    work = PlannedWork(Workflow({**values, "clips": str(manifest)}), frames=390)
    rates = {name.removesuffix(" on cuda"): rate for name, rate in reference_rates().items()}

    def seconds(rule: str) -> float:
        rate = rates.get("train" if rule in TRAINING else LIKE.get(rule, rule))
        return rate.seconds(work.mean(rule) * LARGER.get(rule, 1)) if rate else math.nan

    return seconds


@pytest.mark.parametrize("name", CLUSTERS)
def test_no_short_cluster_jobs(paper_scale: tuple[Path, dict[str, int]], name: str) -> None:
    """The mean job of the full plan is to take 30 s or more, by the rates that come along."""
    manifest, planned = paper_scale
    profile = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
    group_of = dict(pair.split("=") for pair in profile["groups"])
    size = {k: int(v) for k, v in (pair.split("=") for pair in profile["group-components"])}
    seconds = _seconds(manifest)
    groups: dict[str, dict[str, int]] = {}
    for rule, count in planned.items():
        if count > FEW or group_of.get(rule) in groups:
            groups.setdefault(group_of.get(rule, rule), {})[rule] = count
    means = {}
    for group, rules in groups.items():
        parts = max(rules.values()) if set(rules) in TOGETHER else sum(rules.values())
        jobs = math.ceil(parts / size.get(group, 1))
        means[group] = sum(count * seconds(rule) for rule, count in rules.items()) / jobs
    assert {"clips", "fakes", "train", "score", "measures"} <= set(means)
    assert {group: mean for group, mean in means.items() if not mean >= 30} == {}


def test_jobs_ask_for_the_time_that_they_take(paper_scale: tuple[Path, dict[str, int]]) -> None:
    """Three times as long as the mean job of the full plan, by the rates that come along."""
    manifest, planned = paper_scale
    seconds, asked = _seconds(manifest), _benchmark("resources").asked()
    minutes = {rule: seconds(rule) / 60 for rule in planned}
    known = {rule: took for rule, took in minutes.items() if not math.isnan(took)}
    limits = {rule: asked[rule][1] for rule in known}
    planned_likes = planned.keys() & LIKE.keys()
    assert {"train_shared", "score", "attack", "protected_align", *planned_likes} <= set(known)
    short = {r: (took, limits[r]) for r, took in known.items() if limits[r] < 3 * took}
    assert short == {}
