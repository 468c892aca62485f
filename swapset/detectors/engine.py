"""Detectors that are networks: one training engine and one way to score for all of them."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TextIO

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor, nn
from tqdm import tqdm

from swapset.detectors.base import Arrays, Detector, Samples, Schedule, Scores
from swapset.detectors.batches import Batch, Batches, Example, check_classes
from swapset.detectors.face import Face
from swapset.errors import DataError, TrainingError
from swapset.learning.device import uses_bf16
from swapset.seeds import derive_seed

logger = logging.getLogger(__name__)

VALIDATION_FACES = 2048
"""Most faces that a look at the validation set scores, evenly taken, half of each class."""


SAME_AUC = 0.005
"""Validation AUCs this near each other say the same: cross entropy decides then. A few faces of a
few people are soon told apart, long before a detector is well fitted."""


class NetworkDetector(Detector):
    """A detector whose score is one network's output.

    Attributes
    ----------
    side : int
        Side of the crops that the network reads.
    published : Schedule
        The authors' steps, batch and learning rate.
    draws_anew : bool
        True: `example` is random, so nothing is gained by keeping crops.
    """

    side: ClassVar[int]
    published: ClassVar[Schedule]
    draws_anew: ClassVar[bool] = False

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu"):
        super().__init__(seed=seed, device=device)
        torch.manual_seed(derive_seed(seed, self.name, "weights") % 2**63)
        self.network = self.build().to(self.device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    # -- what a detector says ------------------------------------------------------------------

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; its state-dict keys are the published ones."""

    @abstractmethod
    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops (B, 3, S, S) in [0, 255], float32, normalised as the network wants."""

    @abstractmethod
    def fake_probability(self, output: Any) -> Tensor:
        """Return the probabilities (B,) of fake of the network's output."""

    @abstractmethod
    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the training loss of a batch."""

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published optimiser."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return what is learnt from one face."""
        return Example(self.crop(face), label)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Change a batch of training crops on the device; by default some are mirrored."""
        shape = (len(batch.labels), 1, 1, 1)
        flip = torch.rand(shape, generator=generator, device=batch.images.device) < 0.5
        swapped = batch.swapped
        if swapped is not None:
            swapped = torch.where(flip[:, 0], swapped.flip(-1), swapped)
        images = torch.where(flip, batch.images.flip(-1), batch.images)
        return replace(batch, images=images, swapped=swapped)

    def take_backbone(self, path: Path) -> None:
        """Start from weights of the backbone on ImageNet."""
        raise DataError(f"{path}: {self.name} has no backbone that takes weights; leave it out")

    # -- scoring -------------------------------------------------------------------------------

    @torch.inference_mode()
    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Score crops (B, S, S, 3) or (B, K, S, S, 3) uint8, RGB; see `Detector.forward`."""
        several = crops.ndim == 5
        flat = crops.reshape(-1, *crops.shape[-3:])
        images = torch.from_numpy(flat).to(self.device).permute(0, 3, 1, 2)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            output = self.network(self.prepare(images.float()))
        scores = self.fake_probability(output).double().cpu().numpy()
        return self.combine(scores.reshape(crops.shape[:2])) if several else scores

    def combine(self, scores: Scores) -> Scores:
        """Return one score per face of the scores (B, K) of its K crops: their mean."""
        return np.asarray(scores.mean(axis=1), np.float64)

    # -- learning ------------------------------------------------------------------------------

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Train; keep the weights that are best on the validation faces. See `Detector.fit`."""
        check_classes(training, needs_fakes=self.needs_fakes)
        plan = self._plan(schedule or Schedule())
        if backbone is not None:
            self.take_backbone(backbone)
        optimiser = self.optimiser(plan.learning_rate or 0.0)
        keeper = _Keeper(self, validation, plan)
        batches = Batches(
            training, self.example, batch=plan.batch or 1, seed=plan.seed, keep=not self.draws_anew
        )
        bar = tqdm(total=plan.steps, file=log, mininterval=2, unit="step")
        with bar, batches:
            for step in range(plan.steps or 0):
                loss = self._step(batches.get(step, self.device), optimiser, plan, step)
                bar.set_postfix_str(f"loss {loss:.4f}{keeper.shown}", refresh=False)
                bar.update()
                if (step + 1) % plan.look_every == 0 and keeper.look(step + 1):
                    break
        return keeper.end(step + 1) if plan.steps else {}

    def _plan(self, asked: Schedule) -> Schedule:
        """Fill in the published values where none is asked for."""
        own = self.published
        return replace(
            asked,
            steps=own.steps if asked.steps is None else asked.steps,
            batch=own.batch if asked.batch is None else asked.batch,
            learning_rate=(
                own.learning_rate if asked.learning_rate is None else asked.learning_rate
            ),
        )

    def _step(
        self, batch: Batch, optimiser: torch.optim.Optimizer, plan: Schedule, step: int
    ) -> float:
        generator = torch.Generator(self.device)
        generator.manual_seed(derive_seed(plan.seed, self.name, "augment", step) % 2**63)
        batch = self.augment(batch, generator)
        torch.manual_seed(derive_seed(plan.seed, self.name, "step", step) % 2**63)
        self.network.train()
        images = self.prepare(batch.images).contiguous(memory_format=torch.channels_last)
        bf16 = uses_bf16(plan.precision, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            output = self.network(images)
        loss = self.loss(output, batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingError(
                f"{self.name}: the loss is not a number at step {step + 1}; lower its "
                "learning_rate or set training.precision to fp32"
            )
        return value

    # -- files ---------------------------------------------------------------------------------

    def arrays(self) -> Arrays:
        """Return the network's weights by their published names."""
        return {name: part.cpu().numpy() for name, part in self.network.state_dict().items()}

    def take(self, arrays: Arrays) -> None:
        """Put weights back; see `Detector.take`."""
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        self.take_state(tensors)

    def take_state(self, state: Mapping[str, Tensor]) -> None:
        """Load a state dict whose names and shapes must fit.

        Raises
        ------
        DataError
            If they do not.
        """
        try:
            self.network.load_state_dict(dict(state))
        except RuntimeError as error:
            said = " ".join(str(error).split()[:30])
            raise DataError(f"weights do not fit {self.name}: {said} ...") from error
        self.network.eval()


