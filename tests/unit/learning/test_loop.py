"""Training loop, with a task of plain numbers: looks, plateau, NaN, kills, resume."""

from __future__ import annotations

import io
import logging
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from swapset.errors import DataError, InterruptedTrainingError, TrainingError
from swapset.learning import loop as learning
from swapset.learning.checkpoint import Checkpoint, State
from swapset.learning.loop import Loop, Task
from swapset.seeds import derive_seed
from swapset.types import Floats

STEPS = 24
EVERY = 7
HOOKS = ("step", "report", "look", "after", "state")


class Walk(Task):
    """Task that adds up numbers, which depend on their steps alone; a look sees the sum."""

    look_every = 5
    loss_name = "walk: the loss"
    advice = "walk slower"

    def __init__(self, steps: int = STEPS):
        self.steps, self.place = steps, 0.0
        self.taken: list[int] = []
        self.reports: list[tuple[int, list[float]]] = []
        self.looks: list[tuple[int, float]] = []
        self.farthest = -math.inf
        self.disturb: Callable[[str, int], None] = lambda hook, done: None
        self.wrong: dict[int, float] = {}

    @property
    def end(self) -> int:
        return self.steps

    def step(self, index: int) -> torch.Tensor | float:
        self.disturb("step", index)
        self.taken.append(index)
        self.place += np.random.default_rng(derive_seed(3, index)).normal()
        return self.wrong.get(index, float(index))

    def report(self, done: int, losses: Floats, speed: float) -> str:
        self.disturb("report", done)
        assert speed >= 0
        self.reports.append((done, losses.tolist()))
        return super().report(done, losses, speed)

    def look(self, done: int) -> bool:
        self.disturb("look", done)
        self.looks.append((done, self.place))
        better = self.place > self.farthest
        self.farthest = max(self.farthest, self.place)
        return better

    def after(self, done: int) -> None:
        self.disturb("after", done)

    def plateau(self, done: int) -> None:
        self.steps = done

    def state(self) -> State:
        self.disturb("state", len(self.taken))
        facts = {"looks": self.looks, "farthest": self.farthest, "steps": self.steps}
        return State({"place": torch.tensor(self.place, dtype=torch.float64)}, facts)

    def restore(self, state: State) -> None:
        self.place = float(state.tensors["place"])
        self.looks = [(int(step), float(place)) for step, place in state.facts["looks"]]
        self.farthest, self.steps = state.facts["farthest"], state.facts["steps"]
        self.taken = []

    def outcome(self) -> tuple[Any, ...]:
        return self.place, self.looks, self.farthest, self.steps


def checkpoint(folder: Path, fingerprint: str = "this", **changes: Any) -> Checkpoint:
    return Checkpoint(folder / "walk.safetensors", EVERY, fingerprint, **changes)


def run(task: Walk, place: Checkpoint | None = None) -> Loop:
    """Resume from the checkpoint and run to the end."""
    loop = Loop(task, place)
    loop.resume()
    loop.run(io.StringIO())
    return loop


def whole(**changes: Any) -> Walk:
    """Return a walk that ran to its end without interruption."""
    task = Walk()
    vars(task).update(changes)
    run(task)
    return task


def at(hook: str, done: int, act: Callable[[], None]) -> Callable[[str, int], None]:
    """Return a disturbance that acts once, when a hook is called at step `done` or later."""
    left = [act]

    def disturb(called: str, step: int) -> None:
        if called == hook and step >= done and left:
            left.pop()()

    return disturb


def send(number: int = signal.SIGTERM) -> Callable[[], None]:
    return lambda: signal.raise_signal(number)


class Killed(BaseException):
    """Ends a walk at any point, as a kill does."""


def kill() -> None:
    raise Killed


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


# -- resuming -------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", HOOKS)
def test_killed_anywhere_it_ends_as_if_undisturbed(tmp_path: Path, hook: str) -> None:
    expected = whole().outcome()
    kills = 0
    for step in range(STEPS):
        place, first = checkpoint(tmp_path / str(step)), Walk()
        first.disturb = at(hook, step, kill)
        with suppress(Killed):
            run(first, place)
        again = Walk()
        loop = Loop(again, place)
        loop.resume()
        kept = loop.done
        if kept < STEPS and len(first.taken) < STEPS:
            kills += 1
            assert len(first.taken) - 2 * EVERY <= kept <= len(first.taken)
            assert kept % EVERY == 0
        loop.run(io.StringIO())
        assert again.taken == list(range(kept, STEPS))
        assert again.outcome() == expected, step
    assert kills > STEPS / 2


