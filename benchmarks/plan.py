"""Time Snakemake's planning at the paper's scale and multiples of it, and count what it plans.

    python benchmarks/plan.py [--times 1 2 4] [--rounds 3] [--json]

Makes a stand-in manifest (empty files) in a temporary folder and plans `complete` of
`config/celebdf.yaml` on it: dataset, Mask-SSIM, three compressions, 13 detectors, Landmark Breaker,
report. N times the paper's scale means N x 59 subjects with ten clips each, hence N times the clips
and fakes; the number of pairs, each with a model to train, grows faster. Planned as well are single
targets: one fake, one model and one real clip. Figures are medians of wall time, and of the
CPU-seconds of Snakemake's process, which depend less on other load of the machine. Python's byte
code is compiled beforehand, as it is after any first run.

The report also counts the files that the plan declares, by stage (a file of rules): outputs, a log
and a benchmark file for each job, and Snakemake's own record of each output.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from swapset.build.build import Build

SUBJECTS, CLIPS = 59, 10
ROOT = Path(__file__).resolve().parent.parent
CONFIGS = (ROOT / "config.yaml", ROOT / "config" / "celebdf.yaml")
IN_FOLDERS = {
    "ingest": CLIPS,
    "track": CLIPS,
    "align": 3 * CLIPS,
    "measure": CLIPS,
    "find_faces": 2,
}
"""Number of files in the output folders of a rule's job."""


@dataclass(frozen=True)
class Planned:
    """Cost of one planning, and the planned jobs by rule."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    jobs: dict[str, int]
    output: str


def make_manifest(folder: Path, times: int) -> Path:
    """Write a manifest of `times` x 59 subjects with ten clips each, and their empty files."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "clips.csv"
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["clip", "subject", "path", "licence"])
        for subject in range(SUBJECTS * times):
            for number in range(CLIPS):
                name = f"id{subject}_{number:04d}"
                (folder / f"{name}.mp4").touch()
                table.writerow([name, f"id{subject}", f"{name}.mp4", "stand-in"])
    return path


def plan(manifest: Path, *arguments: str) -> Planned:
    """Run Snakemake dry in the manifest's folder.

    Parameters
    ----------
    manifest : Path
    *arguments : str
        Target and further options.
    """
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "rules", "--cores", "2", *arguments]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", *map(str, CONFIGS)]
    command += ["--config", f"clips={manifest}"]
    environment = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir(), "pyc-plan")),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=manifest.parent,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read().decode()
    if process.returncode:
        raise SystemExit(output)
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.M)}
    jobs.pop("total", None)
    cpu = used.ru_utime + used.ru_stime
    return Planned(seconds, cpu, used.ru_maxrss / 1024, jobs, output)


def median(runs: list[Planned]) -> Planned:
    """Return the median of each figure."""
    middle = {
        name: statistics.median(getattr(run, name) for run in runs)
        for name in ("seconds", "cpu_seconds", "memory_mb")
    }
    return Planned(**middle, jobs=runs[0].jobs, output=runs[0].output)


def single_targets(manifest: Path) -> dict[str, str]:
    """Return the files to plan as single targets, by a description."""
    values = {k: v for path in CONFIGS for k, v in yaml.safe_load(path.read_text()).items()}
    build = Build({**values, "clips": str(manifest)})
    fake = build.swaps[0]
    return {
        "one fake": f"{build.root}/dataset/celebdf/original/{fake.name}.mp4",
        "one model": f"{build.root}/models/celebdf/{fake.pair}.safetensors",
        "one real clip in c23": f"{build.root}/dataset/real/c23/{fake.clip}.mp4",
    }


def stages() -> dict[str, str]:
    """Return the stage of each rule: the name of the file that it is in."""
    stage_of = {}
    for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]:
        pattern = r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?: with)?:"
        stage_of |= dict.fromkeys(re.findall(pattern, path.read_text(), re.M), path.stem)
    return stage_of


def files_by_rule(manifest: Path, jobs: dict[str, int]) -> dict[str, int]:
    """Return the number of files in the results that the jobs of each rule write."""
    table = plan(manifest, "complete", "--summary").output.splitlines()
    start = next(place for place, line in enumerate(table) if line.startswith("output_file"))
    outputs = Counter(line.split("\t")[2] for line in table[start + 1 :] if line.count("\t") > 2)
    return {
        rule: outputs[rule] + jobs[rule] * IN_FOLDERS.get(rule, 0)
        for rule in outputs
        if rule in jobs
    }


def by_stage(jobs: dict[str, int], files: dict[str, int]) -> list[dict[str, str | int]]:
    """Return a row for each stage: jobs, files of results, logs and benchmarks, records."""
    stage = stages()
    rows = []
    for name in dict.fromkeys(stage[rule] for rule in jobs):
        rules = [rule for rule in jobs if stage[rule] == name and rule in files]
        count, results = (sum(counts[rule] for rule in rules) for counts in (jobs, files))
        inside = sum(jobs[rule] * IN_FOLDERS.get(rule, 0) for rule in rules)
        row = {"stage": name, "jobs": count, "results": results, "logs and benchmarks": 2 * count}
        if rules:
            rows.append({**row, "Snakemake's records": results - inside})
    return rows


def as_markdown(rows: list[dict[str, str | int]]) -> str:
    """Return rows as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def figures(title: str, run: Planned) -> dict[str, str | int]:
    """Return a row of the table of planning costs."""
    return {
        "what is planned": title,
        "jobs": sum(run.jobs.values()),
        "trainings": run.jobs.get("train", 0),
        "fakes": run.jobs.get("synthesise", 0),
        "seconds": round(run.seconds, 1),
        "CPU-seconds": round(run.cpu_seconds, 1),
        "peak MB": round(run.memory_mb),
    }


def main() -> None:
    """Print the cost of planning, and the planned jobs and files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], metavar="N")
    parser.add_argument("--rounds", type=int, default=3, help="of the first, and of single targets")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args()
    taken = []
    with tempfile.TemporaryDirectory() as name:
        for times in options.times:
            manifest = make_manifest(Path(name, str(times)), times)
            if times == options.times[0]:
                first = manifest
                plan(manifest, "quoted")
            rounds = options.rounds if times == options.times[0] else 1
            run = median([plan(manifest, "complete") for _ in range(rounds)])
            taken.append((f"complete, {times} x", run))
        for title, target in single_targets(first).items():
            taken.append((title, median([plan(first, target) for _ in range(options.rounds)])))
        jobs = taken[0][1].jobs
        stage_rows = by_stage(jobs, files_by_rule(first, jobs))
    if options.json:
        planning = [{"title": title, **asdict(run), "output": ""} for title, run in taken]
        print(json.dumps({"planning": planning, "stages": stage_rows}, indent=1))
        return
    print(as_markdown([figures(title, run) for title, run in taken]), end="\n\n")
    print(as_markdown(stage_rows), end="\n\n")
    print(as_markdown([{"rule": rule, "jobs": count} for rule, count in jobs.items()]))


if __name__ == "__main__":
    main()
