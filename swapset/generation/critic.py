"""The critic of adversarial training: it tells decoded faces from real ones, patch by patch.

As in github.com/shaoanlu/faceswap-GAN, v2.2: least squares (X. Mao et al., ICCV 2017) with mixup
(H. Zhang et al., ICLR 2018), conditioned on the autoencoder's input.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.blocks import Down, SelfAttention

_SMALLEST_SIDE = 8
_ATTENTION_SIDES = (8, 16)
MIXUP = 0.2
"""Both parameters of the Beta distribution of the real face's share in a mixed face."""


class Critic(nn.Module):
    """Patch-wise critic of faces; a score near 1 means real, near 0 decoded.

    Parameters
    ----------
    recipe : TrainingRecipe
    """

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        depth = max(1, int(math.log2(recipe.resolution // _SMALLEST_SIDE)))
        width = max(8, recipe.width // 2)
        channels = [6] + [width * min(2**level, 4) for level in range(depth)]
        layers: list[nn.Module] = []
        for level in range(depth):
            layers.append(Down(channels[level], channels[level + 1], kernel=4))
            if recipe.attention and recipe.resolution >> (level + 1) in _ATTENTION_SIDES:
                layers.append(SelfAttention(channels[level + 1]))
        self.downs = nn.Sequential(*layers)
        self.mark = nn.Conv2d(channels[-1], 1, kernel_size=3, padding=1, bias=False)

    def forward(self, faces: Tensor, condition: Tensor) -> Tensor:
        """Score the patches of faces.

        Parameters
        ----------
        faces : (B, 3, R, R) float32 in [0, 1], RGB
            Decoded or real.
        condition : (B, 3, R, R) float32 in [0, 1], RGB
            The autoencoder's input for these faces.

        Returns
        -------
        (B, 1, h, h) float32
            h is R halved until it is below 16.
        """
        pairs = torch.cat([faces, condition], dim=1) * 2 - 1
        return self.mark(self.downs(pairs)).float()


def critic_loss(
    critic: Critic, decoded: Tensor, condition: Tensor, *, real: Tensor, share: Tensor
) -> Tensor:
    """Return the critic's loss: mixed real and decoded faces should score their real share.

    Parameters
    ----------
    critic : Critic
    decoded, condition, real : (B, 3, R, R) float32 in [0, 1], RGB
    share : (B, 1, 1, 1) float32 in [0, 1]
        Share of the real face, drawn from Beta(`MIXUP`, `MIXUP`).

    Returns
    -------
    scalar float32
    """
    scores = critic(share * real + (1 - share) * decoded.detach(), condition)
    return (scores - share).square().mean()


def adversarial_loss(critic: Critic, decoded: Tensor, condition: Tensor) -> Tensor:
    """Return the autoencoder's loss: decoded faces should score as real.

    Parameters
    ----------
    critic : Critic
    decoded, condition : (B, 3, R, R) float32 in [0, 1], RGB

    Returns
    -------
    scalar float32
    """
    return (critic(decoded, condition) - 1).square().mean()
