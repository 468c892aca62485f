"""Losses of attacks: the likeness of a noisy picture's maps to those of the clean picture.

Every loss is one number per picture, so that pictures of a batch do not influence each other. All
losses have their extreme at the clean picture itself, where their gradient is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from swapset.extractors.decode import soft_argmax

_SHORTEST = 1e-24
"""Product of the norms of two maps below which one of them counts as zero."""


class Maps(Protocol):
    """Interface of an extractor that attacks need."""

    def heatmaps(self, images: Tensor) -> Tensor:
        """Return heat-maps, differentiable.

        Parameters
        ----------
        images : (B, 3, H, W) float in [0, 255], RGB

        Returns
        -------
        (B, K, h, w) float
        """

    def features(self, images: Tensor) -> list[Tensor]:
        """Return intermediate tensors of the network and, last, the heat-maps; differentiable.

        Parameters
        ----------
        images : (B, 3, H, W) float in [0, 255], RGB

        Returns
        -------
        list of (B, ...) float
        """


@dataclass(frozen=True)
class Reference:
    """Maps and features of the clean pictures.

    Attributes
    ----------
    maps : (B, K, h, w) float32
        Heat-maps; float64 where the network computes in double precision.
    features : tuple of (B, ...) float32
        Intermediate tensors of the network; there may be none.
    """

    maps: Tensor
    features: tuple[Tensor, ...] = ()


class Objective:
    """Loss of each noisy picture: a weighted sum of up to three terms.

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
        """Return the maps and features of clean images (B, 3, H, W) float in [0, 255], RGB."""
        maps, features = self._seen(extractor, images)
        return Reference(maps.detach(), tuple(part.detach() for part in features))

    def losses(self, extractor: Maps, images: Tensor, reference: Reference) -> Tensor:
        """Return the loss of each noisy image, differentiable.

        Parameters
        ----------
        extractor : Maps
        images : (B, 3, H, W) float in [0, 255], RGB
        reference : Reference
            Maps and features of the clean images.

        Returns
        -------
        (B,) float
        """
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
        return _exact(maps).contiguous(), [_exact(part) for part in features]


def cosines(maps: Tensor, reference: Tensor) -> Tensor:
    """Return the sum over landmarks of the cosines between maps; equation 4.1.

    Parameters
    ----------
    maps, reference : (B, K, h, w) float
        A map of zeros has cosine 0 with every other map, and no gradient.

    Returns
    -------
    (B,) float in [-K, K]
    """
    return _cosine(maps, reference, (2, 3)).sum(1)


def displacements(maps: Tensor, reference: Tensor) -> Tensor:
    """Return the mean displacement of the landmarks between maps, in map pixels.

    Parameters
    ----------
    maps, reference : (B, K, h, w) float
        The landmarks are the soft-argmax of the maps. A distance d counts as √(d² + 1) - 1, so that
        the gradient of a landmark that has not moved is zero instead of undefined.

    Returns
    -------
    (B,) float, at least 0
    """
    moved = soft_argmax(maps, 1.0) - soft_argmax(reference, 1.0)
    return ((moved.square().sum(2) + 1).sqrt() - 1).mean(1)


def feature_cosines(features: list[Tensor], reference: tuple[Tensor, ...]) -> Tensor:
    """Return the mean cosine of the features, over the tensors of the network.

    Parameters
    ----------
    features : list of (B, ...) float
    reference : tuple of (B, ...) float
        The same tensors for the clean pictures.

    Returns
    -------
    (B,) float in [-1, 1]
    """
    pairs = zip(features, reference, strict=True)
    return torch.stack(
        [_cosine(one, other, tuple(range(1, one.ndim))) for one, other in pairs]
    ).mean(0)


def _cosine(one: Tensor, other: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return the cosines along axes; 0, without a gradient, where a vector is zero.

    The tensors are not flattened: networks here have channels last in memory, and a flat copy would
    give them gradients with another order, which are several times as slow to add up.
    """
    lengths = torch.linalg.vector_norm(one, dim=axes) * torch.linalg.vector_norm(other, dim=axes)
    return (one * other).sum(axes) / lengths.masked_fill(lengths < _SHORTEST, torch.inf)


def _exact(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
