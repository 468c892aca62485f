"""Paths with spaces, quotes and dollars stay one word in Snakemake's shell lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake_interface_executor_plugins import utils

from swapset.build.shell_lines import check_checkout, name_python_plainly, shell_quoted
from swapset.errors import ConfigError

STRANGE = 'My "Pro\'ject" $HOME `x` \\ ü\u00a0é'


def echoed(line: str) -> list[str]:
    """Return the words of a line as a shell reads them."""
    done = subprocess.run(  # noqa: S602 - what is tested
        f"printf '%s\\n' {line}", shell=True, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("value", [STRANGE, "", "plain", "it's", "{braces}"])
def test_words_are_quoted_as_a_shell_needs_it(value: str) -> None:
    assert echoed(shell_quoted(value)) == [value]


def test_snakemakes_own_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Snakefile puts `shell_quoted` in the place of `repr` there."""
    monkeypatch.setattr(utils, "repr", shell_quoted, raising=False)
    path = f"/data/{STRANGE}/Snakefile"
    assert echoed(utils.format_cli_arg("--snakefile", path)) == ["--snakefile", path]
    assert echoed(utils.format_cli_arg("--config", {"results": path})) == [
        "--config", f"results={path}"
    ]  # fmt: skip
    assert utils.format_cli_arg("--cores", 2) == "--cores 2"


def test_python_is_found_through_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / STRANGE
    folder.mkdir()
    (folder / "python9").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setattr(sys, "executable", str(folder / "python9"))
    name_python_plainly()
    assert sys.executable == "python9"
    found = subprocess.run(  # noqa: S602 - what is tested
        "command -v python9",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(folder / "python9")


def test_a_plain_path_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/venv-1.2/bin/python3")
    before = os.environ["PATH"]
    name_python_plainly()
    assert (sys.executable, os.environ["PATH"]) == ("/opt/venv-1.2/bin/python3", before)


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        (
            "/data/a:b",
            "has ':' in it: it separates folders in PATH and PYTHONPATH; rename the folder",
        ),
        ("/data/a\nb", r"has '\\n' in it"),
        ("/data/{b", "has '{' in it: Snakemake takes it for a wildcard"),
        ("/data/\udcff", "is not UTF-8; rename the folder"),
    ],
)
def test_what_cannot_work_is_said(folder: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_checkout(folder)


def test_what_can_work_is_not_refused() -> None:
    check_checkout(f"/data/{STRANGE}/swapset")
