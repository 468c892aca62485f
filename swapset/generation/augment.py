"""Draw augmented batches of training faces on the device.

Tensor operations draw, move, flip, colour and warp a batch, so that no data loader slows the
training down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from swapset.faces.align import narrower_drop
from swapset.generation.bank import FaceBank

ROTATION = 5.0
"""Largest rotation of a training face, in degrees."""
ZOOM = 0.05
"""Largest change of a training face's size, as a share."""
SHIFT = 0.03
"""Largest shift of a training face, in half crop sides."""
WARP_GRID = 5
"""Control points along each side of the warp's grid."""
WARP_SIGMA = 0.06
"""Standard deviation of the warp's control points, in half crop sides."""


@dataclass(frozen=True)
class Batch:
    """Input and target of the network.

    Attributes
    ----------
    warped : (B, 3, I, I) float32 in [0, 1], RGB
        The input.
    target : (B, 3, R, R) float32 in [0, 1], RGB
        The face to reconstruct from it.
    region : (B, 1, R, R) float32 in [0, 1] or None
        The hull of the target's landmarks, if the bank has masks.
    """

    warped: Tensor
    target: Tensor
    region: Tensor | None = None


@dataclass(frozen=True)
class RandomDraws:
    """The random numbers of a batch.

    Attributes
    ----------
    index : (B,) int64
        Numbers of the chosen faces in the bank.
    uniform : (B, 10) float32 in [-1, 1)
        Rotation, zoom, flip, shift (2), white balance (3), contrast and brightness follow from it.
    normal : (B, 2, WARP_GRID, WARP_GRID) float32
        Shifts of the warp's control points, in standard deviations.
    """

    index: Tensor
    uniform: Tensor
    normal: Tensor

    @classmethod
    def draw(cls, bank: FaceBank, size: int, generator: torch.Generator) -> RandomDraws:
        """Draw the random numbers of a batch on the bank's device.

        Parameters
        ----------
        bank : FaceBank
        size : int
            Faces in the batch.
        generator : torch.Generator
            On the bank's device.
        """
        device, warp = bank.faces.device, (size, 2, WARP_GRID, WARP_GRID)
        return cls(
            torch.randint(len(bank.faces), (size,), generator=generator, device=device),
            torch.rand(size, 10, generator=generator, device=device) * 2 - 1,
            torch.randn(warp, generator=generator, device=device),
        )


def draw_batch(
    bank: FaceBank,
    size: int,
    resolution: int,
    *,
    colour: bool,
    generator: torch.Generator,
    input_side: int | None = None,
    augment: Callable[..., Batch] | None = None,
) -> Batch:
    """Draw a batch of faces at random; warp the input, not the target; colour both alike.

    The random warp (control points of a 5 x 5 grid, moved and interpolated) is that of the basic
    DeepFake maker: it keeps the encoder from copying pixels. Colour is perturbed the same way
    in input and target, so that the network learns to keep the input's colours (section 4.3.1).

    Parameters
    ----------
    bank : FaceBank
    size : int
        Faces in the batch.
    resolution : int
        Side of the targets in pixels.
    colour : bool
        Whether colours are perturbed.
    generator : torch.Generator
        On the bank's device.
    input_side : int, optional
        Side of the inputs in pixels; by default `resolution`.
    augment : callable, optional
        A compiled `augment_faces`; by default the function itself.
    """
    draws = RandomDraws.draw(bank, size, generator)
    return (augment or augment_faces)(
        bank.faces[draws.index],
        None if bank.masks is None else bank.masks[draws.index],
        draws.uniform,
        draws.normal,
        share=bank.share,
        sides=(input_side or resolution, resolution),
        colour=colour,
    )


def augment_faces(
    faces: Tensor,
    masks: Tensor | None,
    uniform: Tensor,
    normal: Tensor,
    *,
    share: float,
    sides: tuple[int, int],
    colour: bool,
) -> Batch:
    """Return stored faces as a batch: moved, flipped, coloured and warped at random.

    Parameters
    ----------
    faces : (B, 3, M, M) uint8 in [0, 255], RGB
    masks : (B, 1, M, M) uint8 or None
        See `FaceBank.masks`.
    uniform : (B, 10) float32 in [-1, 1)
        See `RandomDraws`.
    normal : (B, 2, WARP_GRID, WARP_GRID) float32
        See `RandomDraws`.
    share : float
        See `FaceBank.share`.
    sides : tuple of int, int
        Sides of input and target in pixels.
    colour : bool
        Whether colours are perturbed.
    """
    images = faces.float().div(255)
    if colour:
        images = perturb_colour(images, uniform[:, 5:])
    matrix = _affine(uniform, share)
    warped = _sample(images, _grid(matrix, sides[0], _warp(normal, sides[0])))
    grid = _grid(matrix, sides[1])
    region = None if masks is None else _sample(masks.float().div(255), grid)
    return Batch(warped, _sample(images, grid), region)


