"""Hostile weights and stored arrays are refused with a reason or read, and never run code."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from checks import check, put
from child import Child
from models import EVIL, Seeds, make_models
from mutations import mutate
from sandbox import Sandbox
from tally import Tally


@pytest.fixture(scope="module")
def model_seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    return make_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def marker(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that code in weights would create, beside a file that none may open."""
    path = tmp_path_factory.mktemp("other") / "secret.h5"
    with h5py.File(path, "w") as stream:
        stream["bias"] = np.zeros(8, np.float32)
    sandbox.set_bait(path.name, path.read_bytes())
    return sandbox.bait / "ran"


def test_model(
    model_number: int,
    model_seeds: Seeds,
    marker: Path,
    sandbox: Sandbox,
    child: Child,
    tally: Tally,
) -> None:
    """Every second file is made by hand, as long as there are any left."""
    rng = np.random.default_rng([model_number, 2])
    half, second = divmod(model_number, 2)
    if second and half < len(EVIL):
        name = list(EVIL)[half]
        kind, make = EVIL[name]
        content = make(model_seeds, marker)
    else:
        kind = list(model_seeds)[model_number % len(model_seeds)]
        name, content = mutate(model_seeds[kind], rng, model_number // len(model_seeds))
    path = put(sandbox.source / f"{model_number}.weights", content)
    outcome = child.read([kind], path)
    tally.add(f"{kind} (weights)", f"weights {model_number}: {kind}, {name}", outcome)
    assert not marker.exists()
    check(f"weights {model_number} ({kind}: {name})", path, outcome)


def test_good_models_are_read(model_seeds: Seeds, sandbox: Sandbox, child: Child) -> None:
    for kind, content in model_seeds.items():
        outcome = child.read([kind], put(sandbox.source / kind, content))
        good = "DataError" if kind in ("torch", "old torch") else "read"
        assert (kind, outcome.result, outcome.problems) == (kind, good, [])
