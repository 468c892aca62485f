"""The one loop of all attacks: steps against a loss, inside a budget; whole numbers at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from swapset.errors import DataError
from swapset.learning.device import uses_bf16
from swapset.obstruction.attacks.objective import Maps, Objective, Reference
from swapset.obstruction.attacks.on_frames import looked_at
from swapset.obstruction.ensemble import Ensemble
from swapset.seeds import derive_seed

Budget = Literal["stop", "project"]
Precision = Literal["auto", "fp32", "bf16"]

_HAIR = 1e-3
"""Steps of, say, 0.7 do not add up exactly."""


class Attack:
    """Noise that makes an extractor's heat-maps unlike those of the clean picture.

    The base follows the signs of gradients (I-FGSM); other attacks change what is said by its
    methods `losses`, `gradient`, `direction` and `allowed`. A picture of a batch gets the noise
    that it would get alone.

    All losses are at their extreme on the clean picture, so that their gradient there is zero, and
    what an implementation would follow at its first step is rounding error. Here the first gradient
    is taken `beside` the picture, at a distance that vanishes in 8 bits.

    Parameters
    ----------
    epsilon : float
        Largest change of a pixel, on the scale of 255.
    iterations : int
        Most steps, T.
    step : float
        Size of a step, α, on the scale of 255; at most epsilon.
    budget : {"stop", "project"}
        A picture's loop ends when a pixel has changed by epsilon or a step would change one by more
        (algorithm 1 of the chapter); or it goes on and changes are cut to epsilon.
    precision : {"auto", "fp32", "bf16"}
        Arithmetic of the network; "auto" takes bf16 where the processor has it.
    beside : float
        Largest distance of a pixel, drawn by the seed, at which the first gradient is taken.
    seed : int
    objective : Objective, optional
        By default equation 4.1.
    """

    name: ClassVar[str]
    follows_several: ClassVar[bool] = False
    """Whether `run` takes an `Ensemble` instead of an extractor."""

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
        """Return noisy images.

        Parameters
        ----------
        extractor : Maps
            Or an `Ensemble`, for attacks that follow several. On the device of the images; its
            weights get no gradients, its network is in eval mode meanwhile.
        images : (B, 3, H, W) uint8 or float in [0, 255], RGB
            What is no whole number is rounded first.
        start : (B, 3, H, W), optional
            Noisy images to begin with, cut to the budget; for `budget="project"`. Of frames, only
            what lies about the crops is taken of them.
        turn : int
            Number of the first step: of a run that goes on from another, how many that one took.

        Returns
        -------
        (B, 3, H, W) as images
            Whole numbers in [0, 255], none further than epsilon from the image's.

        Raises
        ------
        ValueError
            If the images have another shape or range.
        DataError
            If the extractor's maps or gradients are not finite.
        """
        return self.passing(extractor, images, [self.iterations], start=start, turn=turn)[0]

    def passing(
        self,
        extractor: Maps | Ensemble,
        images: Tensor,
        after: Sequence[int],
        *,
        start: Tensor | None = None,
        turn: int = 0,
    ) -> list[Tensor]:
        """Return what one run passes through: the noisy images after so many steps each.

        Parameters
        ----------
        extractor, images, start, turn
            See `run`.
        after : sequence of int
            Numbers of steps, from 1 to `iterations`.

        Returns
        -------
        list of (B, 3, H, W) as images
            What `run` gives with that many iterations.
        """
        if not all(1 <= count <= self.iterations for count in after):
            raise ValueError(f"of {self.iterations} iterations, {list(after)} cannot be returned")
        # In inference mode, where callers may be, there would be no gradients.
        with torch.inference_mode(False), torch.enable_grad(), _frozen(extractor):
            original = _checked(images)
            begin = original if start is None else start.to(original)
            offsets = self._offsets(original) if start is None else None
            # Of large frames, only what the crops look at is worth the arithmetic.
            seen, part = looked_at(extractor, images)
            beside = None if offsets is None else offsets[part]
            states = self._states(seen, original[part], begin[part], beside, turn)
            mask = getattr(seen, "mask", None)
            kept: dict[int, Tensor] = {}
            for taken, noisy in enumerate(states, 1):
                kept.update((count, noisy) for count in after if count >= taken)
            results = [original.clone() for _ in after]
            for result, count in zip(results, after, strict=True):
                result[part] = self._whole(kept[count], original[part], mask)
            return [result.to(images.dtype) for result in results]

    # -- what attacks change -------------------------------------------------------------------

    def reference(self, extractor: Maps, original: Tensor) -> Reference:
        """Return what clean images (B, 3, H, W) give."""
        return self.objective.reference(extractor, original)

    def losses(self, extractor: Maps, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        """Return the losses (B,) of noisy images (B, 3, H, W) at step `turn`, from 0."""
        return self.objective.losses(extractor, noisy, reference)

    def gradient(self, extractor: Maps, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        """Return the losses' gradients (B, 3, H, W) in noisy images."""
        noisy = noisy.detach().requires_grad_()
        with self.arithmetic(noisy):
            loss = self.losses(extractor, noisy, reference, turn).sum()
        (found,) = torch.autograd.grad(loss, noisy)
        return found

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return which way a step goes, (B, 3, H, W) in [-1, 1], and what the next one is told.

        Parameters
        ----------
        gradient : (B, 3, H, W)
        momentum : (B, 3, H, W) or None
            What the last step told; None at first.
        turn : int
        """
        return -gradient.sign(), None

    def allowed(self, noisy: Tensor, original: Tensor) -> Tensor:
        """Return noisy images after a step with only such noise as may be; clipping comes later."""
        return noisy

    # -- what all do alike ---------------------------------------------------------------------

    def _states(
        self, extractor: Maps, original: Tensor, noisy: Tensor, offsets: Tensor | None, first: int
    ) -> Iterator[Tensor]:
        """Yield noisy images, not yet whole numbers, after each step from such at the beginning."""
        with torch.no_grad(), self.arithmetic(original):
            reference = self.reference(extractor, original)
        mask = getattr(extractor, "mask", None)
        low, high = self._limits(original, mask)
        noisy = noisy.clamp(low, high)
        # A loop that stops at epsilon has to see that a step would go beyond it.
        loose = self._limits(original, mask, most=255.0)
        going = torch.ones(len(original), 1, 1, 1, dtype=torch.bool, device=original.device)
        momentum = None
        for turn in range(first, first + self.iterations):
            place = noisy if turn > first or offsets is None else noisy + offsets
            gradient = self.gradient(extractor, place, reference, turn)
            way, momentum = self.direction(gradient, momentum, turn)
            after = self.allowed(torch.add(noisy, way, alpha=self.step), original)
            # So far nothing can have changed by epsilon, and a GPU need not be waited for.
            taken = turn - first + 1
            early = offsets is not None and taken * self.step < self.epsilon - _HAIR
            if self.budget == "project" or early:
                noisy = after.clamp(low, high)
                yield noisy
                continue
            noisy, going = self._stopped(noisy, after.clamp(*loose), original, going)
            yield noisy
            if not going.any():
                break
        # The sign of what is no number is 0: pictures show nothing of it.
        if not (gradient.isfinite().all() and reference.maps.isfinite().all()):
            raise DataError(f"attack {self.name}: the extractor's maps or gradients are not finite")

    def _stopped(
        self, before: Tensor, after: Tensor, original: Tensor, going: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return images after a step, before it where it goes too far; and which go on."""
        far = (after - original).abs().amax((1, 2, 3), keepdim=True)
        taken = going & (far <= self.epsilon + _HAIR)
        return torch.where(taken, after, before), taken & (far < self.epsilon - _HAIR)

    def arithmetic(self, images: Tensor) -> torch.autocast:
        """Return the arithmetic of the network; whoever works in double precision means it."""
        bf16 = images.dtype == torch.float32 and uses_bf16(self.precision, images.device)
        return torch.autocast(images.device.type, torch.bfloat16, enabled=bf16)

    def _offsets(self, images: Tensor) -> Tensor:
        """Return where the first gradient is taken, (1, 3, H, W): alike for a batch's pictures."""
        generator = torch.Generator(images.device)
        generator.manual_seed(derive_seed(self.seed, self.name, "beside"))
        drawn = torch.rand(
            images[:1].shape, generator=generator, device=images.device, dtype=images.dtype
        )
        return (2 * drawn - 1) * self.beside

    def _limits(
        self, original: Tensor, mask: Tensor | None, *, most: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the lowest and highest values that pixels may have.

        Parameters
        ----------
        original : (B, 3, H, W)
        mask : (B, 1, H, W) or (1, 1, H, W) or None
            Share of epsilon that a pixel may change by.
        most : float, optional
            What pixels may change by where the share is 1; by default epsilon.
        """
        most = self.epsilon if most is None else most
        if mask is None:
            return (original - most).clamp_min(0), (original + most).clamp_max(255)
        room = torch.where(mask < 1, self.epsilon * mask, most).to(original)
        return (original - room).clamp_min(0), (original + room).clamp_max(255)

    def _whole(self, noisy: Tensor, original: Tensor, mask: Tensor | None) -> Tensor:
        """Return whole numbers that are no further from the original's than epsilon."""
        low, high = self._limits(original, mask)
        return noisy.round().clamp(low.ceil(), high.floor())


class NoNoise(Attack):
    """No attack: pictures stay as they are."""

    name = "none"

    def passing(
        self,
        extractor: Maps | Ensemble,
        images: Tensor,
        after: Sequence[int],
        *,
        start: Tensor | None = None,
        turn: int = 0,
    ) -> list[Tensor]:
        """Return the images as often as they are asked for; see `Attack.passing`."""
        return [_checked(images).to(images.dtype) for _ in after]


def _checked(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) as whole numbers, float32 or float64; a copy."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images are {tuple(images.shape)}, not (B, 3, H, W)")
    exact = images.detach().to(torch.float64 if images.dtype == torch.float64 else torch.float32)
    if not ((exact >= 0) & (exact <= 255)).all():
        raise ValueError(
            f"images must lie in [0, 255], not in [{exact.min():.4g}, {exact.max():.4g}]"
        )
    return exact.round()


@contextmanager
def _frozen(extractor: Maps | Ensemble) -> Iterator[None]:
    """Keep gradients from the weights of an extractor, or of its members, for a while."""
    with ExitStack() as stack:
        for member in getattr(extractor, "members", [extractor]):
            network = getattr(member, "network", None)
            if isinstance(network, nn.Module):
                stack.enter_context(_network_frozen(network))
        yield


@contextmanager
def _network_frozen(network: nn.Module) -> Iterator[None]:
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    training = [module for module in network.modules() if module.training]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        network.eval()  # batch normalisation would let pictures of a batch influence each other
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
        for module in training:
            module.training = True
