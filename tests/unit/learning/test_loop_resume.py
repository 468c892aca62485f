"""Training loop: kills, signals and damaged checkpoints; training resumes to the same numbers."""

from __future__ import annotations

import io
import logging
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material.loop import EVERY, HOOKS, STEPS, Killed, Walk, at, checkpoint, kill, run, send, whole

from swapset.errors import DataError, InterruptedTrainingError, TrainingError
from swapset.learning.checkpoint import State
from swapset.learning.loop import Loop

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
