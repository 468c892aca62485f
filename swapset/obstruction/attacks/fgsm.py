"""Baselines of the chapter: one large step, or many small ones, by the sign of the gradient."""

from __future__ import annotations

from swapset.obstruction.attacks.base import Attack, Precision
from swapset.obstruction.attacks.budget import Budget


class Base1(Attack):
    """FGSM: one step of size ε.

    The chapter's formula has a step of α. Its tables, however, show the worst pictures of all for
    this baseline, which suggests a step of ε.

    Parameters
    ----------
    epsilon : float
        See `Attack`.
    budget : {"stop", "project"}
        Without effect on a single step.
    precision : {"auto", "fp32", "bf16"}
        See `Attack`.
    beside : float
        See `Attack`.
    seed : int
        See `Attack`.

    References
    ----------
    I. Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015, section 4.
    """

    name = "base1"

    def __init__(
        self,
        *,
        epsilon: float = 15.0,
        budget: Budget = "stop",
        precision: Precision = "auto",
        beside: float = 0.5,
        seed: int = 0,
    ):
        super().__init__(
            epsilon=epsilon,
            iterations=1,
            step=epsilon,
            budget=budget,
            precision=precision,
            beside=beside,
            seed=seed,
        )


class Base2(Attack):
    """I-FGSM: steps by the sign of the gradient, without momentum.

    References
    ----------
    A. Kurakin et al., "Adversarial examples in the physical world", 2016, section 2.2.
    """

    name = "base2"
