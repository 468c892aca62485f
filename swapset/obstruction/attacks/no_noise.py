"""The attack `none`, for comparison: pictures without noise."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.attacks.images import checked
from swapset.obstruction.attacks.objective import Maps
from swapset.obstruction.attacks.on_frames import Ensemble


class NoNoise(Attack):
    """Attack that leaves the pictures as they are."""

    name = "none"

    def snapshots(
        self,
        extractor: Maps | Ensemble,
        images: Tensor,
        after: Sequence[int],
        *,
        start: Tensor | None = None,
        turn: int = 0,
    ) -> list[Tensor]:
        """Return a copy of the images for each number of steps; see `Attack.snapshots`."""
        return [checked(images).to(images.dtype) for _ in after]
