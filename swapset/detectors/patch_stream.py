"""The patch stream of `two_stream`: tests whether a face is from another image than the rest.

It computes steganalysis features of patches; embeds them by two fully connected layers, trained
with the triplet loss so that patches of one image lie close together and those of two images far
apart; and trains a support vector machine anew for each face.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple, TextIO

import numpy as np
import torch
from sklearn.svm import SVC
from torch import Tensor, nn

from swapset.detectors.base import Arrays, Samples
from swapset.detectors.inputs import srm
from swapset.detectors.inputs.patch_triplets import Triplets, gather, of_other_images, triplet_loss
from swapset.detectors.inputs.patches import INSIDE, present
from swapset.errors import DataError
from swapset.learning.checkpoint import Checkpoint, State, network_tensors, restore_network
from swapset.learning.loop import Loop, Task
from swapset.seeds import derive_seed
from swapset.types import Bytes, Floats, Floats32

logger = logging.getLogger(__name__)

HIDDEN, EMBEDDED = 1024, 512
STEPS = 2000
LEARNING_RATE = 1e-4
FACES = 400
"""Largest number of faces of a class whose patches are used for training."""
_LEAST_SPREAD = 2.5e-4
"""Least divisor of a feature when it is standardised: the share of one pixel in a patch."""
_TOLERANCE = 1e-6


class Embedding(nn.Module):
    """Two fully connected layers that map features (n, 5514) to unit vectors (n, 512).

    Attributes
    ----------
    mean, spread : (5514,) float32
        Mean and standard deviation of the training patches' features.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(srm.FEATURES))
        self.register_buffer("spread", torch.ones(srm.FEATURES))
        self.fc1 = nn.Linear(srm.FEATURES, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, EMBEDDED)

    def forward(self, features: Tensor) -> Tensor:
        """Return the unit vectors (n, 512) float32 of features (n, 5514)."""
        hidden = nn.functional.relu(self.fc1((features - self.mean) / self.spread))
        return nn.functional.normalize(self.fc2(hidden))


class Plane(NamedTuple):
    """A separating plane: decision = x · weights + offset; positive = of another image.

    Attributes
    ----------
    weights : (512,) float64
    offset : float
    """

    weights: Floats
    offset: float

    def decide(self, embedded: Floats) -> Floats:
        """Return decisions (n,) float64 on embedded patches (n, 512) float64."""
        return embedded @ self.weights + self.offset


def separate(others: Floats, surroundings: Floats) -> Plane:
    """Train the linear support vector machine for one face (C = 1, balanced class weights).

    Parameters
    ----------
    others : (m, 512) float64
        Embedded patches of other images.
    surroundings : (k, 512) float64
        Embedded patches of this image, outside the face.
    """
    labels = np.repeat((1, 0), (len(others), len(surroundings)))
    machine = SVC(kernel="linear", C=1.0, class_weight="balanced", tol=_TOLERANCE)
    machine.fit(np.concatenate([others, surroundings]), labels)
    return Plane(machine.coef_[0], float(machine.intercept_[0]))


