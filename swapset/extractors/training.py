"""Training of all landmark extractors, resumable to the bit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor, nn

from swapset.extractors.augment import Batch, draw_batch
from swapset.extractors.bank import FaceBank
from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.extractors.schedules import Schedule, Variation
from swapset.learning.best import BestWeights
from swapset.learning.checkpoint import Checkpoint, State, network_tensors, restore_network
from swapset.learning.device import uses_bf16
from swapset.learning.loop import Loop, Task
from swapset.learning.order import Epochs
from swapset.seeds import derive_seed
from swapset.types import Floats, Points

logger = logging.getLogger(__name__)

LOOKS = 40
"""Looks at the validation faces in a training."""
_BATCH = 32
_STATISTICS_FACES = 64
"""Faces from which the statistics of batch normalisation are measured before a look."""


@dataclass(frozen=True)
class Run:
    """Settings of a training run, such as seed, precision and checkpoints.

    Attributes
    ----------
    seed : int
    precision : {"auto", "fp32", "bf16"}
    checkpoint : Path
        Where the training saves its state regularly; an interrupted one resumes from there.
    checkpoint_every : int
        In steps.
    fingerprint : str
        Identifies network, faces, settings and code; a checkpoint with another one is not used.
    """

    seed: int
    precision: str
    checkpoint: Path
    checkpoint_every: int
    fingerprint: str


class Trainer(Task):
    """One extractor's training.

    Parameters
    ----------
    extractor : Extractor
        With fresh weights, or a backbone's. After `run` it has the best weights.
    training : FaceBank
    validation : FaceBank or None
        With None, the last weights are kept.
    plan : Schedule
        Steps, batch, learning rate and the steps where it falls.
    variation : Variation
        Augmentation of the faces.
    run : Run
        An existing checkpoint of the same training is resumed.

    Attributes
    ----------
    best : BestWeights
        The weights that were best on the validation faces.
    history : list of (int, float)
        Step and mean NME of every look at the validation faces.
    losses : (steps,) float32
        Loss of each step, on the device.
    """

    unit = "face"

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
        self.device, self._seed = extractor.device, run.seed
        self.loss_name, self.per_step = f"{extractor.name}: the loss", plan.batch
        self.look_every = 0 if validation is None else max(1, plan.steps // LOOKS)
        self.optimiser = extractor.optimiser(plan.learning_rate)
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self._order = Epochs(len(training), run.seed)
        self.best = BestWeights(extractor.network)
        self.history: list[tuple[int, float]] = []
        self.losses = torch.zeros(plan.steps, device=self.device)
        self.bf16 = uses_bf16(run.precision, self.device)
        self.loop = Loop(self, Checkpoint(run.checkpoint, run.checkpoint_every, run.fingerprint))
        self.loop.resume()

    def run(self, log: TextIO | None = None) -> None:
        """Train to the end; load the best weights into the extractor.

        See `Loop.run` for what it raises.
        """
        self.loop.run(log)
        if self.history:
            self.best.put_back()
        else:
            self._measure_statistics()
        self.extractor.network.eval()
        self.extractor.trained = True

    @property
    def end(self) -> int:
        """Return the number of the plan's steps."""
        return self.plan.steps

    def state(self) -> State:
        """Return current and best weights, optimiser, losses and looks."""
        tensors = network_tensors(self.extractor.network, self.optimiser) | self.best.tensors()
        facts = {"best_step": self.best.step, "history": self.history}
        return State({**tensors, "losses": self.losses}, facts)

    def restore(self, state: State) -> None:
        """Restore what `state` returned; see `Task.restore`."""
        restore_network(state.tensors, self.extractor.network, self.optimiser)
        self.best.restore(state.tensors, state.facts["best_step"])
        self.losses.copy_(state.tensors["losses"])
        self.history = [(int(step), float(value)) for step, value in state.facts["history"]]

    def step(self, index: int) -> Tensor:
        """Update the weights once; return the loss, a scalar float32 on the device.

        See `Task.step`.
        """
        batch = self._batch(index)
        self._set_rates(index / self.plan.steps)
        self.extractor.network.train()
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.extractor.outputs(images)
        loss = self.extractor.loss([maps.float() for maps in outputs], batch.points, batch.known)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.losses[index] = loss.detach()
        return self.losses[index]

    def _set_rates(self, share: float) -> None:
        """Set the learning rates after this share of the steps."""
        factor = self.plan.rate(share)
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _batch(self, step: int) -> Batch:
        """Return the batch of a step; it depends on the seed and the step alone."""
        size = self.plan.batch
        index = torch.from_numpy(self._order.indices(step * size, size))
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "step", step))
        return draw_batch(
            self.training, index, self.variation, generator=generator, device=self.device
        )

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Return the mean loss and the last NME as text; see `Task.report`."""
        shown = f", NME {self.history[-1][1]:.4f}" if self.history else ""
        return f"loss {losses.mean():.3g}{shown}"

    def look(self, done: int) -> bool:
        """Measure the validation faces; keep the weights if they are the best so far."""
        assert self.validation is not None  # noqa: S101 - without faces there are no looks
        network = self.extractor.network
        before = {name: part.clone() for name, part in network.named_buffers()}
        self._measure_statistics()
        value = float(nme(find(self.extractor, self.validation), self.validation.points).mean())
        logger.info("step %d, validation NME %.4f", done, value)
        better = value < self.best_nme
        self.history.append((done, value))
        if better:
            self.best.keep(done)
        for name, part in network.named_buffers():
            part.copy_(before[name])
        return better

    @property
    def best_nme(self) -> float:
        """Return the mean NME of the best weights; infinite before there are any."""
        return dict(self.history).get(self.best.step, float("inf"))

    @torch.no_grad()
    def _measure_statistics(self) -> None:
        """Set the statistics of batch normalisation to means over batches with current weights.

        Running statistics lag behind weights that change fast, as in short trainings (Y. Wu, J.
        Johnson, "Rethinking batch in BatchNorm", 2021, section 3). In the authors' long trainings
        they do not.
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
        for number in range(-(-_STATISTICS_FACES // self.plan.batch)):
            images = self._batch(number).images
            self.extractor.outputs(images.contiguous(memory_format=torch.channels_last))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@torch.inference_mode()
def find(extractor: Extractor, bank: FaceBank) -> Points:
    """Find the landmarks of faces with an extractor.

    Parameters
    ----------
    extractor : Extractor
    bank : FaceBank
        The extractor reads the middle of the stored faces, without augmentation.

    Returns
    -------
    (n, K, 2) float32
        x, y in pixels of the extractor's crop.

    Notes
    -----
    The network runs in single precision: in half precision, a narrow network's maps have several
    highest pixels.
    """
    extractor.network.eval()
    rim = (bank.faces.shape[-1] - bank.side) // 2
    points = []
    for index in torch.arange(len(bank)).split(_BATCH):
        faces = bank.take(index, extractor.device)
        crops = faces[:, :, rim : rim + bank.side, rim : rim + bank.side].float()
        maps = extractor.heatmaps(crops.contiguous(memory_format=torch.channels_last))
        points.append(extractor.decode(maps).cpu())
    return torch.cat(points).numpy().astype(np.float32)
