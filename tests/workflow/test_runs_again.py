"""Jobs that each change makes run again, by name, in a build of four people.

Nothing is computed (`material/pretended.py`): these are plans. That `accept` itself writes
decisions that stay is in `test_rerun.py`.
"""

from __future__ import annotations

import csv
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from material.builds import write_rows
from material.pretended import (
    CLIPS,
    CONFIG,
    PEOPLE,
    RESULTS,
    SWAPS,
    TARGETS,
    messages,
    plan,
    pretend,
    pretend_outputs,
    pretend_person,
    write_manifest,
)
from material.running import copy_build, copy_checkout, once, snakemake

from swapset.build.leftovers import Leftovers

ACCEPT = "Accepting or rejecting the clips of all subjects"
PROVENANCE = "Writing provenance and tables of the dataset"
MASK_SSIM = "Writing the tables of Mask-SSIM and expression of all methods"
TRAININGS = "Writing the table of all trainings"
DEMOGRAPHICS = "Writing the table of the people in the dataset"
TABLES = {PROVENANCE, MASK_SSIM, TRAININGS}


def real(*clips: str) -> set[str]:
    return {f"Encoding the real clip {clip}" for clip in clips}


def looked_at(person: str) -> set[str]:
    """Return the jobs that look at a person's clips."""
    return {f"Ingesting the clips of {person}", f"Following faces through the clips of {person}"}


