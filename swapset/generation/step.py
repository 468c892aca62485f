"""One training step, plain or replayed from a CUDA graph.

A step consists of tensor operations only: everything that changes between steps (seed, rate, the
shares by which the critics' faces are mixed) lies in tensors or in the generator. So a graph can
replay it, and no kernel waits for Python.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import Batch, augment_faces, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.losses import Objective, Reconstruction, l1

logger = logging.getLogger(__name__)

LARGEST_GRADIENT = 1.0
"""Norm to which gradients are clipped: one odd batch must not undo a training."""
_RECORDED_CALL = 4
"""Number of the call, counted from 1, in which a step is recorded."""
_TEXTURE_RATE = 20.0
"""Factor on the rate of textures: each of their pixels learns from few pixels of a face."""
_CRITIC_RATE, _CRITIC_BETAS = 2.0, (0.5, 0.999)  # as in faceswap-GAN

Shares = dict[str, Tensor]
"""Shares of real faces in the critics' mixed ones by subject, see `Objective.shares`."""


@dataclass(frozen=True)
class Outcome:
    """The losses of a step, on the device.

    Attributes
    ----------
    total : scalar float32
        The minimised loss.
    l1 : dict of str to scalar float32
        Each subject's mean absolute difference.
    terms : dict of str to scalar float32
        Each loss of the recipe, summed over the step's subjects.
    """

    total: Tensor
    l1: dict[str, Tensor]
    terms: dict[str, Tensor]


