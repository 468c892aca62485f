"""The critic: tells faces that a decoder made from real ones, patch by patch.

github.com/shaoanlu/faceswap-GAN, v2.2: least squares (X. Mao et al., ICCV 2017) with mixup
(H. Zhang et al., ICLR 2018), the network's input beside the face as a condition.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.blocks import Down, SelfAttention

_SMALLEST = 8
_ATTENTION = (8, 16)
MIXUP = 0.2
"""Of the distribution that real and made faces are mixed by."""


class Critic(nn.Module):
    """Faces and what they were made from (B, 6, R, R) in [0, 1] to marks (B, 1, 8, 8); 1: real."""

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        depth = max(1, int(math.log2(recipe.resolution // _SMALLEST)))
        width = max(8, recipe.width // 2)
        channels = [6] + [width * min(2**level, 4) for level in range(depth)]
        layers: list[nn.Module] = []
        for level in range(depth):
            layers.append(Down(channels[level], channels[level + 1], kernel=4))
            if recipe.attention and recipe.resolution >> (level + 1) in _ATTENTION:
                layers.append(SelfAttention(channels[level + 1]))
        self.downs = nn.Sequential(*layers)
        self.mark = nn.Conv2d(channels[-1], 1, kernel_size=3, padding=1, bias=False)

    def forward(self, faces: Tensor, condition: Tensor) -> Tensor:
        """Mark faces (B, 3, R, R) made from, or belonging to, `condition` (B, 3, R, R)."""
        pairs = torch.cat([faces, condition], dim=1) * 2 - 1
        return self.mark(self.downs(pairs)).float()


def critic_loss(
    critic: Critic, made: Tensor, condition: Tensor, *, real: Tensor, share: Tensor
) -> Tensor:
    """Return what the critic minimises: real and made faces mixed, each marked by its share.

    Parameters
    ----------
    critic : Critic
    made, condition, real : (B, 3, R, R) in [0, 1]
    share : (B, 1, 1, 1)
        Of the real face, drawn from Beta(`MIXUP`, `MIXUP`).
    """
    marks = critic(share * real + (1 - share) * made.detach(), condition)
    return (marks - share).square().mean()


def adversarial_loss(critic: Critic, made: Tensor, condition: Tensor) -> Tensor:
    """Return what the autoencoder minimises: its faces' distance from being marked real."""
    return (critic(made, condition) - 1).square().mean()
