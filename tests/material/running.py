"""Run Snakemake in tests, always in a separate process and on a copy of the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKOUT = ("Snakefile", "config.yaml", "config", "rules", "workflow_scripts", "swapset", "envs")


@dataclass(frozen=True)
class Run:
    """Exit code and output of one call of Snakemake."""

    code: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Return the planned jobs by rule, without the total."""
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", self.output, re.S | re.M)
        rows = [line.split() for line in table.group(1).splitlines()] if table else []
        return {rule: int(count) for rule, count in rows}

    @property
    def nothing_to_do(self) -> bool:
        return self.code == 0 and "Nothing to be done" in self.output and not self.jobs

    def check(self) -> Run:
        assert self.code == 0, self.output
        return self

    def refused(self) -> str:
        """Return the output of a call that must fail without a traceback."""
        assert self.code != 0, self.output
        assert "Traceback" not in self.output, self.output
        return self.output


def copy_checkout(folder: Path) -> Path:
    """Copy the files that a run needs, as in a fresh checkout: new times, no caches."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "profiles" / "default", folder / "profiles" / "default")
    for name in CHECKOUT:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=unwanted, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)
    return folder


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first test process makes while the others wait."""
    base = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder, done = base / name, base / f"{name}.done"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


def copy_build(build: Path, folder: Path) -> Path:
    """Copy a build with all its results, Snakemake's records and all times."""
    return shutil.copytree(build, folder, symlinks=True)


def command(*arguments: str | Path, python: str | Path = sys.executable) -> list[str]:
    return [str(python), "-m", "snakemake", "--cores", "2", *map(str, arguments)]


def environment(**added: str) -> dict[str, str]:
    """Return this process's environment without PYTHONPATH: a checkout has its own library."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, **added}


def snakemake(folder: Path, *arguments: str | Path, **added: str) -> Run:
    """Run Snakemake in a folder; `added` are further environment variables."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**added),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def dry_run(folder: Path, *arguments: str | Path, **added: str) -> Run:
    return snakemake(folder, "--dry-run", "--quiet", "rules", *arguments, **added)


def kill_when(file: Path, folder: Path, *arguments: str | Path) -> None:
    """Run Snakemake in a folder until a file is there; then kill all of it at once."""
    with subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 300
        while not file.exists() and time.monotonic() < deadline:
            assert process.poll() is None, f"the run ended before {file} was seen"
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    assert file.exists()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
