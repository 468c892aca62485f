"""Training of an encoder and the decoders of two or more subjects, resumable to the bit.

The network reconstructs a face from a warped version of itself; each step sees a batch of each of
two subjects (section 4.2.1 of the chapter). The recipe names the losses.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.expressions import balanced, group_centres, mean_faces
from swapset.generation.loss_record import LossRecord
from swapset.generation.losses import Objective
from swapset.generation.preview import preview_row
from swapset.generation.schedule import Schedule
from swapset.generation.size import texture_side
from swapset.generation.step import RecordedStep, Step
from swapset.generation.validation import hold_out, most_similar_decoder, validation_losses
from swapset.learning.checkpoint import Checkpoint, State, network_tensors, restore_network
from swapset.learning.device import uses_bf16
from swapset.learning.events import Events
from swapset.learning.loop import LOSS_WINDOW, Loop, Task
from swapset.seeds import derive_seed
from swapset.types import Floats, Image

logger = logging.getLogger(__name__)

_AT_ONCE = 2
"""Most subjects in a step."""


@dataclass(frozen=True)
class Run:
    """Settings of a training run, such as seed, precision and checkpoints.

    Attributes
    ----------
    seed : int
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    checkpoint : Path
        Where the training saves its state regularly; an interrupted one resumes from there.
    checkpoint_every, preview_every : int
        In steps.
    patience : int
        Looks at the held-out faces without improvement after which the rate falls; 0 = never.
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


