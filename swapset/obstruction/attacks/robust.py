"""Landmark Breaker that survives compression and transfers to unknown extractors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from swapset.obstruction.attacks.codecs import CODECS, straight_through
from swapset.obstruction.attacks.landmark_breaker import LandmarkBreaker, l1_normalised
from swapset.obstruction.attacks.objective import Maps, Objective, Reference
from swapset.obstruction.attacks.on_frames import Ensemble
from swapset.obstruction.attacks.soft_jpeg import jpeg
from swapset.seeds import derive_seed


class References:
    """References of the clean pictures by each extractor of an ensemble, computed on demand.

    A run of few steps may not follow all extractors.

    Parameters
    ----------
    compute : callable
        Returns the reference by the extractor of a given number.
    """

    def __init__(self, compute: Callable[[int], Reference]):
        self._compute = compute
        self._computed: dict[int, Reference] = {}

    def part(self, number: int) -> Reference:
        """Return the reference by one extractor."""
        if number not in self._computed:
            with torch.no_grad():
                self._computed[number] = self._compute(number)
        return self._computed[number]

    @property
    def maps(self) -> Tensor:
        """Return the heat-maps of all references computed so far, (n,) float."""
        return torch.cat([part.maps.flatten() for part in self._computed.values()])


class LBRobust(LandmarkBreaker):
    """Noise in coarse cells of brightness, against several extractors and through compression.

    Differences from Landmark Breaker, with their sources:

    - The cosines of heat-maps can fall while the maxima stay in place. The loss therefore also
      moves the landmarks (soft-argmax) and lowers the cosines of features inside the network.
    - The gradients of all extractors of an ensemble are added with equal L1 norm (ensembles raise
      transfer: Y. Liu et al., "Delving into transferable adversarial examples", ICLR 2017).
    - Each extractor sees the picture unchanged, after JPEG with 4:2:0 chroma, shrunk, or after a
      real codec, drawn anew at each step (expectation over transformation: A. Athalye et al.,
      "Synthesizing robust adversarial examples", ICML 2018).
    - The noise is a coarse grid of brightness, the same in red, green and blue, interpolated to
      pixels, because quantisation of blocks and of chroma keeps such noise.
    - The budget is `project`, in which the momentum goes on at the limits.

    Parameters
    ----------
    grid : int
        Side of a cell in pixels; 1 = every pixel is free, but still without colour.
    qualities : (float, float)
        Lowest and highest quality of JPEG, 1 to 100.
    smallest : float
        Smallest scale of a shrunk picture, in (0, 1].
    codecs : sequence of str
        Real codecs that may be drawn as well, see `swapset.obstruction.attacks.codecs`; slow.
    at_once : int, optional
        Number of extractors that a step follows, in turn; by default all.
    **settings
        See `LandmarkBreaker`.

    Raises
    ------
    ValueError
        If a parameter is out of range, or a codec is unknown.
    """

    name = "lb-robust"
    follows_several = True

    def __init__(
        self,
        *,
        grid: int = 4,
        qualities: tuple[float, float] = (40.0, 95.0),
        smallest: float = 0.5,
        codecs: Sequence[str] = (),
        at_once: int | None = None,
        **settings: Any,
    ):
        defaults = {"step": 2.0, "budget": "project"}
        defaults["objective"] = Objective(cosine=1.0, displacement=5.0, features=20.0)
        super().__init__(**{**defaults, **settings})
        if grid < 1 or not 0 < smallest <= 1 or (at_once is not None and at_once < 1):
            raise ValueError(f"grid {grid}, smallest {smallest} and at_once {at_once} do not fit")
        if unknown := set(codecs) - set(CODECS):
            raise ValueError(f"codecs {', '.join(sorted(unknown))} are unknown")
        self.grid, self.qualities, self.smallest = grid, qualities, smallest
        self.at_once = at_once
        self._ways = ["none", "jpeg", "small", *codecs]

    def reference(  # type: ignore[override]
        self, extractor: Maps | Ensemble, original: Tensor
    ) -> References:
        """Return the maps of clean images (B, 3, H, W) by each extractor, computed on demand."""
        members = _members(extractor)
        return References(lambda number: self.objective.reference(members[number], original))

    def losses(  # type: ignore[override]
        self, extractor: Maps | Ensemble, noisy: Tensor, reference: References, turn: int
    ) -> Tensor:
        """Return the sums (B,) of the losses of the extractors followed at a step."""
        return torch.stack(
            [
                self._loss(k, extractor, noisy, reference, turn)
                for k in self._followed(extractor, turn)
            ]
        ).sum(0)

    def gradient(  # type: ignore[override]
        self, extractor: Maps | Ensemble, noisy: Tensor, reference: References, turn: int
    ) -> Tensor:
        """Return the sum (B, 3, H, W) of the gradients by the extractors, each of L1 norm 1."""
        noisy = noisy.detach().requires_grad_()
        total = torch.zeros_like(noisy)
        for k in self._followed(extractor, turn):
            with self.arithmetic(noisy):
                loss = self._loss(k, extractor, noisy, reference, turn).sum()
            (gradient,) = torch.autograd.grad(loss, noisy)
            total += l1_normalised(gradient)
        return total

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return minus the signs of the cells' momentum, interpolated, and the momentum itself."""
        cells, total = super().direction(self._cells(gradient), momentum, turn)
        return self._pixels(cells, gradient.shape).expand(-1, 3, -1, -1), total

    def seen(self, noisy: Tensor, turn: int, number: int) -> Tensor:
        """Transform images for one extractor at a step, differentiably.

        Parameters
        ----------
        noisy : (B, 3, H, W) float in [0, 255], RGB
        turn : int
            Number of the step; part of the seed.
        number : int
            Number of the extractor; part of the seed.

        Returns
        -------
        (B, 3, H, W) float in [0, 255], RGB
        """
        draw = random.Random(derive_seed(self.seed, self.name, turn, number))  # noqa: S311 - no secret
        way = draw.choice(self._ways)
        if way == "none":
            return noisy
        if way == "jpeg":
            return jpeg(noisy, draw.uniform(*self.qualities)).to(noisy.dtype)
        if way == "small":
            return _smaller(noisy, draw.uniform(self.smallest, 1))
        return straight_through(way, noisy)

    def _loss(
        self, k: int, extractor: Maps | Ensemble, noisy: Tensor, reference: References, turn: int
    ) -> Tensor:
        seen = self.seen(noisy, turn, k)
        return self.objective.losses(_members(extractor)[k], seen, reference.part(k))

    def _followed(self, extractor: Maps | Ensemble, turn: int) -> list[int]:
        count = len(_members(extractor))
        at_once = min(self.at_once or count, count)
        return [(turn * at_once + k) % count for k in range(at_once)]

    def _pixels(self, cells: Tensor, shape: torch.Size) -> Tensor:
        """Interpolate cells (B, 1, h, w) to grey images (B, 1, H, W)."""
        if self.grid > 1:
            cells = functional.interpolate(
                cells, scale_factor=self.grid, mode="bilinear", align_corners=False
            )
        return cells[:, :, : shape[2], : shape[3]]

    def _cells(self, gradient: Tensor) -> Tensor:
        """Return the gradients by cell (B, 1, h, w) for gradients by pixel (B, 3, H, W)."""
        size = [math.ceil(side / self.grid) for side in gradient.shape[2:]]
        cells = gradient.new_zeros(len(gradient), 1, *size, requires_grad=True)
        # A gradient of several values would import sympy, which takes longer than some frames.
        total = (self._pixels(cells, gradient.shape) * gradient.sum(1, keepdim=True)).sum()
        (by_cell,) = torch.autograd.grad(total, cells)
        return by_cell


def _members(extractor: Any) -> list[Maps]:
    """Return the extractors of an ensemble, or the single extractor."""
    members: list[Maps] = getattr(extractor, "members", [extractor])
    return members


def _smaller(images: Tensor, share: float) -> Tensor:
    """Shrink images (B, C, H, W) to a share of their sides and enlarge them again."""
    size = [max(1, round(share * side)) for side in images.shape[2:]]
    small = functional.interpolate(
        images, size, mode="bilinear", antialias=True, align_corners=False
    )
    return functional.interpolate(
        small, list(images.shape[2:]), mode="bilinear", align_corners=False
    )
