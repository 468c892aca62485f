"""Training loop of all networks: steps, looks at held-out data, plateaus, signals, exact resume.

A training is a `Task`: it takes steps, measures held-out data (a "look"), and returns and restores
its state. The loop knows nothing of what is learnt. A step must draw its random numbers from
generators seeded by the step's number, so that checkpoints need no generator's state.
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
"""Most steps after which the losses are read; on a GPU each reading waits for the queue."""
LOSS_SECONDS = 10.0
"""Seconds after which the losses are read where steps are slow."""


class Task(ABC):
    """One kind of training, for `Loop` to run.

    Attributes
    ----------
    look_every : int
        Steps between two looks at held-out data; 0 = no looks. The last step has a look, too.
    patience : int
        Looks in a row without improvement after which `plateau` is called; 0 = never.
    loss_name, advice : str
        Parts of the message if a loss is not a number.
    unit, title : str
        Unit and title of the progress bar.
    per_step : int
        Units of the progress bar in a step.
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
        """Return the number of the last step; a plateau may lower it during the training."""

    @abstractmethod
    def step(self, index: int) -> Tensor | float:
        """Take a step, counted from 0; return its loss.

        The loss is a scalar of any floating dtype, which may stay on the device, or a float.
        """

    @abstractmethod
    def state(self) -> State:
        """Return all that later steps and the result depend on, except for the step's number."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Restore what `state` returned.

        Raises
        ------
        DataError
            If it does not fit; the task is then unchanged.
        """

    def look(self, done: int) -> bool:
        """Measure held-out data after `done` steps; return whether it is the best result so far.

        Raises
        ------
        NotImplementedError
            If the task has no held-out data.
        """
        raise NotImplementedError(f"{type(self).__name__} has nothing to look at")

    def plateau(self, done: int) -> None:  # noqa: B027 - optional hook
        """Act on the end of patience, after `done` steps; by default do nothing."""

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Return the text that the progress bar shows.

        Parameters
        ----------
        done : int
            Number of steps so far.
        losses : (n,) float64
            Losses of the steps since the last report.
        speed : float
            Units per second.
        """
        return f"loss {losses.mean():.4g}"

    def after(self, done: int) -> None:  # noqa: B027 - optional hook
        """Act after `done` steps, before a checkpoint is saved; by default do nothing."""


class Loop:
    """Runs a task.

    Parameters
    ----------
    task : Task
    checkpoint : Checkpoint, optional
        Without it, nothing is saved, and signals are not caught.

    Attributes
    ----------
    done : int
        Number of steps so far.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint | None = None):
        self._task, self._checkpoint = task, checkpoint
        self.done = self._read = self._without_gain = 0
        self._losses: Tensor | None = None
        self._read_at = 0.0

    def resume(self) -> None:
        """Restore the checkpoint, if there is one of this training; log why one is not used."""
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
        """Write a checkpoint, from which another process continues to the same bits."""
        if self._checkpoint is not None:
            state = self._task.state()
            facts = {
                "step": self.done,
                "without_gain": self._without_gain,
                "task": state.facts,
            }
            self._checkpoint.save(State(state.tensors, facts))

    def run(self, log: TextIO | None = None) -> None:
        """Take all remaining steps.

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
                self._keep_loss(self._task.step(self.done))
                self.done += 1
                stopped = stop.is_set()  # asked once: a later signal ends the next step
                self._after_step(bar, save=stopped or self._is_due)
                if stopped and not self.ended:
                    raise InterruptedTrainingError(
                        f"terminated at step {self.done}; run again to go on"
                    )
        if self._checkpoint is not None and self._checkpoint.at_end:
            self.save()

    @property
    def ended(self) -> bool:
        """Return whether all steps are taken."""
        return self.done >= self._task.end

    @property
    def _is_due(self) -> bool:
        """Return whether a checkpoint is due."""
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

    def _keep_loss(self, loss: Tensor | float) -> None:
        """Copy a step's loss on its device, because a recorded step overwrites it."""
        value = torch.as_tensor(loss)
        if self._losses is None:
            self._losses = torch.zeros(LOSS_WINDOW, dtype=torch.float64, device=value.device)
        self._losses[self.done % LOSS_WINDOW] = value

    def _after_step(self, bar: tqdm, *, save: bool) -> None:
        """Read the losses and measure held-out data when that is due, and save if asked to."""
        every = self._task.look_every
        looks = every > 0 and (self.done % every == 0 or self.ended)
        slow = time.monotonic() - self._read_at > LOSS_SECONDS
        if save or looks or slow or self.done % LOSS_WINDOW == 0 or self.ended:
            self._read_losses(bar)
        if looks:
            self._look(bar)
        self._task.after(self.done)
        if save:
            self.save()

    def _read_losses(self, bar: tqdm) -> None:
        """Check the losses since the last reading, and show them."""
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
        """Measure held-out data; tell the task when its patience is at an end."""
        better = self._task.look(self.done)
        self._without_gain = 0 if better else self._without_gain + 1
        if 0 < self._task.patience <= self._without_gain:
            self._task.plateau(self.done)
        bar.total = self._task.end * self._task.per_step
