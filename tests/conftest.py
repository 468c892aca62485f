from __future__ import annotations

import pytest
from running import once
from small_build import Undisturbed, build_undisturbed


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A finished small build by two cores (leave it as it is): what others have to end as."""
    return Undisturbed.load(once(tmp_path_factory, "whole", build_undisturbed))
