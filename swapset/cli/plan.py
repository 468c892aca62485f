"""`swapset plan`: estimate the cost of a config before anything runs."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.config.text import ROOT
from swapset.errors import ConfigError
from swapset.io.untrusted import whole_text
from swapset.learning.device import visible_gpus

if TYPE_CHECKING:
    import pandas as pd

    from swapset.build.workflow import Workflow

_TABLE = re.compile(r"^job +count\n-+ +-+\n(.*?)^total", re.S | re.M)
_NO_WORK = ("all", "complete")


def add_plan(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    plan = commands.add_parser(
        "plan",
        help="estimate the cost of a config: jobs, hours, memory, disk",
        description=(
            "List the jobs that are left for a target and estimate their cost: CPU-hours, "
            "GPU-hours, memory and disk (as built, and after `snakemake tidy`) of each rule. The "
            "estimates come from benchmark files of builds on this machine, or else from those "
            "that come with swapset. In a folder without a Snakefile, it plans what `snakemake "
            "--snakefile` with that of swapset would do there."
        ),
    )
    plan.add_argument("targets", nargs="*", metavar="TARGET", help="as snakemake takes them")
    plan.add_argument(
        "--configfile", type=Path, nargs="+", default=[], metavar="FILE", help="as snakemake's"
    )
    plan.add_argument(
        "--builds",
        type=Path,
        nargs="*",
        metavar="DIR",
        help="finished builds to take benchmarks from (default: all in the results folder)",
    )
    plan.add_argument(
        "--frames", type=float, default=390, metavar="N", help="frames per clip (default: 390)"
    )
    plan.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        help="where trainings run (default: a GPU if the config asks for one or one is visible)",
    )
    plan.add_argument("--json", action="store_true", help="print the rows as JSON")
    plan.set_defaults(run=_plan)


def _plan(options: argparse.Namespace) -> None:
    from swapset.planning.disk import bytes_per_frame
    from swapset.planning.estimate import Basis, estimate
    from swapset.planning.rates import measured_rates, reference_rates

    if options.frames <= 0:
        raise ConfigError(f"--frames: {options.frames:g} is not allowed: use more than 0")
    workflow, jobs = _workflow(options), _jobs(options)
    build = workflow.build
    roots = options.builds
    if roots is None:
        roots = sorted(path for path in build.config.results.glob("*") if path.is_dir())
    wants_gpu = build.config.device.startswith("cuda")
    wants_gpu |= build.config.device == "auto" and bool(visible_gpus())
    gpu = options.device == "cuda" if options.device else wants_gpu
    rates = reference_rates() | measured_rates(roots)
    basis = Basis(rates, bytes_per_frame(roots), options.frames, gpu)
    table = estimate(workflow, jobs, basis)
    if options.json:
        print(table.to_json(orient="records", indent=1))
    else:
        print("\n".join(filter(None, [_text(table), _matrix(workflow, jobs)])))


def _matrix(workflow: Workflow, jobs: Mapping[str, int]) -> str:
    """Return the size of the matrix of detectors, if a planned job belongs to it."""
    rules = {"fit_detector", "score_matrix", "detector_matrix"}
    return (
        f"matrix: {workflow.matrix.sizes()}" if rules & jobs.keys() and workflow.matrix.sets else ""
    )


def _workflow(options: argparse.Namespace) -> Workflow:
    from swapset.build.workflow import Workflow

    values = _read(_beside("config.yaml"))
    for path in options.configfile:
        _extend(values, _read(path))
    return Workflow(values)


def _beside(name: str) -> Path:
    """Return a file of the working folder or, if there is none, of swapset's checkout."""
    path = Path(name) if Path(name).is_file() else ROOT / name
    if not path.is_file():
        raise ConfigError(f"{name}: is neither here nor in {ROOT}; run this beside the Snakefile")
    return path


def _read(path: Path) -> dict[str, Any]:
    """Return the keys and values of a config file."""
    import yaml

    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; correct the path or the folder")
    try:
        values = yaml.safe_load(whole_text(path, ConfigError))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not YAML ({error})") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{path}: a config has keys with values, not a {type(values).__name__}")
    return values or {}


def _extend(values: dict[str, Any], more: dict[str, Any]) -> None:
    """Merge a config into another as Snakemake does: key by key, at every depth."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _extend(values[key], value)
        else:
            values[key] = value


def _jobs(options: argparse.Namespace) -> dict[str, int]:
    """Return the number of jobs of each rule that Snakemake would run."""
    snakefile = str(_beside("Snakefile").resolve())
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "rules", "--cores", "1"]
    command += ["--snakefile", snakefile]
    if options.configfile:
        command += ["--configfile", *map(str, options.configfile)]
    done = subprocess.run(  # noqa: S603 - snakemake, without a shell
        [*command, "--", *options.targets], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if line]
        ours = [line.removeprefix("swapset: ") for line in last if line.startswith("swapset: ")]
        if ours:
            raise ConfigError(ours[-1])
        raise ConfigError("snakemake cannot plan this build: " + " ".join(last[-3:]))
    table = _TABLE.search(done.stdout + done.stderr)
    rows = [line.split() for line in table.group(1).splitlines()] if table else []
    return {rule: int(count) for rule, count in rows if rule not in _NO_WORK}


def _text(table: pd.DataFrame) -> str:
    if table.empty:
        return "Nothing is left to do."
    lines = [
        f"{'rule':24s}{'jobs':>7s}{'each':>10s}{'CPU-hours':>11s}{'GPU-hours':>11s}"
        f"{'memory':>10s}{'disk':>10s}{'after tidy':>11s}  measured in"
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"{row['rule']:24s}{row['jobs']:7d}{_time(row['seconds']):>10s}"
            f"{row['cpu_hours']:11.1f}{row['gpu_hours']:11.1f}{row['memory_mb'] / 1e3:7.1f} GB"
            f"{row['disk_gb']:7.1f} GB{row['disk_gb'] - row['tidied_gb']:8.1f} GB"
            f"  {row['measured'] or '-'}"
        )
    total = table[["jobs", "cpu_hours", "gpu_hours", "disk_gb", "tidied_gb"]].sum()
    lines.append(
        f"{'total':24s}{total['jobs']:7.0f}{'':10s}{total['cpu_hours']:11.1f}"
        f"{total['gpu_hours']:11.1f}{table['memory_mb'].max() / 1e3:7.1f} GB"
        f"{total['disk_gb']:7.1f} GB{total['disk_gb'] - total['tidied_gb']:8.1f} GB"
    )
    return "\n".join(lines)


def _time(seconds: float) -> str:
    if seconds != seconds:
        return "?"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
