"""Killed, out of space, twice at once, strict: what is left is whole, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from material.running import copy_build, digest, dry_run, kill_when, snakemake

from swapset.build.resources import lock_results

FAKE = "dataset/celebdf/c23/id0_id1_0000.mp4"
COMPARED = (
    "models/celebdf/id0-id1.csv",
    "models/celebdf/id0-id1.safetensors",
    "models/celebdf/id0-id1.json",
    "labels/celebdf/id0_id1_0000.parquet",
    "dataset/celebdf/original/id0_id1_0000.mp4",
    FAKE,
)


def test_killed_training_goes_on_to_the_same_bytes(
    build: Path, results: Path, tmp_path: Path
) -> None:
    """In another results folder: the same seed gives the same bytes there, killed or not."""
    folder = copy_build(build, tmp_path / "build")
    base = folder / "other" / "tiny"
    again = ("--configfile", "tiny.yaml", "--config", "results=other", "--", f"other/tiny/{FAKE}")
    kill_when(base / "checkpoints" / "celebdf" / "id0-id1.safetensors", folder, *again)
    assert not list((base / "models").rglob("id*"))
    run = snakemake(folder, *again).check()
    assert "Traceback" not in run.output
    assert "Ingesting" not in run.output
    assert "resumed from step" in (base / "logs/train/celebdf/id0-id1.log").read_text()
    for name in COMPARED:
        assert digest(base / name) == digest(results / name), name
    assert not list(base.rglob("*.partial*"))
    assert dry_run(folder, *again).nothing_to_do


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "swapset-test", str(folder)]
    if os.getuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_is_said_and_survived(build: Path, small_disk: Path) -> None:
    target = f"{small_disk}/tiny/clips/id1"
    options = ("--configfile", "tiny.yaml", "--config", f"results={small_disk}", "--", target)
    said = snakemake(build, *options).refused()
    assert "swapset: ingest: " in said
    assert "No space left on device" in said
    assert not list(small_disk.rglob("*.partial*"))
    assert not Path(target).exists()
    subprocess.run(["mount", "-o", "remount,size=99m", str(small_disk)], check=True)
    snakemake(build, *options).check()
    assert {path.suffix for path in Path(target).iterdir()} >= {".mkv", ".json"}


def test_strict_stops_with_the_list(build: Path, tmp_path: Path) -> None:
    folder = copy_build(build, tmp_path / "build")
    table = "results/tiny/tables/clips.csv"
    said = snakemake(
        folder, "--configfile", "tiny.yaml", "--config", "strict=true", "--", table
    ).refused()
    assert "strict: true" in said
    assert said.count("swapset: accept: strict") == 1, "tried again in vain"
    for part in ("id2_0000: unreadable", "id2_0001: no_face", "id2_0003: no_video"):
        assert part in said


def test_second_run_at_once_is_told(build: Path, results: Path) -> None:
    with lock_results(str(results)):
        said = snakemake(build, "--configfile", "tiny.yaml").refused()
        assert dry_run(build, "--configfile", "tiny.yaml").nothing_to_do
    assert "another run is working on these results" in said
    assert str(os.getpid()) in said
