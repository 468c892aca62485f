"""The training of extractors, resumable to the bit: one engine for all of them."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from swapset.errors import DataError, InterruptedTrainingError, TrainingError
from swapset.extractors.augment import Batch, draw_batch
from swapset.extractors.bank import FaceBank
from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.extractors.schedules import Schedule, Variation
from swapset.generation.checkpoint import load_checkpoint, save_checkpoint
from swapset.generation.training import LOOK_EVERY
from swapset.learning.device import uses_bf16
from swapset.learning.interrupts import terminated
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

LOOKS = 40
"""Looks at the validation faces in a training."""
_BATCH = 32
_SETTLING = 64
"""Faces behind the statistics of batch normalisation when a network is looked at."""


@dataclass(frozen=True)
class Run:
    """How a training runs, apart from what it learns.

    Attributes
    ----------
    seed : int
    precision : {"auto", "fp32", "bf16"}
    checkpoint : Path
        Of this training, if it was interrupted; written now and then.
    checkpoint_every : int
        Steps.
    fingerprint : str
        Names what is trained on what; a checkpoint with another one is not used.
    """

    seed: int
    precision: str
    checkpoint: Path
    checkpoint_every: int
    fingerprint: str


@dataclass
class Best:
    """The weights that were best on the validation faces.

    Attributes
    ----------
    nme : float
        Their mean NME there; infinite before the first look.
    step : int
    history : list of (int, float)
        Step and mean NME of every look.
    """

    nme: float = float("inf")
    step: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)


class Trainer:
    """One extractor's training.

    Parameters
    ----------
    extractor : Extractor
        With fresh weights, or a backbone's. It has the best ones after `run`.
    training : FaceBank
    validation : FaceBank or None
        None: the last weights are kept.
    plan : Schedule
        Steps, batch, learning rate and where it falls.
    variation : Variation
        How faces are varied.
    run : Run
        An existing checkpoint of the same training is resumed.
    """

    def __init__(
        self,
        extractor: Extractor,
        training: FaceBank,
        validation: FaceBank | None,
        plan: Schedule,
        variation: Variation,
        run: Run,
    ):
        self.extractor, self.plan, self.variation = extractor, plan, variation
        self.training, self.validation = training, validation
        self._run, self.best, self.step, self._looked = run, Best(), 0, 0
        self.device = extractor.device
        self.optimiser = extractor.optimiser(plan.learning_rate)
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self._kept = copy.deepcopy(extractor.network)
        self.losses = torch.zeros(plan.steps, device=self.device)
        self.bf16 = uses_bf16(run.precision, self.device)
        self._resume()

    def run(self, log: TextIO | None = None) -> None:
        """Train to the end, and put the best weights into the extractor.

        Raises
        ------
        TrainingError
            If a loss is not a number, with its step; or after SIGTERM, with a checkpoint written.
        """
        plan, every = self.plan, self._run.checkpoint_every
        bar = tqdm(
            total=plan.steps * plan.batch,
            initial=self.step * plan.batch,
            file=log,
            mininterval=2,
            unit="face",
            unit_scale=True,
        )
        with bar, terminated() as stop:
            while self.step < plan.steps:
                self.losses[self.step] = self._one_step()
                self.step += 1
                told = stop.is_set()  # asked once: a signal during a look ends the next step
                keep = told or self.step % every == 0
                if keep or self.step % LOOK_EVERY == 0 or self.step == plan.steps:
                    self._check(bar)
                if self.step % self.look_every == 0 or self.step == plan.steps:
                    self._look()
                if keep:
                    self.save()
                if told and self.step < plan.steps:
                    raise InterruptedTrainingError(
                        f"terminated at step {self.step}; run again to go on"
                    )
        if self.best.history:
            self.extractor.network.load_state_dict(self._kept.state_dict())
        else:
            self._settle()
        self.extractor.network.eval()
        self.extractor.trained = True

    @property
    def look_every(self) -> int:
        """Return the steps between two looks at the validation faces."""
        return max(1, self.plan.steps // LOOKS)

    def save(self) -> None:
        """Write a checkpoint from which another process goes on to the same result."""
        best = self.best
        facts = {
            "step": self.step,
            "fingerprint": self._run.fingerprint,
            "best": [best.nme, best.step] if best.history else None,
            "history": best.history,
        }
        losses = self.losses[: self.step]
        save_checkpoint(self._run.checkpoint, self._states(), self.optimiser, losses, facts)

    def _states(self) -> Any:
        """Return the current and the best weights as one module.

        Any: a checkpoint needs no more of a model than its state dict.
        """
        return nn.ModuleDict({"network": self.extractor.network, "best": self._kept})

    def _resume(self) -> None:
        path = self._run.checkpoint
        if not path.exists():
            return
        try:
            found = load_checkpoint(path, self._states(), self.optimiser, self._run.fingerprint)
        except DataError as error:
            logger.warning("%s; training from the start", error)
            return
        self.step = self._looked = found.facts["step"]
        self.losses[: self.step] = found.losses.to(self.device)
        self.best.history = [(int(step), float(value)) for step, value in found.facts["history"]]
        if self.best.history:
            self.best.nme, self.best.step = found.facts["best"]
        logger.info("resumed from step %d", self.step)

    def _one_step(self) -> Tensor:
        """Update the weights once; return the loss, a number."""
        batch = self._batch(self.step)
        share = self.step / self.plan.steps
        factor = self.plan.factor ** sum(share >= passed for passed in self.plan.milestones)
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self.extractor.network.train()
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.extractor.outputs(images)
        loss = self.extractor.loss([maps.float() for maps in outputs], batch.points, batch.known)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _batch(self, step: int) -> Batch:
        """Return the batch of a step; it depends on the seed and the step alone."""
        seed, size, count = self._run.seed, self.plan.batch, len(self.training)
        places = np.arange(step * size, (step + 1) * size)
        orders = {
            int(k): np.random.default_rng(derive_seed(seed, "order", int(k))).permutation(count)
            for k in np.unique(places // count)
        }
        index = torch.tensor([int(orders[p // count][p % count]) for p in places.tolist()])
        generator = torch.Generator().manual_seed(derive_seed(seed, "step", step))
        return draw_batch(
            self.training, index, self.variation, generator=generator, device=self.device
        )

    def _check(self, bar: tqdm) -> None:
        """Check the losses since the last check, and show them."""
        recent = self.losses[self._looked : self.step].cpu()
        wrong = (~recent.isfinite()).nonzero()
        if len(wrong):
            raise TrainingError(
                f"{self.extractor.name}: the loss is not a number at step "
                f"{self._looked + int(wrong[0]) + 1}; lower its learning_rate or set "
                "training.precision to fp32"
            )
        if len(recent):
            shown = f", NME {self.best.history[-1][1]:.4f}" if self.best.history else ""
            bar.set_postfix_str(f"loss {recent.mean():.3g}{shown}", refresh=False)
        bar.update(self.step * self.plan.batch - bar.n)
        self._looked = self.step

    def _look(self) -> None:
        """Measure the validation faces; keep the weights if they are the best so far."""
        if self.validation is None:
            return
        network = self.extractor.network
        before = {name: part.clone() for name, part in network.named_buffers()}
        self._settle()
        value = float(nme(find(self.extractor, self.validation), self.validation.points).mean())
        logger.info("step %d, validation NME %.4f", self.step, value)
        self.best.history.append((self.step, value))
        if value < self.best.nme:
            self.best.nme, self.best.step = value, self.step
            self._kept.load_state_dict(network.state_dict())
        for name, part in network.named_buffers():
            part.copy_(before[name])

    @torch.no_grad()
    def _settle(self) -> None:
        """Set the statistics of batch normalisation to means over batches of these very weights.

        Running ones lag behind weights that change fast, as in short trainings (Y. Wu, J. Johnson,
        "Rethinking batch in BatchNorm", 2021, section 3); in the authors' long ones they do not.
        """
        network = self.extractor.network
        norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        if not norms:
            return
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean
        network.train()
        for number in range(-(-_SETTLING // self.plan.batch)):
            images = self._batch(number).images
            self.extractor.outputs(images.contiguous(memory_format=torch.channels_last))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@torch.inference_mode()
def find(extractor: Extractor, bank: FaceBank) -> NDArray[np.float32]:
    """Return the landmarks (n, K, 2) that an extractor finds, in pixels of its crop.

    Parameters
    ----------
    extractor : Extractor
    bank : FaceBank
        Its middle is looked at, without any variation.

    Notes
    -----
    In single precision: in half precision, maps of a narrow network have several highest pixels.
    """
    extractor.network.eval()
    rim = (bank.faces.shape[-1] - bank.side) // 2
    found = []
    for index in torch.arange(len(bank)).split(_BATCH):
        faces = bank.take(index, extractor.device)
        crops = faces[:, :, rim : rim + bank.side, rim : rim + bank.side].float()
        maps = extractor.heatmaps(crops.contiguous(memory_format=torch.channels_last))
        found.append(extractor.decode(maps).cpu())
    return torch.cat(found).numpy().astype(np.float32)
