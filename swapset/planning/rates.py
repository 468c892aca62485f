"""What jobs took in finished builds, per unit of their work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.errors import DataError
from swapset.io.files import read_json
from swapset.planning.work import FinishedWork

REFERENCE = Path(__file__).with_name("reference.json")
"""Rates of rules that were never run here: of the machine of docs/results.md, written by
`benchmarks/reference_rates.py`; that of trainings on a GPU is an H200's (`benchmarks/training.py`).
"""
_START, _LONGEST_START = 3.0, 10.0
_SPREAD = 2.0


@dataclass(frozen=True)
class Job:
    """What one job took.

    Attributes
    ----------
    work : float
        See `swapset.planning.work`.
    seconds, cpu_seconds : float
    memory : float
        Largest resident set, in MB.
    """

    work: float
    seconds: float
    cpu_seconds: float
    memory: float


@dataclass(frozen=True)
class Rate:
    """What the jobs of a rule take: `start + per_unit * work` seconds.

    Attributes
    ----------
    start, per_unit : float
    busy : float
        Processor seconds a second.
    memory : float
        MB.
    jobs : int
        That were measured.
    source : str
    """

    start: float
    per_unit: float
    busy: float
    memory: float
    jobs: int
    source: str

    def seconds(self, work: float) -> float:
        """Return the seconds of a job."""
        return self.start + self.per_unit * work

    @classmethod
    def of(cls, jobs: Iterable[Job], source: str) -> Rate:
        """Fit the rate of one rule's jobs."""
        jobs = list(jobs)
        work, seconds = (np.array([getattr(j, name) for j in jobs]) for name in ("work", "seconds"))
        start, per_unit = _line(work, seconds)
        busy = sum(job.cpu_seconds for job in jobs) / max(seconds.sum(), 1e-9)
        memory = max(job.memory for job in jobs)
        return cls(start, per_unit, float(busy), float(memory), len(jobs), source)


def _line(work: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Return start and slope. Jobs of one size do not tell them apart: a start is assumed then."""
    start = min(_START, 0.5 * float(seconds.min()))
    if work.max() > _SPREAD * work.min():
        slope, constant = np.polyfit(work, seconds, 1)
        if slope > 0:
            start = float(np.clip(constant, 0, min(_LONGEST_START, seconds.min())))
    return start, float((seconds - start).sum() / max(work.sum(), 1e-9))


def measured(roots: Iterable[Path]) -> dict[str, Rate]:
    """Return the rates of all rules that finished builds have benchmark files of.

    Parameters
    ----------
    roots : iterable of Path
        Folders of builds. Those without benchmark files or a table of clips tell nothing.

    Raises
    ------
    DataError
        If a benchmark file is damaged; with its name.
    """
    jobs: dict[str, list[Job]] = defaultdict(list)
    sources: dict[str, list[str]] = defaultdict(list)
    for root in roots:
        if not (root / "benchmarks").is_dir() or not (root / "tables" / "clips.csv").is_file():
            continue
        for rule, job in _jobs(root):
            jobs[rule].append(job)
            if root.name not in sources[rule]:
                sources[rule].append(root.name)
    return {rule: Rate.of(found, ", ".join(sources[rule])) for rule, found in jobs.items()}


def _jobs(root: Path) -> Iterator[tuple[str, Job]]:
    work = FinishedWork(root)
    for path in sorted((root / "benchmarks").rglob("*.tsv")):
        place = path.relative_to(root / "benchmarks").with_suffix("").parts
        rule = place[0]
        amount = work.of(rule, place[1:] or place)
        if not amount:
            continue
        if rule == "train":
            rule = f"train on {read_json(_card(root, place))['device'].partition(':')[0]}"
        yield rule, _read(path, amount)


def _card(root: Path, place: tuple[str, ...]) -> Path:
    return root.joinpath("models", *place[1:]).with_suffix(".json")


def readings(path: Path) -> dict[str, float]:
    """Return seconds `s`, `cpu_time` and megabytes `max_rss` of a benchmark file; 0: not read.

    Raises
    ------
    DataError
        If the file is damaged; with its name.
    """
    try:
        row = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[-1]
        values = {name: float(row[name]) for name in ("s", "cpu_time", "max_rss")}
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(f"{path}: no benchmark file ({error}); delete it") from error
    return {name: 0.0 if value != value else value for name, value in values.items()}


def _read(path: Path, work: float) -> Job:
    found = readings(path)
    return Job(work, found["s"], found["cpu_time"] or found["s"], found["max_rss"])


def reference() -> dict[str, Rate]:
    """Return the rates that come with the software."""
    return {rule: Rate(**values) for rule, values in read_json(REFERENCE).items()}
