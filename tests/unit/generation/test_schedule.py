"""Schedule of a training: learning rates, and the earlier end after a plateau."""

from __future__ import annotations

import io

import pytest

from swapset.generation.schedule import Schedule
from swapset.learning.checkpoint import State
from swapset.learning.loop import Loop, Task


def test_the_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(100)
    factors = [schedule.factor(step) for step in range(1, 101)]
    assert factors[0] < 1
    assert max(factors) == factors[30] == 1
    assert factors[-1] == pytest.approx(0.1)
    assert factors == sorted(factors[:60]) + sorted(factors[60:], reverse=True)


PATIENCE = 3


class Watched(Task):
    """Task whose steps do nothing and whose looks have the losses of a list."""

    patience = PATIENCE

    def __init__(self, schedule: Schedule, losses: list[float]):
        self.schedule, self._losses = schedule, losses
        self.look_every = schedule.look_every

    @property
    def end(self) -> int:
        return min(self.schedule.end, len(self._losses) * self.look_every)

    def step(self, index: int) -> float:
        return 0.0

    def look(self, done: int) -> bool:
        return self.schedule.look(done, self._losses[done // self.look_every - 1])

    def plateau(self, done: int) -> None:
        self.schedule.plateau(done)

    def state(self) -> State:
        raise NotImplementedError

    def restore(self, state: State) -> None:
        raise NotImplementedError


def looked(losses: list[float], *, patience: int = PATIENCE) -> Schedule:
    """Return a schedule of 1000 steps whose looks gave these losses."""
    task = Watched(Schedule(1000), losses)
    task.patience = patience
    Loop(task).run(io.StringIO())
    return task.schedule


def test_without_improvement_the_rate_falls_and_the_end_comes() -> None:
    falling = [1 / k for k in range(1, 12)]
    schedule = looked(falling + [falling[-1]] * 3)
    assert schedule.plateau_step == 14 * 20
    assert schedule.end == round(14 * 20 / 0.6)
    assert schedule.factor(schedule.plateau_step) == 1
    assert schedule.factor(schedule.end) == pytest.approx(0.1)


def test_a_training_that_improves_takes_all_its_steps() -> None:
    schedule = looked([0.98**k for k in range(50)])
    assert schedule.plateau_step is None
    assert schedule.end == 1000


def test_small_gains_add_up() -> None:
    # Each look gains half of `LEAST_GAIN`, so that every third one counts as a gain.
    assert looked([0.995**k for k in range(50)]).plateau_step is None


def test_a_slow_start_is_no_plateau() -> None:
    schedule = looked([1.0] * 9)
    assert schedule.plateau_step is None
    assert looked([1.0] * 10).plateau_step == 200


def test_while_the_rate_falls_nothing_ends_earlier() -> None:
    falling = [0.9**k for k in range(29)]
    assert looked(falling + [1.0] * 21).plateau_step is None


def test_patience_0_ignores_plateaus() -> None:
    assert looked([1.0] * 50, patience=0).plateau_step is None