class Trainer(Task):
    """The training of one encoder and its decoders.

    Parameters
    ----------
    recipe : TrainingRecipe
        Network and optimisation.
    banks : mapping of str to FaceBank
        Faces by subject. Some of each are held out.
    settings : Run
        Seed, device and checkpoints. An existing checkpoint of the same training is resumed.
    fingerprint : str
        Identifies recipe, faces and code; a checkpoint with another one is not used.
    start : SwapAutoencoder, optional
        A model with the same layers to start from. A subject that it does not know starts from the
        decoder that reconstructs the subject's faces best.
    """

    advice = "lower the recipe's learning_rate or set training.precision to fp32"
    unit = "face"

    def __init__(
        self,
        recipe: TrainingRecipe,
        banks: Mapping[str, FaceBank],
        settings: Run,
        fingerprint: str,
        start: SwapAutoencoder | None = None,
    ):
        self.recipe, self.settings = recipe, settings
        self.subjects = list(banks)
        self.banks, self.held_out = hold_out(banks)
        bf16 = uses_bf16(settings.precision, settings.device)
        torch.manual_seed(derive_seed(settings.seed, "weights") % 2**63)
        self.model = SwapAutoencoder(recipe, self.subjects).placed(settings.device)
        if recipe.needs_expressions:
            self._group_faces(start)
        self.objective = Objective(recipe, self.subjects, settings.device, bf16=bf16)
        if start is not None:
            self._start_from(start)
        self._plain_step = Step(recipe, self.model, self.objective, self.banks, bf16=bf16)
        self._take_step: Step | RecordedStep = self._plain_step
        self._generator = torch.Generator(settings.device)
        self.schedule = Schedule(recipe.steps)
        self.look_every, self.patience = self.schedule.look_every, settings.patience
        self.per_step = recipe.batch * min(_AT_ONCE, len(self.subjects))
        self.record = LossRecord(recipe.steps, self.subjects, settings.device)
        self._window = torch.full((LOSS_WINDOW, len(banks)), torch.nan, device=settings.device)
        self._terms: dict[str, Tensor] = {}
        self._events = Events(None, 0)
        self.previews: list[Image] = []
        checkpoint = Checkpoint(settings.checkpoint, settings.checkpoint_every, fingerprint)
        self.loop = Loop(self, checkpoint)
        self.loop.resume()
        if settings.compiled:
            self._compile()

    def _group_faces(self, start: SwapAutoencoder | None) -> None:
        """Find groups of like expressions: textures start from them, rare ones are drawn more."""
        centres = None if start is None else start.expressions()
        if centres is None:
            seed = derive_seed(self.settings.seed, "expressions") % 2**32
            centres = group_centres(self.banks, self.recipe.textures, seed)
        if self.recipe.decoder == "textures":
            side = texture_side(self.recipe)
            larger = side / self.recipe.resolution
            pictures = {
                name: mean_faces(bank, centres, side, larger * bank.share)
                for name, bank in self.banks.items()
            }
            self.model.start_textures(centres, pictures)
        if self.recipe.balanced:
            self.banks = {name: balanced(bank, centres) for name, bank in self.banks.items()}

    def _start_from(self, start: SwapAutoencoder) -> None:
        """Copy the weights of another model; newcomers keep their own textures."""
        decoders = {
            subject: subject
            if subject in start.decoders
            else most_similar_decoder(start, self.banks[subject], self.recipe)
            for subject in self.subjects
        }
        logger.info("decoders start from those of %s", decoders)
        self.model.copy_weights(start, decoders)

    def _compile(self) -> None:
        """Compile the networks; on a GPU, record a pair's step as one graph."""
        self._plain_step.compile()
        if self.settings.device.type == "cuda" and len(self.subjects) <= _AT_ONCE:
            self.record_steps()

    def record_steps(self) -> None:
        """Record a pair's step once and replay it; only on a GPU."""
        self._take_step = RecordedStep(self._plain_step)

    def run(self, log: TextIO | None = None) -> None:
        """Train to the end; see `Loop.run` for what it raises."""
        with closing(Events(self.settings.events, self.loop.done)) as self._events:
            self.loop.run(log)

    @property
    def end(self) -> int:
        """Return the schedule's end."""
        return self.schedule.end

    # -- checkpoints ---------------------------------------------------------------------------

    def state(self) -> State:
        """Return weights, critics, optimiser, losses, looks and preview rows."""
        tensors = network_tensors(self._networks(), self._plain_step.optimiser)
        tensors |= {"losses": self.record.sums, "counts": self.record.counts}
        if self.previews:
            tensors["previews"] = torch.from_numpy(np.stack(self.previews))
        schedule = self.schedule
        facts = {"history": schedule.history, "plateau_step": schedule.plateau_step}
        return State(tensors, facts)

    def restore(self, state: State) -> None:
        """Restore what `state` returned; see `Task.restore`."""
        tensors, facts = state.tensors, state.facts
        restore_network(tensors, self._networks(), self._plain_step.optimiser)
        self.record.restore(tensors["losses"], tensors["counts"])
        self.schedule.history = [(int(step), float(loss)) for step, loss in facts["history"]]
        self.schedule.plateau_step = facts["plateau_step"]
        self.previews = list(tensors["previews"].numpy()) if "previews" in tensors else []

    def _networks(self) -> nn.Module:
        return nn.ModuleDict({"model": self.model, "critics": self.objective.critics})

    # -- steps ---------------------------------------------------------------------------------

    def step(self, index: int) -> Tensor:
        """Update the weights once; return the loss, a scalar float32 on the device.

        See `Task.step`.
        """
        seed = derive_seed(self.settings.seed, "step", index)
        self._generator.manual_seed(seed)
        chosen = self._chosen(seed)
        shares = self.objective.shares(chosen, derive_seed(self.settings.seed, "mixup", index))
        self._plain_step.set_rates(self.schedule.factor(index + 1))
        self._plain_step.coarse = self.recipe.coarse_first and index < self.schedule.decay_from
        outcome = self._take_step(chosen, self._generator, shares)
        self._terms = outcome.terms
        self._window[index % LOSS_WINDOW] = torch.nan
        for subject, loss in outcome.l1.items():
            column = self.subjects.index(subject)
            self._window[index % LOSS_WINDOW, column] = loss
            self.record.add(index, column, loss)
        return outcome.total

    def _chosen(self, seed: int) -> list[str]:
        """Return the subjects of a step; they depend on its seed alone."""
        if len(self.subjects) <= _AT_ONCE:
            return self.subjects
        numbers = np.random.default_rng(seed).permutation(len(self.subjects))[:_AT_ONCE]
        return [self.subjects[number] for number in numbers]

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Write each subject's L1 and the last step's losses as events; see `Task.report`."""
        since = torch.arange(done - len(losses), done, device=self._window.device) % LOSS_WINDOW
        recent = self._window[since].nanmean(dim=0).tolist()
        terms = {name: float(value) for name, value in self._terms.items()}
        self._events.numbers("L1", dict(zip(self.subjects, recent, strict=True)), done)
        self._events.numbers("loss", terms, done)
        self._events.numbers("speed", {"faces_per_second": speed}, done)
        history = self.schedule.history
        held_out = f", held out {history[-1][1]:.4f}" if history else ""
        return f"L1 {np.nanmean(recent):.4f}{held_out}"

    # -- looks ---------------------------------------------------------------------------------

    def look(self, done: int) -> bool:
        """Measure the held-out faces; return whether their loss has improved. See `Task.look`."""
        losses = self.validate()
        self._events.numbers("held_out", losses, done)
        return self.schedule.look(done, float(np.mean(list(losses.values()))))

    def plateau(self, done: int) -> None:
        """Start the fall of the rate, so that the training ends earlier."""
        before = self.end
        self.schedule.plateau(done)
        if self.end < before:
            logger.info("step %d: a plateau; %d steps in all", done, self.end)

    def after(self, done: int) -> None:
        """Add a row to the preview when it is due."""
        if done % self.settings.preview_every == 0 or done >= self.end:
            with torch.compiler.set_stance("force_eager"):
                self.previews.append(preview_row(self.model, self.held_out, self.recipe))
            self._events.picture("preview", self.previews[-1], done)

    def validate(self) -> dict[str, float]:
        """Return the L1 of each subject's held-out faces, without augmentation."""
        with self._plain_step.autocast, torch.compiler.set_stance("force_eager"):
            return validation_losses(self.model, self.held_out, self.recipe)
