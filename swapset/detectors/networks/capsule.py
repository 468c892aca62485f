"""The network of Capsule: VGG-19 features, primary capsules with statistics, dynamic routing.

H. H. Nguyen et al., "Use of a Capsule Network to Detect Fake Images and Videos",
arXiv:1910.12467, section 3; github.com/nii-yamagishilab/Capsule-Forensics-v2: `model_big.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swapset.detectors.networks.vgg import CHANNELS, vgg19_features

DATA_IN, DATA_OUT = 8, 4
"""Length of a primary capsule's output vector, and of an output capsule's."""
ITERATIONS = 2
NOISE = 0.01
"""Standard deviation of the noise on the routing weights in training."""


class Statistics(nn.Module):
    """Mean and standard deviation of each feature map."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, 2, C) float32: mean and standard deviation of maps (B, C, h, w)."""
        flat = maps.float().flatten(2)
        return torch.stack((flat.mean(2), flat.std(2)), dim=1)


def _capsule() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        Statistics(),
        nn.Conv1d(2, 8, 5, stride=2, padding=2),
        nn.BatchNorm1d(8),
        nn.Conv1d(8, 1, 3, padding=1),
        nn.BatchNorm1d(1),
        nn.Flatten(),
    )


def _start(module: nn.Module) -> None:
    """Draw initial weights as the authors do; biases of convolutions stay as torch draws them."""
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def squash(vectors: Tensor, dim: int) -> Tensor:
    """Scale vectors of length n along an axis to length n² / (1 + n²).

    Parameters
    ----------
    vectors : (..., n, ...) float
    dim : int
        Axis of the vectors' components.

    Returns
    -------
    (..., n, ...) float
    """
    squared = (vectors**2).sum(dim=dim, keepdim=True)
    return squared / (1 + squared) * vectors / squared.sqrt()


class PrimaryCapsules(nn.Module):
    """Small networks side by side on the same features.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.capsules = nn.ModuleList(_capsule() for _ in range(count)).apply(_start)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, 8, count) float32 of features (B, 256, h, w).

        The result is squashed along the capsules, as in the original.
        """
        vectors = [capsule(features).float() for capsule in self.capsules]
        return squash(torch.stack(vectors, dim=-1), dim=-1)


class Routing(nn.Module):
    """Dynamic routing from the primary to the output capsules.

    Parameters
    ----------
    primary, classes : int
        Number of primary and of output capsules.
    dropout : float
        Share of the predictions that are set to 0 in training; the others are not scaled.
    """

    def __init__(self, primary: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.route_weights = nn.Parameter(torch.randn(classes, primary, DATA_OUT, DATA_IN))

    def forward(self, capsules: Tensor) -> Tensor:
        """Return (B, 4, classes) float32 of primary capsules (B, 8, primary) float32."""
        weights: Tensor = self.route_weights
        if self.training:
            weights = weights + NOISE * torch.randn_like(weights)
        # Classes x B x primary x 4 x 1, then B first.
        priors = weights[:, None] @ capsules.transpose(2, 1)[None, ..., None]
        priors = priors.transpose(1, 0)
        if self.training and self.dropout:
            priors = priors * torch.empty_like(priors).bernoulli_(1 - self.dropout)
        logits = torch.zeros_like(priors)
        for _ in range(ITERATIONS - 1):
            logits = logits + priors * _routed(priors, logits)
        return _routed(priors, logits)[:, :, 0, :, 0].transpose(2, 1)


def _routed(priors: Tensor, logits: Tensor) -> Tensor:
    """Return the output capsules (B, classes, 1, 4, 1)."""
    return squash((logits.softmax(dim=2) * priors).sum(dim=2, keepdim=True), dim=3)


class CapsuleForensics(nn.Module):
    """VGG-19 features, primary capsules and routing to a real and a fake capsule.

    Keys are torchvision's `features.N.…` and the authors' `fea_ext.capsules.…` and
    `routing_stats.route_weights`.

    Parameters
    ----------
    primary : int
        Number of primary capsules.
    dropout : float
        See `Routing`.
    """

    def __init__(self, primary: int, dropout: float) -> None:
        super().__init__()
        self.features = vgg19_features()
        self.fea_ext = PrimaryCapsules(primary)
        self.routing_stats = Routing(primary, 2, dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (B, 4, 2) float32 of images (B, 3, S, S), a pair per dimension."""
        capsules = self.fea_ext(self.features(images))
        with torch.autocast(images.device.type, enabled=False):
            routed: Tensor = self.routing_stats(capsules)
            return routed.softmax(dim=-1)
