"""Training batches: faces turned, scaled, shifted, mirrored and coloured on the device.

The crop is sampled once from the stored uint8 face, so that nothing is blurred twice and no loader
is needed between the faces and the network. All random numbers are drawn on the CPU: a training on
a GPU gets the same faces as one without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from swapset.extractors.appearance import vary_appearance
from swapset.extractors.bank import FaceBank
from swapset.extractors.make_up import make_up
from swapset.extractors.markup import mirror_points
from swapset.extractors.restyle import restyle
from swapset.extractors.schedules import Variation

_BENDS = 5
_MADE_UP = 68
"""Number of landmarks whose order `make_up` knows."""
_UNBENDING_STEPS = 8


@dataclass(frozen=True)
class Batch:
    """A training batch of an extractor.

    Attributes
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    points : (B, K, 2) float32
        Landmarks x, y in pixels of the crop; some may lie outside of it.
    known : (B, K) bool
        False = this landmark is left out of the loss.
    """

    images: Tensor
    points: Tensor
    known: Tensor


@dataclass(frozen=True)
class Poses:
    """The place of each face of a batch in its crop.

    Attributes
    ----------
    angle : (B,) float32
        In radians.
    scale : (B,) float32
        Side of the visible square, in sides of the crop.
    shift : (B, 2) float32
        Shift of the visible square along x and y, in sides of the crop.
    mirrored : (B,) bool
    stretch : (B, 2) float32, optional
        Natural logarithm by which width grows and height shrinks, and the shear; None: none.
    bend : (B, 2, 5, 5) float32, optional
        Displacement along x and y of places in the crop, in sides of the crop, at points spread
        evenly from its first to its last pixel; cubic between them. None: none.
    """

    angle: Tensor
    scale: Tensor
    shift: Tensor
    mirrored: Tensor
    stretch: Tensor | None = None
    bend: Tensor | None = None


def draw_batch(
    bank: FaceBank,
    index: Tensor,
    variation: Variation,
    *,
    generator: torch.Generator,
    device: torch.device,
) -> Batch:
    """Return a batch of faces, each varied anew.

    Parameters
    ----------
    bank : FaceBank
    index : (B,) int64
        Numbers of the faces; on the CPU.
    variation : Variation
        Kind and size of the variations.
    generator : torch.Generator
        Of the CPU.
    device : torch.device
        Device of the batch.
    """
    poses = draw_poses(len(index), variation, generator)
    images = place_images(bank.take(index, device), poses, side=bank.side, fill=bank.fill)
    if variation.colour:
        factors = 1 + variation.colour * _uniform(generator, len(index), 3, 1, 1)
        images = (images * factors.to(device)).clamp(0, 255)
    if variation.restyled:
        images = restyle(images, variation.restyled, generator)
    points = place_points(bank.points[index], poses, side=bank.side)
    if variation.make_up and points.shape[1] == _MADE_UP:
        images = make_up(images, points, variation.make_up, generator)
    images = vary_appearance(images, variation, generator)
    known = points.isfinite().all(-1)
    if variation.beyond == "unknown":
        known &= ((points >= -0.5) & (points <= bank.side - 0.5)).all(-1)
    return Batch(images, points.to(device), known.to(device))


def draw_poses(count: int, variation: Variation, generator: torch.Generator) -> Poses:
    """Draw the places of `count` faces in their crops.

    Parameters
    ----------
    count : int
        B.
    variation : Variation
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    Poses
        Of (B,) float32 and bool tensors.
    """
    if variation.law == "normal":
        turn = torch.randn(count, generator=generator).clamp(-2, 2)
        scale = 1 + (variation.scale * torch.randn(count, generator=generator)).clamp(
            -variation.scale, variation.scale
        )
    else:
        turn = _uniform(generator, count)
        scale = 1 + variation.scale * _uniform(generator, count)
    turned = torch.rand(count, generator=generator) < variation.turned
    poses = Poses(
        angle=math.radians(variation.turn) * turn * turned,
        scale=scale,
        shift=variation.shift * _uniform(generator, count, 2),
        mirrored=torch.rand(count, generator=generator) < variation.mirrored,
    )
    if variation.stretch:
        strengths = variation.stretch * torch.tensor((1.0, 0.5))
        poses = replace(poses, stretch=strengths * _uniform(generator, count, 2))
    if variation.bend:
        drawn = torch.randn(count, 2, _BENDS, _BENDS, generator=generator)
        poses = replace(poses, bend=variation.bend * drawn)
    return poses


def place_images(faces: Tensor, poses: Poses, *, side: int, fill: float) -> Tensor:
    """Return crops of stored faces.

    Parameters
    ----------
    faces : (B, 3, M, M) uint8, RGB
    poses : Poses
    side : int
        S.
    fill : float
        Value of pixels outside of a stored face, in [0, 255].

    Returns
    -------
    (B, 3, S, S) float32 in [0, 255], RGB
    """
    stored = faces.shape[-1]
    steps = (torch.arange(side, dtype=torch.float32) - (side - 1) / 2) * (2 / stored)
    # Only these small tensors are sent to a GPU at each step; the grid is computed there.
    steps, turn = steps.to(faces.device), _to_stored(poses).to(faces.device)
    shift = (poses.shift * (2 * side / stored)).to(faces.device)
    x = turn[:, :, 0, None, None] * steps + shift[:, :, None, None]
    y = turn[:, :, 1, None, None] * steps[:, None]
    grid = (x + y).permute(0, 2, 3, 1)
    if poses.bend is not None:
        bend = _bent_places(poses.bend.to(faces.device), side) * (2 * side / stored)
        grid = grid + bend.permute(0, 2, 3, 1) @ turn.mT[:, None]
    sampled = functional.grid_sample(
        faces.float() - fill, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    images = sampled + fill if fill else sampled
    mirrored = poses.mirrored.to(faces.device)[:, None, None, None]
    return torch.where(mirrored, images.flip(-1), images)


def place_points(points: Tensor, poses: Poses, *, side: int) -> Tensor:
    """Return the places of landmarks in crops that `place_images` makes.

    Parameters
    ----------
    points : (B, K, 2) float32
        x, y in pixels of the crop without any pose.
    poses : Poses
    side : int
        S.

    Returns
    -------
    (B, K, 2) float32
        x, y in pixels of the crop.
    """
    centre = (side - 1) / 2
    from_centre = points - centre - side * poses.shift[:, None]
    placed = from_centre @ torch.linalg.inv(_to_stored(poses)).mT + centre
    if poses.bend is not None:
        placed = _unbent(placed, poses.bend, side)
    return torch.where(poses.mirrored[:, None, None], mirror_points(placed, side), placed)


def _to_stored(poses: Poses) -> Tensor:
    """Return the matrices (B, 2, 2) from places in the crop to places in the stored face."""
    cosine, sine = poses.angle.cos(), poses.angle.sin()
    turn = torch.stack((cosine, -sine, sine, cosine), 1).view(-1, 2, 2)
    turn = turn * poses.scale[:, None, None]
    if poses.stretch is None:
        return turn
    longer, shear = poses.stretch[:, 0].exp(), poses.stretch[:, 1]
    stretch = torch.stack((longer, shear, torch.zeros_like(shear), 1 / longer), 1)
    return turn @ stretch.view(-1, 2, 2)


def _bent_places(bend: Tensor, side: int) -> Tensor:
    """Return the displacement (B, 2, S, S) of every pixel of the crop, in sides of the crop."""
    return functional.interpolate(bend, (side, side), mode="bicubic", align_corners=True)


def _unbent(places: Tensor, bend: Tensor, side: int) -> Tensor:
    """Return the points (B, K, 2) of the crop that a bend moves to `places`, in pixels.

    The bend is smooth and small, so that subtracting it where the last guess lies soon converges.
    Beyond the crop, the bend of its border counts.
    """
    field = side * _bent_places(bend, side)
    found = places
    for _ in range(_UNBENDING_STEPS):
        at = (2 * found / (side - 1) - 1).clamp(-1, 1).nan_to_num()[:, :, None]
        moved = functional.grid_sample(field, at, mode="bilinear", align_corners=True)
        found = places - moved[..., 0].mT
    return found


def _uniform(generator: torch.Generator, *shape: int) -> Tensor:
    """Return random numbers in [-1, 1)."""
    return torch.rand(*shape, generator=generator) * 2 - 1
