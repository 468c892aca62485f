"""Change how faces look in training without moving them: light, colours, occlusion, sharpness.

Extractors that learn from few people would otherwise learn these people's colours and skin. The
published trainings do without most of it, as their thousands of pictures differ in all of this.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from swapset.extractors.schedules import Variation

_GREY, _DARKEST = 1 / 255, 1e-3
_HALF_SIDES = (0.04, 0.2)
"""Smallest and largest half of a rectangle's sides, in sides of the picture."""
_SMALLEST = 0.2
"""Smallest side of a picture that is enlarged again, in sides of the picture."""


def vary_appearance(images: Tensor, variation: Variation, generator: torch.Generator) -> Tensor:
    """Change light and colours, cover parts, blur, and add noise.

    Parameters
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    variation : Variation
        `light`, `occluded`, `blurred` and `grain`; nothing is drawn for what is 0.
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    if variation.light:
        images = relight(images, variation.light, generator)
    for _ in range(2 if variation.occluded else 0):
        images = occlude(images, variation.occluded, generator)
    if variation.blurred:
        images = blur_some(images, variation.blurred, generator)
    if variation.grain:
        size = variation.grain * torch.rand(len(images), 1, 1, 1, generator=generator)
        noise = size * torch.randn(images.shape, generator=generator)
        images = (images + noise.to(images.device)).clamp(0, 255)
    return images


def relight(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Show pictures in another light.

    Drawn are the saturation, the colour of the light, its gain (smooth over the picture), the
    contrast, the brightness and gamma.

    Parameters
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    strength : float
        1 = strong; 0 changes nothing.
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    count, side = len(images), images.shape[-1]

    def drawn(deviation: float, *shape: int) -> Tensor:
        return strength * deviation * torch.randn(count, *shape, generator=generator)

    saturation = 1 + strength * (1.4 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
    colour, shade = drawn(0.25, 3, 1, 1), drawn(0.35, 1, 3, 3)
    contrast, brightness, gamma = (drawn(0.3, 1, 1, 1).exp().to(images.device) for _ in range(3))
    shade = functional.interpolate(shade, (side, side), mode="bicubic", align_corners=True)
    light = images * _GREY
    grey = light.mean(1, keepdim=True)
    light = grey + (light - grey) * saturation.to(images.device)
    light = light * (colour + shade).exp().to(images.device)
    mean = light.mean((1, 2, 3), keepdim=True)
    light = (light - mean) * contrast + mean * brightness
    return 255 * light.clamp(_DARKEST, 1) ** gamma


def occlude(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Cover a rectangle of some of the pictures by one colour.

    Parameters
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    share : float
        Share of the pictures, in [0, 1].
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    count, side = len(images), images.shape[-1]
    least, most = _HALF_SIDES
    centre = torch.rand(count, 2, generator=generator)
    half = least + (most - least) * torch.rand(count, 2, generator=generator)
    half = half * (torch.rand(count, 1, generator=generator) < share)
    colour = (255 * torch.rand(count, 3, 1, 1, generator=generator)).to(images.device)
    places = (torch.arange(side) + 0.5) / side
    across, down = ((places - centre[:, k, None]).abs() < half[:, k, None] for k in range(2))
    covered = (down[:, :, None] & across[:, None, :])[:, None].to(images.device)
    return torch.where(covered, colour, images)


def blur_some(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Shrink some of the pictures to random sizes and enlarge them again.

    Parameters
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    share : float
        Share of the pictures, in [0, 1].
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    side = images.shape[-1]
    chosen = torch.rand(len(images), generator=generator) < share
    scales = 1 - (1 - _SMALLEST) * torch.rand(len(images), generator=generator)
    images = images.clone()
    for number in chosen.nonzero()[:, 0].tolist():
        size = max(1, round(float(scales[number]) * side))
        small = functional.interpolate(
            images[number : number + 1], (size, size), mode="bilinear", antialias=True
        )
        images[number : number + 1] = functional.interpolate(small, (side, side), mode="bilinear")
    return images
