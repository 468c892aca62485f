"""Checkpoints: weights and averages are restored to the bit, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from swapset.errors import DataError
from swapset.learning.best import BestWeights
from swapset.learning.checkpoint import (
    Checkpoint,
    State,
    network_tensors,
    read_tensors,
    restore_network,
    write_tensors,
)

OPTIMISERS = {
    "Adam": lambda weights: torch.optim.Adam(weights, lr=1e-2, fused=True),
    "RMSprop": lambda weights: torch.optim.RMSprop(weights, lr=1e-2, momentum=0.9),
    "SGD": lambda weights: torch.optim.SGD(weights, lr=1e-2),
    "SGD with momentum": lambda weights: torch.optim.SGD(weights, lr=1e-2, momentum=0.9),
}
Training = tuple[nn.Module, torch.optim.Optimizer]


def training(*, seed: int = 0, steps: int = 0, width: int = 4, kind: str = "Adam") -> Training:
    """Return a small network with BatchNorm, and its optimiser, after a few steps."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 1, 3))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = OPTIMISERS[kind](network.parameters())
    learn(network, optimiser, steps)
    return network, optimiser


def learn(network: nn.Module, optimiser: torch.optim.Optimizer, steps: int) -> None:
    """Take steps that all have the same input."""
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        network(images).square().mean().backward()
        optimiser.step()


def same(one: nn.Module, other: nn.Module) -> bool:
    mine, others = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], others[name]) for name in mine)


def checkpoint(folder: Path, fingerprint: str = "this") -> Checkpoint:
    return Checkpoint(folder / "c.safetensors", 5, fingerprint)


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_resumed_training_goes_on_to_the_same_bits(tmp_path: Path, kind: str) -> None:
    stopped, resumed = training(steps=3, kind=kind), training(seed=5, kind=kind)
    state = State(network_tensors(*stopped) | {"more": torch.arange(3)}, {"step": 3})
    checkpoint(tmp_path).save(state)
    assert not same(resumed[0], stopped[0])
    found = checkpoint(tmp_path).load()
    assert found.facts == {"step": 3, "fingerprint": "this"}
    assert found.tensors["more"].tolist() == [0, 1, 2]
    restore_network(found.tensors, *resumed)
    for each in (stopped, resumed):
        learn(*each, steps=3)
    assert same(resumed[0], stopped[0])


@pytest.mark.parametrize("kind", ["Adam", "RMSprop", "SGD with momentum"])
def test_without_the_averages_the_same_steps_lead_elsewhere(kind: str) -> None:
    stopped, weights_alone = training(steps=3, kind=kind), training(seed=5, kind=kind)
    weights_alone[0].load_state_dict(stopped[0].state_dict())
    for each in (stopped, weights_alone):
        learn(*each, steps=3)
    assert not same(weights_alone[0], stopped[0])


def test_averages_lie_in_memory_as_the_weights_do() -> None:
    network, optimiser = training(seed=5)
    restore_network(network_tensors(*training(steps=1)), network, optimiser)
    for weight in network.parameters():
        averages = optimiser.state[weight]
        assert averages["exp_avg"].stride() == averages["exp_avg_sq"].stride() == weight.stride()


def test_numbers_in_an_optimisers_state_come_back_too() -> None:
    network, optimiser = training(steps=1)
    first = next(network.parameters())
    optimiser.state[first]["seen"] = 7
    optimiser.state[first]["nothing"] = None
    other = training(seed=5)
    restore_network(network_tensors(network, optimiser), *other)
    back = other[1].state[next(other[0].parameters())]
    assert back["seen"] == 7
    assert "nothing" not in back


@pytest.mark.parametrize("harm", ["other fingerprint", "cut", "empty", "text", "gone"])
def test_unusable_checkpoints_are_named(tmp_path: Path, harm: str) -> None:
    made = checkpoint(tmp_path, "other" if harm == "other fingerprint" else "this")
    made.save(State(network_tensors(*training(steps=1)), {}))
    whole = made.path.read_bytes()
    made.path.write_bytes({"cut": whole[:300], "empty": b"", "text": b"text"}.get(harm, whole))
    if harm == "gone":
        made.path.unlink()
    with pytest.raises(DataError, match=r"c\.safetensors: (is of another training|damaged)"):
        checkpoint(tmp_path).load()


def test_a_checkpoint_with_nan_is_refused(tmp_path: Path) -> None:
    tensors = network_tensors(*training(steps=1))
    tensors["model.0.weight"][0] = torch.nan
    checkpoint(tmp_path).save(State(tensors, {}))
    with pytest.raises(DataError, match=r"c\.safetensors: holds values that are not numbers"):
        checkpoint(tmp_path).load()


def test_tensors_that_do_not_fit_leave_the_network_unchanged() -> None:
    network, optimiser = training()
    with pytest.raises(DataError, match=r"does not fit this network \(0.bias is \(6,\)"):
        restore_network(network_tensors(*training(width=6, steps=1)), network, optimiser)
    assert same(network, training()[0])
    assert not optimiser.state


def test_files_of_other_programs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.ones(2)}, {"b": 1})
    assert read_tensors(path)[1] == {"b": 1}
    save_file(load_file(path), path)
    with pytest.raises(DataError, match=r"a\.safetensors: was not written by swapset"):
        read_tensors(path)


def test_only_chosen_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.ones(2), "b": torch.zeros(2)}, {})
    assert list(read_tensors(path, lambda names: [n for n in names if n != "a"])[0]) == ["b"]


def test_stages_have_separate_files_that_are_removed_with_the_whole(tmp_path: Path) -> None:
    whole, other = checkpoint(tmp_path), Checkpoint(tmp_path / "c2.safetensors", 5, "this")
    stages = [whole.stage(name) for name in ("face", "patches")]
    assert all(stage.at_end for stage in stages)
    assert len({whole.fingerprint, *(stage.fingerprint for stage in stages)}) == 3
    for each in (whole, *stages, other, other.stage("face")):
        each.save(State({}, {}))
    assert len(list(tmp_path.iterdir())) == 5
    whole.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "c2.face.safetensors",
        "c2.safetensors",
    ]
    whole.remove()  # nothing is left to remove


def test_the_best_weights_stay_while_others_go_on() -> None:
    network, optimiser = training()
    best = BestWeights(network)
    best.put_back()
    assert same(network, training()[0])
    learn(network, optimiser, 2)
    best.keep(2)
    learn(network, optimiser, 2)
    assert not same(network, training(steps=2)[0])
    again = BestWeights(network)
    again.restore(best.tensors(), best.step)
    again.put_back()
    assert again.step == 2
    assert same(network, training(steps=2)[0])
