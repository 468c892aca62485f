"""Change the style of faces by fixed transforms.

AVS-SAN's authors train on WFLW with eight copies of each face in styles of other faces. The copies
come from a network that separates style from structure (S. Qian et al., "Aggregation via
separation: boosting facial landmark detector with semi-supervised style translation", ICCV 2019;
TheSouthFrog/stylealign). That network's weights are not published. The replacement here is clearly
something else: eight transforms without anything learnt that change light, colour, contrast or
texture and leave every edge of a face in its place. Grey, light and sketch are also the styles of
300-W that SAN's authors made (D-X-Y/landmark-detection, SAN/README.md).

All transforms take images (B, 3, S, S) float in [0, 255], RGB, a strength (B, 1, 1, 1) float in
[0, 1) and noise (B, 3, 4, 4) float in [0, 1), and return images (B, 3, S, S) float, which may leave
[0, 255].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)


def restyle(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Change the style of about `share` of the images, each to a random one.

    Parameters
    ----------
    images : (B, 3, S, S) float in [0, 255], RGB
    share : float
        In [0, 1].
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float in [0, 255], RGB
    """
    count = len(images)
    chosen = torch.rand(count, generator=generator) < share
    style = torch.randint(len(STYLES), (count,), generator=generator)
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    noise = torch.rand(count, 3, 4, 4, generator=generator)
    styled = images.clone()
    for number, transform in enumerate(STYLES.values()):
        index = (chosen & (style == number)).nonzero()[:, 0]
        if len(index):
            rows = index.to(images.device)
            draws = (strength[index].to(images), noise[index].to(images))
            styled[rows] = transform(images[rows], *draws).clamp(0, 255)
    return styled


def _luma(images: Tensor) -> Tensor:
    weights = images.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def _grey(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Remove at least half of the colour."""
    share = 0.5 + strength / 2
    return images + share * (_luma(images) - images)


def _light(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Brighten or darken by a power of at most 2."""
    return 255 * (images / 255).clamp(min=1e-3) ** (4 ** (strength - 0.5))


def _sketch(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Draw the edges dark on white: the structure without the style."""
    luma = _luma(images)
    padded = functional.pad(luma, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    # The constant keeps the square root differentiable where the slope is 0.
    edges = 255 - (1 + 3 * strength) * (across**2 + down**2 + 1).sqrt()
    return edges.expand_as(images)


def _contrast(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Scale the contrast about the mean by a factor of 1/2 to 2."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * 4 ** (strength - 0.5)


def _blur(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Blur by mixing with a picture of a fourth of the resolution."""
    side = images.shape[-1]
    small = functional.interpolate(images, size=max(1, side // 4), mode="area")
    soft = functional.interpolate(small, size=side, mode="bilinear", align_corners=False)
    return images + strength * (soft - images)


def _cast(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Tint by multiplying each channel by 0.6 to 1.4."""
    return images * (0.6 + 0.8 * noise[:, :, :1, :1])


def _channels(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Mix each channel with the one before it, red with blue."""
    return images + strength * (images.roll(1, 1) - images)


def _lamp(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Light by a smooth map that darkens parts of the face by up to 70 %."""
    field = functional.interpolate(
        noise[:, :1], size=images.shape[-1], mode="bicubic", align_corners=True
    )
    return images * (1 - 0.7 * field.clamp(0, 1))


STYLES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "grey": _grey,
    "light": _light,
    "sketch": _sketch,
    "contrast": _contrast,
    "blur": _blur,
    "cast": _cast,
    "channels": _channels,
    "lamp": _lamp,
}
