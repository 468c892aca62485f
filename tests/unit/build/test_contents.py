"""Ids of files from outside: the same for the same content, whatever place and times say."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swapset.build import contents
from swapset.build.contents import Contents, OutsideFile
from swapset.errors import ConfigError
from swapset.io.files import content_hash

KEY = "clips/id0_0000"


class Folder:
    """A folder with one source clip, looked at as by one run after the other."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / "media" / "a.mp4"
        self.path.parent.mkdir()
        self.path.write_text("one")
        self.recorded: dict[str, str] = {}
        self.notices: list[str] = []

    def look(self, hashed_now: bool = False) -> str:
        """Return the file's id in a new run."""
        ids = Contents(self.folder / "store" / "ids.json", self.recorded.get)
        file = OutsideFile(KEY, str(self.path), hashed_now)
        ids.look([file], self.notices.append)
        assert Contents(self.folder / "store" / "ids.json", {}.get).of(file.path) == ids.of(
            file.path
        ), "a job knows the ids that its run has found"
        return ids.of(file.path)

    def read_by_a_job(self) -> None:
        self.recorded[KEY] = content_hash(self.path)


@pytest.fixture(params=[False, True], ids=["hashed when changed", "hashed at once"])
def look(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Folder, Callable[[], str]]:
    """The folder after a first run, in which a job has read the file."""
    folder = Folder(tmp_path)
    folder.look(request.param)
    folder.read_by_a_job()
    return folder, lambda: folder.look(request.param)


def later(path: Path, seconds: float) -> None:
    when = path.stat().st_mtime + seconds
    os.utime(path, (when, when))


def test_other_times_are_the_same_file(look: tuple[Folder, Callable[[], str]]) -> None:
    folder, again = look
    first = again()
    for seconds in (1, 6 * 3600, -1e6):
        later(folder.path, seconds)
        assert again() == first


def test_other_places_are_the_same_file(look: tuple[Folder, Callable[[], str]]) -> None:
    folder, again = look
    first = again()
    moved = folder.folder / "renamed {here} \N{SNOWMAN}"
    folder.path.parent.rename(moved)
    folder.path = moved / "a.mp4"
    assert again() == first
    copied = folder.folder / "copied"
    shutil.copytree(moved, copied, copy_function=shutil.copyfile)
    shutil.rmtree(moved)
    folder.path = copied / "a.mp4"
    assert again() == first


def test_other_content_is_another_file_until_it_is_back(
    look: tuple[Folder, Callable[[], str]],
) -> None:
    folder, again = look
    first = again()
    folder.path.write_text("two")
    second = again()
    assert second != first
    assert again() == second
    folder.path.write_text("one")
    assert again() == first


def test_same_size_and_time_do_not_hide_other_content(
    look: tuple[Folder, Callable[[], str]],
) -> None:
    """The system's own time of the last change shows it."""
    folder, again = look
    first, facts = again(), folder.path.stat()
    folder.path.write_text("two")
    os.utime(folder.path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert again() != first


def test_a_file_that_lies_still_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    monkeypatch.setattr(time, "time_ns", lambda: folder.path.stat().st_ctime_ns + 10**10)
    first = folder.look()
    folder.path.chmod(0o000)
    monkeypatch.setattr(contents, "content_hash", lambda path: pytest.fail("was read"))
    with pytest.raises(pytest.fail.Exception):
        folder.look()  # other rights are a change of the file's properties
    monkeypatch.undo()
    folder.path.chmod(0o600)
    monkeypatch.setattr(time, "time_ns", lambda: folder.path.stat().st_ctime_ns + 10**10)
    folder.read_by_a_job()
    assert folder.look() == first
    monkeypatch.setattr(contents, "content_hash", lambda path: pytest.fail("was read"))
    assert folder.look() == first


def test_reading_is_announced_where_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.look()
    folder.path.write_text("other")
    folder.look()
    assert not folder.notices
    monkeypatch.setattr(contents, "TOLD_FROM", 6)
    folder.path.write_text("longer")
    folder.look()
    assert folder.notices == ["reading 1 file (0.0 MB) to see whether they changed"]


def test_nobody_read_the_file_before_it_changed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.look()
    folder.path.write_text("two")
    second = folder.look()
    folder.read_by_a_job()
    later(folder.path, 60)
    assert folder.look() == second


def test_a_lost_or_damaged_store_is_begun_anew(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.look()
    store = tmp_path / "store" / "ids.json"
    for text in ("", "[1]", '{"a": 3}'):
        store.write_text(text)
        assert folder.look() == first
    store.unlink()
    assert folder.look() == first


def test_other_files_stay_in_the_store(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.look()
    store = tmp_path / "store" / "ids.json"
    Contents(store, {}.get).look([OutsideFile("other", str(folder.path))], folder.notices.append)
    assert set(json.loads(store.read_text())) == {KEY, "other"}


def test_a_folder_of_pictures_is_its_files(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.path.parent / "deep").mkdir()
    (folder.path.parent / "deep" / "b.jpg").write_text("b")
    folder.path = folder.path.parent
    first = folder.look(hashed_now=True)
    folder.path = folder.path.rename(tmp_path / "elsewhere")
    assert folder.look(hashed_now=True) == first
    (folder.path / "a.mp4").rename(folder.path / "c.mp4")
    assert folder.look(hashed_now=True) != first


def test_a_missing_file_is_named_with_its_key(tmp_path: Path) -> None:
    file = OutsideFile("detection.settings.Meso4.weights", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"Meso4.weights: .*gone cannot be read \(No such file"):
        Contents(tmp_path / "ids.json", {}.get).look([file], print)


def test_settings_have_ids_in_place_of_paths(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    ids = Contents(tmp_path / "ids.json", {}.get)
    ids.look([OutsideFile(KEY, str(folder.path))], print)
    path, known = str(folder.path), ids.of(str(folder.path))
    settings = {"weights": path, "list": [[path, 1]], "other": "x", "none": None}
    assert ids.identify(settings) == {
        "weights": known,
        "list": [[known, 1]],
        "other": "x",
        "none": None,
    }
