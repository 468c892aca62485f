"""Training of an encoder and the decoders of two or more subjects, resumable to the bit.

A face is made from a warped version of itself; each step sees a batch of two subjects (section
4.2.1 of the chapter). What counts as alike is the recipe's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from swapset.config.recipes import TrainingRecipe
from swapset.errors import DataError, InterruptedTrainingError, TrainingError
from swapset.generation.augment import FaceBank
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_checkpoint, save_checkpoint
from swapset.generation.loss_record import LossRecord
from swapset.generation.losses import Objective
from swapset.generation.preview import preview_row
from swapset.generation.schedule import Course
from swapset.generation.step import RecordedStep, Step
from swapset.generation.validation import most_alike, split, validation_losses
from swapset.learning.device import uses_bf16
from swapset.learning.events import Events
from swapset.learning.interrupts import terminated
from swapset.seeds import derive_seed
from swapset.types import Image

logger = logging.getLogger(__name__)

LOOK_EVERY = 20
"""Steps between two looks at the losses; on a GPU each look waits for the queue."""
_AT_ONCE = 2


@dataclass(frozen=True)
class Schedule:
    """How a training runs, apart from what it learns.

    Attributes
    ----------
    seed : int
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    checkpoint : Path
        Of this training, if it was interrupted; written now and then.
    checkpoint_every, preview_every : int
        Steps.
    patience : int
        See `swapset.generation.schedule.Course`.
    compiled : bool
        Whether the networks go through `torch.compile`, and on a GPU a pair's steps are recorded
        as a CUDA graph.
    events : Path or None
        Folder of the TensorBoard event files.
    """

    seed: int
    device: torch.device
    precision: str
    checkpoint: Path
    checkpoint_every: int
    preview_every: int = 2000
    patience: int = 0
    compiled: bool = False
    events: Path | None = None


class Trainer:
    """The training of one encoder and its decoders.

    Parameters
    ----------
    recipe : TrainingRecipe
        Network and optimisation.
    banks : mapping of str to FaceBank
        The subjects' faces, by subject. Some of each are held out.
    schedule : Schedule
        Seed, device and checkpoints. An existing checkpoint of the same training is resumed.
    fingerprint : str
        Names what is trained on what; a checkpoint with another one is not used.
    start : SwapAutoencoder, optional
        A model with the same layers whose encoder this one starts from. A decoder starts from
        the subject's own there, or from the one that makes the subject's faces best.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        banks: Mapping[str, FaceBank],
        schedule: Schedule,
        fingerprint: str,
        start: SwapAutoencoder | None = None,
    ):
        self.recipe, self.schedule, self.fingerprint = recipe, schedule, fingerprint
        self.subjects = list(banks)
        self.banks, self.held_out = split(banks)
        bf16 = uses_bf16(schedule.precision, schedule.device)
        torch.manual_seed(derive_seed(schedule.seed, "weights") % 2**63)
        self.model = SwapAutoencoder(recipe, self.subjects).placed(schedule.device)
        self.objective = Objective(recipe, self.subjects, schedule.device, bf16=bf16)
        if start is not None:
            known = {
                subject: subject
                if subject in start.decoders
                else most_alike(start, self.banks[subject], recipe)
                for subject in self.subjects
            }
            logger.info("decoders start from those of %s", known)
            self.model.take_over(start, known)
        self._learning = Step(recipe, self.model, self.objective, self.banks, bf16=bf16)
        self._learn: Step | RecordedStep = self._learning
        self._generator = torch.Generator(schedule.device)
        self.course = Course(recipe.steps, schedule.patience)
        self.record = LossRecord(recipe.steps, self.subjects, schedule.device)
        self._window = torch.full((LOOK_EVERY, len(banks)), torch.nan, device=schedule.device)
        self._totals = torch.zeros(LOOK_EVERY, device=schedule.device)
        self.previews: list[Image] = []
        self.step = self._looked = 0
        self._resume()
        if schedule.compiled:
            self._compile()

    def _compile(self) -> None:
        """Let the compiler have the networks; on a GPU, a pair's step becomes one graph."""
        self._learning.compile()
        if self.schedule.device.type == "cuda" and len(self.subjects) <= _AT_ONCE:
            self.record_steps()

    def record_steps(self) -> None:
        """Record the step of a pair once and replay it, on a GPU."""
        self._learn = RecordedStep(self._learning)

    def run(self, log: TextIO | None = None) -> Iterator[int]:
        """Train to the end; yield the number of steps done at every look.

        Raises
        ------
        TrainingError
            If a loss is not a number, with its step.
        """
        every, faces = self.schedule.checkpoint_every, self._faces_per_step
        bar = tqdm(
            total=self.course.end * faces,
            initial=self.step * faces,
            file=log,
            mininterval=2,
            unit="face",
            unit_scale=True,
        )
        with bar, closing(Events(self.schedule.events, self.step)) as events, terminated() as stop:
            while self.step < self.course.end:
                terms = self._one_step()
                self.step += 1
                told = stop.is_set()  # asked once: a signal during a look ends the next step
                keep = told or self.step % every == 0
                looks = keep or self.step % LOOK_EVERY == 0 or self._ends
                if looks:
                    self._look(bar, events, terms)
                self._validate(bar, events)
                if keep:
                    self.save()
                if told and not self._ends:
                    raise InterruptedTrainingError(
                        f"terminated at step {self.step}; run again to go on"
                    )
                if looks:
                    yield self.step

    @property
    def _faces_per_step(self) -> int:
        return self.recipe.batch * min(_AT_ONCE, len(self.subjects))

    @property
    def _ends(self) -> bool:
        return self.step >= self.course.end

    def save(self) -> None:
        """Write a checkpoint from which another process goes on to the same result."""
        course = self.course
        facts = {
            "step": self.step,
            "fingerprint": self.fingerprint,
            "history": course.history,
            "turned": course.turned,
        }
        kept = {"counts": self.record.counts}
        if self.previews:
            kept["previews"] = torch.from_numpy(np.stack(self.previews))
        path, losses = self.schedule.checkpoint, self.record.sums
        save_checkpoint(path, self._states(), self._learning.optimiser, losses, facts, kept)

    def _states(self) -> nn.Module:
        return nn.ModuleDict({"model": self.model, "critics": self.objective.critics})

    def _resume(self) -> None:
        path = self.schedule.checkpoint
        if not path.exists():
            return
        try:
            found = load_checkpoint(
                path, self._states(), self._learning.optimiser, self.fingerprint
            )
        except DataError as error:
            logger.warning("%s; training from the start", error)
            return
        self.step = self._looked = found.facts["step"]
        self.record.restore(found.losses, found.kept["counts"])
        self.course.history = [(int(step), float(loss)) for step, loss in found.facts["history"]]
        self.course.turned = found.facts["turned"]
        self.previews = list(found.kept["previews"].numpy()) if "previews" in found.kept else []
        logger.info("resumed from step %d", self.step)

    def _one_step(self) -> dict[str, Tensor]:
        """Update the weights once; return each loss, summed over the step's subjects."""
        place, seed = self.step % LOOK_EVERY, derive_seed(self.schedule.seed, "step", self.step)
        self._generator.manual_seed(seed)
        chosen = self._chosen(seed)
        shares = self.objective.shares(chosen, derive_seed(self.schedule.seed, "mixup", self.step))
        self._learning.set_rates(self.course.factor(self.step + 1))
        outcome = self._learn(chosen, self._generator, shares)
        self._totals[place] = outcome.total
        self._window[place] = torch.nan
        for subject, loss in outcome.l1.items():
            column = self.subjects.index(subject)
            self._window[place, column] = loss
            self.record.add(self.step, column, loss)
        return outcome.terms

    def _chosen(self, seed: int) -> list[str]:
        """Return the subjects of a step; they depend on its seed alone."""
        if len(self.subjects) <= _AT_ONCE:
            return self.subjects
        places = np.random.default_rng(seed).permutation(len(self.subjects))[:_AT_ONCE]
        return [self.subjects[place] for place in places]

    def _look(self, bar: tqdm, events: Events, terms: dict[str, Tensor]) -> None:
        """Check the losses since the last look, and show them."""
        since = torch.arange(self._looked, self.step, device=self._totals.device) % LOOK_EVERY
        wrong = (~self._totals[since].isfinite()).nonzero()
        if len(wrong):
            raise TrainingError(
                f"the loss is not a number at step {self._looked + int(wrong[0]) + 1}; "
                "lower the recipe's learning_rate or set training.precision to fp32"
            )
        recent = self._window[since].nanmean(dim=0).tolist()
        mean = float(np.nanmean(recent))
        events.numbers("L1", dict(zip(self.subjects, recent, strict=True)), self.step)
        events.numbers("loss", {name: float(value) for name, value in terms.items()}, self.step)
        bar.set_postfix_str(f"L1 {mean:.4f}{self._held_out_text()}", refresh=False)
        bar.update(self.step * self._faces_per_step - bar.n)
        events.numbers("speed", {"faces_per_second": bar.format_dict["rate"] or 0.0}, self.step)
        self._looked = self.step

    def _held_out_text(self) -> str:
        history = self.course.history
        return f", held out {history[-1][1]:.4f}" if history else ""

    def _validate(self, bar: tqdm, events: Events) -> None:
        """Look at the held-out faces and make a row of the preview, when they are due."""
        if self.step % self.course.look_every == 0 or self._ends:
            losses = self.validate()
            self.course.look(self.step, float(np.mean(list(losses.values()))))
            events.numbers("held_out", losses, self.step)
            bar.total = self.course.end * self._faces_per_step
            if self.course.turned == self.step:
                logger.info("step %d: a plateau; %d steps in all", self.step, self.course.end)
        if self.step % self.schedule.preview_every == 0 or self._ends:
            with torch.compiler.set_stance("force_eager"):
                self.previews.append(preview_row(self.model, self.held_out, self.recipe))
            events.picture("preview", self.previews[-1], self.step)

    def validate(self) -> dict[str, float]:
        """Return the L1 of each subject's held-out faces, as they are, without augmentation."""
        with self._learning.bf16, torch.compiler.set_stance("force_eager"):
            return validation_losses(self.model, self.held_out, self.recipe)
