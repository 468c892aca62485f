"""Every situation of docs/troubleshooting.md: it is said as the page says, without a traceback.

The page is read, and an entry without a case fails. A case runs the situation here, or names the
test that runs it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from material.builds import write_rows
from material.places import said_by
from material.running import ROOT, Run, copy_checkout, dry_run, snakemake

from swapset.build.resources import lock_results

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
HEADER = ["clip", "subject", "path", "licence"]
GOOD = [["id0_0000", "id0", "a.mp4", "CC0"], ["id1_0000", "id1", "b.mp4", "CC0"]]


def entries() -> set[str]:
    """Return the first cell of each row of the page's tables, and each paragraph's bold title."""
    heads = {"message", "mishap", "---"}
    cells = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("|")]
    titles = re.findall(r"^\*\*(.+?)\*\*", PAGE, re.M)
    return {cell for cell in cells if cell not in heads} | set(titles)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a manifest of two people and a config."""
    folder = copy_checkout(tmp_path_factory.mktemp("troubles") / "checkout")
    for row in GOOD:
        (folder / row[2]).touch()
    write_rows(folder / "clips.csv", [HEADER, *GOOD])
    (folder / "my.yaml").write_text("name: my\nclips: clips.csv\ndevice: cpu\n")
    return folder


SNAKEMAKES = re.compile(
    r"^(Missing\w+|InputFunction)Exception|^(?!CalledProcess)\w+Error in file", re.M
)
"""Messages of Snakemake that stand for a traceback; it tells of each failed job in its own way."""

MY = ("--configfile", "my.yaml")


def _make(checkout: Path, works: bool) -> Run:
    """Run make with a Python that is too old, or that cannot make an environment."""
    tools = checkout / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("cat", "sh"):
        if not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name) or name)
    says = "The virtual environment was not created because ensurepip is not available."
    script = f"""#!/bin/sh
case "$1" in
    -c) exit {0 if works else 1} ;;
    -m) echo "{says}"; exit 1 ;;
    *) echo "Python 3.{11 if works else 8}" ;;
esac
"""
    (checkout / "old").write_text(script)
    (checkout / "old").chmod(0o755)
    shutil.copyfile(ROOT / "Makefile", checkout / "Makefile")
    for name in ("requirements.lock", "requirements-models.lock", "pyproject.toml"):
        shutil.copyfile(ROOT / name, checkout / name)
    make = shutil.which("make") or "make"
    return said_by([make, "PYTHON=./old", "dataset"], checkout, PATH=str(tools))


def _with_rows(checkout: Path, *row: str) -> Run:
    write_rows(checkout / "wrong.csv", [HEADER, GOOD[0], list(row)])
    return dry_run(checkout, *MY, "--config", "clips=wrong.csv")


def _locked(checkout: Path) -> Run:
    with lock_results(str(checkout / "results" / "my")):
        return snakemake(checkout, *MY, "--", "quoted")


def _without_yt_dlp(checkout: Path) -> Run:
    rows = [[*row[:2], "", "CC0", f"https://127.0.0.1:9/{row[0]}.mp4"] for row in GOOD]
    write_rows(checkout / "urls.csv", [[*HEADER, "url"], *rows])
    blocked = checkout / "blocked"
    blocked.mkdir(exist_ok=True)
    (blocked / "yt_dlp.py").write_text("raise ImportError\n")
    target = "results/urls/fetched/id0_0000.mp4"
    added = {"PYTHONPATH": os.pathsep.join([str(blocked), str(checkout)])}
    options = (*MY, "--config", "clips=urls.csv", "name=urls", "--", target)
    return snakemake(checkout, *options, **added)


def _cuda(checkout: Path) -> Run:
    (checkout / "a.png").touch()
    return said_by(
        [*_swapset(), "detect", "a.png", "--detector", "Meso4", "--device", "cuda"],
        checkout,
        CUDA_VISIBLE_DEVICES="",
        PYTHONPATH=str(ROOT),
    )


def _swapset() -> list[str]:
    return [sys.executable, "-m", "swapset.cli.main"]


