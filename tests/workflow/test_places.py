"""Builds work in folders with any name, and with places missing that programs usually write to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from material.places import STRANGE, own_environment, read_only, said_by
from material.running import ROOT, command, copy_checkout, dry_run, snakemake
from material.small_build import OPTIONS, RESULTS, Undisturbed, digests, make_checkout

TABLE = "results/demo/tables/quoted/table_4_1_datasets.csv"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("places") / "checkout")


def test_make_builds_in_a_folder_with_any_name(tmp_path: Path, whole: Undisturbed) -> None:
    """From `make` to the last job, by the Python of that folder: the same bytes as elsewhere."""
    folder = make_checkout(tmp_path / STRANGE / "swapset")
    shutil.copyfile(folder / "small.yaml", folder / "config.yaml")
    own_environment(folder)
    run = said_by(["make", "dataset", "CORES=2"], folder).check()
    assert "Traceback" not in run.output
    made = digests(folder / RESULTS)
    assert {name for name, sha in made.items() if whole.files[name] != sha} == set()
    assert set(made) == set(whole.files)
    assert dry_run(folder, *OPTIONS).nothing_to_do


@pytest.mark.parametrize("name", ["a:b", "a {b}"])
def test_a_folder_that_cannot_work_is_said(tmp_path: Path, name: str) -> None:
    folder = copy_checkout(tmp_path / name)
    said = dry_run(folder).refused().strip().splitlines()
    assert said[-1].startswith(f"swapset: the path of this checkout, {str(folder)!r}, has ")
    assert said[-1].endswith("rename the folder")


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "TMPDIR", "MPLCONFIGDIR"])
def test_a_place_that_cannot_be_written_is_replaced(checkout: Path, variable: str) -> None:
    blocked = checkout / "file"
    blocked.touch()
    options = ("quoted", "--forcerun", "quoted")
    run = snakemake(checkout, *options, **{variable: str(blocked / "folder")}).check()
    assert "Traceback" not in run.output
    said = [line for line in run.output.splitlines() if line.startswith(f"swapset: {variable}: ")]
    assert len(said) == (variable != "MPLCONFIGDIR"), run.output
    assert (checkout / TABLE).exists()


def test_a_read_only_checkout(tmp_path: Path) -> None:
    """It is said there, and works with results elsewhere."""
    folder = copy_checkout(tmp_path / "only" / "checkout")
    start = read_only(folder)
    if start is None:
        pytest.skip("needs `unshare` and the right to mount")
    said = said_by([*start, *command("quoted")], folder).refused()
    (line,) = [line for line in said.splitlines() if line.startswith("swapset: ")]
    assert "snakemake cannot write here" in line
    assert "--directory FOLDER" in line
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = command("--snakefile", folder / "Snakefile", "quoted")
    said_by([*start, *options], elsewhere).check()
    assert (elsewhere / TABLE).exists()
    assert {path.name for path in folder.iterdir()} & {".snakemake", "results"} == set()


def test_results_that_cannot_be_written_are_named(checkout: Path) -> None:
    (checkout / "file").touch()
    said = snakemake(checkout, "quoted", "--config", "results=file").refused()
    (line,) = [line for line in said.splitlines() if line.startswith("swapset: ")]
    assert line.startswith("swapset: results: file/demo cannot be written (Not a directory)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--", "datset"),
            "datset: no rule and no file of this build has this name; nearest: dataset",
        ),
        (("--", "results/demo/faces/id99"), "no subject 'id99'; nearest: results/demo/faces/id"),
        (("--until", "datset"), "nearest: dataset"),
        (("--forcerun", "synthesize", "--", "dataset"), "nearest: synthesise"),
        (("--", "results/demo/tables/mask_sim.csv"), "nearest: results/demo/tables/mask_ssim.csv"),
        (("--config", "name=mine", "--", "results/mine/faces/id9"), "no subject 'id9'; nearest"),
    ],
)
def test_misspelt_targets_are_one_line(
    checkout: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = dry_run(checkout, *arguments).refused().strip().splitlines()
    assert words in said[-1]
    assert said[-1].startswith("swapset: ")
    assert not [line for line in said if "Exception" in line or "Error" in line]


def test_another_folder_has_its_own_config(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("name: mine\nclips: demo\n")
    run = dry_run(tmp_path, "--snakefile", checkout / "Snakefile", "--", "quoted").check()
    assert run.jobs == {"quoted": 1}
    run = dry_run(tmp_path, "--snakefile", checkout / "Snakefile", "--", "results/mine/faces/id0")
    assert run.check().jobs["align"] == 1


@pytest.mark.parametrize("own", [False, True])
def test_plan_away_from_the_checkout(tmp_path: Path, own: bool) -> None:
    """It plans what snakemake would do there; with a config in that folder, by that."""
    if own:
        (tmp_path / "config.yaml").write_text("name: mine\nclips: demo\nswaps_per_clip: 0.5\n")
    run = said_by([*command()[:2], "swapset.cli.main", "plan", "dataset", "--json"], tmp_path,
                  PYTHONPATH=str(ROOT)).check()  # fmt: skip
    assert "Traceback" not in run.output
    jobs = {row["rule"]: row["jobs"] for row in json.loads(run.output[run.output.index("[") :])}
    assert jobs["synthesise"] == (8 if own else 16)
