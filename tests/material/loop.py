"""A training of plain numbers, and disturbances of it, for tests of the training loop."""

from __future__ import annotations

import io
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

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
