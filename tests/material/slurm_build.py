"""Run a build on Slurm in tests, with this machine as the only node (tests/cluster)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from material.running import ROOT
from material.small_build import make_checkout

# Without accounting.
SLURM = [
    *("--workflow-profile", "profiles/slurm", "--jobs", "4", "--latency-wait", "10"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
]


def node(do: str) -> subprocess.CompletedProcess[str]:
    """Start or stop the node's daemons; install them if needed. Status 77: not possible here."""
    script = ROOT / "tests" / "cluster" / "slurm_node.sh"
    return subprocess.run(
        ["bash", str(script), do], capture_output=True, text=True, timeout=600, check=False
    )


def slurm_checkout(folder: Path) -> Path:
    """Write the small build's checkout with the Slurm profile."""
    make_checkout(folder)
    shutil.copytree(ROOT / "profiles" / "slurm", folder / "profiles" / "slurm")
    return folder