def of_id3() -> set[str]:
    """Return all jobs that depend on the accepted clips of id3, who has a pair with id2."""
    return {
        "Smoothing landmarks and aligning faces of id3",
        "Training id2-id3 for celebdf",
        "Synthesising id2_id3_0000 by celebdf",
        "Synthesising id3_id2_0000 by celebdf",
        "Measuring the fakes of id2",
        "Measuring the fakes of id3",
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the build (leave it as it is)."""
    return once(tmp_path_factory, "pretended", pretend)


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return copy_build(finished, tmp_path / "build")


def add_clip(folder: Path, clip: str) -> None:
    (folder / "clips" / f"{clip}.mp4").write_text(f"pictures of {clip}")
    write_manifest(folder, (*CLIPS, clip))


def touch_through(folder: Path, person: str) -> None:
    """Do as if `ingest`, `track` and `accept` had run after a change of a person's clips."""
    outputs = [f"{RESULTS}/{kind}/{person}" for kind in ("clips", "tracks")]
    outputs += [f"{RESULTS}/accepted/{person}.json", f"{RESULTS}/tables/clips.csv"]
    options = ("--touch", "--forcerun", "ingest", "--configfile", "four.yaml", "--")
    snakemake(folder, *options, *outputs).check()


# -- clips -------------------------------------------------------------------------------------


def test_nothing_changed(finished: Path) -> None:
    run = plan(finished)
    assert run.nothing_to_do, run.output
    assert "earlier config" not in run.output


def test_a_clip_more(folder: Path) -> None:
    add_clip(folder, "id3_0002")
    wanted = looked_at("id3") | of_id3() | TABLES | {ACCEPT} | real("id3_0002")
    assert messages(plan(folder, "all")) == wanted


def test_a_clip_more_that_is_rejected(folder: Path) -> None:
    """After `accept`, nothing of the person's other clips is made again."""
    add_clip(folder, "id3_0002")
    rejected = {"accepted": False, "reason": "no_face", "tracks": []}
    pretend_person(folder, "id3", id3_0002=rejected)
    touch_through(folder, "id3")
    assert messages(plan(folder, "all")) == real("id3_0002") | {PROVENANCE}


def test_a_clip_less(folder: Path) -> None:
    write_manifest(folder, CLIPS[:-1])
    wanted = looked_at("id3") | of_id3() | TABLES | {ACCEPT}
    assert messages(plan(folder, "all")) == wanted


def test_a_rejected_clip_less(finished: Path, folder: Path) -> None:
    rejected = {"accepted": False, "reason": "no_face", "tracks": []}
    pretend_person(folder, "id3", id3_0001=rejected)
    options = ("--touch", "--forceall", "--configfile", "four.yaml", "--", "all")
    snakemake(folder, *options).check()
    write_manifest(folder, CLIPS[:-1])
    pretend_person(folder, "id3")
    touch_through(folder, "id3")
    assert messages(plan(folder, "all")) == {PROVENANCE}


def test_a_clip_replaced(folder: Path) -> None:
    (folder / "clips" / "id3_0001.mp4").write_text("other pictures")
    wanted = looked_at("id3") | of_id3() | TABLES | {ACCEPT} | real("id3_0001")
    assert messages(plan(folder, "all")) == wanted


def test_a_clip_replaced_by_one_of_the_same_size_and_time(folder: Path) -> None:
    path = folder / "clips" / "id3_0001.mp4"
    facts = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == facts.st_size
    assert looked_at("id3") <= messages(plan(folder, "all"))


def test_another_part_of_a_clip(folder: Path) -> None:
    write_manifest(folder, CLIPS, id3_0001=["CC0", "0.5", "2"])
    wanted = looked_at("id3") | of_id3() | TABLES | {ACCEPT} | real("id3_0001")
    assert messages(plan(folder, "all")) == wanted


def test_a_changed_decision_on_somebody_else(folder: Path) -> None:
    """Another face of id3_0001 is chosen: what uses the clip's tracks runs, real videos do not."""
    pretend_person(folder, "id3", id3_0001={"tracks": [0, 1]})
    assert messages(plan(folder, "all")) == of_id3() | TABLES


def test_a_measure_in_the_fourth_digit(folder: Path) -> None:
    for person in PEOPLE:
        (folder / RESULTS / "verdicts" / f"{person}.json").write_text('{"distance_other": 0.6491}')
    assert messages(plan(folder, "all")) == {PROVENANCE}


# -- people ------------------------------------------------------------------------------------


def test_a_person_more(folder: Path) -> None:
    """And, once `accept` has accepted a clip, the table of people."""
    (folder / "clips" / "id4_0000.mp4").write_text("pictures of id4")
    write_manifest(folder, (*CLIPS, "id4_0000"))
    swaps = [*SWAPS, ("id4_0000", "id0"), ("id0_0000", "id4")]
    write_rows(folder / "clips" / "swaps.csv", [["clip", "donor"], *swaps])
    assert messages(plan(folder, "all")) == {
        *(ACCEPT, *TABLES, *looked_at("id4"), *real("id4_0000")),
        "Smoothing landmarks and aligning faces of id4",
        "Training id0-id4 for celebdf",
        "Synthesising id4_id0_0000 by celebdf",
        "Synthesising id0_id4_0000 by celebdf",
        "Measuring the fakes of id4",
        "Measuring the fakes of id0",
    }


def without_id3(folder: Path) -> None:
    write_manifest(folder, CLIPS[:-2])
    swaps = [(clip, donor) for clip, donor in SWAPS if "id3" not in (clip[:3], donor)]
    write_rows(folder / "clips" / "swaps.csv", [["clip", "donor"], *swaps])
    rows = list(csv.reader((folder / "clips" / "subjects.csv").open()))
    write_rows(folder / "clips" / "subjects.csv", rows[:-1])


def test_a_person_less(folder: Path) -> None:
    without_id3(folder)
    run = plan(folder, "all")
    assert messages(run) == {ACCEPT, DEMOGRAPHICS, *TABLES, "Measuring the fakes of id2"}
    told = [line for line in run.output.splitlines() if line.startswith("swapset: results/four:")]
    assert len(told) == 1
    assert "files and folders are from an earlier config and no longer made" in told[0]
    assert "'snakemake --cores 1 tidy --configfile four.yaml' removes them" in told[0]
    # Two real videos and two fakes, in three compressions.
    assert "dataset 12," in told[0]


def test_people_have_new_ages(folder: Path) -> None:
    rows = list(csv.reader((folder / "clips" / "subjects.csv").open()))
    rows[1][2] = "77"
    write_rows(folder / "clips" / "subjects.csv", rows)
    assert messages(plan(folder)) == {DEMOGRAPHICS}


# -- what changes nothing ----------------------------------------------------------------------


def test_another_licence_is_in_the_provenance_alone(folder: Path) -> None:
    write_manifest(folder, CLIPS, id3_0001=["CC-BY-4.0", "", ""])
    assert messages(plan(folder)) == {PROVENANCE}


def test_rows_in_another_order(folder: Path) -> None:
    write_manifest(folder, CLIPS[::-1])
    run = plan(folder)
    assert run.nothing_to_do, run.output


def test_comments_in_the_config(folder: Path) -> None:
    text = (folder / "four.yaml").read_text()
    (folder / "four.yaml").write_text(f"# A comment.\n{text}\n# Another one.\n")
    run = plan(folder)
    assert run.nothing_to_do, run.output


@pytest.mark.parametrize("seconds", [-1e8, 6 * 3600], ids=["past", "future"])
def test_new_times_of_sources(folder: Path, seconds: float) -> None:
    for path in (folder / "clips").iterdir():
        os.utime(path, (time.time() + seconds, time.time() + seconds))
    run = plan(folder)
    assert run.nothing_to_do, run.output


def test_renamed_folder_of_sources(folder: Path) -> None:
    (folder / "clips").rename(folder / "renamed {clips}")
    paths = {key: CONFIG[key].replace("clips/", "renamed {clips}/") for key in PATHS}
    (folder / "four.yaml").write_text(yaml.safe_dump({**CONFIG, **paths}))
    run = plan(folder)
    assert run.nothing_to_do, run.output


PATHS = ("clips", "subjects", "swaps")


def test_moved_checkout(folder: Path) -> None:
    moved = folder.rename(folder.parent / "my other project")
    run = plan(moved)
    assert run.nothing_to_do, run.output


def test_copy_without_times(folder: Path) -> None:
    """As `cp -r` makes it, with the oldest files last."""
    copy = copy_checkout(folder.parent / "copy")
    for name in ("clips", ".snakemake", "results"):
        shutil.copytree(folder / name, copy / name, copy_function=shutil.copyfile)
    shutil.copyfile(folder / "four.yaml", copy / "four.yaml")
    now = time.time()
    for number, path in enumerate(sorted((copy / "results").rglob("*"), reverse=True)):
        os.utime(path, (now + number, now + number))
    run = plan(copy)
    assert run.nothing_to_do, run.output
    assert "put back the times of" in run.output
    assert "put back" not in plan(copy).output


def test_source_from_the_future_is_ingested(folder: Path) -> None:
    """It stopped the build: outputs were older than it."""
    path = folder / "clips" / "id3_0001.mp4"
    path.write_text("other pictures")
    os.utime(path, (time.time() + 6 * 3600,) * 2)
    asked = (f"{RESULTS}/clips/id3", "--touch", "--configfile", "four.yaml")
    snakemake(folder, *asked).check()
    run = snakemake(folder, "--dry-run", f"{RESULTS}/clips/id3", "--configfile", "four.yaml")
    assert run.nothing_to_do, run.output


def test_every_output_has_its_place(finished: Path) -> None:
    """A build of nothing would find all outputs that depend on clips, people or settings."""
    root = finished / RESULTS
    nothing = SimpleNamespace(root=str(root), named=set(), includes=lambda values: False)
    found = set(Leftovers(nothing).paths())
    outputs = (finished / "outputs.txt").read_text().split()
    fixed = ("dataset/provenance.jsonl", "tables/quoted/")
    relative = {name.removeprefix(f"{RESULTS}/") for name in outputs}
    assert {name for name in relative if not name.startswith(fixed)} <= found


# -- tidy --------------------------------------------------------------------------------------


def test_tidy_leaves_nothing_of_a_withdrawn_person(folder: Path) -> None:
    (folder / RESULTS / "dataset" / "celebdf" / "my_own.mp4").write_text("not ours")
    (folder / RESULTS / "dataset" / "celebdf" / "original" / "my_own.mp4").write_text("not ours")
    without_id3(folder)
    pretend_outputs(folder, *TARGETS)
    for person in PEOPLE[:-1]:
        pretend_person(folder, person)
    options = ("--configfile", "four.yaml", "--")
    snakemake(folder, "--touch", "--forceall", *options, *TARGETS).check()
    snakemake(folder, *options, "tidy").check()
    left = [path for path in (folder / RESULTS).rglob("*") if "id3" in path.name]
    assert left == []
    assert (folder / RESULTS / "dataset" / "celebdf" / "original" / "my_own.mp4").is_file()
    assert (folder / RESULTS / "dataset" / "celebdf" / "original" / "id0_id1_0000.mp4").is_file()
    with (folder / RESULTS / "tables" / "tidied.csv").open() as stream:
        rows = {row["kind"]: row for row in csv.DictReader(stream)}
    assert rows["dataset (no longer made)"]["files"] == "12"
    for target in ("tidy", "all"):
        run = plan(folder, target)
        assert run.nothing_to_do, run.output
        assert "earlier config" not in run.output
