"""Landmark Breaker made to survive compression and extractors that it has not seen."""

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
from swapset.obstruction.attacks.soft_jpeg import jpeg
from swapset.obstruction.ensemble import Ensemble
from swapset.seeds import derive_seed


class References:
    """What clean pictures give to each extractor of an ensemble, found when it is asked for.

    A run of few steps need not follow all of them.

    Parameters
    ----------
    find : callable
        Gives what an extractor, by its number, makes of the clean pictures.
    """

    def __init__(self, find: Callable[[int], Reference]):
        self._find = find
        self._found: dict[int, Reference] = {}

    def part(self, number: int) -> Reference:
        """Return an extractor's."""
        if number not in self._found:
            with torch.no_grad():
                self._found[number] = self._find(number)
        return self._found[number]

    @property
    def maps(self) -> Tensor:
        """Return the heat-maps of all that were asked for, (n,)."""
        return torch.cat([part.maps.flatten() for part in self._found.values()])


class LBRobust(LandmarkBreaker):
    """Noise in coarse cells of brightness, against several extractors and through compression.

    What differs from Landmark Breaker, and where it is from:

    - Beside the cosines of heat-maps, which can fall while the maxima stay where they are, it moves
      the landmarks (soft-argmax) and turns features inside of the network away.
    - The gradients of all extractors of an ensemble are added with the same L1 norm (ensembles
      raise transfer: Y. Liu et al., "Delving into transferable adversarial examples", ICLR 2017).
    - Each extractor sees the picture as it is, after JPEG with 4:2:0 chroma, made smaller, or after
      a real codec, drawn anew at each step (expectation over transformation: A. Athalye et al.,
      "Synthesizing robust adversarial examples", ICML 2018).
    - Noise is a coarse grid of brightness, the same in red, green and blue, interpolated to pixels:
      what quantisation of blocks and of chroma keeps.
    - The budget is `project`: momentum goes on inside of it.

    Parameters
    ----------
    grid : int
        Side of a cell in pixels; 1 = every pixel is free, yet no colour.
    qualities : (float, float)
        Lowest and highest quality of JPEG.
    smallest : float
        Share of the side that a picture has at least when it is made smaller.
    codecs : sequence of str
        Real codecs that may be drawn as well, see `swapset.obstruction.attacks.codecs`; slow.
    at_once : int, optional
        Extractors that a step follows, by turns; by default all.
    **settings
        See `LandmarkBreaker`.
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
        own = {"step": 2.0, "budget": "project"}
        own["objective"] = Objective(cosine=1.0, displacement=5.0, features=20.0)
        super().__init__(**{**own, **settings})
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
        """Return what clean images give to each extractor."""
        members = _members(extractor)
        return References(lambda number: self.objective.reference(members[number], original))

    def losses(  # type: ignore[override]
        self, extractor: Maps | Ensemble, noisy: Tensor, reference: References, turn: int
    ) -> Tensor:
        """Return the sums (B,) of the losses of the extractors that step `turn` follows."""
        return torch.stack(
            [
                self._loss(k, extractor, noisy, reference, turn)
                for k in self._followed(extractor, turn)
            ]
        ).sum(0)

    def gradient(  # type: ignore[override]
        self, extractor: Maps | Ensemble, noisy: Tensor, reference: References, turn: int
    ) -> Tensor:
        """Return the sum of the extractors' gradients, each of L1 norm 1."""
        noisy = noisy.detach().requires_grad_()
        total = torch.zeros_like(noisy)
        for k in self._followed(extractor, turn):
            with self.arithmetic(noisy):
                loss = self._loss(k, extractor, noisy, reference, turn).sum()
            (found,) = torch.autograd.grad(loss, noisy)
            total += l1_normalised(found)
        return total

    def direction(
        self, gradient: Tensor, momentum: Tensor | None, turn: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return minus the signs of the cells' momentum, interpolated, and the momentum."""
        cells, total = super().direction(self._cells(gradient), momentum, turn)
        return self._pixels(cells, gradient.shape), total

    def seen(self, noisy: Tensor, turn: int, number: int) -> Tensor:
        """Return what extractor `number` sees of images (B, 3, H, W) at a step; differentiable."""
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
        """Return cells (B, 1, h, w) as images (B, 3, H, W)."""
        if self.grid > 1:
            cells = functional.interpolate(
                cells, scale_factor=self.grid, mode="bilinear", align_corners=False
            )
        return cells[:, :, : shape[2], : shape[3]].expand(-1, 3, -1, -1)

    def _cells(self, gradient: Tensor) -> Tensor:
        """Return the gradients (B, 1, h, w) in cells of gradients in pixels (B, 3, H, W)."""
        size = [math.ceil(side / self.grid) for side in gradient.shape[2:]]
        cells = gradient.new_zeros(len(gradient), 1, *size, requires_grad=True)
        (found,) = torch.autograd.grad(self._pixels(cells, gradient.shape), cells, gradient)
        return found


def _members(extractor: Any) -> list[Maps]:
    """Return the extractors of an ensemble, or the only one."""
    found: list[Maps] = getattr(extractor, "members", [extractor])
    return found


def _smaller(images: Tensor, share: float) -> Tensor:
    """Return images (B, C, H, W) that lost what a picture of this share of the side cannot show."""
    size = [max(1, round(share * side)) for side in images.shape[2:]]
    small = functional.interpolate(
        images, size, mode="bilinear", antialias=True, align_corners=False
    )
    return functional.interpolate(
        small, list(images.shape[2:]), mode="bilinear", align_corners=False
    )
