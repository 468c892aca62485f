"""Training of decoders of textures: it learns, coarse first, resumes and starts warm exactly."""

from __future__ import annotations

import io
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from material import generation
from material.expressive import person, talking
from material.generation import CPU, training_recipe
from torch import Tensor

from swapset.config.methods import BUILT_IN, training_of
from swapset.config.recipes import TrainingRecipe
from swapset.errors import InterruptedTrainingError
from swapset.generation import step
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.expressions import mean_faces
from swapset.generation.training import Run, Trainer

STEPS = 20
SWITCH = 12
"""Number of the first step, counted from 0, that learns whole faces."""
SKINS = [(220, 180, 150), (140, 100, 80), (180, 140, 110)]


def recipe(**changes: Any) -> TrainingRecipe:
    """Return a tiny recipe with all switches that the textures came with."""
    values = {"decoder": "textures", "textures": 3, "kernel": 3, "steps": STEPS}
    switches = {"coarse_first": True, "balanced": True, "flips": False, "learning_rate": 1e-3}
    return training_recipe(**values | switches | changes)


def people(*names: str, faces: int = 10, masks: bool = True) -> dict[str, FaceBank]:
    """Return drawn faces of people, always the same for a name such as `id2`."""
    made = {}
    for name in names:
        number = int(name.removeprefix("id"))
        bank = person(talking(faces, number), SKINS[number])
        made[name] = bank if masks else replace(bank, masks=None)
    return made


def trainer(
    path: Path,
    banks: Mapping[str, FaceBank] | None = None,
    *,
    start: SwapAutoencoder | None = None,
    patience: int = 0,
    precision: str = "fp32",
    **changes: Any,
) -> Trainer:
    run = Run(3, CPU, precision, path, checkpoint_every=7, preview_every=8, patience=patience)
    return Trainer(recipe(**changes), banks or people("id0", "id1"), run, "same", start)


def trained(path: Path, *given: Any, **asked: Any) -> Trainer:
    run = trainer(path, *given, **asked)
    run.run(io.StringIO())
    return run


def weights(done: Trainer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in done.model.state_dict().items()}


def equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def losses(done: Trainer) -> Tensor:
    """Return (steps, subjects), NaN where a step did not see a subject."""
    return torch.tensor(done.record.table(done.loop.done).iloc[:, 1:].to_numpy())


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that receives the side of every batch that is drawn."""
    sides, draw = [], step.draw_batch

    def watch(*given: Any, **named: Any) -> Any:
        sides.append(given[2])
        return draw(*given, **named)

    monkeypatch.setattr(step, "draw_batch", watch)
    return sides


def astronauts() -> dict[str, FaceBank]:
    """Return shifted crops of a photograph in two tints, which all count as one expression."""
    banks = {f"id{number}": generation.bank(number, count=12) for number in (0, 1)}
    return {name: replace(bank, expressions=torch.zeros(12, 7)) for name, bank in banks.items()}


@pytest.mark.parametrize("coarse_first", [False, True])
def test_photographs_are_learnt(tmp_path: Path, coarse_first: bool) -> None:
    run = trainer(
        tmp_path / "c",
        astronauts(),
        steps=80,
        batch=4,
        learning_rate=3e-3,
        coarse_first=coarse_first,
        colour_augmentation=False,
    )
    before = run.validate()
    run.run(io.StringIO())
    after = run.validate()
    for name in before:
        assert after[name] < 0.75 * before[name], (before, after)
    assert float(losses(run)[-10:].mean()) < 0.8 * float(losses(run)[:5].mean())


def test_faces_are_coarse_until_the_rate_falls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = watched(monkeypatch)
    trained(tmp_path / "c")
    assert sides == [32] * 2 * SWITCH + [64] * 2 * (STEPS - SWITCH)
    sides.clear()
    trained(tmp_path / "d", coarse_first=False, steps=4)
    assert sides == [64] * 8


@pytest.mark.parametrize("stopped_at", [1, SWITCH - 1, SWITCH, SWITCH + 1, STEPS - 1])
def test_a_training_that_stops_in_either_part_ends_with_the_same_bits(
    tmp_path: Path, stopped_at: int
) -> None:
    whole, path = trained(tmp_path / "a"), tmp_path / "b"
    stopped = trainer(path)
    for index in range(stopped_at):
        stopped.step(index)
    stopped.loop.done = stopped_at
    stopped.loop.save()
    resumed = trainer(path)
    assert resumed.loop.done == stopped_at
    resumed.run(io.StringIO())
    assert equal(weights(whole), weights(resumed))
    assert torch.equal(losses(whole), losses(resumed))


def test_bf16_stops_and_resumes_too(tmp_path: Path) -> None:
    whole = trained(tmp_path / "a", precision="bf16")
    stopped = trainer(tmp_path / "b", precision="bf16")
    for index in range(SWITCH):
        stopped.step(index)
    stopped.loop.done = SWITCH
    stopped.loop.save()
    assert equal(weights(whole), weights(trained(tmp_path / "b", precision="bf16")))
    exact = losses(trained(tmp_path / "c"))
    assert not torch.equal(losses(whole), exact)
    torch.testing.assert_close(losses(whole), exact, rtol=0.03, atol=0.002)


def test_a_plateau_begins_the_fine_part_also_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = {"learning_rate": 1e-12, "patience": 3, "steps": 40}
    sides = watched(monkeypatch)
    whole = trained(tmp_path / "a", **flat)
    plateau = whole.schedule.plateau_step
    assert plateau is not None
    assert plateau < 0.6 * 40
    assert whole.loop.done == whole.schedule.end < 40
    assert sides == [32] * 2 * plateau + [64] * 2 * (whole.loop.done - plateau)
    for last in (plateau - 2, plateau - 1, plateau):  # the signal comes within the next step
        path, stopped = tmp_path / f"{last}", trainer(tmp_path / f"{last}", **flat)
        monkeypatch.setattr(stopped, "after", raise_at(last, stopped))
        sides.clear()
        with pytest.raises(InterruptedTrainingError):
            stopped.run(io.StringIO())
        resumed = trained(path, **flat)
        assert sides == [32] * 2 * plateau + [64] * 2 * (whole.loop.done - plateau)
        assert resumed.schedule == whole.schedule
        assert equal(weights(whole), weights(resumed))
        for one, other in zip(resumed.previews, whole.previews, strict=True):
            np.testing.assert_array_equal(one, other)


def raise_at(last: int, run: Trainer) -> Any:
    """Return a replacement of `after` that sends a signal when `last` steps are done."""
    after = run.after

    def replaced(done: int) -> None:
        if done == last:
            signal.raise_signal(signal.SIGTERM)
        after(done)

    return replaced


def test_two_runs_have_the_same_bits(tmp_path: Path) -> None:
    one, same = (trained(tmp_path / name, steps=6) for name in "ab")
    assert equal(weights(one), weights(same))


def test_previews_show_whole_faces_in_both_parts(tmp_path: Path) -> None:
    run = trained(tmp_path / "c")
    assert [row.shape for row in run.previews] == [(64, 64 * 3 * 3 * 2, 3)] * 3  # 8, 16, 20
    assert all(row.std() > 20 for row in run.previews)


def test_known_people_keep_their_textures_and_newcomers_have_their_own(tmp_path: Path) -> None:
    base = trained(tmp_path / "a", people("id0", "id1"))
    banks = people("id1", "id2")
    warm = trainer(tmp_path / "b", banks, start=base.model)
    known = base.model.state_dict()
    for name, value in warm.model.state_dict().items():
        if name.startswith(("encoder", "decoders.id1")):
            assert torch.equal(value, known[name]), name
    # The newcomer's textures show its own faces, in the order of the base's expressions.
    fresh = SwapAutoencoder(recipe(), ["id2"])
    centres = base.model.expressions()
    assert centres is not None
    assert centres.any()
    bank = warm.banks["id2"]
    fresh.start_textures(centres, {"id2": mean_faces(bank, centres, 72, bank.share * 9 / 8)})
    assert torch.equal(warm.model.decoders["id2"].textures, fresh.decoders["id2"].textures)
    heads = [base.model.decoders[name].head.weight for name in ("id0", "id1")]
    assert any(torch.equal(warm.model.decoders["id2"].head.weight, head) for head in heads)
    assert warm.validate()["id1"] == pytest.approx(
        trainer(tmp_path / "c", people("id0", "id1"), start=base.model).validate()["id1"]
    )


def test_a_warm_start_resumes_to_the_same_bits(tmp_path: Path) -> None:
    base, banks = trained(tmp_path / "a", steps=5), people("id0", "id2")
    whole = trained(tmp_path / "b", banks, start=base.model)
    stopped = trainer(tmp_path / "c", banks, start=base.model)
    for index in range(9):
        stopped.step(index)
    stopped.loop.done = 9
    stopped.loop.save()
    assert equal(weights(whole), weights(trained(tmp_path / "c", banks, start=base.model)))


def test_everybody_in_one_model(tmp_path: Path) -> None:
    run = trainer(tmp_path / "c", people("id0", "id1", "id2"), steps=24)
    before = weights(run)
    run.step(0)
    (seen,) = losses_seen(run)
    changed = {
        name: not torch.equal(before[f"decoders.{name}.textures"], each.textures)
        for name, each in run.model.decoders.items()
    }
    assert changed == seen
    run = trained(tmp_path / "d", people("id0", "id1", "id2"), steps=24)
    assert losses(run).isfinite().sum(dim=1).tolist() == [2] * 24
    stopped = trainer(tmp_path / "e", people("id0", "id1", "id2"), steps=24)
    for index in range(15):
        stopped.step(index)
    stopped.loop.done = 15
    stopped.loop.save()
    resumed = trained(tmp_path / "e", people("id0", "id1", "id2"), steps=24)
    assert equal(weights(run), weights(resumed))


def losses_seen(run: Trainer) -> list[dict[str, bool]]:
    """Return, for each step so far, the subjects that it saw."""
    table = run.record.table(1).iloc[:, 1:]
    return [dict(zip(run.subjects, row, strict=True)) for row in table.notna().to_numpy().tolist()]


@pytest.mark.parametrize("counts", [(1, 1), (1, 9), (2, 3)])
def test_few_faces_are_enough(tmp_path: Path, counts: tuple[int, int]) -> None:
    banks = {
        name: people(name, faces=count)[name]
        for name, count in zip(("id0", "id1"), counts, strict=True)
    }
    run = trained(tmp_path / "c", banks, steps=6, textures=5)
    assert run.loop.done == 6
    assert all(value.isfinite().all() for value in weights(run).values())


def test_textures_learn_twenty_times_as_fast(tmp_path: Path) -> None:
    run = trainer(tmp_path / "c")
    rates = [group["lr"] for group in run._plain_step.optimiser.param_groups]
    assert rates == pytest.approx([1e-3, 2e-2])
    sizes = [len(group["params"]) for group in run._plain_step.optimiser.param_groups]
    assert sizes[1] == 2
    assert sum(sizes) == len(list(run.model.parameters()))


@pytest.mark.parametrize("method", sorted(BUILT_IN))
def test_every_method_trains_with_textures(tmp_path: Path, method: str) -> None:
    whole = training_of(BUILT_IN[method])
    values = whole.model_dump() | recipe().model_dump(include={"width", "code", "textures"})
    small = {"steps": 4, "batch": 1, "decoder": "textures", "coarse_first": True}
    smaller = {"resolution": 64, "input_resolution": None, "halvings": None}
    # The face recognition network would take most of the time.
    values["losses"] = {k: v for k, v in values["losses"].items() if k != "perceptual"}
    made = TrainingRecipe(**values | small | smaller)
    settings = Run(3, CPU, "fp32", tmp_path / "c", checkpoint_every=100)
    run = Trainer(made, people("id0", "id1"), settings, "f")
    run.run(io.StringIO())
    assert run.loop.done == 4
    assert losses(run).isfinite().all()


def test_balanced_faces_need_no_textures(tmp_path: Path) -> None:
    asked = {"decoder": "convolutional", "coarse_first": False, "steps": 4}
    run = trained(tmp_path / "c", **asked)
    assert all(bank.chances is not None for bank in run.banks.values())
    assert all(bank.chances is None for bank in run.held_out.values())
    even = trained(tmp_path / "d", **asked | {"balanced": False})
    assert all(bank.chances is None for bank in even.banks.values())
    assert not equal(weights(run), weights(even))
