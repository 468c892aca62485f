"""Base class of detectors that are networks, with their training and scoring."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TextIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from swapset.detectors.base import Arrays, Detector, Samples, Schedule, Scores
from swapset.detectors.batches import Batch, Batches, Example, check_classes
from swapset.detectors.face import Face
from swapset.detectors.looks import Looks
from swapset.errors import DataError
from swapset.learning.best import BestWeights
from swapset.learning.checkpoint import State, network_tensors, restore_network
from swapset.learning.device import uses_bf16
from swapset.learning.loop import Loop, Task
from swapset.seeds import derive_seed
from swapset.types import Floats


class NetworkDetector(Detector):
    """A detector whose score is one network's output.

    Attributes
    ----------
    side : int
        Side S of the crops that the network reads.
    published : Schedule
        The authors' steps, batch and learning rate.
    random_examples : bool
        True: `example` is random, so its crops cannot be kept for the next epoch.
    planned_steps : int
        Steps of the fit that runs, for rates that depend on them.
    """

    resumes = True
    side: ClassVar[int]
    published: ClassVar[Schedule]
    random_examples: ClassVar[bool] = False
    planned_steps: int = 0

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu"):
        super().__init__(seed=seed, device=device)
        torch.manual_seed(derive_seed(seed, self.name, "weights") % 2**63)
        self.network = self.build().to(self.device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    # -- defined by each detector --------------------------------------------------------------

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; its state-dict keys are the published ones."""

    @abstractmethod
    def prepare(self, crops: Tensor) -> Tensor:
        """Normalise crops (B, 3, S, S) float32 in [0, 255], RGB, for the network."""

    @abstractmethod
    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float in [0, 1], from the network's output."""

    @abstractmethod
    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the training loss of a batch, a scalar float32, from the network's output."""

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published optimiser; `rate` changes its learning rates."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    def rate(self, first: float, step: int) -> float:
        """Return the learning rate in a step, counted from 0, given that of the first step."""
        return first

    def before_step(self, step: int) -> None:
        """Choose the layers that learn in a step, counted from 0; by default change nothing."""

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return the training example of one face; by default its crop.

        Parameters
        ----------
        face : Face
        label : int
            1 = fake, 0 = real.
        generator : numpy.random.Generator
            For detectors whose examples are random.
        """
        return Example(self.crop(face), label)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Change a batch of training crops on the device; by default mirror half of them."""
        shape = (len(batch.labels), 1, 1, 1)
        flip = torch.rand(shape, generator=generator, device=batch.images.device) < 0.5
        swapped = batch.swapped
        if swapped is not None:
            swapped = torch.where(flip[:, 0], swapped.flip(-1), swapped)
        images = torch.where(flip, batch.images.flip(-1), batch.images)
        return replace(batch, images=images, swapped=swapped)

    def take_backbone(self, path: Path) -> None:
        """Load ImageNet weights into the backbone.

        Raises
        ------
        DataError
            If the detector has no backbone, or the file does not fit.
        """
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
        """Return the scores of faces, (B,) float64, from their crops' scores, (B, K) float64.

        By default the mean of the K crops.
        """
        return np.asarray(scores.mean(axis=1), np.float64)

    def probability(self, scores: Scores) -> Scores:
        """Return the scores (n,) float64 in [0, 1], which are probabilities of fake themselves."""
        return scores

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
        """Train; keep the weights that do best on the validation faces. See `Detector.fit`."""
        check_classes(training, needs_fakes=self.needs_fakes)
        plan = self._plan(schedule or Schedule())
        self.planned_steps = plan.steps or 0
        if backbone is not None:
            self.take_backbone(backbone)
        batches = Batches(
            training,
            self.example,
            batch=plan.batch or 1,
            seed=plan.seed,
            keep=not self.random_examples,
        )
        task = _Training(self, batches, validation, plan)
        loop = Loop(task, plan.checkpoint)
        loop.resume()
        with batches:
            loop.run(log)
        return task.finish(loop.done) if plan.steps else {}

    def _plan(self, asked: Schedule) -> Schedule:
        """Fill in the published values where none is asked for."""
        published = self.published
        return replace(
            asked,
            steps=published.steps if asked.steps is None else asked.steps,
            batch=published.batch if asked.batch is None else asked.batch,
            learning_rate=(
                published.learning_rate if asked.learning_rate is None else asked.learning_rate
            ),
        )

    def _step(
        self, batch: Batch, optimiser: torch.optim.Optimizer, plan: Schedule, step: int
    ) -> Tensor:
        """Update the weights on a batch; return the loss, a scalar float32 on the device."""
        generator = torch.Generator(self.device)
        generator.manual_seed(derive_seed(plan.seed, self.name, "augment", step) % 2**63)
        batch = self.augment(batch, generator)
        torch.manual_seed(derive_seed(plan.seed, self.name, "step", step) % 2**63)
        for group in optimiser.param_groups:
            group["lr"] = self.rate(group.setdefault("initial_lr", group["lr"]), step)
        self.before_step(step)
        self.network.train()
        images = self.prepare(batch.images).contiguous(memory_format=torch.channels_last)
        bf16 = uses_bf16(plan.precision, self.device)

        def with_gradients() -> Tensor:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
                output = self.network(images)
            loss = self.loss(output, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            return loss.detach()

        taken: Any = optimiser.step(with_gradients)  # type: ignore[arg-type]
        return taken

    # -- files ---------------------------------------------------------------------------------

    def arrays(self) -> Arrays:
        """Return the network's weights by their published names, mostly float32."""
        return {name: part.cpu().numpy() for name, part in self.network.state_dict().items()}

    def take(self, arrays: Arrays) -> None:
        """Load weights; see `Detector.take`."""
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        self.take_state(tensors)

    def take_state(self, state: Mapping[str, Tensor]) -> None:
        """Load a state dict into the network.

        Raises
        ------
        DataError
            If its names or shapes do not fit.
        """
        try:
            self.network.load_state_dict(dict(state))
        except RuntimeError as error:
            details = " ".join(str(error).split()[:30])
            raise DataError(f"weights do not fit {self.name}: {details} ...") from error
        self.network.eval()


class _Training(Task):
    """The training of a network detector; it ends early when validation stops improving."""

    def __init__(
        self,
        detector: NetworkDetector,
        batches: Batches,
        validation: Samples | None,
        plan: Schedule,
    ):
        self._detector, self._batches, self._plan = detector, batches, plan
        self._end = plan.steps or 0
        self._optimiser = detector.optimiser(plan.learning_rate or 0.0)
        self._looks = Looks(detector.name, self._scores, validation)
        self._best = BestWeights(detector.network)
        self.loss_name = f"{detector.name}: the loss"
        self.look_every = plan.look_every if self._looks.possible else 0
        self.patience = plan.patience

    @property
    def end(self) -> int:
        """Return the number of the plan's steps, or of those after which patience ended."""
        return self._end

    def step(self, index: int) -> Tensor:
        """Update the weights once; see `Task.step`."""
        batch = self._batches.get(index, self._detector.device)
        return self._detector._step(batch, self._optimiser, self._plan, index)

    def _scores(self, faces: Sequence[Face]) -> Scores:
        self._detector.network.eval()
        return self._detector.score_faces(faces)

    def look(self, done: int) -> bool:
        """Score the validation faces, and keep the best weights; see `Task.look`."""
        better = self._looks.look(done)
        if better:
            self._best.keep(done)
        return better

    def plateau(self, done: int) -> None:
        """End the training."""
        self._end = done

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Return the last loss and the last validation AUC; see `Task.report`."""
        shown = f", validation AUC {self._looks.last:.3f}" if self._best.step else ""
        return f"loss {losses[-1]:.4f}{shown}"

    def state(self) -> State:
        """Return current and best weights, optimiser and results of looks."""
        tensors = network_tensors(self._detector.network, self._optimiser) | self._best.tensors()
        facts = {"end": self._end, "best_step": self._best.step, "looks": self._looks.facts()}
        return State(tensors, facts)

    def restore(self, state: State) -> None:
        """Restore what `state` returned; see `Task.restore`."""
        restore_network(state.tensors, self._detector.network, self._optimiser)
        self._best.restore(state.tensors, state.facts["best_step"])
        self._looks.restore(state.facts["looks"])
        self._end = state.facts["end"]

    def finish(self, steps: int) -> dict[str, Any]:
        """Load the best weights into the network; return facts about the training."""
        self._best.put_back()
        self._detector.network.eval()
        facts: dict[str, Any] = {"steps": steps}
        if self._looks.possible:
            facts |= {"validation_auc": self._looks.auc, "best_step": self._best.step}
        return facts
