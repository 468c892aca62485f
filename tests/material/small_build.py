"""The smallest build with every stage, run in the background so that tests can disturb it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from material.builds import CONFIG, NETWORK, small_clip, write_rows, write_video
from material.running import Run, command, copy_checkout, digest, environment, snakemake

CLIPS = ("id0_0000", "id1_0000")
SMALL = {
    **{key: value for key, value in CONFIG.items() if key != "subjects"},
    "name": "small",
    "methods": ["celebdf"],
    "recipes": {"celebdf": {**NETWORK, "steps": 60, "context": 1.5}},
}
OPTIONS = ("--configfile", "small.yaml")
RESULTS = Path("results", "small")
FINAL = ("dataset", "tables", "labels", "records")
INTERMEDIATE = ("clips", "tracks", "landmarks", "heads", "accepted", "faces", "models", "quality")
CHECKPOINT = RESULTS / "checkpoints" / "celebdf" / "id0-id1.safetensors"
FACTS = "undisturbed.json"
_OWN = (".snakemake_timestamp",)


def make_checkout(folder: Path) -> Path:
    """Write a checkout with two clips, their tables and the config."""
    copy_checkout(folder)
    (folder / "clips").mkdir()
    rows = [["clip", "subject", "path", "licence"]]
    for clip in CLIPS:
        write_video(folder / "clips" / f"{clip}.mp4", small_clip(clip))
        rows.append([clip, clip.partition("_")[0], f"{clip}.mp4", "CC0"])
    write_rows(folder / "clips" / "clips.csv", rows)
    swaps = [["clip", "donor"], [CLIPS[0], "id1"], [CLIPS[1], "id0"]]
    write_rows(folder / "clips" / "swaps.csv", swaps)
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return folder


def files_of(base: Path, rooms: tuple[str, ...]) -> list[Path]:
    """Return the files in some folders of a build, without Snakemake's files and scratch files."""
    return sorted(
        path
        for room in rooms
        for path in (base / room).rglob("*")
        if path.is_file()
        and path.name not in _OWN
        and ".partial" not in str(path.relative_to(base))
    )


def digests(base: Path, rooms: tuple[str, ...] = FINAL + INTERMEDIATE) -> dict[str, str]:
    """Return the SHA-256 of each file in a build's folders, by its path in the build."""
    return {str(path.relative_to(base)): digest(path) for path in files_of(base, rooms)}


@dataclass(frozen=True)
class Undisturbed:
    """A build without a fault, which disturbed builds have to equal in the end."""

    folder: Path
    files: dict[str, str]
    seconds: float
    bytes_kept: int

    @classmethod
    def load(cls, folder: Path) -> Undisturbed:
        """Read the facts that `build_undisturbed` wrote."""
        return cls(folder, **json.loads((folder / FACTS).read_text()))


def build_undisturbed(folder: Path) -> None:
    """Build once without a fault, and write the facts about it."""
    make_checkout(folder)
    began = time.monotonic()
    snakemake(folder, *OPTIONS).check()
    seconds = time.monotonic() - began
    kept = sum(path.stat().st_size for path in (folder / RESULTS).rglob("*") if path.is_file())
    facts = {"files": digests(folder / RESULTS), "seconds": seconds, "bytes_kept": kept}
    (folder / FACTS).write_text(json.dumps(facts))


class Running:
    """A run of Snakemake in the background, in a separate process group."""

    def __init__(
        self, folder: Path, *arguments: str, python: str | Path = sys.executable, **added: str
    ):
        self.folder, self._output = folder, folder / "disturbed.txt"
        with self._output.open("w") as stream:
            self.process = subprocess.Popen(
                command(*OPTIONS, *arguments, python=python),
                cwd=folder,
                env=environment(**added),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, seconds: float) -> None:
        """Wait for so many seconds, or until the run ends."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def wait_for(self, path: Path, timeout: float = 300) -> None:
        """Wait until the run has written a file."""
        deadline = time.monotonic() + timeout
        while not path.exists():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, f"{path} does not appear"
            time.sleep(0.005)

    def jobs(self) -> list[psutil.Process]:
        """Return all processes below the run's process."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill_all(self) -> None:
        """Kill the run and all its processes at once."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, timeout: float = 600) -> Run:
        """Wait until the run ends."""
        self.process.wait(timeout)
        return Run(self.process.returncode, self.output)

    @property
    def output(self) -> str:
        return self._output.read_text(errors="replace")
