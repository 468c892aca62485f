"""Outputs are whole or not there, also when their writer is killed."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import psutil
import pytest

from swapset.errors import DataError
from swapset.io.files import (
    atomic_output,
    is_empty,
    read_csv,
    read_json,
    sha256_of,
    write_csv,
    write_empty,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_may_be_read_by_whoever_may_read_others(tmp_path):
    (tmp_path / "other").touch()
    with atomic_output(tmp_path / "file") as scratch:
        scratch.touch(0o600)  # as safetensors does
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_file_appears_at_the_end_and_whole(tmp_path):
    target = tmp_path / "new" / "clip.mp4"
    with atomic_output(target) as scratch:
        assert scratch.suffix == ".mp4"  # encoders choose the container by it
        scratch.write_text("half")
        assert not target.exists()
        scratch.write_text("whole")
    assert target.read_text() == "whole"
    assert names(target.parent) == ["clip.mp4"]


def test_an_error_leaves_what_was_there(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def write():
        with atomic_output(target) as scratch:
            scratch.write_text("half")
            raise OSError(errno.ENOSPC, "disk full")

    with pytest.raises(OSError, match="full"):
        write()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_folder_replaces_an_older_one_as_a_whole(tmp_path):
    target = tmp_path / "faces"
    target.mkdir()
    (target / "stale.npy").touch()
    with atomic_output(target, directory=True) as scratch:
        (scratch / "fresh.npy").touch()
    assert names(target) == ["fresh.npy"]
    assert names(tmp_path) == ["faces"]


@pytest.mark.parametrize("directory", [False, True])
def test_a_killed_writer_leaves_nothing_that_is_taken_for_whole(tmp_path, directory):
    target = tmp_path / "[id0] 1.npy"  # a name that globbing would misread
    script = f"""
        import os, signal
        from swapset.io.files import atomic_output
        with atomic_output({str(target)!r}, directory={directory}) as scratch:
            path = scratch / "part" if {directory} else scratch
            path.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(names(tmp_path)) == 1
    with atomic_output(target, directory=directory) as scratch:
        (scratch / "part" if directory else scratch).write_text("whole")
    assert names(tmp_path) == [target.name]


def test_a_living_writers_scratch_is_left_alone(tmp_path):
    others = tmp_path / f".clip.{os.getppid()}.partial.mp4"
    others.touch()
    with atomic_output(tmp_path / "clip.mp4") as scratch:
        scratch.touch()
    assert others.exists()


def test_a_later_process_with_the_writers_number_is_another_one(tmp_path):
    scratch = tmp_path / f".clip.{os.getppid()}.partial.mp4"
    scratch.touch()
    started = psutil.Process(os.getppid()).create_time()
    os.utime(scratch, (started - 10, started - 10))
    with atomic_output(tmp_path / "clip.mp4") as mine:
        mine.touch()
    assert not scratch.exists()


def test_scratch_of_a_longer_name_is_left_alone(tmp_path):
    """Its writer may live on another machine."""
    others = tmp_path / ".tiny.v2.999999999.partial.json"
    others.touch()
    write_json(tmp_path / "tiny.json", {})
    assert others.exists()
    write_json(tmp_path / "tiny.v2.json", {})
    assert not others.exists()


def test_damaged_json_is_named(tmp_path):
    path = tmp_path / "record.json"
    write_json(path, {"clip": "Zoë", "frames": [1, 2]})
    assert read_json(path) == {"clip": "Zoë", "frames": [1, 2]}
    path.write_text(path.read_text()[:-8])
    with pytest.raises(DataError, match=r"record\.json: not valid JSON"):
        read_json(path)


def test_json_without_a_value_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert names(tmp_path) == []
    write_json(tmp_path / "a.json", None)
    assert json.loads((tmp_path / "a.json").read_text()) is None


def test_tables_have_six_decimals_and_empty_cells(tmp_path):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"a": [1 / 3, None], "b": ["x", "y"]}))
    assert (tmp_path / "t.csv").read_text() == "a,b\n0.333333,x\n,y\n"


def test_empty_files_and_hashes(tmp_path):
    write_empty(tmp_path / "nothing")
    assert is_empty(tmp_path / "nothing")
    known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of(tmp_path / "nothing") == known


@pytest.mark.parametrize("left", [0, 5, -1])
def test_tables_that_were_cut_short_are_refused(tmp_path, left):
    path = tmp_path / "table.csv"
    write_csv(path, pd.DataFrame({"name": ["a", "b"], "value": [0.125, 0.25]}))
    assert read_csv(path)["value"].tolist() == [0.125, 0.25]
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DataError, match=r"table\.csv: not a complete table"):
        read_csv(path)