def _grid(matrix: Tensor, side: int, warp: Tensor | None = None) -> Tensor:
    """Return the position of each pixel of a crop in the stored faces.

    Parameters
    ----------
    matrix : (B, 2, 3) float32
        Maps crop positions to stored positions, both in half sides from the middle.
    side : int
        Side R of the crop in pixels.
    warp : (B, 2, R, R) float32, optional
        Displacements within the crop, in half crop sides.

    Returns
    -------
    (B, R, R, 2) float32
        x, y in half sides of the stored faces.
    """
    line = (torch.arange(side, device=matrix.device) * 2 + 1) / side - 1
    across, down = line[None, None, :], line[None, :, None]
    if warp is not None:
        across, down = across + warp[:, 0], down + warp[:, 1]
    rows = matrix[..., None, None]
    x_and_y = [rows[:, i, 0] * across + rows[:, i, 1] * down + rows[:, i, 2] for i in (0, 1)]
    return torch.stack(x_and_y, dim=-1)


def plain_batch(
    bank: FaceBank, index: Tensor, resolution: int, input_side: int | None = None
) -> Batch:
    """Return faces of a bank as a batch without augmentation: the input is the target, scaled.

    Parameters
    ----------
    bank : FaceBank
    index : (B,) int64
        Numbers of the faces, on the bank's device.
    resolution : int
        Side of the targets in pixels.
    input_side : int, optional
        Side of the inputs in pixels; by default `resolution`.
    """
    faces = bank.faces[index].float().div_(255)
    crop = [[bank.share, 0.0, 0.0], [0.0, bank.share, narrower_drop(bank.share)]]
    matrix = torch.tensor(crop, device=faces.device).expand(len(index), 2, 3)
    grid = _grid(matrix, resolution)
    target = _sample(faces, grid)
    inputs = target
    if input_side is not None and input_side != resolution:
        inputs = _sample(faces, _grid(matrix, input_side))
    region = None if bank.masks is None else _sample(bank.masks[index].float().div_(255), grid)
    return Batch(inputs, target, region)


def _sample(faces: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(
        faces, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _affine(uniform: Tensor, share: float) -> Tensor:
    """Return (B, 2, 3) sampling matrices: rotation, zoom, shift and flip of the network's crop."""
    angle = uniform[:, 0] * torch.pi * ROTATION / 180
    scale = share * (1 + uniform[:, 1] * ZOOM)
    flip = torch.where(uniform[:, 2] < 0, -1.0, 1.0)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    shift = uniform[:, 3:5] * SHIFT * share
    down = shift[:, 1] + narrower_drop(share)
    rows = [cosine * flip, -sine, shift[:, 0], sine * flip, cosine, down]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def _warp(normal: Tensor, side: int) -> Tensor:
    """Return (B, 2, R, R) smooth displacements in half crop sides."""
    return functional.interpolate(
        normal * WARP_SIGMA, size=(side, side), mode="bicubic", align_corners=True
    )


def perturb_colour(faces: Tensor, uniform: Tensor) -> Tensor:
    """Change white balance, contrast and brightness of each face.

    Parameters
    ----------
    faces : (B, 3, H, W) float32 in [0, 1], RGB
    uniform : (B, 5) float32 in [-1, 1)
        Strength of the changes: of three channels, contrast, brightness.

    Returns
    -------
    (B, 3, H, W) float32 in [0, 1], RGB
    """
    parts = uniform[..., None, None]
    balance = 1 + 0.10 * parts[:, :3]
    contrast = 1 + 0.20 * parts[:, 3:4]
    offset = 0.12 * parts[:, 4:5]
    return (((faces - 0.5) * contrast + 0.5 + offset) * balance).clamp(0, 1)
