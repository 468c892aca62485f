"""The face-swap autoencoder: one shared encoder and one decoder per subject.

Section 4.2.1 of the chapter; the blocks are those of the open-source "basic DeepFake maker"
(github.com/deepfakes/faceswap, "original" model): strided 5x5 convolutions, a dense bottleneck,
and pixel-shuffle upscaling. Higher resolutions add layers (section 4.3.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from swapset.generation.methods import TrainingRecipe

_SLOPE = 0.1


def bottom_side(resolution: int) -> int:
    """Return the side of the encoder's last feature map: 4, or 6 for 96 and 192."""
    return 6 if resolution % 96 == 0 else 4


class Down(nn.Module):
    """Convolution that halves the side: (B, I, H, W) to (B, O, H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=5, stride=2, padding=2)

    def forward(self, features: Tensor) -> Tensor:
        """Halve the side."""
        return nn.functional.leaky_relu(self.conv(features), _SLOPE)


class Up(nn.Module):
    """Sub-pixel convolution that doubles the side: (B, I, H, W) to (B, O, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Double the side."""
        return nn.functional.leaky_relu(nn.functional.pixel_shuffle(self.conv(features), 2), _SLOPE)


class Encoder(nn.Module):
    """Faces (B, 3, R, R) in [0, 1] to features (B, 4W, 2S, 2S); identity-free by training."""

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        self.side = bottom_side(recipe.resolution)
        depth = int(math.log2(recipe.resolution // self.side))
        channels = [3] + [recipe.width * min(2**level, 8) for level in range(depth)]
        self.downs = nn.Sequential(*map(Down, channels[:-1], channels[1:]))
        flat = channels[-1] * self.side**2
        self.code = nn.Linear(flat, recipe.code)
        self.spread = nn.Linear(recipe.code, 8 * recipe.width * self.side**2)
        self.up = Up(8 * recipe.width, 4 * recipe.width)

    def forward(self, faces: Tensor) -> Tensor:
        """Encode faces."""
        code = self.code(self.downs(faces).flatten(1))
        return self.up(self.spread(code).unflatten(1, (-1, self.side, self.side)))


class Decoder(nn.Module):
    """Features (B, 4W, 2S, 2S) to faces (B, 3, R, R) in [0, 1] of one subject."""

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        depth = int(math.log2(recipe.resolution // bottom_side(recipe.resolution))) - 1
        width = recipe.width
        channels = [4 * width]
        channels += [max(width // 2, min(4 * width, width // 2 * 2**k)) for k in range(depth)][::-1]
        self.ups = nn.Sequential(*map(Up, channels[:-1], channels[1:]))
        self.to_rgb = nn.Conv2d(channels[-1], 3, kernel_size=5, padding=2)

    def forward(self, features: Tensor) -> Tensor:
        """Decode faces, in float32."""
        return torch.sigmoid(self.to_rgb(self.ups(features)).float())


def _start_weights(module: nn.Module) -> None:
    """Keep the signal's size through the layers; torch's own default lets it die away.

    K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 15; X. Glorot, Y. Bengio,
    AISTATS 2010, for the layers without a rectifier.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    elif isinstance(module, Decoder):
        nn.init.xavier_uniform_(module.to_rgb.weight, gain=0.5)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


class SwapAutoencoder(nn.Module):
    """One encoder, and a decoder for each subject.

    Parameters
    ----------
    recipe : TrainingRecipe
        Resolution, width and code length.
    subjects : sequence of str
        Names of the subjects; the keys of `decoders`.
    """

    def __init__(self, recipe: TrainingRecipe, subjects: Sequence[str]):
        super().__init__()
        self.encoder = Encoder(recipe)
        self.decoders = nn.ModuleDict({subject: Decoder(recipe) for subject in subjects})
        self.apply(_start_weights)

    def forward(self, faces: Tensor, subject: str) -> Tensor:
        """Return `faces` (B, 3, R, R) in [0, 1], RGB, as `subject` would make them."""
        return self.decoders[subject](self.encoder(faces))

    def reconstruct(self, faces: dict[str, Tensor]) -> dict[str, Tensor]:
        """Encode all subjects' faces in one batch and decode each with its own decoder."""
        features = self.encoder(torch.cat(list(faces.values())))
        parts = features.split([len(batch) for batch in faces.values()])
        return {
            subject: self.decoders[subject](part)
            for subject, part in zip(faces, parts, strict=True)
        }

    def placed(self, device: torch.device) -> SwapAutoencoder:
        """Return the model on `device`, its weights in channels_last order."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
