"""A build of four people that only looks finished: what a change makes run again is planned by it.

Nothing is computed. Every output is there, with the little content that plans are made from, and
Snakemake has recorded all jobs (`--touch`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from material.builds import NETWORK, write_rows
from material.running import Run, copy_checkout, snakemake

from swapset.build.workflow import Workflow

PEOPLE = ("id0", "id1", "id2", "id3")
CLIPS = tuple(f"{person}_{number}" for person in PEOPLE for number in ("0000", "0001"))
SWAPS = (
    *(("id0_0000", "id1"), ("id1_0000", "id0"), ("id2_0000", "id3"), ("id3_0000", "id2")),
    *(("id0_0001", "id2"), ("id2_0001", "id0")),
)
"""Pairs id0-id1, id2-id3 and id0-id2."""
CONFIG: dict[str, Any] = {
    "name": "four",
    "clips": "clips/clips.csv",
    "subjects": "clips/subjects.csv",
    "swaps": "clips/swaps.csv",
    "device": "cpu",
    "methods": ["celebdf"],
    "recipes": {"celebdf": {**NETWORK, "steps": 20}},
    "detectors": ["Meso4"],
    "detection": {"block": 2},
    "extractors": ["fan"],
    "attacks": ["base1"],
    "landmark_breaker": {"subjects": ["id0"], "protected_pairs": 0},
}
RESULTS = Path("results", "four")
TARGETS = ("all", "detector_auc", "landmark_breaker")


def write_inputs(folder: Path) -> None:
    """Write clips of a few bytes, their tables and the config."""
    (folder / "clips").mkdir(parents=True)
    for clip in CLIPS:
        (folder / "clips" / f"{clip}.mp4").write_text(f"pictures of {clip}")
    write_manifest(folder, CLIPS)
    people = [[person, "female", str(20 + number), "a"] for number, person in enumerate(PEOPLE)]
    header = ["subject", "gender", "age", "ethnicity"]
    write_rows(folder / "clips" / "subjects.csv", [header, *people])
    write_rows(folder / "clips" / "swaps.csv", [["clip", "donor"], *SWAPS])
    (folder / "four.yaml").write_text(yaml.safe_dump(CONFIG))


def write_manifest(folder: Path, clips: tuple[str, ...], **changed: list[str]) -> None:
    """Write the manifest; `changed` are the cells of some clips after path: licence, start, end."""
    rows = [["clip", "subject", "path", "licence", "start", "end"]]
    for clip in clips:
        rows.append(
            [clip, clip.partition("_")[0], f"{clip}.mp4", *changed.get(clip, ["CC0", "", ""])]
        )
    write_rows(folder / "clips" / "clips.csv", rows)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def pretend(folder: Path) -> None:
    """Write a checkout with a build of four people that looks finished."""
    copy_checkout(folder)
    write_inputs(folder)
    (folder / "outputs.txt").write_text("\n".join(pretend_outputs(folder, *TARGETS)))
    (folder / RESULTS / "benchmarks").mkdir(exist_ok=True)
    (folder / RESULTS / "benchmarks" / "detector_auc.tsv").touch()  # of a rule that is a target
    for person in PEOPLE:
        pretend_person(folder, person)
    snakemake(folder, "--touch", "--forceall", "--configfile", "four.yaml", "--", *TARGETS).check()


def pretend_outputs(folder: Path, *targets: str) -> list[str]:
    """Write the outputs of targets that are missing, and return the names of all."""
    options = ("--summary", "--configfile", "four.yaml", "--", *targets)
    planned = snakemake(folder, *options).check().output
    names = re.findall(r"^(results/four/\S+)\t", planned, re.M)
    for path in (folder / name for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.suffix:
            path.mkdir(exist_ok=True)
        elif not path.exists():
            path.write_text("{}" if path.suffix == ".json" else path.name)
    return names


def pretend_person(folder: Path, person: str, **decisions: dict[str, Any]) -> None:
    """Write what `ingest` and `accept` write about a person.

    Parameters
    ----------
    folder : Path
        The checkout.
    person : str
    **decisions : dict
        By clip, what is not as usual.
    """
    with _inside(folder):
        stages = Workflow(yaml.safe_load(Path("four.yaml").read_text()))
        stages.contents.look(stages.outside, lambda sentence: None)
        requests = stages.decisions(here=True).requests(person)
        sources = {clip: stages.build.source_of(clip) for clip in requests}
    hashes = {clip: _sha256(folder / path) for clip, path in sources.items()}
    results = folder / RESULTS
    records = {clip: {"source_sha256": sha256} for clip, sha256 in hashes.items()}
    (results / "clips" / person / "ingest.json").write_text(json.dumps(records))
    usual = {"accepted": True, "reason": "", "tracks": [0]}
    decided = {
        clip: {
            **usual,
            "clip_sha256": hashes[clip],
            "tracks_sha256": hashes[clip],
            "source_sha256": hashes[clip],
            "request": request,
            **decisions.get(clip, {}),
        }
        for clip, request in requests.items()
    }
    (results / "accepted" / f"{person}.json").write_text(json.dumps(decided))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plan(folder: Path, *targets: str) -> Run:
    """Plan targets, by default all of `TARGETS`, in a dry run."""
    options = ("--dry-run", "--configfile", "four.yaml", "--")
    return snakemake(folder, *options, *(targets or TARGETS))


def messages(run: Run) -> set[str]:
    """Return the messages of the jobs that a run plans."""
    return set(re.findall(r"^Job \d+: (.*)", run.check().output, re.M))