def _cut_code(checkout: Path) -> Run:
    """Cut off the library's byte code as a full disk does."""
    dry_run(checkout, "--", "quoted").check()
    for path in (checkout / "swapset").rglob("__pycache__/*.pyc"):
        os.truncate(path, path.stat().st_size // 2)
    return snakemake(checkout, "quoted")


def _reasons(checkout: Path) -> Run:
    return snakemake(checkout, "-n", "-q", "host", *MY, "--", "results/my/clips/id0")


Case = tuple[Callable[[Path], Run], list[str]]
CASES: dict[str, Case | str] = {
    "Where is the log?": "workflow/test_plugins.py::test_one_that_breaks_in_a_job_ends_in_a_line",
    "`swapset needs Python 3.11 or newer`": (
        lambda checkout: _make(checkout, works=False),
        ["swapset needs Python 3.11 or newer; ./old is Python 3.8", "PYTHON=/path/to/python3.12"],
    ),
    "`ensurepip is not available` (Debian, Ubuntu)": (
        lambda checkout: _make(checkout, works=True),
        ["ensurepip is not available"],
    ),
    "`--configfile: there is no file 'detector_auc'` (or another target), `--config: … is not "
    "KEY=VALUE`": (
        lambda checkout: dry_run(checkout, *MY, "detector_auc"),
        ["--configfile: there is no file 'detector_auc'", "name it first"],
    ),
    "`…: no rule and no file of this build has this name; nearest: …`": (
        lambda checkout: dry_run(checkout, "--", "detector-auc"),
        ["nearest: detector_auc"],
    ),
    "`this build has no subject 'id99'; nearest: …`": (
        lambda checkout: dry_run(checkout, *MY, "--", "results/my/faces/id99"),
        ["this build has no subject 'id99'; nearest: results/my/faces/id"],
    ),
    "`snakemake cannot write here`": ("workflow/test_places.py::test_a_read_only_checkout"),
    "`HOME: … cannot be written`, `TMPDIR: … cannot be used`": (
        "workflow/test_places.py::test_a_place_that_cannot_be_written_is_replaced"
    ),
    "`the path of this checkout … has ':' in it`": (
        "workflow/test_places.py::test_a_folder_that_cannot_work_is_said"
    ),
    "`<key>: unknown key; allowed here: …`": (
        lambda checkout: dry_run(checkout, *MY, "--config", "devise=cpu"),
        ["devise: unknown key; allowed here: name, clips"],
    ),
    "`clips.csv, line N: … has no licence`": (
        lambda checkout: _with_rows(checkout, "id1_0000", "id1", "b.mp4", ""),
        ["wrong.csv, line 3: clip 'id1_0000' has no licence"],
    ),
    "`clips.csv, line N: path … leaves …`": (
        lambda checkout: _with_rows(checkout, "id1_0000", "id1", "../b.mp4", "CC0"),
        ["wrong.csv, line 3: path '../b.mp4' leaves"],
    ),
    "`… is not UTF-8 text`, `… is UTF-16 text`": (
        "unit/io/test_tables.py::test_what_cannot_be_read_is_named"
    ),
    "`another run is working on these results`": (
        _locked,
        ["another run is working on these results (process"],
    ),
    "`rows with a url need yt-dlp`": (_without_yt_dlp, ["rows with a url need yt-dlp; install it"]),
    "`device: 'cuda' is asked for, but no GPU is visible`": (
        _cuda,
        ["device: 'cuda' is asked for, but no GPU is visible"],
    ),
    "`no space left on the disk of …`": (
        "workflow/test_interrupted.py::test_full_disk_is_said_and_survived"
    ),
    "`the loss … is not a number`": "faults/kinds.py::poisoned_training",
    "`…: damaged …; delete <path> and run again`": "faults/kinds.py::cut_intermediate",
    "`swaps_per_clip: 0.01 gives no fake at all`": (
        lambda checkout: dry_run(checkout, *MY, "--config", "swaps_per_clip=0.01"),
        ["swaps_per_clip: 0.01 gives no fake at all"],
    ),
    "`id0 and id4 seem to be one person`": "unit/faces/test_same_people.py::test_policies",
    "All clips of a person are rejected.": "workflow/test_build.py::REJECTED",
    "The swap looks like the target.": (
        "unit/generation/test_fitting.py::test_preview_is_a_picture_with_rows_of_faces"
    ),
    "Memory.": (
        lambda checkout: dry_run(checkout, *MY, "--resources", "mem_mb=8000", "--", "dataset"),
        ["accept"],
    ),
    "`marshal data too short`.": (_cut_code, ["1 of 1 steps (100%) done"]),
    "A second run rebuilds something.": (_reasons, ["Reason: Missing output files"]),
    "A run says that files are from an earlier config.": (
        "workflow/test_runs_again.py::test_a_person_less"
    ),
    "A clip was replaced, and nothing runs.": (
        "workflow/test_runs_again.py::test_a_clip_replaced_by_one_of_the_same_size_and_time"
    ),
    "source clips with times in the future, or a copied results folder": (
        "workflow/test_runs_again.py::test_copy_without_times"
    ),
    "a job killed (memory, time, by hand)": "faults/kinds.py::kill_job",
    "Snakemake killed or told to stop, alone or with its jobs": "faults/kinds.py::kill_snakemake",
    "an error that would repeat": "workflow/test_interrupted.py::test_strict_stops_with_the_list",
    "a full disk, for results or for Snakemake's own records": "faults/kinds.py::full_disk",
    "an intermediate file truncated": "faults/kinds.py::cut_intermediate",
    "a source clip missing": "faults/kinds.py::source_gone",
    "weights or a checkpoint that are not numbers": "faults/kinds.py::poisoned_checkpoint",
    "on Slurm: a job cancelled, the node's daemon away": "faults/kinds_slurm.py::cancelled_job",
}
HERE = {entry: case for entry, case in CASES.items() if not isinstance(case, str)}
ELSEWHERE = {entry: case for entry, case in CASES.items() if isinstance(case, str)}


def test_every_entry_has_a_case() -> None:
    assert entries() == CASES.keys()


@pytest.mark.parametrize("entry", HERE)
def test_it_is_said_without_a_traceback(checkout: Path, entry: str) -> None:
    happen, words = HERE[entry]
    output = happen(checkout).output
    assert "Traceback" not in output, output
    assert not SNAKEMAKES.search(output), output
    assert all(word in output for word in words), output


@pytest.mark.parametrize("entry", ELSEWHERE)
def test_the_test_of_it_exists_and_refuses_tracebacks(entry: str) -> None:
    """`Run.refused` and the test of faults refuse tracebacks; errors of the library have none."""
    file, _, name = ELSEWHERE[entry].partition("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert name in text
    assert re.search(
        r"Traceback|refused\(\)|pytest\.raises|-> Disturbed|getMessage|first_run|\.check\(\)", text
    )


def test_the_faults_refuse_tracebacks() -> None:
    text = (ROOT / "tests" / "faults" / "test_faults.py").read_text(encoding="utf-8")
    assert 'assert "Traceback" not in disturbed.said' in text
