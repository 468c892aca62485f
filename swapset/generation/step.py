"""One update of the weights, and the same as a CUDA graph that is recorded once.

A step is tensor operations alone: what changes from one to the next (seed, rate, the shares that
a critic's faces are mixed by) lies in tensors or in the generator. So a graph can replay it, and no
kernel waits for Python.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import Batch, FaceBank, augment_faces, draw_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.losses import Objective, Reconstruction, l1

logger = logging.getLogger(__name__)

LARGEST_GRADIENT = 1.0
"""Norm to which a gradient is cut back: one odd batch must not undo a training."""
_RECORDED_AFTER = 4
"""The call that a step is recorded in."""
_CRITIC_RATE, _CRITIC_BETAS = 2.0, (0.5, 0.999)  # as faceswap-GAN has them

Shares = dict[str, Tensor]


@dataclass(frozen=True)
class Outcome:
    """The losses of a step, on the device.

    Attributes
    ----------
    total : () float32
        What was minimised.
    l1 : dict of str to () float32
        Each subject's mean absolute difference.
    terms : dict of str to () float32
        Each loss of the recipe, summed over the step's subjects.
    """

    total: Tensor
    l1: dict[str, Tensor]
    terms: dict[str, Tensor]


class Step:
    """Draws faces, makes them, and moves all weights once.

    Parameters
    ----------
    recipe : TrainingRecipe
    model : SwapAutoencoder
    objective : Objective
    banks : mapping of str to FaceBank
        The faces to learn from.
    bf16 : bool
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

    def compile(self) -> None:
        """Let the compiler have the networks and the augmentation."""
        for network in (self.model.encoder, *self.model.decoders.values()):
            network.compile()
        self._augment = torch.compile(augment_faces, dynamic=False)

    def _optimiser(self) -> torch.optim.Optimizer:
        """Return one optimiser of everything that learns, so that one step moves all."""
        rate = self.recipe.learning_rate
        groups: list[dict[str, Any]] = [
            {"params": list(self.model.parameters()), "lr": self._rate(rate)}
        ]
        critics = list(self.objective.critics.parameters())
        if critics:
            more = {"lr": self._rate(_CRITIC_RATE * rate), "betas": _CRITIC_BETAS}
            groups.append({"params": critics, **more})
        on_gpu = self.device.type == "cuda"
        return torch.optim.Adam(groups, lr=rate, fused=True, capturable=on_gpu)

    def _rate(self, value: float) -> float | Tensor:
        """Return a learning rate; on a GPU as a tensor, which a recorded step reads anew."""
        return torch.tensor(value, device=self.device) if self.device.type == "cuda" else value

    def set_rates(self, factor: float) -> None:
        """Make all learning rates `factor` of the recipe's."""
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
            On the device; decides what is drawn.
        shares : dict of str to Tensor
            See `Objective.shares`.
        """
        made = self._make(self._draw(subjects, generator))
        critics = self.objective.critics
        critics.requires_grad_(False)
        each = {subject: self.objective.terms(subject, part) for subject, part in made.items()}
        total = torch.stack([self.objective.weighted(terms) for terms in each.values()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        if len(critics):
            critics.requires_grad_(True)
            self.objective.critics_loss(made, shares).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        names = next(iter(each.values()))
        return Outcome(
            total.detach(),
            {
                subject: (each[subject]["l1"] if "l1" in names else l1(part)).detach()
                for subject, part in made.items()
            },
            {
                name: torch.stack([terms[name].detach() for terms in each.values()]).sum()
                for name in names
            },
        )

    def _draw(self, subjects: Sequence[str], generator: torch.Generator) -> dict[str, Batch]:
        recipe = self.recipe
        return {
            subject: draw_batch(
                self.banks[subject],
                recipe.batch,
                recipe.resolution,
                colour=recipe.colour_augmentation,
                generator=generator,
                input_side=recipe.input_side,
                augment=self._augment,
            )
            for subject in subjects
        }

    def _make(self, batches: dict[str, Batch]) -> dict[str, Reconstruction]:
        """Return what the networks make of the batches."""
        with self.autocast:
            made = self.model.reconstruct(
                {
                    subject: batch.warped.contiguous(memory_format=torch.channels_last)
                    for subject, batch in batches.items()
                }
            )
        return {
            subject: Reconstruction.from_output(self.recipe, made[subject], batch)
            for subject, batch in batches.items()
        }


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    shares: Shares
    outcome: Outcome


class RecordedStep:
    """A step that is recorded as a CUDA graph, and replayed from then on.

    The first calls run as they are, for the libraries to choose kernels; they are steps like any
    other. All calls have the same subjects and generator.

    Parameters
    ----------
    step : Step
        On a GPU.
    """

    def __init__(self, step: Step):
        self.step = step
        self._calls = 0
        self._recording: _Recording | None = None
        self._replacement: torch.Generator | None = None

    def __call__(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> Outcome:
        """Take one step; the outcome's tensors are overwritten by the next."""
        self._calls += 1
        if self._calls == _RECORDED_AFTER:
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
        """Take a step on another stream, as recording wants it before."""
        aside, here = torch.cuda.Stream(), torch.cuda.current_stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            outcome = self.step(subjects, generator, shares)
        here.wait_stream(aside)
        return outcome

    def _record(
        self, subjects: Sequence[str], generator: torch.Generator, shares: Shares
    ) -> _Recording | None:
        """Record a step without taking it; None if it has something that cannot be recorded."""
        graph, own = torch.cuda.CUDAGraph(), {name: part.clone() for name, part in shares.items()}
        here = torch.cuda.current_stream()
        graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph):
                outcome = self.step(subjects, generator, own)
        except RuntimeError as error:
            logger.warning("steps are not recorded, which is slower: %s", error)
            torch.cuda.set_stream(here)  # a recording that broke off leaves its own
            self._replacement = torch.Generator(self.step.device)
            return None
        return _Recording(graph, own, outcome)

    def _working_generator(self, generator: torch.Generator) -> torch.Generator:
        """Return a generator with the same seed: one whose recording broke off draws no more."""
        if self._replacement is None:
            return generator
        return self._replacement.manual_seed(generator.initial_seed())
