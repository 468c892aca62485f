"""Files with hostile names are read like all others, through Snakemake as well."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
import yaml
from checks import check, put
from child import Child
from material.running import copy_checkout, snakemake
from sandbox import Sandbox
from words import NAMES, RAW

from swapset.cli.main import main


def test_a_name_is_only_a_name(
    name: str, sandbox: Sandbox, child: Child, media_seeds: dict[str, bytes]
) -> None:
    for ending, jobs in (("mp4", ["ingest", "protect"]), ("png", ["picture"])):
        path = put(sandbox.source / f"{name}.{ending}", media_seeds[ending])
        outcome = child.read(jobs, path)
        check(f"name {name!a}", path, outcome)
        assert outcome.result == "read"


def sources(folder: Path, content: bytes) -> None:
    """Write clips of two people with the hostile names, and their manifest."""
    folder.mkdir()
    rows = [["clip", "subject", "path", "licence"]]
    names = [name for name in NAMES if name == name.lstrip()]  # cells of tables are stripped
    for number, name in enumerate(names):
        (folder / f"{name}.mp4").write_bytes(content)
        rows.append([f"id{number % 2}_{number:04d}", f"id{number % 2}", f"{name}.mp4", "CC0"])
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


def test_sources_of_a_build(tmp_path: Path, media_seeds: dict[str, bytes]) -> None:
    folder = copy_checkout(tmp_path / "a checkout")
    sources(folder / "it's $(touch ran)", media_seeds["mp4"])
    config = {"name": "odd", "clips": "it's $(touch ran)/clips.csv", "device": "cpu"}
    (folder / "odd.yaml").write_text(yaml.safe_dump(config))
    wanted = [f"results/odd/clips/{subject}" for subject in ("id0", "id1")]
    snakemake(folder, "--configfile", "odd.yaml", "--", *wanted).check()
    records = [json.loads((folder / clips / "ingest.json").read_text()) for clips in wanted]
    assert sum(map(len, records)) == len(NAMES) - 1
    assert all(record["ok"] for each in records for record in each.values())
    assert not list(tmp_path.rglob("ran"))


def test_a_manifest_is_written_for_all_names(
    tmp_path: Path, media_seeds: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """`swapset init` takes names that are text, and leaves others out with a reason."""
    for person in ("one", "two"):
        folder = tmp_path / "clips" / person
        folder.mkdir(parents=True)
        for name in [*map(os.fsencode, NAMES), RAW]:
            (Path(os.fsdecode(os.fsencode(folder) + b"/" + name + b".mp4"))).write_bytes(
                media_seeds["mp4"]
            )
    assert main(["init", str(tmp_path / "clips"), "--licence", "CC0"]) == 0
    shown = capsys.readouterr().out
    assert f"{2 * len(NAMES)} clips of 2 people" in shown
    assert "half" in shown
