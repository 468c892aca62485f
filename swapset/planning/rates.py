"""Time and memory of jobs in finished builds, per unit of work."""

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
from swapset.types import Floats

REFERENCE = Path(__file__).with_name("reference.json")
"""Rates for rules without a measurement, from the machine of docs/results.md.

Written by `benchmarks/reference_rates.py`; the rate of trainings on a GPU is an H200's
(`benchmarks/training.py`).
"""
_START, _LONGEST_START = 3.0, 10.0  # seconds that a job needs before its work begins
_SPREAD = 2.0  # ratio of largest to smallest work from which a line is fitted


@dataclass(frozen=True)
class Job:
    """Measured cost of one job.

    Attributes
    ----------
    work : float
        Amount of work, see `swapset.planning.work`.
    seconds, cpu_seconds : float
        Wall time and processor time.
    memory : float
        Largest resident set, in MB.
    """

    work: float
    seconds: float
    cpu_seconds: float
    memory: float


@dataclass(frozen=True)
class Rate:
    """Cost of the jobs of a rule: they take `start + per_unit * work` seconds.

    Attributes
    ----------
    start, per_unit : float
        Seconds per job, and seconds per unit of work.
    busy : float
        Processor seconds per second of wall time.
    memory : float
        Largest resident set, in MB.
    jobs : int
        Number of jobs that were measured.
    source : str
        Names of the builds that were measured.
    """

    start: float
    per_unit: float
    busy: float
    memory: float
    jobs: int
    source: str

    def seconds(self, work: float) -> float:
        """Return the seconds that a job with this much work takes."""
        return self.start + self.per_unit * work

    @classmethod
    def of(cls, jobs: Iterable[Job], source: str) -> Rate:
        """Fit a rate to the measured jobs of one rule."""
        jobs = list(jobs)
        work, seconds = (np.array([getattr(j, name) for j in jobs]) for name in ("work", "seconds"))
        start, per_unit = _line(work, seconds)
        busy = sum(job.cpu_seconds for job in jobs) / max(seconds.sum(), 1e-9)
        memory = max(job.memory for job in jobs)
        return cls(start, per_unit, float(busy), float(memory), len(jobs), source)


def _line(work: Floats, seconds: Floats) -> tuple[float, float]:
    """Return start and slope; jobs of similar sizes cannot tell them apart, so assume a start."""
    start = min(_START, 0.5 * float(seconds.min()))
    if work.max() > _SPREAD * work.min():
        slope, constant = np.polyfit(work, seconds, 1)
        if slope > 0:
            start = float(np.clip(constant, 0, min(_LONGEST_START, seconds.min())))
    return start, float((seconds - start).sum() / max(work.sum(), 1e-9))


def measured_rates(roots: Iterable[Path]) -> dict[str, Rate]:
    """Return the rates of all rules for which finished builds have benchmark files.

    Parameters
    ----------
    roots : iterable of Path
        Folders of builds. Those without benchmark files or a table of clips are skipped.

    Raises
    ------
    DataError
        If a benchmark file is damaged.
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
    return {rule: Rate.of(of_rule, ", ".join(sources[rule])) for rule, of_rule in jobs.items()}


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


def read_benchmark(path: Path) -> dict[str, float]:
    """Read seconds `s` and `cpu_time` and megabytes `max_rss` of a benchmark file; 0 = missing.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    try:
        row = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[-1]
        values = {name: float(row[name]) for name in ("s", "cpu_time", "max_rss")}
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(f"{path}: is not a benchmark file ({error}); delete it") from error
    return {name: 0.0 if value != value else value for name, value in values.items()}


def _read(path: Path, work: float) -> Job:
    values = read_benchmark(path)
    return Job(work, values["s"], values["cpu_time"] or values["s"], values["max_rss"])


def reference_rates() -> dict[str, Rate]:
    """Return the rates that come with the software."""
    return {rule: Rate(**values) for rule, values in read_json(REFERENCE).items()}
