"""Sharpness-aware minimisation: gradient descent that prefers flat minima."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

RADIUS = 0.05


class SharpnessAware(torch.optim.SGD):
    """SGD that uses the gradient at the worst place within a radius of the weights.

    A step climbs along the gradient by `RADIUS`, takes the gradient there, comes back, and
    descends by it. It needs the closure, which it runs twice.

    References
    ----------
    P. Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR
    2021, algorithm 1.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step; return the loss before it.

        Parameters
        ----------
        closure : callable
            Computes the loss, a scalar float32, and new gradients.
        """
        if closure is None:
            raise ValueError("a sharpness-aware step needs a closure")
        with torch.enable_grad():
            loss = closure()
        places = self._climb()
        with torch.enable_grad():
            closure()
        for part, place in places:
            part.copy_(place)
        super().step()
        return loss

    def _climb(self) -> list[tuple[Tensor, Tensor]]:
        """Move the weights uphill; return them with their former values."""
        parts = [
            part for group in self.param_groups for part in group["params"] if part.grad is not None
        ]
        steepness = torch.stack([part.grad.norm() for part in parts]).norm()
        places = [(part, part.clone()) for part in parts]
        for part in parts:
            part.add_(part.grad * (RADIUS / (steepness + 1e-12)))
        return places
