from __future__ import annotations

from pathlib import Path

import pytest
from small_build import Undisturbed, build_undisturbed


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A finished small build by two cores (leave it as it is): what others have to end as."""
    return build_undisturbed(tmp_path_factory.mktemp("whole") / "checkout")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes test side by side: one takes all that builds, and files stay whole.

    What builds shares finished builds, and has two cores to itself most of the time.
    """
    for item in items:
        room = item.path.relative_to(Path(__file__).parent).parts[0]
        group = item.path.stem if room == "unit" else "builds"
        item.add_marker(pytest.mark.xdist_group(group))
