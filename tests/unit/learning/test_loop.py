"""Training loop: steps, looks, plateau, losses that are not numbers, progress bar."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from material.loop import EVERY, STEPS, Killed, Walk, at, checkpoint, kill, run, send, whole

from swapset.errors import InterruptedTrainingError, TrainingError
from swapset.learning import loop as learning
from swapset.learning.checkpoint import Checkpoint
from swapset.learning.loop import Loop, Task
from swapset.types import Floats

# -- steps and looks -------------------------------------------------------------------------------


def test_all_steps_are_taken_in_order() -> None:
    task = Walk()
    assert run(task).done == STEPS
    assert task.taken == list(range(STEPS))


def test_losses_are_looked_at_before_checkpoints_and_looks_every_20_steps_and_at_the_end(
    tmp_path: Path,
) -> None:
    task = Walk(43)
    task.look_every = 16
    run(task, checkpoint(tmp_path))
    steps = [done for done, _ in task.reports]
    assert steps == [7, 14, 16, 20, 21, 28, 32, 35, 40, 42, 43]
    losses = [loss for _, part in task.reports for loss in part]
    assert losses == list(range(43))
    assert [done for done, _ in task.looks] == [16, 32, 43]


def test_without_held_out_data_there_is_no_look() -> None:
    task = Walk()
    task.look_every = 0
    run(task)
    assert task.looks == []
    assert [done for done, _ in task.reports] == [20, STEPS]
    with pytest.raises(NotImplementedError, match="Walk has nothing to look at"):
        Task.look(task, 1)


def test_slow_steps_are_looked_at_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "LOSS_SECONDS", -1.0)
    assert [done for done, _ in whole(look_every=0).reports] == list(range(1, STEPS + 1))


def test_a_loss_may_stay_on_its_device_and_be_overwritten() -> None:
    task, loss = Walk(), torch.zeros(())
    take = task.step
    task.step = lambda index: loss.fill_(take(index))  # type: ignore[method-assign]
    run(task)
    assert [each for _, part in task.reports for each in part] == list(range(STEPS))


@pytest.mark.parametrize("step", [0, 4, 6, 18, 19, 20, 22, STEPS - 1])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_training_with_its_step(
    tmp_path: Path, step: int, value: float
) -> None:
    task = Walk()
    task.wrong = {step: value, step + 1: value}
    said = rf"^walk: the loss is not a number at step {step + 1}; walk slower$"
    with pytest.raises(TrainingError, match=said):
        run(task, checkpoint(tmp_path))
    # No look and no checkpoint follows the step.
    assert all(done <= step for done, _ in task.looks)
    again = Walk()
    Loop(again, checkpoint(tmp_path)).resume()
    assert again.place == whole(steps=step // EVERY * EVERY).place


# -- plateau ---------------------------------------------------------------------------------------


class Scored(Walk):
    """A walk with prescribed results of its looks: "+" is better, "-" is not."""

    look_every = 1

    def __init__(self, better: str):
        super().__init__(len(better))
        self._better = better

    def look(self, done: int) -> bool:
        super().look(done)
        return self._better[done - 1] == "+"


@pytest.mark.parametrize(
    ("looks", "patience", "ends"),
    [
        ("+---------", 3, 4),
        ("+--+--+---", 3, 10),
        ("+--+--+--+", 3, 10),
        ("+---------", 0, 10),
        ("----------", 1, 1),
        ("++++++++++", 1, 10),
    ],
)
def test_patience_is_at_its_end_after_looks_in_a_row_without_gain(
    looks: str, patience: int, ends: int
) -> None:
    task = Scored(looks)
    task.patience = patience
    assert run(task).done == ends
    assert [done for done, _ in task.looks] == list(range(1, ends + 1))


@pytest.mark.parametrize("step", range(8))
def test_looks_without_gain_are_counted_through_a_kill(tmp_path: Path, step: int) -> None:
    for disturb in (at("step", step, kill), lambda hook, done: None):
        task = Scored("+-++-----------")
        task.patience, task.disturb = 4, disturb
        try:
            loop = run(task, Checkpoint(tmp_path / "c", 1, "this"))
        except Killed:
            continue
    assert loop.done == 8


# -- the bar ---------------------------------------------------------------------------------------


class Verbose(Walk):
    """A walk with a unit, a title and its own text on the bar."""

    unit, title, per_step = "face", "walking", 4

    def report(self, done: int, losses: Floats, speed: float) -> str:
        return f"{super().report(done, losses, speed)}, at {done}"


def test_the_bar_shows_progress_loss_and_time_left() -> None:
    log = io.StringIO()
    task = Verbose()
    Loop(task).run(log)
    text = log.getvalue()
    assert "walking" in text
    assert f"{4.0 * STEPS}/{4.0 * STEPS}" in text
    assert "face/s" in text
    assert "00:00<" in text
    last = np.mean(range(20, STEPS))  # the steps since the look at step 20
    assert f"loss {last:.4g}, at {STEPS}" in text


def test_the_bar_resumes_with_the_training(tmp_path: Path) -> None:
    task, log = Verbose(), io.StringIO()
    task.disturb = at("step", 13, send())
    with pytest.raises(InterruptedTrainingError):
        run(task, checkpoint(tmp_path))
    loop = Loop(Verbose(), checkpoint(tmp_path))
    loop.resume()
    loop.run(log)
    assert log.getvalue().lstrip("\r").startswith("walking:  58%")
    assert f"{4 * 14}.0/{4 * STEPS}.0" in log.getvalue()


def test_an_earlier_end_shortens_the_bar() -> None:
    task, log = Scored("+---------"), io.StringIO()
    task.patience = 3
    Loop(task).run(log)
    assert "4.00/4.00" in log.getvalue()
