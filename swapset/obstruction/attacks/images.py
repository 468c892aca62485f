"""Check the images that an attack is to change, and draw offsets of their pixels."""

from __future__ import annotations

import torch
from torch import Tensor


def checked(images: Tensor) -> Tensor:
    """Check the shape and range of images and return a rounded copy.

    Parameters
    ----------
    images : (B, 3, H, W) uint8 or float in [0, 255], RGB

    Returns
    -------
    (B, 3, H, W) float32, or float64 if the images are
        Whole numbers in [0, 255].

    Raises
    ------
    ValueError
        If the images have another shape or range.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images are {tuple(images.shape)}, not (B, 3, H, W)")
    exact = images.detach().to(torch.float64 if images.dtype == torch.float64 else torch.float32)
    if not ((exact >= 0) & (exact <= 255)).all():
        raise ValueError(
            f"images must lie in [0, 255], not in [{exact.min():.4g}, {exact.max():.4g}]"
        )
    return exact.round()


def random_offsets(images: Tensor, most: float, seed: int) -> Tensor:
    """Draw an offset for each pixel, the same for all images of a batch.

    Parameters
    ----------
    images : (B, 3, H, W) float
        They give the size, dtype and device.
    most : float
        Largest offset, on the scale of 255.
    seed : int

    Returns
    -------
    (1, 3, H, W) float in [-most, most]
    """
    generator = torch.Generator(images.device)
    generator.manual_seed(seed)
    drawn = torch.rand(
        images[:1].shape, generator=generator, device=images.device, dtype=images.dtype
    )
    return (2 * drawn - 1) * most
