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

from swapset.device import uses_bf16
from swapset.errors import DataError, TrainingError
from swapset.generation.augment import Batch, FaceBank, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_checkpoint, save_checkpoint
from swapset.generation.course import Course
from swapset.generation.events import Events
from swapset.generation.loss_record import LossRecord
from swapset.generation.losses import Made, Objective, l1
from swapset.generation.preview import Image, preview_row
from swapset.generation.recipes import TrainingRecipe
from swapset.generation.validation import most_alike, split, validation_losses
from swapset.interrupts import terminated
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

LOOK_EVERY = 20
"""Steps between two looks at the losses; on a GPU each look waits for the queue."""
LARGEST_GRADIENT = 1.0
"""Norm to which a gradient is cut back: one odd batch must not undo a training."""
_CRITIC_RATE, _CRITIC_BETAS = 2.0, (0.5, 0.999)  # as faceswap-GAN has them
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
        See `swapset.generation.course.Course`.
    compiled : bool
        Whether the networks go through `torch.compile`.
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
        self.optimiser = self._optimiser()
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self._bf16 = torch.autocast(schedule.device.type, torch.bfloat16, enabled=bf16)
        self.course = Course(recipe.steps, schedule.patience)
        self.record = LossRecord(recipe.steps, self.subjects, schedule.device)
        self._window = torch.full((LOOK_EVERY, len(banks)), torch.nan, device=schedule.device)
        self._totals = torch.zeros(LOOK_EVERY, device=schedule.device)
        self.previews: list[Image] = []
        self.step = self._looked = 0
        self._resume()
        if schedule.compiled:
            for network in (self.model.encoder, *self.model.decoders.values()):
                network.compile()

    def _optimiser(self) -> torch.optim.Optimizer:
        """Return one optimiser of everything that learns, so that one step moves all."""
        rate = self.recipe.learning_rate
        groups: list[dict[str, object]] = [{"params": list(self.model.parameters())}]
        critics = list(self.objective.critics.parameters())
        if critics:
            more = {"lr": _CRITIC_RATE * rate, "betas": _CRITIC_BETAS}
            groups.append({"params": critics, **more})
        return torch.optim.Adam(groups, lr=rate, fused=True)

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
                keep = stop.is_set() or self.step % every == 0
                looks = keep or self.step % LOOK_EVERY == 0 or self._ends
                if looks:
                    self._look(bar, events, terms)
                self._validate(bar, events)
                if keep:
                    self.save()
                if stop.is_set() and not self._ends:
                    raise TrainingError(f"terminated at step {self.step}; run again to go on")
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
        save_checkpoint(path, self._states(), self.optimiser, losses, facts, kept)

    def _states(self) -> nn.Module:
        return nn.ModuleDict({"model": self.model, "critics": self.objective.critics})

    def _resume(self) -> None:
        path = self.schedule.checkpoint
        if not path.exists():
            return
        try:
            found = load_checkpoint(path, self._states(), self.optimiser, self.fingerprint)
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
        batches = self._draw()
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * self.course.factor(self.step + 1)
        made = self._make(batches)
        critics = self.objective.critics
        critics.requires_grad_(False)
        each = {subject: self.objective.terms(subject, part) for subject, part in made.items()}
        total = torch.stack([self.objective.weighted(terms) for terms in each.values()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        if len(critics):
            critics.requires_grad_(True)
            seed = derive_seed(self.schedule.seed, "mixup", self.step)
            self.objective.critics_loss(made, seed).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        place = self.step % LOOK_EVERY
        self._totals[place] = total.detach()
        self._window[place] = torch.nan
        for subject, part in made.items():
            column, loss = self.subjects.index(subject), l1(part).detach()
            self._window[place, column] = loss
            self.record.add(self.step, column, loss)
        names = next(iter(each.values()))
        return {
            name: torch.stack([terms[name].detach() for terms in each.values()]).sum()
            for name in names
        }

    def _draw(self) -> dict[str, Batch]:
        """Return the step's batches; they depend on the seed and the step alone."""
        recipe, device = self.recipe, self.schedule.device
        seed = derive_seed(self.schedule.seed, "step", self.step)
        generator = torch.Generator(device).manual_seed(seed)
        chosen = self.subjects
        if len(chosen) > _AT_ONCE:
            places = np.random.default_rng(seed).permutation(len(chosen))[:_AT_ONCE]
            chosen = [self.subjects[place] for place in places]
        return {
            subject: draw_batch(
                self.banks[subject],
                recipe.batch,
                recipe.resolution,
                colour=recipe.colour_augmentation,
                generator=generator,
                input_side=recipe.input_side,
            )
            for subject in chosen
        }

    def _make(self, batches: dict[str, Batch]) -> dict[str, Made]:
        """Return what the networks make of the batches."""
        with self._bf16:
            made = self.model.reconstruct(
                {
                    subject: batch.warped.contiguous(memory_format=torch.channels_last)
                    for subject, batch in batches.items()
                }
            )
        return {
            subject: Made.of(self.recipe, made[subject], batch)
            for subject, batch in batches.items()
        }

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
            self.previews.append(preview_row(self.model, self.held_out, self.recipe))
            events.picture("preview", self.previews[-1], self.step)

    def validate(self) -> dict[str, float]:
        """Return the L1 of each subject's held-out faces, as they are, without augmentation."""
        with self._bf16:
            return validation_losses(self.model, self.held_out, self.recipe)
