from __future__ import annotations

import os
from pathlib import Path

import pytest
from material.running import once
from material.small_build import Undisturbed, build_undisturbed

LONG = (
    "cluster/test_slurm",
    "workflow/test_obstruction",
    "workflow/test_detection",
    "faults",
    "workflow",
)
"""Files and folders of tests that run first, so that the test processes end together."""


def pytest_configure() -> None:
    """Give each test process, and what it starts, one thread: each core has a process already."""
    for library in ("OMP", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first; the rest stays in its order."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    names = (path.parent.name, f"{path.parent.name}/{path.stem}")
    return next((place for place, name in enumerate(LONG) if name in names), len(LONG))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A finished small build by two cores (leave it as it is): what others have to end as."""
    return Undisturbed.load(once(tmp_path_factory, "whole", build_undisturbed))
