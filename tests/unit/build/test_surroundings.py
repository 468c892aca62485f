"""Folders and options that Snakemake needs are right, are replaced, or are named in one line."""

from __future__ import annotations

import getpass
import marshal
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from swapset.build import surroundings
from swapset.build.surroundings import prepare, why_not_writable

USUAL = ("/tmp", "/var/tmp")  # noqa: S108


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a home and without settings; changes are undone."""
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in ("TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", os.environ.get("LOGNAME", "somebody"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(surroundings, "_CODE", tmp_path / "code")
    home, work = tmp_path / "home", tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return work


def said(*arguments: str) -> str:
    """Return the one line that ends a run with these options."""
    with pytest.raises(SystemExit) as caught:
        prepare(["--cores", "2", *arguments])
    message = str(caught.value)
    assert message.startswith("swapset: ")
    assert "\n" not in message
    return message


def test_where_all_is_well_nothing_changes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    prepare([])
    assert dict(os.environ) == before
    assert capsys.readouterr().err == ""
    assert list(place.iterdir()) == [place / ".snakemake"]
    assert list((place / ".snakemake").iterdir()) == []


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_caches_go_elsewhere_if_they_must(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
) -> None:
    blocked = place.parent / "file"
    blocked.touch()
    monkeypatch.setenv(variable, str(blocked))
    prepare([])
    caches = place / ".snakemake" / "cache"
    assert os.environ["XDG_CACHE_HOME"] == str(caches)
    assert os.environ["MPLCONFIGDIR"] == str(caches / "mplconfigdir")
    assert os.environ["TRITON_CACHE_DIR"] == str(caches / "triton")
    assert not why_not_writable(caches / "snakemake")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"swapset: {variable}: {blocked}")
    assert "Not a directory" in lines[0]


def test_a_missing_folder_for_temporary_files_is_replaced(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(place / "none"))
    prepare([])
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == USUAL[0]
    assert capsys.readouterr().err == (
        f"swapset: TMPDIR: {place}/none cannot be used (no such folder); temporary files go to "
        f"{USUAL[0]}\n"
    )


def test_a_nearly_full_one_is_replaced(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The working folder comes last; if that is full as well, the variable is named."""
    real, full = shutil.disk_usage, {str(place.parent), *USUAL}

    def usage(folder: Path) -> object:
        return type("Usage", (), {"free": 9 << 20}) if str(folder) in full else real(folder)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    prepare([])
    assert os.environ["TMPDIR"] == str(place / ".snakemake")
    assert "(only 9 MB free)" in capsys.readouterr().err
    full |= {str(place / ".snakemake"), os.environ["TMPDIR"]}
    message = said()
    assert message.startswith("swapset: TMPDIR: temporary files cannot be written (")
    assert message.endswith("set TMPDIR to a folder with free space")


@pytest.mark.parametrize("options", [(), ("-d", "FOLDER"), ("--directory=FOLDER",)])
def test_a_folder_that_cannot_be_written_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    folder = place / "it's"
    folder.mkdir()
    (folder / ".snakemake").touch()
    if not options:
        monkeypatch.chdir(folder)
    message = said(*(option.replace("FOLDER", str(folder)) for option in options))
    assert message.startswith(f"swapset: {folder}: snakemake cannot write here (")
    assert "--directory FOLDER" in message


def test_a_path_that_a_profile_cannot_use_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place / "a $b"
    folder.mkdir()
    prepare(["-d", str(folder)], forbidden='"`')
    with pytest.raises(
        SystemExit, match="a \\$b: this profile cannot submit jobs from a folder wi"
    ):
        prepare(["-d", str(folder)], forbidden='"$')


def test_a_new_folder_is_made(place: Path) -> None:
    prepare(["--directory", str(place / "new" / "one")])
    assert (place / "new" / "one" / ".snakemake").is_dir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--configfile", "my.yaml", "detector_auc"],
            "there is no file 'detector_auc'; if it is a",
        ),
        (["--configfile", "none.yaml"], "there is no file 'none.yaml' in "),
        (["--configfiles", "my.yaml", "none.yml", "-n"], "there is no file 'none.yml' in "),
        (["--config", "device=cpu", "report"], "'report' is not KEY=VALUE; if it is a target, na"),
        (["-C", "seed=1", "report", "--", "all"], "'report' is not KEY=VALUE"),
        (["--configfile=none.yaml"], "there is no file 'none.yaml' in "),
    ],
)
def test_targets_after_options_that_take_them_are_named(
    place: Path, arguments: list[str], words: str
) -> None:
    (place / "my.yaml").touch()
    assert words in said(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--configfile", "my.yaml", "--config", "device=cpu", "seed=2", "-n"],
        ["--configfile", "my.yaml", "my.yaml", "--", "report"],
        ["--configfile=my.yaml", "report"],
        ["--config", "a=b", "--", "report"],
    ],
)
def test_targets_in_their_place_are_fine(place: Path, arguments: list[str]) -> None:
    (place / "my.yaml").touch()
    prepare(arguments)
    assert (place / ".snakemake").is_dir()


@pytest.mark.parametrize("where", ["code/deep", "work/swapset/deep", "checkout/swapset"])
def test_byte_code_that_a_full_disk_cut_is_removed(place: Path, where: str) -> None:
    """In the library that runs the check, and in the one beside the Snakefile."""
    cache = place.parent / where / "__pycache__"
    cache.mkdir(parents=True)
    code = bytes(16) + marshal.dumps(compile("a = 'b'", "c.py", "exec"))
    for length in (0, 10, 17, len(code) - 1, len(code)):
        (cache / f"m{length}.pyc").write_bytes(code[:length])
    prepare(["-s", "../checkout/Snakefile"] if where.startswith("checkout") else [])
    assert [path.name for path in cache.iterdir()] == [f"m{len(code)}.pyc"]


def test_a_user_without_a_name_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    prepare([])
    assert getpass.getuser() == f"uid{os.getuid()}"
