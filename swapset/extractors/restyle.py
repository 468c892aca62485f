"""Faces in other styles, by fixed transforms.

AVS-SAN's authors train on WFLW with eight copies of each face in styles of other faces, which a
network made that separates style from structure (S. Qian et al., "Aggregation via separation:
boosting facial landmark detector with semi-supervised style translation", ICCV 2019;
TheSouthFrog/stylealign). That network's weights are not published. What stands for it here is
plainly another thing: eight transforms without anything learnt, that change light, colour, contrast
or texture and leave every edge of a face in its place. Grey, light and sketch are also the styles
of 300-W that SAN's authors made (D-X-Y/landmark-detection, SAN/README.md).

All functions take and return B×3×S×S in [0, 255], RGB; `strength` is B×1×1×1 in [0, 1).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)


def restyle(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return images of which about `share` are in another style, each in one drawn for it.

    Parameters
    ----------
    images : (B, 3, S, S) float in [0, 255], RGB
    share : float
        In [0, 1].
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    (B, 3, S, S) float in [0, 255]
    """
    count = len(images)
    chosen = torch.rand(count, generator=generator) < share
    style = torch.randint(len(STYLES), (count,), generator=generator)
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    noise = torch.rand(count, 3, 4, 4, generator=generator)
    made = images.clone()
    for number, transform in enumerate(STYLES.values()):
        index = (chosen & (style == number)).nonzero()[:, 0]
        if len(index):
            here = index.to(images.device)
            own = (strength[index].to(images), noise[index].to(images))
            made[here] = transform(images[here], *own).clamp(0, 255)
    return made


def _luma(images: Tensor) -> Tensor:
    weights = images.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def grey(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Take at least half of the colour away."""
    share = 0.5 + strength / 2
    return images + share * (_luma(images) - images)


def light(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Brighten, or darken, by a power of at most 2."""
    return 255 * (images / 255).clamp(min=1e-3) ** (4 ** (strength - 0.5))


def sketch(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Draw the edges dark on white: the structure without the style."""
    luma = _luma(images)
    padded = functional.pad(luma, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    # The constant keeps a slope without a direction from having no derivative.
    edges = 255 - (1 + 3 * strength) * (across**2 + down**2 + 1).sqrt()
    return edges.expand_as(images)


def contrast(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Halve to double the contrast about the mean."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * 4 ** (strength - 0.5)


def blur(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Lose the detail: mix with a picture of a fourth of the resolution."""
    side = images.shape[-1]
    small = functional.interpolate(images, size=max(1, side // 4), mode="area")
    soft = functional.interpolate(small, size=side, mode="bilinear", align_corners=False)
    return images + strength * (soft - images)


def cast(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Tint: each channel times 0.6 to 1.4."""
    return images * (0.6 + 0.8 * noise[:, :, :1, :1])


def channels(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Mix each channel with the next one."""
    return images + strength * (images.roll(1, 1) - images)


def lamp(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Light by a smooth map that darkens parts of the face by up to 70 %."""
    field = functional.interpolate(
        noise[:, :1], size=images.shape[-1], mode="bicubic", align_corners=True
    )
    return images * (1 - 0.7 * field.clamp(0, 1))


STYLES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "grey": grey,
    "light": light,
    "sketch": sketch,
    "contrast": contrast,
    "blur": blur,
    "cast": cast,
    "channels": channels,
    "lamp": lamp,
}
