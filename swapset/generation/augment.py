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

from swapset.config.recipes import USUAL_WARP
from swapset.faces.align import narrower_drop
from swapset.generation.bank import FaceBank
from swapset.generation.crops import middle, positions, sample

ROTATION = 5.0
"""Largest rotation of a training face, in degrees."""
ZOOM = 0.05
"""Largest change of a training face's size, as a share."""
SHIFT = 0.03
"""Largest shift of a training face, in half crop sides."""
WARP_GRID = 5
"""Control points along each side of the warp's grid."""


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
            bank.draw(size, generator),
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
    flips: bool = True,
    jitter: float = 1.0,
    warp: float = USUAL_WARP,
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
    flips : bool
        Whether half of the faces are mirrored.
    jitter : float
        Factor on `ROTATION`, `ZOOM` and `SHIFT`.
    warp : float
        Standard deviation of the warp's control points, in half crop sides.
    augment : callable, optional
        A compiled `augment_faces`; by default the function itself.
    """
    draws = RandomDraws.draw(bank, size, generator)
    inputs, targets = (bank.at(side) for side in (input_side or resolution, resolution))
    faces = inputs[draws.index]
    return (augment or augment_faces)(
        faces,
        faces if targets is inputs else targets[draws.index],
        None if bank.masks is None else bank.masks[draws.index],
        draws.uniform,
        draws.normal,
        share=bank.share,
        sides=(input_side or resolution, resolution),
        colour=colour,
        flips=flips,
        jitter=jitter,
        warp=warp,
    )


def augment_faces(
    inputs: Tensor,
    targets: Tensor,
    masks: Tensor | None,
    uniform: Tensor,
    normal: Tensor,
    *,
    share: float,
    sides: tuple[int, int],
    colour: bool,
    flips: bool = True,
    jitter: float = 1.0,
    warp: float = USUAL_WARP,
) -> Batch:
    """Return stored faces as a batch: moved, flipped, coloured and warped at random.

    Parameters
    ----------
    inputs, targets : (B, 3, M, M) uint8 in [0, 255], RGB
        The same faces, scaled for the network's input and output, see `FaceBank.at`.
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
    flips : bool
        Whether half of the faces are mirrored.
    jitter : float
        Factor on `ROTATION`, `ZOOM` and `SHIFT`.
    warp : float
        Standard deviation of the warp's control points, in half crop sides.
    """
    matrix = _affine(uniform, share, flips=flips, jitter=jitter)
    places = _warp(normal * warp, sides[0])
    warped = sample(inputs.float().div(255), positions(matrix, sides[0], places))
    places = positions(matrix, sides[1])
    target = sample(targets.float().div(255), places)
    if colour:
        warped, target = (perturb_colour(each, uniform[:, 5:]) for each in (warped, target))
    region = None if masks is None else sample(masks.float().div(255), places)
    return Batch(warped, target, region)


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
    place = (bank.share, narrower_drop(bank.share))
    target = inputs = middle(bank.at(resolution)[index], resolution, *place)
    if input_side is not None and input_side != resolution:
        inputs = middle(bank.at(input_side)[index], input_side, *place)
    region = None if bank.masks is None else middle(bank.masks[index], resolution, *place)
    return Batch(inputs, target, region)


def _affine(uniform: Tensor, share: float, *, flips: bool, jitter: float) -> Tensor:
    """Return (B, 2, 3) sampling matrices: rotation, zoom, shift and flip of the network's crop."""
    moves = uniform * jitter
    angle = moves[:, 0] * torch.pi * ROTATION / 180
    scale = share * (1 + moves[:, 1] * ZOOM)
    flip = torch.where(uniform[:, 2] < 0, -1.0, 1.0) if flips else torch.ones_like(angle)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    shift = moves[:, 3:5] * SHIFT * share
    down = shift[:, 1] + narrower_drop(share)
    rows = [cosine * flip, -sine, shift[:, 0], sine * flip, cosine, down]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def _warp(shifts: Tensor, side: int) -> Tensor:
    """Return (B, 2, R, R) smooth displacements from those of the control points."""
    return functional.interpolate(shifts, size=(side, side), mode="bicubic", align_corners=True)


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
