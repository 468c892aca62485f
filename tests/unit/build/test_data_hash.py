"""A rule's hash of data files changes with what they hold, and every such folder is some rule's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from swapset.build import data_hash as module
from swapset.build.data_hash import LIBRARY, data_hash

ROOT = LIBRARY.parent
READ_BY_COMMANDS = {"planning"}
"""Folders of data files that `swapset plan` reads, and no rule."""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("room/pages/a.txt", "room/pages/b.txt", "room/pages/inside/c.txt", "room/d.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    monkeypatch.setattr(module, "LIBRARY", tmp_path)
    return tmp_path


def test_content_and_names_count(library: Path) -> None:
    pages = library / "room" / "pages"
    seen = [data_hash("room/pages")]
    for change in (
        lambda: (pages / "a.txt").write_text("2"),
        lambda: (pages / "b.txt").rename(pages / "c.txt"),
        lambda: (pages / "empty.txt").touch(),
    ):
        change()
        seen.append(data_hash("room/pages"))
    assert len(set(seen)) == len(seen)
    assert all(re.fullmatch("[0-9a-f]{16}", value) for value in seen)


def test_times_and_other_folders_do_not(library: Path) -> None:
    before = data_hash("room/pages")
    (library / "room" / "pages" / "a.txt").touch()
    (library / "room" / "pages" / "inside" / "c.txt").write_text("2")
    (library / "room" / "d.txt").write_text("2")
    assert data_hash("room/pages") == before


def data_files() -> list[Path]:
    paths = (path for path in LIBRARY.rglob("*") if path.is_file())
    return [path for path in paths if path.suffix not in (".py", ".pyc")]


def test_every_folder_of_data_files_is_in_the_params_of_a_rule() -> None:
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    hashed = re.findall(r'^        data=data_hash\("(.+)"\),$', text, re.M)
    folders = {path.parent.relative_to(LIBRARY).as_posix() for path in data_files()}
    assert sorted([*hashed, *READ_BY_COMMANDS]) == sorted(folders)


def test_every_data_file_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    installed = {
        path
        for package, patterns in project["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    assert installed == set(data_files())
