"""How these tests run a build on Slurm: this machine is a node of its own (tests/cluster)."""

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
    """Start or stop the node's daemons, installed before where needed; status 77: it cannot be."""
    script = ROOT / "tests" / "cluster" / "slurm_node.sh"
    return subprocess.run(
        ["bash", str(script), do], capture_output=True, text=True, timeout=600, check=False
    )


def slurm_checkout(folder: Path) -> Path:
    """Write the small build's checkout, with the profile."""
    make_checkout(folder)
    shutil.copytree(ROOT / "profiles" / "slurm", folder / "profiles" / "slurm")
    return folder
