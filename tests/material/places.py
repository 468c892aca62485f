"""Checkouts in folders with strange names, and commands that see a folder as read-only."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

from material.running import ROOT, Run, environment

STRANGE = 'My "Pro\'ject" $HOME `x` \\ 100% #1 & ü\u00a0é'
"""Everything that a folder's name may have and a shell, make or Snakemake reads otherwise."""


def own_environment(checkout: Path) -> Path:
    """Make `.venv` in a checkout, with the packages of this process's Python; return its Python.

    Its Python has the path of the checkout in its own path, as after `make`. Installing the
    packages a second time would take minutes.
    """
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=checkout, check=True
    )
    (packages,) = (checkout / ".venv" / "lib").glob("python3*/site-packages")
    (packages / "host.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-models.lock"):
        shutil.copyfile(ROOT / name, checkout / name)
    (checkout / ".venv" / ".ready").touch()
    return checkout / ".venv" / "bin" / "python"


def said_by(command: list[str], folder: Path, **added: str) -> Run:
    """Run a command in a folder; `added` are further environment variables."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(**added),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=1800,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def read_only(folder: Path) -> list[str] | None:
    """Return the start of a command for which a folder is read-only; None if this cannot be done.

    Root may write into any folder whose disk is not read-only.
    """
    if os.geteuid():
        folder.chmod(0o555)
        return ["env"]
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    start = ["unshare", "--mount", "sh", "-c", mount, str(folder)]
    able = (
        shutil.which("unshare")
        and not subprocess.run([*start, "true"], capture_output=True, check=False).returncode
    )
    return start if able else None
