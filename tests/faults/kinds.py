"""Faults: each disturbs one run, and reports its action and the state for the next run."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil
import pytest
import torch
from material.small_build import (
    CHECKPOINT,
    CLIPS,
    INTERMEDIATE,
    RESULTS,
    Running,
    Undisturbed,
    files_of,
    make_checkout,
)
from safetensors import safe_open
from safetensors.torch import save_file

HERE = Path(__file__).parent


@dataclass
class Disturbed:
    """State after a fault.

    `what` describes the fault, `said` is the disturbed run's output.
    """

    folder: Path
    what: str
    damaged: Path | None = None
    """A file of the results that was truncated."""
    must_say: str | None = None
    """Text that the disturbed run has to print."""
    repair: Callable[[], object] = field(default=lambda: None)
    """Removes the cause of the fault, where it would affect the next run as well."""
    clean_up: Callable[[], object] = field(default=lambda: None)
    said: str = ""


Kind = Callable[[Path, Undisturbed, Random], Disturbed]


def _moment(rng: Random, whole: Undisturbed) -> float:
    return rng.uniform(0.05, 0.95) * whole.seconds


def kill_job(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Kill a job, as the system does when memory runs out."""
    run = Running(make_checkout(folder))
    run.wait_until(_moment(rng, whole))
    what = "nothing was running"
    while run.process.poll() is None:
        if jobs := run.jobs():
            victim = rng.choice(jobs)
            with suppress(psutil.NoSuchProcess):
                what = f"killed {' '.join(victim.cmdline())[-60:]}"
                victim.kill()
                break
        time.sleep(0.02)
    # It is tried once more in the same run.
    return Disturbed(folder, what, said=run.end().check().output)


def kill_snakemake(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Kill Snakemake, alone or with its jobs, or send it a signal to end."""
    run = Running(make_checkout(folder))
    how = rng.choice(["all at once", "alone", "SIGTERM", "SIGINT"])
    run.wait_until(_moment(rng, whole))
    jobs = run.jobs()
    if how == "all at once":
        run.kill_all()
    elif run.process.poll() is None:
        sent = {"alone": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
        run.process.send_signal(sent[how])
    said = run.end().output
    # If it is killed alone, its jobs go on and meet the next run.
    return Disturbed(
        folder, f"{how}, {len(jobs)} processes below", said=said, clean_up=lambda: _end(jobs)
    )


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def full_disk(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Let the disk with all files, Snakemake's records as well, run full."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=99m", "swapset-faults", str(folder)]
    if os.getuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    make_checkout(folder)
    # Compile beforehand, as after an earlier run: Python 3.11 truncates byte code on a full disk.
    compileall.compile_dir(folder / "swapset", quiet=1)
    used = shutil.disk_usage(folder).used
    left = int(rng.uniform(0.02, 0.9) * whole.bytes_kept)
    _resize(folder, f"{used + left}")
    said = Running(folder).end().output
    return Disturbed(
        folder,
        f"{left} bytes left of the {whole.bytes_kept} needed",
        said=said,
        repair=lambda: _resize(folder, "500m"),
        clean_up=lambda: subprocess.run(["umount", "--lazy", str(folder)], check=True),
    )


def _resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def cut_intermediate(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Truncate a finished intermediate file while the build goes on."""
    run = Running(make_checkout(folder))
    run.wait_until(_moment(rng, whole))
    finished: list[Path] = []
    while not finished:
        finished = [p for p in files_of(folder / RESULTS, INTERMEDIATE) if p.stat().st_size > 1]
        time.sleep(0.02)
        assert finished or run.process.poll() is None, run.output
    damaged = rng.choice(finished)
    size = damaged.stat().st_size
    left = rng.randrange(size)
    os.truncate(damaged, left)
    name = damaged.relative_to(folder)
    return Disturbed(folder, f"{name}: {left} of {size} bytes", damaged, said=run.end().output)


def source_gone(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Move a source clip away for the rest of the run."""
    run = Running(make_checkout(folder))
    run.wait_until(_moment(rng, whole))
    source = folder / "clips" / f"{rng.choice(CLIPS)}.mp4"
    away = source.with_suffix(".away")
    source.rename(away)
    said = run.end().output
    return Disturbed(folder, f"{source.name} away", said=said, repair=lambda: away.rename(source))


def poisoned_training(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Set the weights to NaN at some step."""
    step = rng.randrange(1, 60)
    path = os.pathsep.join([str(HERE / "poison"), str(folder)])
    run = Running(make_checkout(folder), PYTHONPATH=path, SWAPSET_POISON_STEP=str(step))
    wrong = f"the loss is not a number at step {step + 1}"
    return Disturbed(folder, f"NaN after step {step}", must_say=wrong, said=run.end().output)


def poisoned_checkpoint(folder: Path, whole: Undisturbed, rng: Random) -> Disturbed:
    """Kill a training, and set weights in its checkpoint to NaN."""
    run = Running(make_checkout(folder))
    run.wait_for(folder / CHECKPOINT)
    run.kill_all()
    with safe_open(folder / CHECKPOINT, "pt") as stored:
        facts, names = stored.metadata(), sorted(stored.keys())
        tensors = {name: stored.get_tensor(name) for name in names}
    name = rng.choice([name for name in names if name.startswith("model.")])
    tensors[name].view(-1)[0] = torch.nan
    save_file(tensors, folder / CHECKPOINT, facts)
    return Disturbed(folder, f"NaN in {name}", said=run.output)


KINDS: tuple[Kind, ...] = (
    cut_intermediate,
    kill_job,
    poisoned_training,
    kill_snakemake,
    full_disk,
    source_gone,
    poisoned_checkpoint,
)
