"""Training of one pair: a shared encoder and two decoders, resumable to the bit.

L1 between a face and its reconstruction from a warped version of itself, both subjects in every
step (section 4.2.1 of the chapter).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor
from tqdm import tqdm

from swapset.errors import DataError, TrainingError
from swapset.generation.augment import FaceBank, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_checkpoint, save_checkpoint
from swapset.generation.methods import TrainingRecipe
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

LOOK_EVERY = 20
"""Steps between two looks at the losses; on a GPU each look waits for the queue."""
WARM_UP = 0.02
"""Share of the steps over which the learning rate rises to its full value."""
DECAY_FROM = 0.6
"""Share of the steps after which the learning rate falls, linearly to a tenth."""
LARGEST_GRADIENT = 1.0
"""Norm to which a gradient is cut back: one odd batch must not undo a training."""


@dataclass(frozen=True)
class Schedule:
    """How a training runs, apart from what it learns."""

    seed: int
    device: torch.device
    precision: str
    checkpoint: Path
    checkpoint_every: int


class Trainer:
    """One pair's training.

    Parameters
    ----------
    recipe : TrainingRecipe
        Network and optimisation.
    banks : mapping of str to FaceBank
        The subjects' faces, by subject.
    schedule : Schedule
        Seed, device and checkpoints. An existing checkpoint of the same training is resumed.
    fingerprint : str
        Names what is trained on what; a checkpoint with another one is not used.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        banks: Mapping[str, FaceBank],
        schedule: Schedule,
        fingerprint: str,
    ):
        self.recipe, self.banks, self.schedule = recipe, banks, schedule
        self.fingerprint = fingerprint
        torch.manual_seed(derive_seed(schedule.seed, "weights") % 2**63)
        self.model = SwapAutoencoder(recipe, list(banks)).placed(schedule.device)
        self.optimiser = torch.optim.Adam(
            self.model.parameters(), lr=recipe.learning_rate, fused=True
        )
        self.losses = torch.zeros(recipe.steps, len(banks), device=schedule.device)
        self.step = self._looked = 0
        self._bf16 = uses_bf16(schedule.precision, schedule.device)
        self._resume()

    def run(self, log: TextIO | None = None) -> Iterator[int]:
        """Train to the end; yield the number of steps done at every look.

        Raises
        ------
        TrainingError
            If a loss is not a number, with its step.
        """
        bar = tqdm(total=self.recipe.steps, initial=self.step, file=log, mininterval=2, unit="step")
        with bar, _terminated() as stop:
            while self.step < self.recipe.steps:
                self.losses[self.step] = self._one_step()
                self.step += 1
                keep = stop.is_set() or self.step % self.schedule.checkpoint_every == 0
                if keep or self.step % LOOK_EVERY == 0 or self.step == self.recipe.steps:
                    self._look(bar)
                    yield self.step
                if keep:
                    self.save()
                if stop.is_set():
                    raise TrainingError(f"terminated at step {self.step}; run again to go on")

    def save(self) -> None:
        """Write a checkpoint from which another process goes on to the same result."""
        facts = {"step": self.step, "fingerprint": self.fingerprint}
        losses = self.losses[: self.step]
        save_checkpoint(self.schedule.checkpoint, self.model, self.optimiser, losses, facts)

    def _resume(self) -> None:
        path = self.schedule.checkpoint
        if not path.exists():
            return
        try:
            losses, facts = load_checkpoint(path, self.model, self.optimiser, self.fingerprint)
        except DataError as error:
            logger.warning("%s; training from the start", error)
            return
        self.step = self._looked = facts["step"]
        self.losses[: self.step] = losses.to(self.losses.device)
        logger.info("resumed from step %d", self.step)

    def _one_step(self) -> Tensor:
        """Update the weights once; return the L1 loss of each subject, (subjects,)."""
        recipe, device = self.recipe, self.schedule.device
        generator = torch.Generator(device).manual_seed(
            derive_seed(self.schedule.seed, "step", self.step)
        )
        batches = {
            subject: draw_batch(
                bank,
                recipe.batch,
                recipe.resolution,
                colour=recipe.colour_augmentation,
                generator=generator,
            )
            for subject, bank in self.banks.items()
        }
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * rate_factor((self.step + 1) / recipe.steps)
        with torch.autocast(device.type, torch.bfloat16, enabled=self._bf16):
            made = self.model.reconstruct(
                {
                    subject: batch.warped.contiguous(memory_format=torch.channels_last)
                    for subject, batch in batches.items()
                }
            )
        losses = torch.stack(
            [(made[subject] - batch.target).abs().mean() for subject, batch in batches.items()]
        )
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        return losses.detach()

    def _look(self, bar: tqdm) -> None:
        """Check the losses since the last look, and show them."""
        recent = self.losses[self._looked : self.step].cpu()
        wrong = (~recent.isfinite().all(dim=1)).nonzero()
        if len(wrong):
            raise TrainingError(
                f"the loss is not a number at step {self._looked + int(wrong[0]) + 1}; "
                "lower the recipe's learning_rate or set training.precision to fp32"
            )
        bar.set_postfix_str(f"L1 {recent.mean():.4f}", refresh=False)
        bar.update(self.step - bar.n)
        self._looked = self.step


def rate_factor(progress: float) -> float:
    """Return the learning rate's factor at `progress` in (0, 1]: up, level, down."""
    if progress <= DECAY_FROM:
        return min(1.0, progress / WARM_UP)
    return 1.0 - 0.9 * (progress - DECAY_FROM) / (1 - DECAY_FROM)


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Say whether networks run in bf16: as asked, or where the processor computes in it."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = torch.cpu.get_capabilities()
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))


@contextmanager
def _terminated() -> Iterator[threading.Event]:
    """Give an event that SIGTERM sets, so that a training can save before it ends."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
