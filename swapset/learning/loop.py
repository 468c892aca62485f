"""The loop of all trainings: steps, looks, an end by plateau, interruptions, exact resume.

A training is a `Task`: it takes a step, looks at held-out data, and says what it goes on from. The
loop knows nothing of what is learnt. A step must draw what is random from a generator seeded by the
step's number, so that the number stands for the state of all generators.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from swapset.errors import DataError, InterruptedTrainingError, TrainingError
from swapset.learning.checkpoint import Checkpoint, State
from swapset.learning.interrupts import interruptible
from swapset.types import Floats

logger = logging.getLogger(__name__)

LOSS_WINDOW = 20
"""Most steps between two looks at the losses; on a GPU each look waits for the queue."""
LOSS_SECONDS = 10.0
"""Where steps are slow, losses are looked at after so many seconds."""


class Task(ABC):
    """What one kind of training does.

    Attributes
    ----------
    look_every : int
        Steps between two looks at held-out data; 0 = there is none. The last step is looked at too.
    patience : int
        Looks in a row without improvement after which `plateau` is called; 0 = never.
    loss_name, advice : str
        For the error if a loss is not a number.
    unit, title : str
        Of the progress bar.
    per_step : int
        Units in a step.
    """

    look_every: int = 0
    patience: int = 0
    loss_name: str = "the loss"
    advice: str = "lower its learning_rate or set training.precision to fp32"
    unit: str = "step"
    title: str | None = None
    per_step: int = 1

    @property
    @abstractmethod
    def end(self) -> int:
        """Return the number of steps that will have been done, as far as is known now."""

    @abstractmethod
    def step(self, index: int) -> Tensor | float:
        """Take a step, counted from 0; return its loss, a float scalar (left on the device)."""

    @abstractmethod
    def state(self) -> State:
        """Return everything that the next step and the result depend on, but for the step."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Put back what `state` gave.

        Raises
        ------
        DataError
            If it does not fit; nothing is changed then.
        """

    def look(self, done: int) -> bool:
        """Measure held-out data after `done` steps; return whether it is better than ever."""
        raise NotImplementedError(f"{type(self).__name__} has nothing to look at")

    def plateau(self, done: int) -> None:  # noqa: B027 - need not do anything
        """Act on a look without improvement when patience is at its end, at `done` steps."""

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Return what the progress bar shows.

        Parameters
        ----------
        done : int
            Steps.
        losses : (n,) float64
            Of the steps since the last report.
        speed : float
            Units per second.
        """
        return f"loss {losses.mean():.4g}"

    def after(self, done: int) -> None:  # noqa: B027 - need not do anything
        """Do what else is due after `done` steps, before they are saved."""


class Loop:
    """Runs a task.

    Parameters
    ----------
    task : Task
    checkpoint : Checkpoint, optional
        Without it nothing is saved, and signals are left alone.

    Attributes
    ----------
    done : int
        Steps taken so far.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint | None = None):
        self._task, self._checkpoint = task, checkpoint
        self.done = self._read = self._without_gain = 0
        self._losses: Tensor | None = None
        self._read_at = 0.0

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one of this very training."""
        if self._checkpoint is None or not self._checkpoint.path.exists():
            return
        try:
            state = self._checkpoint.load()
            self._task.restore(State(state.tensors, state.facts["task"]))
        except DataError as error:
            logger.warning("%s; training from the start", error)
            return
        self.done = self._read = state.facts["step"]
        self._without_gain = state.facts["without_gain"]
        logger.info("resumed from step %d", self.done)

    def save(self) -> None:
        """Write a checkpoint from which another process goes on to the same result."""
        if self._checkpoint is not None:
            state = self._task.state()
            facts = {
                "step": self.done,
                "without_gain": self._without_gain,
                "task": state.facts,
            }
            self._checkpoint.save(State(state.tensors, facts))

    def run(self, log: TextIO | None = None) -> None:
        """Take all steps that are left.

        Parameters
        ----------
        log : TextIO, optional
            Gets the progress bar; by default stderr.

        Raises
        ------
        TrainingError
            If a loss is not a number, with its step.
        InterruptedTrainingError
            After SIGTERM or SIGINT, with a checkpoint written.
        """
        with self._bar(log) as bar, self._signals() as stop:
            self._read_at = time.monotonic()
            while not self.ended:
                self._note(self._task.step(self.done))
                self.done += 1
                told = stop.is_set()  # asked once: a signal during a look ends the next step
                self._after_step(bar, keep=told or self._is_due)
                if told and not self.ended:
                    raise InterruptedTrainingError(
                        f"terminated at step {self.done}; run again to go on"
                    )
        if self._checkpoint is not None and self._checkpoint.at_end:
            self.save()

    @property
    def ended(self) -> bool:
        """Whether all steps are taken."""
        return self.done >= self._task.end

    @property
    def _is_due(self) -> bool:
        """Whether a checkpoint is due."""
        return self._checkpoint is not None and self.done % self._checkpoint.every == 0

    def _bar(self, log: TextIO | None) -> tqdm:
        task = self._task
        return tqdm(
            total=task.end * task.per_step,
            initial=self.done * task.per_step,
            desc=task.title,
            file=log,
            mininterval=2,
            unit=task.unit,
            unit_scale=True,
        )

    def _signals(self) -> AbstractContextManager[threading.Event]:
        return nullcontext(threading.Event()) if self._checkpoint is None else interruptible()

    def _note(self, loss: Tensor | float) -> None:
        """Copy a step's loss, on its device: a recorded step overwrites it."""
        value = torch.as_tensor(loss)
        if self._losses is None:
            self._losses = torch.zeros(LOSS_WINDOW, dtype=torch.float64, device=value.device)
        self._losses[self.done % LOSS_WINDOW] = value

    def _after_step(self, bar: tqdm, *, keep: bool) -> None:
        """Look at losses and held-out data, and save, where they are due."""
        every = self._task.look_every
        looks = every > 0 and (self.done % every == 0 or self.ended)
        slow = time.monotonic() - self._read_at > LOSS_SECONDS
        if keep or looks or slow or self.done % LOSS_WINDOW == 0 or self.ended:
            self._read_losses(bar)
        if looks:
            self._look(bar)
        self._task.after(self.done)
        if keep:
            self.save()

    def _read_losses(self, bar: tqdm) -> None:
        """Check the losses since the last look, and show them."""
        assert self._losses is not None  # noqa: S101 - a step was taken
        since = np.arange(self._read, self.done) % LOSS_WINDOW
        losses = self._losses.cpu().numpy()[since]
        wrong = np.flatnonzero(~np.isfinite(losses))
        if len(wrong):
            step = self._read + int(wrong[0]) + 1
            raise TrainingError(
                f"{self._task.loss_name} is not a number at step {step}; {self._task.advice}"
            )
        speed = float(bar.format_dict["rate"] or 0.0)
        bar.set_postfix_str(self._task.report(self.done, losses, speed), refresh=False)
        bar.update(self.done * self._task.per_step - bar.n)
        self._read, self._read_at = self.done, time.monotonic()

    def _look(self, bar: tqdm) -> None:
        """Look at held-out data; tell the task if it has not got better for long."""
        better = self._task.look(self.done)
        self._without_gain = 0 if better else self._without_gain + 1
        if 0 < self._task.patience <= self._without_gain:
            self._task.plateau(self.done)
        bar.total = self._task.end * self._task.per_step
