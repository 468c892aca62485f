"""Training faces and their augmentation, all on the training device.

A subject's faces stay on the device as uint8; a batch is drawn, moved, flipped, coloured and
warped there by tensor operations, so that no loader stands between the faces and the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from swapset.faces.align import narrower_drop
from swapset.faces.masks import polygon, render_mask

ROTATION = 5.0
"""Largest rotation of a training face, in degrees."""
ZOOM = 0.05
SHIFT = 0.03
WARP_GRID = 5
WARP_SIGMA = 0.06
"""Standard deviation of the warp's control points, in half crop sides."""


@dataclass(frozen=True)
class FaceBank:
    """One subject's faces on the device.

    Attributes
    ----------
    faces : Tensor
        (N, 3, M, M) uint8, RGB. A network sees the crop of the recipe's context, which synthesis
        sees too; the rest is real surrounding for rotations and warps.
    share : float
        Side of the network's crop as a share of the stored side.
    masks : Tensor or None
        (N, 1, M, M) uint8, 255 in the hull of each face's landmarks.
    """

    faces: Tensor
    share: float
    masks: Tensor | None = None

    @classmethod
    def from_faces(
        cls,
        faces: np.ndarray,
        *,
        resolution: int,
        share: float,
        device: torch.device,
        points: np.ndarray | None = None,
    ) -> FaceBank:
        """Bring stored faces (N, S, S, 3) uint8 to the device, scaled once.

        They are scaled (with area weighting when they shrink) so that the network's crop is
        sampled pixel by pixel afterwards. With landmarks `points` (N, 68, 2), in pixels of the
        stored faces, each gets its mask.
        """
        side = min(faces.shape[1], round(resolution / share))
        scaled = []
        for chunk in np.array_split(faces, max(1, len(faces) // 64)):
            images = torch.from_numpy(np.ascontiguousarray(chunk)).to(device).permute(0, 3, 1, 2)
            if side != faces.shape[1]:
                images = functional.interpolate(
                    images.float(), size=(side, side), mode="bilinear", antialias=True
                )
            scaled.append(images.round().clamp(0, 255).to(torch.uint8))
        masks = None
        if points is not None:
            placed = (points + 0.5) * (side / faces.shape[1]) - 0.5
            masks = torch.from_numpy(np.stack([_hull_mask(each, side) for each in placed]))
            masks = masks[:, None].to(device)
        return cls(torch.cat(scaled).contiguous(), share, masks)

    def __len__(self) -> int:
        return len(self.faces)

    def part(self, places: slice) -> FaceBank:
        """Return some of the faces, without copying them."""
        masks = None if self.masks is None else self.masks[places]
        return FaceBank(self.faces[places], self.share, masks)


def _hull_mask(points: np.ndarray, side: int) -> np.ndarray:
    """Return (side, side) uint8, 255 in the hull of landmarks."""
    return np.round(render_mask(polygon(points, "face-hull"), (side, side), 0) * 255).astype(
        np.uint8
    )


@dataclass(frozen=True)
class Batch:
    """What the network sees and what it should make of it.

    Attributes
    ----------
    warped : (B, 3, I, I) in [0, 1], RGB
    target : (B, 3, R, R) in [0, 1], RGB
    region : (B, 1, R, R) in [0, 1] or None
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
        Faces of the bank.
    uniform : (B, 10) in [-1, 1)
        What decides rotation, zoom, flip, shift (2), white balance (3), contrast and brightness.
    normal : (B, 2, WARP_GRID, WARP_GRID)
        How far the warp's control points move, in standard deviations.
    """

    index: Tensor
    uniform: Tensor
    normal: Tensor

    @classmethod
    def draw(cls, bank: FaceBank, size: int, generator: torch.Generator) -> RandomDraws:
        """Draw them on the bank's device."""
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
    """Draw `size` faces at random; warp the input, not the target; colour both alike.

    The random warp (control points of a 5 x 5 grid, moved and interpolated) is that of the basic
    DeepFake maker: it keeps the encoder from copying pixels. Colour is perturbed the same way
    in input and target, so that the network learns to keep the input's colours (section 4.3.1).
    `augment` is `augment_faces`, or the same through a compiler.
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
    """Return a batch of stored faces (B, 3, M, M) uint8, moved, coloured and warped by chance.

    `masks` are theirs, `uniform` and `normal` as in `RandomDraws`, `sides` those of input and target.
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
    """Return where each pixel of a crop lies in the stored faces, (B, R, R, 2) in half sides.

    Parameters
    ----------
    matrix : (B, 2, 3)
    side : int
    warp : (B, 2, R, R), optional
        Displacements within the crop, in half crop sides.
    """
    line = (torch.arange(side, device=matrix.device) * 2 + 1) / side - 1
    across, down = line[None, None, :], line[None, :, None]
    if warp is not None:
        across, down = across + warp[:, 0], down + warp[:, 1]
    rows = matrix[..., None, None]
    places = [rows[:, i, 0] * across + rows[:, i, 1] * down + rows[:, i, 2] for i in (0, 1)]
    return torch.stack(places, dim=-1)


def plain_batch(
    bank: FaceBank, index: Tensor, resolution: int, input_side: int | None = None
) -> Batch:
    """Return faces as a network sees them and should make them, without augmentation."""
    faces = bank.faces[index].float().div_(255)
    crop = [[bank.share, 0.0, 0.0], [0.0, bank.share, narrower_drop(bank.share)]]
    matrix = torch.tensor(crop, device=faces.device).expand(len(index), 2, 3)
    grid = _grid(matrix, resolution)
    target = _sample(faces, grid)
    given = target
    if input_side is not None and input_side != resolution:
        given = _sample(faces, _grid(matrix, input_side))
    region = None if bank.masks is None else _sample(bank.masks[index].float().div_(255), grid)
    return Batch(given, target, region)


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
    """Change white balance, contrast and brightness of each face (B, 3, H, W) in [0, 1].

    `uniform` (B, 5) in [-1, 1) decides how much: three channels, contrast, brightness.
    """
    parts = uniform[..., None, None]
    balance = 1 + 0.10 * parts[:, :3]
    contrast = 1 + 0.20 * parts[:, 3:4]
    offset = 0.12 * parts[:, 4:5]
    return (((faces - 0.5) * contrast + 0.5 + offset) * balance).clamp(0, 1)
