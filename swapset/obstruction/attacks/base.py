"""Base of all attacks: a loop of steps against a loss, within a budget, rounded at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from swapset.errors import DataError
from swapset.learning.device import uses_bf16
from swapset.obstruction.attacks.budget import HAIR, Budget, EpsilonBall
from swapset.obstruction.attacks.frozen import frozen
from swapset.obstruction.attacks.images import checked, random_offsets
from swapset.obstruction.attacks.objective import Maps, Objective, Reference
from swapset.obstruction.attacks.on_frames import Ensemble, cut_to_window
from swapset.seeds import derive_seed

Precision = Literal["auto", "fp32", "bf16"]


class Attack:
    """Adds noise that makes an extractor's heat-maps unlike those of the clean picture.

    The base follows the signs of gradients (I-FGSM). Other attacks override its hooks `reference`,
    `losses`, `gradient`, `direction` and `allowed`. A picture in a batch gets the same noise as it
    would alone.

    All losses have their extreme at the clean picture, where the gradient is zero, so that a first
    step from there would follow rounding errors. Here the first gradient is taken `beside` the
    picture, at a distance that vanishes in 8 bits.

    Parameters
    ----------
    epsilon : float
        Largest change of a pixel, on the scale of 255.
    iterations : int
        Largest number of steps, T.
    step : float
        Size of a step, α, on the scale of 255; at most epsilon.
    budget : {"stop", "project"}
        "stop": the loop of a picture ends when a pixel has changed by epsilon, or when a step would
        change one by more (algorithm 1 of the chapter). "project": the loop goes on, and changes
        are cut to epsilon.
    precision : {"auto", "fp32", "bf16"}
        Arithmetic of the network; "auto" takes bf16 where the processor has it.
    beside : float
        Largest offset of a pixel, on the scale of 255, where the first gradient is taken; offsets
        are drawn with the seed.
    seed : int
    objective : Objective, optional
        The loss, by default equation 4.1.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    name: ClassVar[str]
    follows_several: ClassVar[bool] = False
    """True: `run` takes an `Ensemble` instead of one extractor."""

    def __init__(
        self,
        *,
        epsilon: float = 15.0,
        iterations: int = 20,
        step: float = 1.0,
        budget: Budget = "stop",
        precision: Precision = "auto",
        beside: float = 0.5,
        seed: int = 0,
        objective: Objective | None = None,
    ):
        if not 0 < step <= epsilon <= 255:
            raise ValueError(f"step {step} and epsilon {epsilon} must be above 0, step not larger")
        if iterations < 1 or budget not in ("stop", "project"):
            raise ValueError(f"{iterations} iterations with budget {budget!r} cannot be run")
        self.epsilon, self.iterations, self.step = epsilon, iterations, step
        self._ball = EpsilonBall(epsilon)
        self.budget, self.precision = budget, precision
        self.beside, self.seed = beside, seed
        self.objective = objective or Objective()

    def run(
        self,
        extractor: Maps | Ensemble,
        images: Tensor,
        *,
        start: Tensor | None = None,
        turn: int = 0,
    ) -> Tensor:
        """Attack images and return the noisy ones.

        Parameters
        ----------
        extractor : Maps or Ensemble
            An `Ensemble` for attacks that follow several extractors. On the device of the images.
            Meanwhile its weights get no gradients and its network is in eval mode.
        images : (B, 3, H, W) uint8 or float in [0, 255], RGB
            Rounded to whole numbers first.
        start : (B, 3, H, W) uint8 or float, optional
            Noisy images to begin with, cut to the budget; for `budget="project"`. Outside the part
            of frames that the crops see, they are not used.
        turn : int
            Number of the first step. Where a run continues another: the steps taken there.

        Returns
        -------
        (B, 3, H, W), dtype of the images
            Whole numbers in [0, 255], each at most epsilon from the image's.

        Raises
        ------
        ValueError
            If the images have another shape or range.
        DataError
            If the extractor's maps or gradients are not finite.
        """
        return self.snapshots(extractor, images, [self.iterations], start=start, turn=turn)[0]

    def snapshots(
        self,
        extractor: Maps | Ensemble,
        images: Tensor,
        after: Sequence[int],
        *,
        start: Tensor | None = None,
        turn: int = 0,
    ) -> list[Tensor]:
        """Attack images once and return the noisy images after each of several numbers of steps.

        Parameters
        ----------
        extractor : Maps or Ensemble
            See `run`.
        images : (B, 3, H, W) uint8 or float in [0, 255], RGB
        after : sequence of int
            Numbers of steps, from 1 to `iterations`.
        start, turn : (B, 3, H, W) uint8 or float, optional, and int
            See `run`.

        Returns
        -------
        list of (B, 3, H, W), dtype of the images
            For each number of steps, the result of `run` with that many iterations.

        Raises
        ------
        ValueError
            If a number of steps is out of range, or the images have another shape or range.
        DataError
            If the extractor's maps or gradients are not finite.
        """
        if not all(1 <= count <= self.iterations for count in after):
            raise ValueError(f"of {self.iterations} iterations, {list(after)} cannot be returned")
        # A caller may be in inference mode, which has no gradients.
        with torch.inference_mode(False), torch.enable_grad(), frozen(extractor):
            original = checked(images)
            begin = original if start is None else start.to(original)
            seed = derive_seed(self.seed, self.name, "beside")
            offsets = random_offsets(original, self.beside, seed) if start is None else None
            # Outside the crops of large frames the arithmetic would change nothing.
            seen, part = cut_to_window(extractor, images)
            beside = None if offsets is None else offsets[part]
            states = self._states(seen, original[part], begin[part], beside, turn)
            mask = getattr(seen, "mask", None)
            kept: dict[int, Tensor] = {}
            for taken, noisy in enumerate(states, 1):
                kept.update((count, noisy) for count in after if count >= taken)
            results = [original.clone() for _ in after]
            for result, count in zip(results, after, strict=True):
                result[part] = self._ball.rounded(kept[count], original[part], mask)
            return [result.to(images.dtype) for result in results]

    # -- hooks that attacks override -----------------------------------------------------------

    def reference(self, extractor: Maps, original: Tensor) -> Reference:
        """Return the maps of clean images (B, 3, H, W) float in [0, 255], RGB."""
        return self.objective.reference(extractor, original)

    def losses(self, extractor: Maps, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        """Return the loss of each noisy image; a step makes it smaller.

        Parameters
        ----------
        extractor : Maps
        noisy : (B, 3, H, W) float in [0, 255], RGB
        reference : Reference
            Maps of the clean images.
        turn : int
            Number of the step, from 0.

        Returns
        -------
        (B,) float, differentiable
        """
        return self.objective.losses(extractor, noisy, reference)

    def gradient(self, extractor: Maps, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        """Return the gradient of the losses with respect to the noisy images.

        Parameters
        ----------
        extractor : Maps
        noisy : (B, 3, H, W) float in [0, 255], RGB
        reference : Reference
            Maps of the clean images.
        turn : int
            Number of the step, from 0.

        Returns
        -------
        (B, 3, H, W) float
        """
        noisy = noisy.detach().requires_grad_()
        with self.arithmetic(noisy):
            loss = self.losses(extractor, noisy, reference, turn).sum()
        (gradient,) = torch.autograd.grad(loss, noisy)
        return gradient

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return the direction of a step, and the momentum to pass to the next step.

        Parameters
        ----------
        gradient : (B, 3, H, W) float
        momentum : (B, C, h, w) float or None
            The momentum that the last step returned, of the attack's own shape; None at first.
        turn : int
            Number of the step, from 0.

        Returns
        -------
        direction : (B, 3, H, W) float in [-1, 1]
        momentum : (B, C, h, w) float or None
        """
        return -gradient.sign(), None

    def allowed(self, noisy: Tensor, original: Tensor) -> Tensor:
        """Restrict the noise after a step; clipping follows.

        Parameters
        ----------
        noisy, original : (B, 3, H, W) float, RGB
            Images after the step, and clean images in [0, 255].

        Returns
        -------
        (B, 3, H, W) float
        """
        return noisy

    # -- the loop of all attacks ---------------------------------------------------------------

    def _states(
        self, extractor: Maps, original: Tensor, noisy: Tensor, offsets: Tensor | None, first: int
    ) -> Iterator[Tensor]:
        """Yield the noisy images, not yet rounded, after each step; begin with `noisy`."""
        with torch.no_grad(), self.arithmetic(original):
            reference = self.reference(extractor, original)
        mask = getattr(extractor, "mask", None)
        low, high = self._ball.limits(original, mask)
        noisy = noisy.clamp(low, high)
        # To stop at epsilon, the loop has to see steps that would go beyond it.
        loose = self._ball.limits(original, mask, most=255.0)
        going = torch.ones(len(original), 1, 1, 1, dtype=torch.bool, device=original.device)
        momentum = None
        for turn in range(first, first + self.iterations):
            place = noisy if turn > first or offsets is None else noisy + offsets
            gradient = self.gradient(extractor, place, reference, turn)
            direction, momentum = self.direction(gradient, momentum, turn)
            after = self.allowed(torch.add(noisy, direction, alpha=self.step), original)
            # No pixel can have reached epsilon yet: do not wait for a GPU to compare.
            taken = turn - first + 1
            early = offsets is not None and taken * self.step < self.epsilon - HAIR
            if self.budget == "project" or early:
                noisy = after.clamp(low, high)
                yield noisy
                continue
            noisy, going = self._ball.stop(noisy, after.clamp(*loose), original, going)
            yield noisy
            if not going.any():
                break
        # The sign of NaN is 0, so that NaN would not show in the pictures.
        if not (gradient.isfinite().all() and reference.maps.isfinite().all()):
            raise DataError(f"attack {self.name}: the extractor's maps or gradients are not finite")

    def arithmetic(self, images: Tensor) -> torch.autocast:
        """Return the autocast context of the network; float64 images are never cast to bf16.

        Parameters
        ----------
        images : (B, 3, H, W) float32 or float64

        Returns
        -------
        torch.autocast
        """
        bf16 = images.dtype == torch.float32 and uses_bf16(self.precision, images.device)
        return torch.autocast(images.device.type, torch.bfloat16, enabled=bf16)
