"""Times of results that were copied without them."""

from __future__ import annotations

import json
import os
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from swapset.build.resources import lock_of, lock_results
from swapset.build.times import is_copy, lacks_records, put_back

LONG = "results/four/" + "x" * 200 + "/" + "y" * 100


def write_record(folder: Path, output: str, time: float) -> None:
    """Write a record as Snakemake does: long names go over several folders."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[i : i + 254] for i in range(0, len(name), 254)]
    path = folder.joinpath(*[f"@{part}" for part in parts[:-1]], parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"endtime": time}))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, one with a long name, and a folder as results, and their records."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("results/four/a.csv", LONG, "results/four/clips/id0")):
        path = tmp_path / name
        if number == 2:
            path.mkdir(parents=True)
            (path / ".snakemake_timestamp").touch()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        write_record(tmp_path / ".snakemake" / "metadata", name, 1000.5 + number)
    write_record(tmp_path / ".snakemake" / "metadata", "results/other/a.csv", 7.0)
    write_record(tmp_path / ".snakemake" / "metadata", "results/four/gone.csv", 7.0)
    return tmp_path


def test_times_come_from_the_records(checkout: Path) -> None:
    assert put_back("results/four", checkout / ".snakemake" / "metadata") == 3
    files = ("results/four/a.csv", LONG, "results/four/clips/id0/.snakemake_timestamp")
    assert [(checkout / name).stat().st_mtime for name in files] == [1000.5, 1001.5, 1002.5]


def test_damaged_records_are_passed_over(checkout: Path) -> None:
    records = checkout / ".snakemake" / "metadata"
    for path in records.rglob("*"):
        if path.is_file():
            path.write_text("{")
    (records / "not base64 \N{SNOWMAN}").write_text("{}")
    assert put_back("results/four", records) == 0
    assert put_back("results/four", checkout / "nowhere") == 0


def test_results_without_records_are_noticed(checkout: Path) -> None:
    records = checkout / ".snakemake" / "metadata"
    for root in ("results/four", "results/" + "x" * 200):
        assert not lacks_records(root, records), "nothing is made yet"
        table = Path(root, "tables", "clips.csv")
        table.parent.mkdir(parents=True)
        table.touch()
        assert lacks_records(root, records)
        write_record(records, str(table), 1.0)
        assert not lacks_records(root, records)


def test_a_copy_is_known_by_its_lock(tmp_path: Path) -> None:
    root, copy = tmp_path / "four", tmp_path / "copy"
    assert not is_copy(lock_of(str(root)))
    lock_results(str(root)).close()
    assert not is_copy(lock_of(str(root)))
    shutil.copytree(root, copy)
    assert not is_copy(lock_of(str(copy)))
    os.utime(lock_of(str(copy)))
    assert is_copy(lock_of(str(copy)))
    lock_results(str(copy)).close()
    assert not is_copy(lock_of(str(copy)))
