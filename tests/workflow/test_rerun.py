"""Second runs: nothing to do, or only what depends on a change. Mostly dry runs."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from material.builds import CONFIG
from material.running import Run, copy_build, copy_checkout, dry_run, snakemake

AFTER_SYNTHESIS = {"synthesise", "measure", "mask_ssim", "dataset", "all"}


def _changed(folder: Path, **sections: dict[str, object]) -> Run:
    """Plan the build with some settings changed."""
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(sections))
    return dry_run(folder, "--configfile", "tiny.yaml", "changed.yaml").check()


def test_second_run_has_nothing_to_do(build: Path) -> None:
    run = dry_run(build, "--configfile", "tiny.yaml")
    assert run.nothing_to_do, run.output


def test_what_changes_no_result_rebuilds_nothing(build: Path) -> None:
    run = _changed(build, training={**CONFIG["training"], "checkpoint_every": 77})
    assert set(run.jobs) <= {"dataset", "all"}, run.output


def test_fewer_compressions_remake_no_video(build: Path) -> None:
    run = _changed(build, compressions=["original", "c40"])
    assert set(run.jobs) == {"dataset", "all"}, run.output


@pytest.fixture(scope="module")
def fresh(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout elsewhere, with all times new, that got the build's results."""
    folder = copy_checkout(tmp_path_factory.mktemp("fresh") / "elsewhere")
    for name in ("results", ".snakemake", "clips"):
        shutil.copytree(build / name, folder / name)
    shutil.copy2(build / "tiny.yaml", folder)
    return folder


def test_fresh_checkout_has_nothing_to_do(fresh: Path) -> None:
    run = dry_run(fresh, "--configfile", "tiny.yaml", PYTHONHASHSEED="7")
    assert run.nothing_to_do, run.output


def test_bootstrap_rebuilds_the_table_only(build: Path) -> None:
    run = _changed(build, quality={**CONFIG["quality"], "bootstrap": 300})
    assert run.jobs == {"mask_ssim": 1, "all": 1}


def test_mask_of_a_recipe_rebuilds_its_fakes(build: Path) -> None:
    recipes = CONFIG["recipes"]
    run = _changed(build, recipes={"celebdf": {**recipes["celebdf"], "mask": "rectangle"}})
    assert set(run.jobs) == AFTER_SYNTHESIS
    assert run.jobs["synthesise"] == 4  # of celebdf; those of faceswap stay
    assert run.jobs["measure"] == 3


def test_align_size_rebuilds_alignment_and_after(build: Path) -> None:
    run = _changed(build, align={"size": 112})
    assert set(run.jobs) == AFTER_SYNTHESIS | {"align", "train", "training_table"}


@pytest.fixture
def edited(fresh: Path) -> Iterator[Path]:
    """A fresh checkout whose library may be edited."""
    before = {path: path.read_bytes() for path in (fresh / "swapset").rglob("*.py")}
    yield fresh
    for path, content in before.items():
        path.write_bytes(content)


def _edit(path: Path, added: str = "_CHANGED = 1") -> None:
    with path.open("a") as stream:
        stream.write(f"\n{added}\n")


def test_changed_module_rebuilds_what_uses_it(edited: Path) -> None:
    _edit(edited / "swapset" / "generation" / "blend.py")
    run = dry_run(edited, "--configfile", "tiny.yaml").check()
    assert set(run.jobs) == AFTER_SYNTHESIS
    assert run.jobs["synthesise"] == 8


def test_comment_rebuilds_nothing(edited: Path) -> None:
    for path in (edited / "swapset").rglob("*.py"):
        _edit(path, "# changed")
    run = dry_run(edited, "--configfile", "tiny.yaml")
    assert run.nothing_to_do, run.output


def test_module_that_no_job_uses_rebuilds_nothing(edited: Path) -> None:
    for name in ("build/workflow.py", "build/code_hash.py", "config/schema.py"):
        _edit(edited / "swapset" / name)
    run = dry_run(edited, "--configfile", "tiny.yaml")
    assert run.nothing_to_do, run.output


def test_source_from_the_future_is_built(build: Path, tmp_path: Path) -> None:
    """A camera's clock is wrong, and the picture another one: only its person is looked at."""
    folder = copy_build(build, tmp_path / "build")
    path = folder / "clips" / "id2_0000.mp4"
    path.write_text("This is no video either.")
    os.utime(path, (time.time() + 6 * 3600,) * 2)
    asked = (f"results/tiny/{kind}/id2" for kind in ("clips", "tracks"))
    run = snakemake(folder, *asked, "--configfile", "tiny.yaml").check()
    assert run.jobs == {"ingest": 1, "track": 1}
    done = snakemake(folder, "--configfile", "tiny.yaml").check()
    messages = set(re.findall(r"^Job \d+: (.*)", done.output, re.M))
    assert "Accepting or rejecting the clips of all subjects" in messages
    assert not [each for each in messages if each.startswith(("Training", "Smoothing"))]
    assert dry_run(folder, "--configfile", "tiny.yaml").nothing_to_do


def test_a_decision_that_changes_is_followed_in_the_same_run(build: Path, tmp_path: Path) -> None:
    """A new person's clip makes `accept` run, which decides anew on somebody else."""
    folder = copy_build(build, tmp_path / "build")
    decisions = folder / "results" / "tiny" / "accepted" / "id1.json"
    before = decisions.read_bytes()
    decisions.write_text(decisions.read_text().replace('"tracks": [', '"tracks": [\n   7,', 1))
    snakemake(folder, "--touch", "--forceall", "--configfile", "tiny.yaml").check()
    _add_id9(folder)
    planned = dry_run(folder, "--configfile", "tiny.yaml").jobs
    assert not {"align", "train"} & set(planned)
    done = snakemake(folder, "--configfile", "tiny.yaml").check()
    assert decisions.read_bytes() == before
    messages = set(re.findall(r"^Job \d+: (.*)", done.output, re.M))
    assert {each for each in messages if each.startswith(("Smoothing", "Training"))} == {
        "Smoothing landmarks and aligning faces of id1",
        "Training id0-id1 for celebdf",
        "Training id0-id1 for faceswap",
    }
    assert dry_run(folder, "--configfile", "tiny.yaml").nothing_to_do


def _add_id9(folder: Path) -> None:
    shutil.copy(folder / "clips" / "id2_0000.mp4", folder / "clips" / "id9_0000.mp4")
    with (folder / "clips" / "clips.csv").open("a") as manifest:
        manifest.write("id9_0000,id9,id9_0000.mp4,CC0,,\n")


def test_new_subject_rebuilds_nobody_else(build: Path, tmp_path: Path) -> None:
    """Acceptance runs again for all, but what it decides on the others is the same."""
    folder = copy_build(build, tmp_path / "build")
    _add_id9(folder)
    run = snakemake(folder, "--configfile", "tiny.yaml").check()
    done = set(re.findall(r"^Job \d+: (.*)", run.output, re.M))
    assert done == {
        "Ingesting the clips of id9",
        "Following faces through the clips of id9",
        "Accepting or rejecting the clips of all subjects",
        "Encoding the real clip id9_0000",
        "Writing provenance and tables of the dataset",
    }
    assert dry_run(folder, "--configfile", "tiny.yaml").nothing_to_do
