"""Landmark Breaker without colours: the chroma of JPEG and H.264 has half the resolution."""

from __future__ import annotations

from torch import Tensor

from swapset.obstruction.attacks.landmark_breaker import LandmarkBreaker


class LBGrey(LandmarkBreaker):
    """Landmark Breaker with the same noise in red, green and blue."""

    name = "lb-grey"

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return the direction of a step and the momentum; see `Attack.direction`."""
        grey = gradient.mean(dim=1, keepdim=True).expand_as(gradient)
        return super().direction(grey, momentum, turn)