class PatchStream:
    """Scores faces by their patches.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    device : torch.device

    Attributes
    ----------
    others : (m, 512) float64
        Embedded patches of other images; m is 0 before `fit`.
    """

    def __init__(self, *, seed: int, device: torch.device):
        torch.manual_seed(derive_seed(seed, "patches", "weights") % 2**63)
        self.device = device
        self.embedding = Embedding().to(device).eval()
        self.others: Floats = np.empty((0, EMBEDDED))

    def score(self, patches: Bytes) -> Floats:
        """Score each face by the mean decision on its patches.

        Parameters
        ----------
        patches : (B, 24, 64, 64, 3) uint8, RGB
            See `patches.cut_patches`.

        Returns
        -------
        (B,) float64
            Higher = more likely of another image than its surroundings. 0 before `fit`, and where
            there is no patch of the face or no patch of the surroundings.
        """
        return np.array([self._score_one(part) for part in patches], np.float64)

    def _score_one(self, patches: Bytes) -> float:
        filled = present(patches)
        inside, outside = filled[:INSIDE], filled[INSIDE:]
        if not (len(self.others) and inside.any() and outside.any()):
            return 0.0
        embedded = self.embed(srm.features(patches))
        plane = separate(self.others, embedded[INSIDE:][outside])
        return float(plane.decide(embedded[:INSIDE][inside]).mean())

    @torch.inference_mode()
    def embed(self, features: Floats32) -> Floats:
        """Return unit vectors (n, 512) float64 of features (n, 5514) float32."""
        embedded = self.embedding(torch.from_numpy(features).to(self.device))
        return embedded.cpu().numpy().astype(np.float64)

    # -- learning ------------------------------------------------------------------------------

    def fit(
        self,
        training: Samples,
        *,
        seed: int,
        steps: int,
        log: TextIO | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> dict[str, Any]:
        """Train the embedding, and keep patches of other images; return facts about the training.

        Parameters
        ----------
        training : Samples
        seed : int
        steps : int
            More than `STEPS` count as `STEPS`.
        log : TextIO, optional
            Gets a progress bar.
        checkpoint : Checkpoint, optional
            Where a killed training goes on from; the patches are cut again.

        Raises
        ------
        TrainingError
            If the loss is not a number.
        """
        steps = min(steps, STEPS)
        patches = gather(training, min(FACES, max(steps, 2)))
        draw = Triplets(patches, seed)
        if not draw.possible:
            logger.warning("faces too small or too few for patches; only the face stream counts")
            return {"patches": 0}
        self.embedding.mean[:] = torch.from_numpy(patches.features.mean(axis=0))
        spread = np.maximum(patches.features.std(axis=0), _LEAST_SPREAD)
        self.embedding.spread[:] = torch.from_numpy(spread)
        task = _Training(self, patches.features, draw, steps)
        loop = Loop(task, checkpoint)
        loop.resume()
        loop.run(log)
        self.others = self.embed(patches.features[of_other_images(patches, seed)])
        return {"patches": len(patches.features), "triplet_loss": round(task.last_losses(), 4)}

    # -- files ---------------------------------------------------------------------------------

    def arrays(self) -> Arrays:
        """Return the embedding's weights, and the patches of other images."""
        state = {name: part.cpu().numpy() for name, part in self.embedding.state_dict().items()}
        return state | {"others": self.others}

    def take(self, arrays: Arrays) -> None:
        """Load the arrays that `arrays` returned.

        Raises
        ------
        DataError
            If names or shapes do not fit.
        """
        state = {name: torch.from_numpy(np.array(part)) for name, part in arrays.items()}
        others = state.pop("others", torch.empty(0))
        if others.ndim != 2 or others.shape[1] != EMBEDDED:
            raise DataError(f"Two-stream: others must be (m, {EMBEDDED}), not {others.shape}")
        try:
            self.embedding.load_state_dict(state)
        except RuntimeError as error:
            lines = str(error).splitlines()
            raise DataError(f"weights do not fit Two-stream: {' '.join(lines[1:3])}") from error
        self.others = others.double().numpy()


class _Training(Task):
    """The training of the embedding by the triplet loss."""

    title = "patches"
    loss_name = "Two-stream: the triplet loss"
    advice = "leave Two-stream out of detectors"

    def __init__(self, stream: PatchStream, features: Floats32, draw: Triplets, steps: int):
        self._embedding, self._device = stream.embedding, stream.device
        self._features, self._draw, self._steps = features, draw, steps
        self._optimiser = torch.optim.Adam(self._embedding.parameters(), lr=LEARNING_RATE)
        self._losses = torch.zeros(steps, device=self._device)

    @property
    def end(self) -> int:
        """Return the steps that were asked for."""
        return self._steps

    def step(self, index: int) -> Tensor:
        """See `Task.step`."""
        drawn = self._features[self._draw.rows(index).ravel()]
        anchor, positive, negative = self._embedding(
            torch.from_numpy(drawn).to(self._device)
        ).chunk(3)
        loss = triplet_loss(anchor, positive, negative)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._losses[index] = loss.detach()
        return self._losses[index]

    def report(self, done: int, losses: Floats, speed: float) -> str:
        """Return the last loss; see `Task.report`."""
        return f"triplet loss {losses[-1]:.4f}"

    def state(self) -> State:
        """Return embedding, optimiser and losses."""
        tensors = network_tensors(self._embedding, self._optimiser)
        return State({**tensors, "losses": self._losses}, {})

    def restore(self, state: State) -> None:
        """Put back what `state` gave; see `Task.restore`."""
        restore_network(state.tensors, self._embedding, self._optimiser)
        self._losses.copy_(state.tensors["losses"])

    def last_losses(self) -> float:
        """Return the mean loss over the last tenth of the steps."""
        last = self._losses[-max(1, self._steps // 10) :]
        return float(np.mean(last.cpu().numpy().astype(np.float64)))
