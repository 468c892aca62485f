"""Results left by `snakemake tidy`, and the jobs that more fakes then need."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from material.builds import SWAPS, write_rows
from material.running import copy_build, digest, dry_run, snakemake

from swapset.build.leftovers import Leftovers
from swapset.build.start import CONFIG

FILES = ("--configfile", "tiny.yaml", "alone.yaml")
"""The dataset and nothing else: neither detectors nor Landmark Breaker still want anything."""
GONE = {"heads", "faces", "checkpoints", "events"}


def _contents(results: Path) -> dict[str, str]:
    """Return the hash of each file that stays, but for the record of the last run's config."""
    kept = (path for path in results.rglob("*") if path.is_file())
    found = {path.relative_to(results): path for path in kept}
    return {
        str(name): digest(path)
        for name, path in found.items()
        if name.parts[0] not in GONE and not name.name.startswith(".") and name.name != CONFIG
    }


def _copy(build: Path, folder: Path) -> Path:
    copy_build(build, folder)
    (folder / "alone.yaml").write_text(yaml.safe_dump({"attacks": [], "detectors": []}))
    return folder


@pytest.fixture(scope="module")
def tidied(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = _copy(build, tmp_path_factory.mktemp("tidy") / "build")
    snakemake(folder, *FILES, "--", "tidy").check()
    return folder


def test_only_leftovers_are_gone(tidied: Path, build: Path) -> None:
    before, after = (_contents(folder / "results" / "tiny") for folder in (build, tidied))
    added = {"tables/tidied.csv", "logs/tidy.log", "benchmarks/tidy.tsv"}
    assert {**after, **before} == after
    assert set(after) - set(before) == added
    assert not any((tidied / "results" / "tiny" / kind).exists() for kind in ("heads", "faces"))
    with (tidied / "results" / "tiny" / "tables" / "tidied.csv").open() as stream:
        rows = {row["kind"]: row for row in csv.DictReader(stream)}
    faces = [p for p in (build / "results" / "tiny" / "faces").rglob("*") if p.is_file()]
    assert int(rows["faces"]["bytes"]) == sum(path.stat().st_size for path in faces) > 0
    assert rows["faces"]["fate"] == "removed"


def test_dataset_is_whole(tidied: Path) -> None:
    command = [sys.executable, "-m", "swapset.cli.main", "verify", "results/tiny"]
    done = subprocess.run(command, cwd=tidied, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", ["all", "tidy"])
def test_nothing_is_made_again(tidied: Path, target: str) -> None:
    run = dry_run(tidied, *FILES, "--", target)
    assert run.nothing_to_do, run.output


def test_one_more_fake_is_all_that_is_made(tidied: Path) -> None:
    folder = copy_build(tidied, tidied.parent / "more")
    write_rows(folder / "clips" / "swaps.csv", [["clip", "donor"], *SWAPS, ["id1_0001", "id0"]])
    video = "results/tiny/dataset/celebdf/original/id1_id0_0001.mp4"
    snakemake(folder, *FILES, "--", video).check()
    assert (folder / video).stat().st_size > 0
    jobs = dry_run(folder, *FILES).jobs
    assert jobs == {
        "synthesise": 1,  # by the other method
        "measure": 1,
        "dataset": 1,
        "mask_ssim": 1,
        "all": 1,
    }


def test_nothing_goes_before_the_build_is_finished(build: Path, tmp_path: Path) -> None:
    folder = _copy(build, tmp_path / "unfinished")
    (folder / "results" / "tiny" / "tables" / "mask_ssim.csv").unlink()
    shutil.rmtree(folder / "results" / "tiny" / "heads")
    assert dry_run(folder, *FILES, "--", "tidy").jobs == {"mask_ssim": 1, "tidy": 1}


def test_nothing_of_a_withdrawn_person_stays(build: Path, tmp_path: Path) -> None:
    """Every run says what there is, also one with nothing to do; `tidy` removes it."""
    folder = _copy(build, tmp_path / "withdrawn")
    for name in ("clips.csv", "swaps.csv"):
        rows = list(csv.reader((folder / "clips" / name).open(newline="")))
        kept = [row for row in rows if not any(cell.startswith("id2") for cell in row)]
        write_rows(folder / "clips" / name, kept)
    results = folder / "results" / "tiny"
    for _ in range(2):
        said = snakemake(folder, *FILES).check().output.splitlines()[-1]
        assert said.startswith("swapset: results/tiny: ")
        assert said.endswith(
            "'snakemake --cores 1 tidy --configfile tiny.yaml alone.yaml' removes them"
        )
    assert "id2" not in (results / "dataset" / "provenance.jsonl").read_text()
    assert not [p for p in (results / "tables").glob("*.csv") if "id2" in p.read_text()]
    command = said.split("'")[1].removeprefix("snakemake --cores 1 ").split()
    snakemake(folder, *command).check()
    assert not [path for path in results.rglob("*") if "id2" in path.name]
    texts = [p for p in results.rglob("*") if p.suffix in (".json", ".jsonl", ".csv")]
    assert not [path for path in texts if "id2" in path.read_text()]
    verify = [sys.executable, "-m", "swapset.cli.main", "verify", "--json", "results/tiny"]
    done = subprocess.run(verify, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["extra"] == []
    assert "earlier config" not in snakemake(folder, *FILES).check().output


def test_logs_and_benchmarks_have_their_places(build: Path) -> None:
    """A build of nothing would find them all, but for those of rules with one job."""
    nothing = SimpleNamespace(
        root=str(build / "results" / "tiny"), named=set(), includes=lambda values: False
    )
    found = set(Leftovers(nothing).paths())
    for room in ("logs", "benchmarks"):
        base = build / "results" / "tiny"
        files = [path for path in (base / room).rglob("*/*") if path.is_file()]
        assert len(files) > 20
        assert {str(path.relative_to(base)) for path in files} <= found


def test_tidy_is_asked_for_alone(build: Path) -> None:
    output = snakemake(build, "--configfile", "tiny.yaml", "--", "tidy", "quoted").refused()
    assert "tidy: removes files that other targets may need" in output
