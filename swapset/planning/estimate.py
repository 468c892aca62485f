"""Estimate the cost of a build: jobs, hours, memory and disk of each rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from swapset.build.workflow import Workflow
from swapset.planning.disk import Disk, FrameSizes, disk_by_rule
from swapset.planning.rates import Rate
from swapset.planning.work import LIKE, PlannedWork

TRAINING = ("train", "train_shared", "protected_train")


@dataclass(frozen=True)
class Basis:
    """Measurements and settings that an estimate is based on.

    Attributes
    ----------
    rates : mapping of str to Rate
        Rate of each rule; trainings as `train on cpu` and `train on cuda`.
    each : FrameSizes
    frames : float
        Mean number of frames of a clip.
    gpu : bool
        Whether trainings run on a GPU.
    """

    rates: Mapping[str, Rate]
    each: FrameSizes
    frames: float
    gpu: bool


def estimate(stages: Workflow, jobs: Mapping[str, int], basis: Basis) -> pd.DataFrame:
    """Estimate the cost of the remaining jobs, a row per rule.

    Parameters
    ----------
    stages : Workflow
    jobs : mapping of str to int
        Number of jobs that Snakemake plans, by rule.
    basis : Basis

    Returns
    -------
    DataFrame
        Columns rule, jobs, seconds (of one job), cpu_hours, gpu_hours, memory_mb, disk_gb (of the
        finished build), tidied_gb (the part that `snakemake tidy` removes), measured (builds that
        the rate comes from; empty: unknown).
    """
    work = PlannedWork(stages, basis.frames)
    kept = disk_by_rule(stages, basis.each, basis.frames)
    rows = [_row(rule, count, work, basis, kept.get(rule, Disk(0))) for rule, count in jobs.items()]
    return pd.DataFrame(rows)


def _row(
    rule: str, jobs: int, work: PlannedWork, basis: Basis, kept: Disk
) -> dict[str, str | float]:
    on_gpu = basis.gpu and rule in TRAINING
    like = (
        f"train on {'cuda' if basis.gpu else 'cpu'}" if rule in TRAINING else LIKE.get(rule, rule)
    )
    rate = basis.rates.get(like)
    seconds = rate.seconds(work.mean(rule)) if rate else float("nan")
    hours = jobs * seconds / 3600
    memory = rate.memory if rate else float("nan")
    if rule in TRAINING:  # computed from the numbers of faces and weights, which are known
        memory = max(memory, work.memory(rule))
    return {
        "rule": rule,
        "jobs": jobs,
        "seconds": seconds,
        "cpu_hours": hours * (rate.busy if rate else 1.0),
        "gpu_hours": hours if on_gpu else 0.0,
        "memory_mb": memory,
        "disk_gb": kept.finished / 1e9,
        "tidied_gb": kept.tidied / 1e9,
        "measured": rate.source if rate else "",
    }
