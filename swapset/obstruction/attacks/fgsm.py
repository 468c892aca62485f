"""The chapter's baselines: one large step, or many small ones, by the sign of the gradient."""

from __future__ import annotations

from swapset.obstruction.attacks.base import Attack, Budget, Precision


class Base1(Attack):
    """FGSM: one step of size ε.

    The chapter's formula has the step α; but its tables show this baseline with the worst pictures
    of all, so that ε is what was used.

    Parameters
    ----------
    epsilon, budget, precision, beside, seed
        As for `Attack`; the budget changes nothing.

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
