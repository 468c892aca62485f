"""What an attack makes small: how much the maps of a noisy picture are like those of the clean one.

Every loss is one number per picture, so that pictures of a batch do not influence each other. All
of them are at their extreme on the clean picture itself: their gradient is zero there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from swapset.extractors.decode import soft_argmax

_SHORTEST = 1e-24
"""Product of two maps' lengths below which one of them counts as zero."""


class Maps(Protocol):
    """What an attack needs of an extractor."""

    def heatmaps(self, images: Tensor) -> Tensor:
        """Return heat-maps (B, K, h, w) of images (B, 3, H, W) in [0, 255], RGB; differentiable."""

    def features(self, images: Tensor) -> list[Tensor]:
        """Return tensors (B, ...) from inside of the network, and the heat-maps as the last."""


@dataclass(frozen=True)
class Reference:
    """What clean pictures give.

    Attributes
    ----------
    maps : (B, K, h, w) float32
        Heat-maps.
    features : tuple of (B, ...) float32
        Other tensors of the network; there may be none.
    """

    maps: Tensor
    features: tuple[Tensor, ...] = ()


class Objective:
    """Losses of noisy pictures, a weighted sum of up to three terms.

    Parameters
    ----------
    cosine : float
        Weight of the cosines of heat-maps, equation 4.1.
    displacement : float
        Weight of minus the landmarks' mean displacement, in map pixels.
    features : float
        Weight of the mean cosine of features.
    """

    def __init__(self, *, cosine: float = 1.0, displacement: float = 0.0, features: float = 0.0):
        self.cosine, self.displacement, self.features = cosine, displacement, features

    def reference(self, extractor: Maps, images: Tensor) -> Reference:
        """Return what clean images (B, 3, H, W) give."""
        maps, features = self._seen(extractor, images)
        return Reference(maps.detach(), tuple(part.detach() for part in features))

    def losses(self, extractor: Maps, images: Tensor, reference: Reference) -> Tensor:
        """Return the losses (B,) of noisy images (B, 3, H, W); differentiable."""
        maps, features = self._seen(extractor, images)
        total = maps.new_zeros(len(maps))
        if self.cosine:
            total = total + self.cosine * cosines(maps, reference.maps)
        if self.displacement:
            total = total - self.displacement * displacements(maps, reference.maps)
        if self.features:
            total = total + self.features * feature_cosines(features, reference.features)
        return total

    def _seen(self, extractor: Maps, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return heat-maps and features, float32 also where the network computes in bf16."""
        if not self.features:
            return _exact(extractor.heatmaps(images)), []
        *features, maps = extractor.features(images)
        return _exact(maps), [_exact(part) for part in features]


def cosines(maps: Tensor, reference: Tensor) -> Tensor:
    """Return the sums (B,) over landmarks of the cosines between maps; equation 4.1.

    Parameters
    ----------
    maps, reference : (B, K, h, w) float
        A map of zeros has the cosine 0 with every other, and no gradient.
    """
    return _cosine(maps.flatten(2), reference.flatten(2)).sum(1)


def displacements(maps: Tensor, reference: Tensor) -> Tensor:
    """Return the landmarks' mean displacements (B,) between maps, in map pixels.

    Parameters
    ----------
    maps, reference : (B, K, h, w) float
        Landmarks are their soft-argmax. A distance d counts as √(d² + 1) - 1: a landmark that has
        not moved then has no gradient, rather than an undefined one.
    """
    moved = soft_argmax(maps, 1.0) - soft_argmax(reference, 1.0)
    return ((moved.square().sum(2) + 1).sqrt() - 1).mean(1)


def feature_cosines(features: list[Tensor], reference: tuple[Tensor, ...]) -> Tensor:
    """Return the means (B,) over tensors (B, ...) of their cosines."""
    pairs = zip(features, reference, strict=True)
    return torch.stack([_cosine(one.flatten(1), other.flatten(1)) for one, other in pairs]).mean(0)


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """Return the cosines along the last axis; 0, without a gradient, where one is zero."""
    lengths = one.norm(dim=-1) * other.norm(dim=-1)
    return (one * other).sum(-1) / lengths.masked_fill(lengths < _SHORTEST, torch.inf)


def _exact(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
