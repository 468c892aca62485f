from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from material.generation import CPU, training_recipe
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from swapset.errors import DataError
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import (
    load_checkpoint,
    load_model,
    save_checkpoint,
    save_model,
)

SUBJECTS = ("id0", "id1")
Training = tuple[SwapAutoencoder, torch.optim.Adam]


def training(seed: int = 0, steps: int = 0, width: int = 8) -> Training:
    """Return a network and its optimiser after a few steps."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = SwapAutoencoder(training_recipe(width=width), SUBJECTS).placed(CPU)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for _ in range(steps):
        one_step(model, optimiser)
    return model, optimiser


def one_step(model: SwapAutoencoder, optimiser: torch.optim.Adam) -> None:
    """Learn to make black out of white; every step has the same input."""
    optimiser.zero_grad(set_to_none=True)
    faces = {subject: torch.ones(1, 3, 64, 64) for subject in SUBJECTS}
    sum(made.mean() for made in model.reconstruct(faces).values()).backward()
    optimiser.step()


def same(one: SwapAutoencoder, other: SwapAutoencoder) -> bool:
    """Say whether two networks have the same weights, to the bit."""
    mine, others = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], others[name]) for name in mine)


def save(path: Path, made: Training, fingerprint: str = "f") -> None:
    """Write a checkpoint of step 3."""
    save_checkpoint(path, *made, torch.rand(3, 2), {"step": 3, "fingerprint": fingerprint})


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_model(path, training()[0], training_recipe(), {"faces": {"id0": "hash"}})
    return path


def test_model_comes_back_ready_for_use(model_file: Path) -> None:
    back = load_model(model_file, CPU)
    assert same(back.model, training()[0])
    assert back.recipe == training_recipe()
    assert back.subjects == SUBJECTS
    assert not back.model.training
    assert not any(weight.requires_grad for weight in back.model.parameters())


def test_facts_stand_in_the_file(model_file: Path) -> None:
    with safe_open(model_file, framework="pt") as stored:
        facts = json.loads(stored.metadata()["swapset"])
    assert facts["faces"] == {"id0": "hash"}
    assert facts["subjects"] == list(SUBJECTS)
    assert facts["recipe"]["width"] == 8


def test_same_model_same_bytes_and_nothing_left_beside(model_file: Path) -> None:
    other = model_file.with_name("other.safetensors")
    save_model(other, training()[0], training_recipe(), {"faces": {"id0": "hash"}})
    assert other.read_bytes() == model_file.read_bytes()
    assert len(list(model_file.parent.iterdir())) == 2


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.mark), "w")


@pytest.mark.parametrize("writer", ["pickle", "torch"])
@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_pickles_are_refused_and_not_run(tmp_path: Path, writer: str, kind: str) -> None:
    path, mark = tmp_path / "model.safetensors", tmp_path / "ran"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(Bomb(mark)))
    else:
        torch.save({"weights": Bomb(mark)}, path)
    read = {
        "model": lambda: load_model(path, CPU),
        "checkpoint": lambda: load_checkpoint(path, *training(), "f"),
    }[kind]
    with pytest.raises(DataError, match=r"model\.safetensors: damaged"):
        read()
    assert not mark.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_cut_files_are_damaged(model_file: Path, share: float) -> None:
    whole = model_file.read_bytes()
    model_file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"model\.safetensors: damaged "):
        load_model(model_file, CPU)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.safetensors"):
        load_model(tmp_path / "none.safetensors", CPU)


def test_decoders_that_are_wanted_are_read_alone(tmp_path: Path) -> None:
    path, people = tmp_path / "all.safetensors", [f"id{k}" for k in range(6)]
    whole = SwapAutoencoder(training_recipe(), people)
    save_model(path, whole, training_recipe(), {})
    some = load_model(path, CPU, ["id4", "id1"])
    assert some.subjects == ("id1", "id4") == tuple(some.model.decoders)
    for name, value in some.model.state_dict().items():
        assert torch.equal(value, whole.state_dict()[name])
    # Whom it does not know somebody else's decoder has to do for.
    assert load_model(path, CPU, ["id1", "new"]).subjects == tuple(people)


def rewritten(path: Path, facts: dict[str, Any] | None, **tensors: torch.Tensor) -> None:
    """Write a model file again with other facts or more tensors."""
    metadata = None if facts is None else {"swapset": json.dumps(facts)}
    save_file(load_file(path) | tensors, path, metadata=metadata)


def test_files_of_others_are_refused(model_file: Path) -> None:
    rewritten(model_file, None)
    with pytest.raises(DataError, match="was not written by swapset"):
        load_model(model_file, CPU)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": training_recipe(width=16).model_dump()},
        {"recipe": training_recipe().model_dump() | {"width": -1}},
        {"recipe": {}},
        {"subjects": ["id0", "id2"]},
        {"subjects": ["id0"]},
    ],
)
def test_weights_that_do_not_fit_are_refused(model_file: Path, changes: dict[str, Any]) -> None:
    facts = {"recipe": training_recipe().model_dump(), "subjects": list(SUBJECTS)}
    rewritten(model_file, facts)
    load_model(model_file, CPU)
    rewritten(model_file, facts | changes)
    with pytest.raises(DataError, match="do not fit its recipe"):
        load_model(model_file, CPU)


def test_resumed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    stopped = training(steps=3)
    save(path, stopped)
    resumed = training(seed=5)
    assert not same(resumed[0], stopped[0])
    found = load_checkpoint(path, *resumed, "f")
    losses, facts = found.losses, found.facts
    assert facts == {"step": 3, "fingerprint": "f"}
    assert losses.shape == (3, 2)
    assert same(resumed[0], stopped[0])
    for _ in range(3):
        one_step(*stopped)
        one_step(*resumed)
    assert same(resumed[0], stopped[0])
    # Without the optimiser's averages the same steps lead elsewhere.
    fresh = training(seed=5)
    fresh[0].load_state_dict(load_model_part(path))
    for _ in range(3):
        one_step(*fresh)
    assert not same(fresh[0], stopped[0])


def load_model_part(path: Path) -> dict[str, torch.Tensor]:
    """Return the network's weights from a checkpoint."""
    stored = load_file(path).items()
    return {name.removeprefix("model."): t for name, t in stored if name.startswith("model.")}


def test_averages_lie_in_memory_as_the_weights_do(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save(path, training(steps=1))
    model, optimiser = training()
    load_checkpoint(path, model, optimiser, "f")
    for weight in model.parameters():
        state = optimiser.state[weight]
        assert state["exp_avg"].stride() == state["exp_avg_sq"].stride() == weight.stride()


@pytest.mark.parametrize("harm", ["other fingerprint", "cut", "empty", "text"])
def test_checkpoints_of_no_use_leave_the_network_alone(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "c.safetensors"
    save(path, training(seed=7, steps=1), "other" if harm == "other fingerprint" else "f")
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:5000], "empty": b"", "text": b"no tensors"}.get(harm, whole))
    model, optimiser = training()
    with pytest.raises(DataError, match=r"c\.safetensors"):
        load_checkpoint(path, model, optimiser, "f")
    assert same(model, training()[0])
    assert not optimiser.state


def test_checkpoint_of_another_network_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save(path, training(width=16, steps=1))
    with pytest.raises(DataError, match="does not fit this network"):
        load_checkpoint(path, *training(), "f")
