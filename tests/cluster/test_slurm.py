"""A build through profiles/slurm, on this machine as a Slurm node with a GPU that is none.

Six Slurm jobs: clips, accept, faces, a training that is told to end, its second attempt, and fakes.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from material.places import own_environment
from material.running import Run
from material.slurm_build import SLURM, slurm_checkout
from material.slurm_build import node as do_node
from material.small_build import CHECKPOINT, RESULTS, Running, Undisturbed, digests

pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs Slurm's plugin: swapset[test]")

CANNOT = 77
NAME = 'My "Pro\'ject" $HOME `x` ü'
FAKES = [f"{RESULTS}/dataset/celebdf/c23/{name}_0000.mp4" for name in ("id0_id1", "id1_id0")]
ROOMS = ("clips", "tracks", "accepted", "landmarks", "faces", "models", "labels", "dataset/celebdf")


@dataclass(frozen=True)
class SlurmJob:
    """Return the controller's record of a job, also after its end."""

    work: str
    state: str
    gpus: str
    cpus: int


def _jobs(folder: Path) -> list[SlurmJob]:
    """Return the jobs of the build in a folder, in the order of submission."""
    found: dict[int, SlurmJob] = {}
    for line in _said("scontrol", "--oneliner", "show", "job").splitlines():
        facts = dict(re.findall(r"(\w+)=(\S*)", line))
        if (
            facts.get("WorkDir") == str(folder).partition(" ")[0]
        ):  # a path with spaces is not quoted
            work = facts["Comment"].removeprefix("rule_").partition("_wildcards")[0]
            gpus = facts.get("TresPerJob", "")
            job = SlurmJob(work, facts["JobState"], gpus, int(facts["NumCPUs"]))
            found[int(facts["JobId"])] = job
    return [found[number] for number in sorted(found)]


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def node() -> Iterator[None]:
    """Run Slurm on this machine; end it afterwards."""
    started = do_node("start")
    if started.returncode == CANNOT:
        pytest.skip(f"no build on a real Slurm: {started.stderr.strip().splitlines()[-1]}")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield
    finally:
        do_node("stop").check_returncode()


def _end_training(run: Running) -> None:
    """Tell the training to end, as Slurm does before a time limit, once it has a checkpoint."""
    log = run.folder / RESULTS / "logs" / "train" / "celebdf" / "id0-id1.log"
    run.wait_for(log, timeout=900)
    job = _said("squeue", "--noheader", "--states=RUNNING", "--format=%i").strip()
    run.wait_for(run.folder / CHECKPOINT)
    subprocess.run(["scancel", "--signal=TERM", job], check=True)


@pytest.fixture(scope="module")
def ran(node: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """A checkout in which two fakes were made, and what Snakemake printed.

    Its folder, and that of its Python, have spaces, quotes and a dollar in their names.
    """
    folder = slurm_checkout(tmp_path_factory.mktemp("slurm") / NAME / "checkout")
    python = own_environment(folder)
    began = time.monotonic()
    run = Running(folder, *SLURM, "--", *FAKES, python=python)
    try:
        _end_training(run)
        yield folder, run.end(timeout=900).check()
        print(f"{len(_jobs(folder))} Slurm jobs, {time.monotonic() - began:.0f} s")
    finally:
        run.kill_all()


def test_same_bytes_as_on_one_machine(ran: tuple[Path, Run], whole: Undisturbed) -> None:
    made = digests(ran[0] / RESULTS, ROOMS)
    assert all((ran[0] / fake).stat().st_size for fake in FAKES)
    assert {name for name, sha in made.items() if whole.files[name] != sha} == set()


def test_training_goes_on_where_it_was_told_to_end(ran: tuple[Path, Run]) -> None:
    folder, run = ran
    assert "Trying to restart job" in run.output
    log = folder / RESULTS / "logs" / "train" / "celebdf" / "id0-id1.log"
    assert "resumed from step" in log.read_text()
    assert [job.state for job in _jobs(folder) if job.work == "train"] == ["FAILED", "COMPLETED"]


def test_gpus_are_asked_for_by_what_uses_one(ran: tuple[Path, Run]) -> None:
    """Two fakes in a group ask for one GPU and one core; so do clips of two people for one core."""
    jobs = _jobs(ran[0])
    assert [job.work for job in jobs] == [
        "clips_ingest_track",
        "accept",
        "faces_align",
        "train",
        "train",
        "fakes_synthesise",
    ]
    assert {job.work for job in jobs if job.gpus} == {"train", "fakes_synthesise"}
    assert {job.gpus for job in jobs if job.gpus} == {"gres:gpu:1"}
    assert {job.cpus for job in jobs} == {1}