class Step:
    """One training step: draw faces, reconstruct them, update all weights.

    Parameters
    ----------
    recipe : TrainingRecipe
    model : SwapAutoencoder
    objective : Objective
    banks : mapping of str to FaceBank
        The faces to learn from.
    bf16 : bool
        Whether the autoencoder runs in bf16.

    Attributes
    ----------
    autocast : torch.autocast
        The autoencoder's precision, to be entered around it.
    coarse : bool
        Whether steps learn faces of half the side.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        model: SwapAutoencoder,
        objective: Objective,
        banks: Mapping[str, FaceBank],
        *,
        bf16: bool,
    ):
        self.recipe, self.model, self.objective, self.banks = recipe, model, objective, banks
        self.device = next(model.parameters()).device
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=bf16)
        self.optimiser = self._optimiser()
        self._rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        self._augment: Callable[..., Batch] = augment_faces
        self.coarse = False

    def compile(self) -> None:
        """Compile the networks and the augmentation."""
        for network in (self.model.encoder, *self.model.decoders.values()):
            network.compile()
        self._augment = torch.compile(augment_faces, dynamic=False)

    def _optimiser(self) -> torch.optim.Optimizer:
        """Return one optimiser for the model and the critics."""
        rate = self.recipe.learning_rate
        textures = self.model.textures()
        known = set(textures)
        weights = [weight for weight in self.model.parameters() if weight not in known]
        groups: list[dict[str, Any]] = [{"params": weights, "lr": self._rate(rate)}]
        if textures:
            groups.append({"params": textures, "lr": self._rate(_TEXTURE_RATE * rate)})
        critics = list(self.objective.critics.parameters())
        if critics:
            more = {"lr": self._rate(_CRITIC_RATE * rate), "betas": _CRITIC_BETAS}
            groups.append({"params": critics, **more})
        on_gpu = self.device.type == "cuda"
        return torch.optim.Adam(groups, lr=rate, fused=True, capturable=on_gpu)

    def _rate(self, value: float) -> float | Tensor:
        """Return a learning rate; on a GPU as a tensor, so that a replayed step sees changes."""
        return torch.tensor(value, device=self.device) if self.device.type == "cuda" else value

    def set_rates(self, factor: float) -> None:
        """Set all learning rates to `factor` times the recipe's."""
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * factor)
            else:
                group["lr"] = rate * factor

    def __call__(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> Outcome:
        """Take one step on a batch of each subject.

        Parameters
        ----------
        subjects : sequence of str
        generator : torch.Generator
            On the device; seeds the draws.
        shares : dict of str to (B, 1, 1, 1) float32 in [0, 1]
            See `Objective.shares`.
        """
        batches = self._reconstruct(self._draw(subjects, generator))
        critics = self.objective.critics
        critics.requires_grad_(False)
        terms = {subject: self.objective.terms(subject, part) for subject, part in batches.items()}
        total = torch.stack([self.objective.weighted(each) for each in terms.values()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        if len(critics):
            critics.requires_grad_(True)
            self.objective.critics_loss(batches, shares).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        return _outcome(total, batches, terms)

    def _draw(self, subjects: Sequence[str], generator: torch.Generator) -> dict[str, Batch]:
        recipe = self.recipe
        side = recipe.resolution // 2 if self.coarse else recipe.resolution
        return {
            subject: draw_batch(
                self.banks[subject],
                recipe.batch,
                side,
                colour=recipe.colour_augmentation,
                generator=generator,
                input_side=recipe.input_side,
                flips=recipe.flips,
                jitter=recipe.jitter,
                warp=recipe.warp,
                augment=self._augment,
            )
            for subject in subjects
        }

    def _reconstruct(self, batches: dict[str, Batch]) -> dict[str, Reconstruction]:
        """Pass the batches through the autoencoder."""
        with self.autocast:
            outputs = self.model.reconstruct(
                {
                    subject: batch.warped.contiguous(memory_format=torch.channels_last)
                    for subject, batch in batches.items()
                },
                coarse=self.coarse,
            )
        return {
            subject: Reconstruction.from_output(self.recipe, outputs[subject], batch)
            for subject, batch in batches.items()
        }


def _outcome(
    total: Tensor, batches: dict[str, Reconstruction], terms: dict[str, dict[str, Tensor]]
) -> Outcome:
    """Return a step's losses, given each subject's batch and its losses by name."""
    names = next(iter(terms.values()))
    return Outcome(
        total.detach(),
        {
            subject: (terms[subject]["l1"] if "l1" in names else l1(batch)).detach()
            for subject, batch in batches.items()
        },
        {
            name: torch.stack([each[name].detach() for each in terms.values()]).sum()
            for name in names
        },
    )


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    shares: Shares
    outcome: Outcome


class RecordedStep:
    """A step that is recorded once as a CUDA graph and then replayed.

    The first calls run plainly, so that the libraries choose their kernels; they are full training
    steps. All calls have the same subjects and generator. When faces change their side, the step is
    recorded anew. A step that could not be recorded is not tried again.

    Parameters
    ----------
    step : Step
        Its model is on a GPU.
    """

    def __init__(self, step: Step):
        self.step = step
        self._coarse = step.coarse
        self._calls = 0
        self._recording: _Recording | None = None
        self._replacement: torch.Generator | None = None

    def __call__(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> Outcome:
        """Take one step; the next one overwrites the outcome's tensors.

        Parameters
        ----------
        subjects : sequence of str
        generator : torch.Generator
            On the device; seeds the draws.
        shares : dict of str to (B, 1, 1, 1) float32 in [0, 1]
            See `Objective.shares`.
        """
        if self.step.coarse != self._coarse:
            self._coarse, self._calls, self._recording = self.step.coarse, 0, None
        self._calls += 1
        if self._calls == _RECORDED_CALL and self._replacement is None:
            self._recording = self._record(subjects, generator, shares)
        if self._recording is None:
            return self._run_on_side_stream(subjects, self._working_generator(generator), shares)
        for subject, share in shares.items():
            self._recording.shares[subject].copy_(share)
        self._recording.graph.replay()
        return self._recording.outcome

    def _run_on_side_stream(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> Outcome:
        """Take a plain step on a side stream, which recording requires of the steps before."""
        side, here = torch.cuda.Stream(), torch.cuda.current_stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            outcome = self.step(subjects, generator, shares)
        here.wait_stream(side)
        return outcome

    def _record(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> _Recording | None:
        """Record a step without taking it; None if it has something that cannot be recorded."""
        graph = torch.cuda.CUDAGraph()
        graph_shares = {name: part.clone() for name, part in shares.items()}
        here = torch.cuda.current_stream()
        graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph):
                outcome = self.step(subjects, generator, graph_shares)
        except RuntimeError as error:
            logger.warning("steps are not recorded, which is slower: %s", error)
            torch.cuda.set_stream(here)  # a failed recording leaves its own stream current
            self._replacement = torch.Generator(self.step.device)
            return None
        return _Recording(graph, graph_shares, outcome)

    def _working_generator(self, generator: torch.Generator) -> torch.Generator:
        """Return a usable generator with the same seed; a failed recording breaks the first."""
        if self._replacement is None:
            return generator
        return self._replacement.manual_seed(generator.initial_seed())
