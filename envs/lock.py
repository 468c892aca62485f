"""Choose the versions of all packages: requirements.lock and the conda files beside this script.

make lock

Everything that pyproject.toml asks for, test tools included, is resolved from nothing with the
newest versions that fit each other. Run it with the oldest Python that is supported, because what
supports it supports newer ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
# What torch's CUDA build brings along; the CPU build has none of it, so it is left to torch.
_OF_CUDA = ("nvidia-", "cuda-", "triton")

_LOCK_HEADER = """\
# Every package, with the version that is tested. Written by `make lock`; installed by make.
# torch comes as the build that pip's index serves: see "CPU or GPU" in docs/configuration.md.
# yt-dlp (the `fetch` extra) is left out: only its newest version works with the sites.
"""
_CONDA = """\
# For `--sdm conda`: environment of the rules that {use}.
# Written by `make lock` with the versions of requirements.lock. They all come through pip: conda
# channels lack several of them (dlib-bin, face_recognition_models, torch {torch}).
name: swapset-{name}
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python ={python}
  - pip
  - pip:
"""
_CPU_INDEX = "      - --extra-index-url https://download.pytorch.org/whl/cpu\n"


def resolve(*wanted: str) -> dict[str, str]:
    """Return name and version of all packages that pip would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        flags = ["--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "pip", "install", *flags, *wanted], cwd=ROOT, check=True
        )
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    versions = {item["metadata"]["name"]: item["metadata"]["version"] for item in found}
    return {
        name: version.partition("+")[0]
        for name, version in sorted(versions.items(), key=lambda item: item[0].lower())
        if name != "swapset" and not name.startswith(_OF_CUDA)
    }


def conda_text(name: str, use: str, versions: dict[str, str], pip_lines: str = "") -> str:
    """Return a conda file that installs `versions` through pip."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    head = _CONDA.format(name=name, use=use, python=python, torch=versions["torch"])
    return head + pip_lines + "".join(f"      - {n}=={v}\n" for n, v in versions.items())


def main() -> None:
    """Rewrite requirements.lock, envs/cpu.yaml and envs/gpu.yaml."""
    # setuptools builds the project itself.
    everything = resolve(".[test]", "setuptools")
    lines = "".join(f"{name}=={version}\n" for name, version in everything.items())
    LOCK.write_text(_LOCK_HEADER + lines, encoding="utf-8")
    needed = resolve(".", "--constraint", str(LOCK))
    cpu = conda_text("cpu", "run on the processor", needed, _CPU_INDEX)
    gpu = conda_text("gpu", "run networks; PyPI's torch is the CUDA build", needed)
    (ROOT / "envs" / "cpu.yaml").write_text(cpu, encoding="utf-8")
    (ROOT / "envs" / "gpu.yaml").write_text(gpu, encoding="utf-8")


if __name__ == "__main__":
    main()
