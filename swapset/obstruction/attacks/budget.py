"""Pixel budget of an attack: how far noise may change a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Budget = Literal["stop", "project"]

HAIR = 1e-3
"""Tolerance of comparisons with epsilon: steps of 0.7, say, do not add up exactly."""


@dataclass(frozen=True)
class EpsilonBall:
    """All pictures in [0, 255] whose pixels differ from the original's by at most epsilon.

    Attributes
    ----------
    epsilon : float
        Largest change of a pixel, on the scale of 255.
    """

    epsilon: float

    def limits(
        self, original: Tensor, mask: Tensor | None, *, most: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the lowest and highest values that pixels may have.

        Parameters
        ----------
        original : (B, 3, H, W) float in [0, 255], RGB
        mask : (B, 1, H, W) or (1, 1, H, W) float in [0, 1], or None
            Share of epsilon that a pixel may change by. None: 1 everywhere.
        most : float, optional
            Largest change of a pixel whose share is 1, by default epsilon.

        Returns
        -------
        lowest, highest : (B, 3, H, W) float in [0, 255]
        """
        most = self.epsilon if most is None else most
        if mask is None:
            return (original - most).clamp_min(0), (original + most).clamp_max(255)
        room = torch.where(mask < 1, self.epsilon * mask, most).to(original)
        return (original - room).clamp_min(0), (original + room).clamp_max(255)

    def stop(
        self, before: Tensor, after: Tensor, original: Tensor, going: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Undo a step in pictures that it would carry out of the ball.

        Parameters
        ----------
        before, after, original : (B, 3, H, W) float in [0, 255], RGB
            Pictures before and after the step, and the clean ones.
        going : (B, 1, 1, 1) bool
            True = the picture still takes steps.

        Returns
        -------
        pictures : (B, 3, H, W) float
            Those after the step where it is allowed, those before it elsewhere.
        going : (B, 1, 1, 1) bool
            True = the picture took the step and has not reached epsilon.
        """
        far = (after - original).abs().amax((1, 2, 3), keepdim=True)
        taken = going & (far <= self.epsilon + HAIR)
        return torch.where(taken, after, before), taken & (far < self.epsilon - HAIR)

    def rounded(self, noisy: Tensor, original: Tensor, mask: Tensor | None) -> Tensor:
        """Round pictures to whole numbers within the limits.

        Parameters
        ----------
        noisy, original : (B, 3, H, W) float in [0, 255], RGB
        mask : (B, 1, H, W) or (1, 1, H, W) float in [0, 1], or None
            See `limits`.

        Returns
        -------
        (B, 3, H, W) float
            Whole numbers in [0, 255].
        """
        low, high = self.limits(original, mask)
        return noisy.round().clamp(low.ceil(), high.floor())
