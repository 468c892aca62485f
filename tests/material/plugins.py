"""Packages with plug-ins, installed into folders that tests put on Python's path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from material.running import ROOT

SOURCE = Path(__file__).with_name("plugin_package")
"""The package of docs/extending.md."""


def install_example(site: Path, work: Path) -> Path:
    """Install the example by pip, as docs/extending.md says, and return the folder it is in."""
    source = shutil.copytree(SOURCE, work / "plugin_package")  # pip writes beside the source
    how = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    command = [sys.executable, "-m", "pip", "install", *how, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return site


def add_package(
    site: Path, name: str, entries: Mapping[str, Mapping[str, str]], files: Mapping[str, str] = {}
) -> Path:
    """Write a package with entry points by group, as an installer leaves it.

    Parameters
    ----------
    site : Path
    name : str
        As in an index: "some-package".
    entries : mapping of str to mapping of str to str
        "detectors" and so on: name to value.
    files : mapping of str to str
        Modules with their text.
    """
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for kind, values in entries.items():
        lines += [f"[swapset.{kind}]", *(f"{key} = {value}" for key, value in values.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for file, text in files.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)
    return site


def with_packages(*sites: Path) -> dict[str, str]:
    """Return the environment of a process that sees this library and packages in folders."""
    paths = map(str, (*sites, ROOT))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
