"""Faults of a cluster: builds by profiles/slurm, with this machine as the only node."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from random import Random

from kinds import Disturbed, Kind
from material.slurm_build import SLURM, node, slurm_checkout
from material.small_build import Running, Undisturbed


def _started(folder: Path) -> Running:
    node("start").check_returncode()
    return Running(slurm_checkout(folder), *SLURM)


def _job_after(run: Running, seconds: float) -> str:
    """Wait so many seconds or longer; return the number of a job that runs then."""
    run.wait_until(seconds)
    while run.process.poll() is None:
        squeue = ["squeue", "--noheader", "--states=RUNNING", "--format=%i"]
        jobs = subprocess.run(squeue, check=True, capture_output=True, text=True).stdout.split()
        if jobs:
            return jobs[0]
        time.sleep(0.2)
    return ""


def cancelled_job(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Cancel a job."""
    run = _started(folder)
    job = _job_after(run, rng.uniform(5, 2 * whole.seconds))
    if job:
        subprocess.run(["scancel", job], check=True)
    return Disturbed(folder, f"cancelled job {job or '(none ran)'}", said=run.end().output)


def node_down(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Stop the node's daemon for some seconds."""
    run = _started(folder)
    job = _job_after(run, rng.uniform(5, 2 * whole.seconds))
    subprocess.run(["pkill", "-KILL", "-x", "slurmd"], check=True)
    away = rng.uniform(3, 20)
    time.sleep(away)
    node("start").check_returncode()
    return Disturbed(
        folder, f"slurmd away for {away:.0f} s during job {job}", said=run.end().output
    )


KINDS: tuple[Kind, ...] = (cancelled_job, node_down)
