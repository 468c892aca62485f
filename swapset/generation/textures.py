"""Decoder of textures: learned pictures of a person, moved and mixed as the encoder says.

A convolutional decoder learns the same skin, brows and glasses again and again, pixel by pixel.
This one keeps them as K pictures per person, and the encoder, which all people share, says where
each pixel comes from: one flow for each picture, and the weights by which pictures are mixed.
Pictures of the same number show the same expression in all people (see
`swapset.generation.expressions`), so what the encoder learnt on one person's mouth moves another's.
Related: Z. Shu et al., "Deforming autoencoders", ECCV 2018; O. Wiles et al., "X2Face", ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.config.recipes import TrainingRecipe
from swapset.generation.blocks import upscaling
from swapset.generation.size import (
    CORRECTIONS,
    EXPRESSION_VALUES,
    decoder_channels,
    texture_side,
    upscalings,
)

REACH = 0.3
"""Largest shift of a pixel, in half sides of a texture."""
DECISION = 8.0
"""Factor on the mixture's logits, by which they learn as much faster. A mixture that stays even
shows the mean of all textures, which is blurred."""
_DARKEST = 0.02
"""Pictures start within [0.02, 0.98]: beyond, their logits would learn slowly."""
_SMALL = 0.01
"""Standard deviation of the first weights of the last convolutions: pictures start unmoved."""


def _shared_channels(recipe: TrainingRecipe) -> int:
    return decoder_channels(recipe)[upscalings(recipe)]


class Motion(nn.Module):
    """Last part of the encoder: maps by which textures move and mix.

    C is the number of channels after the doublings, K the recipe's number of textures, M a quarter
    of the face's side.

    Parameters
    ----------
    recipe : TrainingRecipe
    """

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        self.ups = upscaling(recipe)
        self.head = nn.Conv2d(_shared_channels(recipe), 3 * recipe.textures, 3, padding=1)
        self.centres: Tensor
        self.register_buffer("centres", torch.zeros(recipe.textures, EXPRESSION_VALUES))

    def init_head(self) -> None:
        """Draw the first weights of the last convolution."""
        nn.init.normal_(self.head.weight, std=_SMALL)

    def forward(self, features: Tensor) -> Tensor:
        """Return maps (B, C + 3 K, M, M) from features (B, 4W, 2S, 2S), both of one floating dtype.

        C channels for the person's own corrections, K logits of the mixture, K flows of x and y.
        """
        features = self.ups(features)
        return torch.cat([features, self.head(features)], dim=1)


class TextureDecoder(nn.Module):
    """Decoder of one subject's faces: K textures, and corrections by the subject's own head.

    Parameters
    ----------
    recipe : TrainingRecipe
    """

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        self.side, self.count = recipe.resolution, recipe.textures
        self.channels = _shared_channels(recipe)
        picture = texture_side(recipe)
        # Logits; three dimensions, because others would be stored with the channels last.
        self.textures = nn.Parameter(torch.zeros(3 * self.count, picture, picture))
        masks = recipe.learned_mask != "none"
        self.head = nn.Conv2d(self.channels, CORRECTIONS + masks, 3, padding=1)

    def init_head(self) -> None:
        """Draw the first weights of the last convolution."""
        nn.init.normal_(self.head.weight, std=_SMALL)

    @torch.no_grad()
    def start(self, pictures: Tensor) -> None:
        """Start the textures as pictures (K, 3, T, T) float32 in [0, 1], RGB."""
        logits = torch.logit(pictures.clamp(_DARKEST, 1 - _DARKEST))
        self.textures.copy_(logits.flatten(0, 1))

    def forward(self, maps: Tensor, *, coarse: bool = False) -> Tensor:
        """Return faces from the maps of `Motion`.

        Parameters
        ----------
        maps : (B, C + 3 K, M, M) of a floating dtype
        coarse : bool
            Make faces of half the side.

        Returns
        -------
        (B, 3 or 4, R, R) float32 in [0, 1]
            RGB; the fourth channel is the mask, where the recipe learns one.
        """
        own, motion = maps.split([self.channels, 3 * self.count], dim=1)
        corrections = self.head(own)
        side = self.side // 2 if coarse else self.side
        # In bf16, positions would be wrong by up to a quarter of a pixel of 256. (Device "meta"
        # knows no precisions.)
        device = "cpu" if maps.is_meta else maps.device.type
        with torch.autocast(device, enabled=False):
            return self._render(motion.float(), corrections.float(), side)

    def _render(self, motion: Tensor, corrections: Tensor, side: int) -> Tensor:
        mixture, flow = motion.split([self.count, 2 * self.count], dim=1)
        # Without numbers, `grid_sample` ends the process; the mixture still spoils the loss.
        flow = REACH * torch.tanh(flow / REACH).nan_to_num()
        small = [(DECISION * mixture).softmax(dim=1), flow, corrections]
        enlarge = _enlarging(motion.shape[-1], side, motion.device)
        large = enlarge @ torch.cat(small, dim=1) @ enlarge.mT
        parts = large.split([self.count, 2 * self.count, 3, 3, corrections.shape[1] - 6], dim=1)
        mixture, flow, gain, residual, mask = parts
        logits = (self._moved(flow, side) * mixture.transpose(0, 1)[:, None]).sum(dim=0)
        faces = torch.cat([logits.transpose(0, 1) * (1 + gain) + residual, mask], dim=1)
        return torch.sigmoid(faces)

    def _moved(self, flow: Tensor, side: int) -> Tensor:
        """Return the textures' pixels (K, 3, B, side, side), moved by flow (B, 2 K, side, side).

        All faces of a batch lie below each other, so that no texture is copied for each of them.
        """
        textures = self.textures.unflatten(0, (self.count, 3))
        if side != self.side:
            textures = functional.avg_pool2d(textures, self.side // side)
        moves = flow.unflatten(1, (self.count, 2)).permute(1, 0, 3, 4, 2)
        positions = _positions(side, flow.device) * (self.side / self.textures.shape[-1])
        grid = (positions + moves).flatten(1, 2)
        moved = functional.grid_sample(
            textures, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return moved.unflatten(2, (-1, side))


def _positions(side: int, device: torch.device) -> Tensor:
    """Return x and y of the pixels of a picture, (side, side, 2) float32 in [-1, 1]."""
    line = (torch.arange(side, device=device) * 2 + 1) / side - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)


def _enlarging(small: int, large: int, device: torch.device) -> Tensor:
    """Return the matrix (large, small) float32 of a linear interpolation along one side.

    Products with it are faster than the interpolation, and their gradients have a fixed order of
    sums on every device.
    """
    unit = torch.eye(small, device=device)[:, None]
    return functional.interpolate(unit, large, mode="linear", align_corners=False)[:, 0].T
