"""Training faces of one subject, on the training device as uint8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from swapset.faces.masks import polygon, render_mask
from swapset.types import Bytes, Floats32, Frames, Points


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
    """

    faces: Tensor
    share: float
    masks: Tensor | None = None

    @classmethod
    def from_faces(
        cls,
        faces: Frames,
        *,
        resolution: int,
        share: float,
        device: torch.device,
        points: Points | None = None,
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
        """
        side = min(faces.shape[1], round(resolution / share))
        chunks = np.array_split(faces, max(1, len(faces) // 64))
        scaled = torch.cat([_scaled(chunk, side, device) for chunk in chunks]).contiguous()
        if points is None:
            return cls(scaled, share)
        scaled_points = (points + 0.5) * (side / faces.shape[1]) - 0.5
        masks = torch.from_numpy(np.stack([_hull_mask(each, side) for each in scaled_points]))
        return cls(scaled, share, masks[:, None].to(device))

    def __len__(self) -> int:
        return len(self.faces)

    def part(self, places: slice) -> FaceBank:
        """Return some of the faces, without copying them."""
        masks = None if self.masks is None else self.masks[places]
        return FaceBank(self.faces[places], self.share, masks)


def _scaled(faces: Frames, side: int, device: torch.device) -> Tensor:
    """Return faces (n, S, S, 3) as (n, 3, side, side) uint8 on the device."""
    images = torch.from_numpy(np.ascontiguousarray(faces)).to(device).permute(0, 3, 1, 2)
    if side != faces.shape[1]:
        images = functional.interpolate(
            images.float(), size=(side, side), mode="bilinear", antialias=True
        )
    return images.round().clamp(0, 255).to(torch.uint8)


def _hull_mask(points: Floats32, side: int) -> Bytes:
    """Return (side, side) uint8, 255 in the hull of landmarks."""
    return np.round(render_mask(polygon(points, "face-hull"), (side, side), 0) * 255).astype(
        np.uint8
    )
