"""Landmark Breaker, and its two variants that were meant to transfer better."""

from __future__ import annotations

import random
from typing import Any

from torch import Tensor
from torch.nn import functional

from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.attacks.objective import Maps, Reference
from swapset.obstruction.attacks.on_frames import split
from swapset.seeds import derive_seed

_TINY = 1e-37
"""Below the smallest normal float32: what is divided by it is a gradient of zeros."""


class LandmarkBreaker(Attack):
    """MI-FGSM on the cosine of heat-maps: equations 4.1 and 4.2, algorithm 1 of the chapter.

    Parameters
    ----------
    decay : float
        Of the momentum, λ.
    **settings
        See `Attack`.

    References
    ----------
    Y. Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, algorithm 1;
    dongyp13/Non-Targeted-Adversarial-Attacks, attack_iter.py (divides by the mean instead of the
    sum, which changes no sign).
    """

    name = "lb"

    def __init__(self, *, decay: float = 0.5, **settings: Any):
        super().__init__(**settings)
        if not 0 <= decay <= 1:
            raise ValueError(f"decay must lie in [0, 1], not be {decay}")
        self.decay = decay

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return minus the sign of the momentum, and this; equation 4.2."""
        total = l1_normalised(gradient)
        if momentum is not None:
            total = total.add_(momentum, alpha=self.decay)
        return -total.sign(), total


class LBTrans(LandmarkBreaker):
    """Landmark Breaker that sees the picture in another size and place at each step.

    The network's input is made smaller by a random factor and put at a random place on black, as
    large as before. The landmarks move with it; as the chapter says nothing of it, the loss still
    compares with the heat-maps of the untouched picture, unless `follow` is set.

    Parameters
    ----------
    smallest : float
        Share of the input's side that is left at least. The original enlarges 299 pixels to up to
        330, that is 0.906; extractors need inputs of their own size.
    probability : float
        Of a step to see such an input rather than the whole. The chapter changes it at each.
    follow : bool
        Move the heat-maps that are compared with as the picture is moved.
    **settings
        See `LandmarkBreaker`.

    References
    ----------
    C. Xie et al., "Improving transferability of adversarial examples with input diversity", CVPR
    2019, section 3.3; cihangxie/DI-2-FGSM, attack.py, `input_diversity`.
    """

    name = "lb-trans"

    def __init__(
        self,
        *,
        smallest: float = 299 / 330,
        probability: float = 1.0,
        follow: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        if not 0 < smallest <= 1 or not 0 <= probability <= 1:
            raise ValueError(f"smallest {smallest} and probability {probability} are shares")
        self.smallest, self.probability, self.follow = smallest, probability, follow

    def losses(self, extractor: Maps, noisy: Tensor, reference: Reference, turn: int) -> Tensor:
        """Return the losses of inputs in another size and place; see `Attack.losses`."""
        inner, inputs = split(extractor, noisy)
        share, right, down = self.drawn(turn)
        if self.follow:
            reference = Reference(placed(reference.maps, share, right, down), reference.features)
        return self.objective.losses(inner, placed(inputs, share, right, down), reference)

    def drawn(self, turn: int) -> tuple[float, float, float]:
        """Return the size at a step as a share, and how much of what is left is left and above."""
        draw = random.Random(derive_seed(self.seed, self.name, turn))  # noqa: S311 - no secret
        share = draw.uniform(self.smallest, 1)
        right, down = draw.random(), draw.random()
        return (share, right, down) if draw.random() < self.probability else (1.0, 0.0, 0.0)


class LBMix(LandmarkBreaker):
    """Steps of Base2 and of Landmark Breaker by turns.

    The first step is Base2's. The chapter says no more than that they alternate; here steps of
    Base2 leave the momentum as it is.
    """

    name = "lb-mix"

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return the direction of one or the other; see `Attack.direction`."""
        if turn % 2 == 0:
            return -gradient.sign(), momentum
        return super().direction(gradient, momentum, turn)


def l1_normalised(gradient: Tensor) -> Tensor:
    """Return gradients (B, ...) divided by their L1 norms, picture by picture; zeros stay zeros."""
    norms = gradient.abs().flatten(1).sum(1).clamp_min(_TINY)
    return gradient / norms.view(-1, *[1] * (gradient.ndim - 1))


def placed(images: Tensor, share: float, right: float, down: float) -> Tensor:
    """Return images (B, C, H, W) made smaller and put on zeros, as large as before.

    Parameters
    ----------
    images : (B, C, H, W) float
    share : float
        Of height and width, in (0, 1].
    right, down : float
        Shares, in [0, 1], of what is left that come before it.
    """
    height, width = images.shape[2:]
    size = max(round(share * height), 1), max(round(share * width), 1)
    if size == (height, width):
        return images
    small = functional.interpolate(images, size, mode="bilinear", align_corners=False)
    left, above = round(right * (width - size[1])), round(down * (height - size[0]))
    around = (left, width - size[1] - left, above, height - size[0] - above)
    return functional.pad(small, around)
