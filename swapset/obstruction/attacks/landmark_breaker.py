"""Landmark Breaker, and its two variants that are meant to transfer better."""

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
"""Below the smallest normal float32, so that only gradients of zeros are divided by it."""


class LandmarkBreaker(Attack):
    """MI-FGSM on the cosine of heat-maps: equations 4.1 and 4.2, algorithm 1 of the chapter.

    Parameters
    ----------
    decay : float
        Decay of the momentum, λ, in [0, 1].
    **settings
        See `Attack`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

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
        """Return minus the sign of the momentum, and the momentum (B, 3, H, W); equation 4.2."""
        total = l1_normalised(gradient)
        if momentum is not None:
            total = total.add_(momentum, alpha=self.decay)
        return -total.sign(), total


class LBTrans(LandmarkBreaker):
    """Landmark Breaker that resizes and shifts the network's input at each step.

    The input is shrunk by a random factor and put at a random place on black; its size stays. The
    landmarks move with it. The chapter does not say whether the reference moves too; here the loss
    compares with the heat-maps of the untouched picture, unless `follow` is set.

    Parameters
    ----------
    smallest : float
        Smallest scale of the input, in (0, 1]. The original enlarges 299 pixels to up to 330, hence
        the default of 0.906; extractors need inputs of a fixed size, so that here inputs shrink.
    probability : float
        Probability that a step changes the input, in [0, 1]. The chapter changes it at every step.
    follow : bool
        Move the reference's heat-maps with the input.
    **settings
        See `LandmarkBreaker`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

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
        """Return the losses (B,) of resized and shifted inputs; see `Attack.losses`."""
        inner, inputs = split(extractor, noisy)
        share, right, down = self.drawn(turn)
        if self.follow:
            reference = Reference(placed(reference.maps, share, right, down), reference.features)
        return self.objective.losses(inner, placed(inputs, share, right, down), reference)

    def drawn(self, turn: int) -> tuple[float, float, float]:
        """Return a step's scale, and the shares of the free space left of and above the input."""
        draw = random.Random(derive_seed(self.seed, self.name, turn))  # noqa: S311 - no secret
        share = draw.uniform(self.smallest, 1)
        right, down = draw.random(), draw.random()
        return (share, right, down) if draw.random() < self.probability else (1.0, 0.0, 0.0)


class LBMix(LandmarkBreaker):
    """Alternating steps of Base2 and of Landmark Breaker.

    The first step is Base2's. The chapter only says that they alternate; here steps of Base2 leave
    the momentum unchanged.
    """

    name = "lb-mix"

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return the direction of the method whose turn it is; see `Attack.direction`."""
        if turn % 2 == 0:
            return -gradient.sign(), momentum
        return super().direction(gradient, momentum, turn)


def l1_normalised(gradient: Tensor) -> Tensor:
    """Divide the gradient of each picture by its L1 norm; zeros stay zeros.

    Parameters
    ----------
    gradient : (B, ...) float

    Returns
    -------
    (B, ...) float
        Each picture's absolute values add up to 1.
    """
    norms = gradient.abs().flatten(1).sum(1).clamp_min(_TINY)
    return gradient / norms.view(-1, *[1] * (gradient.ndim - 1))


def placed(images: Tensor, share: float, right: float, down: float) -> Tensor:
    """Shrink images and put them on zeros; the size of the arrays stays.

    Parameters
    ----------
    images : (B, C, H, W) float
    share : float
        Scale of height and width, in (0, 1].
    right, down : float
        Shares of the free columns and rows that lie left of and above the image, in [0, 1].

    Returns
    -------
    (B, C, H, W) float
    """
    height, width = images.shape[2:]
    size = max(round(share * height), 1), max(round(share * width), 1)
    if size == (height, width):
        return images
    small = functional.interpolate(images, size, mode="bilinear", align_corners=False)
    left, above = round(right * (width - size[1])), round(down * (height - size[0]))
    around = (left, width - size[1] - left, above, height - size[0] - above)
    return functional.pad(small, around)