def test_killed_again_and_again_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    rng, kills = np.random.default_rng(1), 0
    while kills < 12:
        task = Walk()
        task.disturb = at(HOOKS[rng.integers(len(HOOKS))], int(rng.integers(1, 5)), kill)
        with suppress(Killed):
            run(task, checkpoint(tmp_path))
            break
        kills += 1
    assert kills > 1
    task = Walk()
    run(task, checkpoint(tmp_path))
    assert task.outcome() == whole().outcome()


def test_a_checkpoint_of_another_training_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(Walk(), checkpoint(tmp_path))
    task = Walk()
    with caplog.at_level(logging.INFO):
        run(task, checkpoint(tmp_path, "other"))
    assert "is of another training; training from the start" in caplog.text
    assert task.taken == list(range(STEPS))
    checkpoint(tmp_path).path.write_bytes(b"damaged")
    assert run(Walk(), checkpoint(tmp_path)).done == STEPS
    assert "damaged" in caplog.text
    assert "resumed" not in caplog.text


def test_a_checkpoint_that_does_not_fit_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(Walk(), checkpoint(tmp_path))

    def refuse(task: Walk, state: State) -> None:
        raise DataError("does not fit")

    monkeypatch.setattr(Walk, "restore", refuse)
    task = Walk()
    run(task, checkpoint(tmp_path))
    assert task.taken == list(range(STEPS))
    assert "does not fit; training from the start" in caplog.text


def test_a_stage_of_a_longer_training_is_saved_at_its_end(tmp_path: Path) -> None:
    stage = checkpoint(tmp_path, at_end=True)
    task = Walk()
    run(task, stage)
    again = Walk()
    assert run(again, stage).done == STEPS
    assert again.taken == []
    assert again.outcome() == task.outcome()


# -- signals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [0, 3, 13, 14, 20])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_signal_at_any_time_leaves_a_checkpoint(
    tmp_path: Path, hook: str, step: int, number: int
) -> None:
    task, place = Walk(), checkpoint(tmp_path)
    task.disturb = at(hook, step, send(number))
    loop = Loop(task, place)
    said = []
    with pytest.raises(InterruptedTrainingError, match="terminated at step") as error:
        loop.run(io.StringIO())
    said.append(str(error.value))
    assert said == [f"terminated at step {loop.done}; run again to go on"]
    assert error.value.retryable
    again = Walk()
    run(again, place)
    assert again.taken == list(range(loop.done, STEPS))
    losses = [loss for _, part in again.reports for loss in part]
    assert losses == again.taken
    assert again.outcome() == whole().outcome()


def test_a_signal_in_the_last_step_changes_nothing(tmp_path: Path) -> None:
    task = Walk()
    task.disturb = at("step", STEPS - 1, send())
    assert run(task, checkpoint(tmp_path)).done == STEPS
    assert task.outcome() == whole().outcome()


@pytest.fixture
def interrupts() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, as in a terminal; programs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_a_second_interrupt_ends_at_once_and_a_second_termination_does_not(
    tmp_path: Path,
) -> None:
    for number, error in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TrainingError)):

        def twice(number: int = number) -> None:
            signal.raise_signal(number)
            signal.raise_signal(number)

        task = Walk()
        task.disturb = at("step", 3, twice)
        with pytest.raises(error):
            run(task, checkpoint(tmp_path / str(number)))
        assert checkpoint(tmp_path / str(number)).path.exists() == (error is TrainingError)


def test_handlers_are_put_back_and_left_alone_without_a_checkpoint(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    seen: list[list[Any]] = []

    def look() -> None:
        seen.append([signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)])

    for place in (None, checkpoint(tmp_path)):
        task = Walk()
        task.disturb = at("step", 0, look)
        run(task, place)
        look()
    alone, after_alone, saved, after_saved = seen
    assert alone == after_alone == after_saved == before
    assert saved[0] is not before[0]
    assert saved[1] is not before[1]


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