class _Keeper:
    """Looks at the validation faces now and then, keeps the best weights, says when to stop."""

    def __init__(self, detector: NetworkDetector, validation: Samples | None, plan: Schedule):
        self._detector, self._plan = detector, plan
        self._best, self._loss = -np.inf, np.inf
        self._kept_auc, self._kept_step, self._since = np.nan, 0, 0
        self._kept: dict[str, Tensor] = {}
        self.shown = ""
        self._faces: list[Face] = []
        self._labels: npt.NDArray[np.int8] = np.empty(0, np.int8)
        labels = np.empty(0, np.int8) if validation is None else np.asarray(validation.labels)
        classes = [np.flatnonzero(labels == label) for label in (0, 1)]
        if validation is not None and all(map(len, classes)):
            most = VALIDATION_FACES // len(classes)
            index = np.concatenate([part[:: -(-len(part) // most)] for part in classes])
            self._faces = [validation[int(k)] for k in index]
            self._labels = labels[index]

    def look(self, step: int) -> bool:
        """Score the validation faces; return whether training should end.

        Better is a higher AUC, and among about equal ones the lower cross entropy.
        """
        if not self._faces:
            return False
        self._detector.network.eval()
        scores = self._detector.score_faces(self._faces)
        if not np.isfinite(scores).all():
            raise TrainingError(
                f"{self._detector.name}: scores of validation faces are not numbers after step "
                f"{step}; lower its learning_rate or set training.precision to fp32"
            )
        auc = float(roc_auc_score(self._labels, scores))
        self.shown = f", validation AUC {auc:.3f}"
        logger.info("step %d%s", step, self.shown)
        # Rounding may leave a probability a hair above 1, which `log_loss` refuses.
        loss = float(log_loss(self._labels, np.clip(scores, 0, 1), labels=[0, 1]))
        better = auc > self._best + SAME_AUC or (auc >= self._best - SAME_AUC and loss < self._loss)
        self._best = max(self._best, auc)
        if better:
            self._loss, self._kept_auc, self._kept_step, self._since = loss, auc, step, 0
            state = self._detector.network.state_dict()
            self._kept = {name: part.detach().clone() for name, part in state.items()}
        else:
            self._since += 1
        return self._since >= self._plan.patience

    def end(self, steps: int) -> dict[str, Any]:
        """Put the best weights back; return what is known of the training."""
        if self._faces and steps % self._plan.look_every:
            self.look(steps)
        if self._kept:
            self._detector.network.load_state_dict(self._kept)
        self._detector.network.eval()
        facts: dict[str, Any] = {"steps": steps}
        if self._faces:
            facts |= {"validation_auc": self._kept_auc, "best_step": self._kept_step}
        return facts
