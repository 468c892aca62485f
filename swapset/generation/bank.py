"""Training faces of one subject, on the training device as uint8."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from swapset.faces.masks import polygon, render_mask
from swapset.types import Bytes, Floats32, Frames, Points

_CHUNK = 64
"""Faces that are scaled at a time."""


@dataclass(frozen=True)
class FaceBank:
    """One subject's faces on the device.

    Attributes
    ----------
    faces : (N, 3, M, M) uint8 in [0, 255], RGB
        The network sees the crop of the recipe's context, as in synthesis; the rest is real
        surrounding for rotations and warps.
    share : float
        Side of the network's crop as a share of the stored side.
    masks : (N, 1, M, M) uint8 or None
        255 in the hull of each face's landmarks, 0 outside.
    expressions : (N, E) float32 or None
        On the processor; see `swapset.generation.expressions.describe`.
    chances : (N,) float32 in (0, 1] or None
        Rising numbers: the chance that this face or an earlier one is drawn. None = all are alike.
    """

    faces: Tensor
    share: float
    masks: Tensor | None = None
    expressions: Tensor | None = None
    chances: Tensor | None = None
    _scaled: dict[int, Tensor] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def from_faces(
        cls,
        faces: Frames,
        *,
        resolution: int,
        share: float,
        device: torch.device,
        points: Points | None = None,
        expressions: Floats32 | None = None,
    ) -> FaceBank:
        """Scale stored faces once and move them to the device.

        The network's crop is then sampled pixel by pixel. Faces that shrink are averaged by area.

        Parameters
        ----------
        faces : (N, S, S, 3) uint8 in [0, 255], RGB
        resolution : int
            Side of the network's crop in pixels. Faces are never enlarged to reach it.
        share : float
            Side of the network's crop as a share of S.
        device : torch.device
        points : (N, 68, 2) float32, optional
            Landmarks x, y in pixels of `faces`; with them the bank has masks.
        expressions : (N, E) float32, optional
        """
        side = min(faces.shape[1], round(resolution / share))
        chunks = np.array_split(faces, max(1, len(faces) // _CHUNK))
        scaled = torch.cat([_moved(_shrunk(chunk, side), device) for chunk in chunks])
        described = None if expressions is None else torch.from_numpy(expressions)
        if points is None:
            return cls(scaled, share, expressions=described)
        scaled_points = (points + 0.5) * (side / faces.shape[1]) - 0.5
        masks = torch.from_numpy(np.stack([_hull_mask(each, side) for each in scaled_points]))
        return cls(scaled, share, masks[:, None].to(device), described)

    def __len__(self) -> int:
        return len(self.faces)

    def at(self, side: int) -> Tensor:
        """Return the faces, scaled so that the network's crop has about `side` pixels.

        Parameters
        ----------
        side : int
            Faces are never enlarged to reach it.

        Returns
        -------
        (N, 3, M, M) uint8 in [0, 255], RGB
        """
        stored = round(side / self.share)
        if stored >= self.faces.shape[-1]:
            return self.faces
        if stored not in self._scaled:
            parts = [_resized(part, stored) for part in self.faces.split(_CHUNK)]
            self._scaled[stored] = torch.cat(parts)
        return self._scaled[stored]

    def part(self, places: slice) -> FaceBank:
        """Return some of the faces, without copying them."""
        masks = None if self.masks is None else self.masks[places]
        expressions = None if self.expressions is None else self.expressions[places]
        return FaceBank(self.faces[places], self.share, masks, expressions)

    def weighted(self, chances: Tensor) -> FaceBank:
        """Return the same faces, drawn by `chances`, (N,) float32 in (0, 1]."""
        return replace(self, chances=chances.to(self.faces.device))

    def draw(self, size: int, generator: torch.Generator) -> Tensor:
        """Draw `size` faces at random; return their numbers (size,) int64 on the bank's device."""
        device = self.faces.device
        if self.chances is None:
            return torch.randint(len(self), (size,), generator=generator, device=device)
        drawn = torch.rand(size, generator=generator, device=device)
        return torch.searchsorted(self.chances, drawn, right=True).clamp_max(len(self) - 1)


def _shrunk(faces: Frames, side: int) -> Frames:
    """Return faces (n, S, S, 3) uint8 averaged by area to (n, side, side, 3), as synthesis does."""
    if side == faces.shape[1]:
        return faces
    shape, kind = (side, side), cv2.INTER_AREA
    return np.stack([cv2.resize(face, shape, interpolation=kind) for face in faces])


def _moved(faces: Frames, device: torch.device) -> Tensor:
    """Return faces (n, S, S, 3) uint8 as (n, 3, S, S) on the device."""
    moved = torch.from_numpy(np.ascontiguousarray(faces)).to(device).permute(0, 3, 1, 2)
    return moved.contiguous()


def _resized(images: Tensor, side: int) -> Tensor:
    """Return pictures (n, 3, S, S) uint8 scaled to (n, 3, side, side) uint8."""
    if side == images.shape[-1]:
        return images
    scaled = functional.interpolate(
        images.float(), size=(side, side), mode="bilinear", antialias=True
    )
    return scaled.round().clamp(0, 255).to(torch.uint8)


def _hull_mask(points: Floats32, side: int) -> Bytes:
    """Return (side, side) uint8, 255 in the hull of landmarks."""
    return np.round(render_mask(polygon(points, "face-hull"), (side, side), 0) * 255).astype(
        np.uint8
    )
