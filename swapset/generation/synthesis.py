"""Synthesis: a clip of the target, frame by frame, with the donor's face.

Align, run the network, match colours, mask, warp back, blend (figures 4.3 and 4.7 of the
chapter). Frames without a face stay as they were and are labelled so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from swapset.config.recipes import SynthesisRecipe
from swapset.dataset.labels import FrameLabel
from swapset.errors import DataError
from swapset.faces.align import crop_corners, crop_transform, scale_of, transform_points, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.generation.autoencoder import resized
from swapset.generation.blend import FaceMask, clone, learned_mask, paste
from swapset.generation.checkpoint import TrainedPair
from swapset.generation.colour import match_colour
from swapset.learning.device import uses_bf16
from swapset.types import Floats, Image


class Synthesiser:
    """Swap the donor's face into frames of the target.

    Parameters
    ----------
    trained : TrainedPair
        The pair's model, on `device`.
    donor : str
        Whose decoder makes the faces.
    recipe : SynthesisRecipe
        Colour, mask and boundary.
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    batch : int
        Frames that go through the network together.
    """

    def __init__(
        self,
        trained: TrainedPair,
        donor: str,
        recipe: SynthesisRecipe,
        device: torch.device,
        *,
        precision: str = "auto",
        batch: int = 16,
    ):
        if donor not in trained.subjects:
            raise DataError(f"the model knows {', '.join(trained.subjects)}, not {donor!r}")
        self.trained, self.donor, self.recipe = trained, donor, recipe
        self.device, self.batch = device, batch
        self._bf16 = uses_bf16(precision, device)

    def swap(
        self, frames: Iterable[Image], landmarks: npt.NDArray[np.floating]
    ) -> Iterator[tuple[Image, FrameLabel]]:
        """Yield each frame with the donor's face, and its label.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8, RGB
            The target's clip.
        landmarks : (n, 68, 2) float
            The target's landmarks in pixels, NaN where there is no face.

        Raises
        ------
        DataError
            If the numbers of frames and landmarks differ.
        """
        numbered = enumerate(frames)
        count = 0
        while chunk := list(itertools.islice(numbered, self.batch)):
            count += len(chunk)
            if count > len(landmarks):
                break
            yield from self._swap_chunk(chunk, landmarks)
        if count != len(landmarks):
            raise DataError(f"{len(landmarks)} landmarks do not fit a clip of {count} frames")

    def _swap_chunk(
        self, chunk: list[tuple[int, Image]], landmarks: npt.NDArray[np.floating]
    ) -> Iterator[tuple[Image, FrameLabel]]:
        recipe = self.trained.recipe
        points = np.asarray(landmarks[[index for index, _ in chunk]], np.float64)
        matrices = crop_transform(points, recipe.resolution, recipe.context)
        seen = [bool(np.isfinite(matrix).all()) for matrix in matrices]
        crops = [
            warp_crop(frame, matrix, recipe.resolution)
            for (_, frame), matrix, good in zip(chunk, matrices, seen, strict=True)
            if good
        ]
        made: Iterator[Image] = iter(self.synthesise(np.stack(crops)) if crops else ())
        originals = iter(crops)
        for (index, frame), matrix, face, good in zip(chunk, matrices, points, seen, strict=True):
            if good:
                yield self._compose(index, frame, next(originals), next(made), matrix, face)
            else:
                yield frame, FrameLabel(index, swapped=False)

    @torch.inference_mode()
    def synthesise(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return aligned crops (B, R, R, 3) uint8, RGB, as the donor would make them.

        Returns
        -------
        (B, R, R, 3) uint8
            RGB; (B, R, R, 4) with the mask as the last channel where the model makes one.
        """
        images = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float().div_(255)
        images = resized(images, self.trained.recipe.input_side)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            made = self.trained.model(images, self.donor)
        made = made.float().mul_(255).round_().clamp_(0, 255).to(torch.uint8)
        return made.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def mask(self, points: Floats, matrix: Floats, made: Image) -> FaceMask | None:
        """Return which part of a frame a face replaces; None if it is nothing.

        Parameters
        ----------
        points : (68, 2) float64
            The target's landmarks in frame pixels.
        matrix : (2, 3) float64
            Transform from frame to aligned crop.
        made : (R, R, 3 or 4) uint8
            As the network made it.
        """
        side, kind = self.trained.recipe.resolution, self.recipe.mask
        in_crop = self.recipe.feather * side / self.trained.recipe.context
        feather = in_crop / float(scale_of(matrix))
        if kind == "learned":
            return learned_mask(made[..., 3], matrix, feather, in_crop)
        if kind == "learned-hull":
            hull = transform_points(matrix, polygon(points, "face-hull"))
            inside = render_mask(hull, made.shape[:2], in_crop)
            return learned_mask(
                np.rint(made[..., 3] * inside).astype(np.uint8), matrix, feather, in_crop
            )
        return FaceMask(polygon(points, kind, corners=crop_corners(matrix, side)), feather)

    def match_colours(self, made: Image, crop: Image, matrix: Floats, mask: FaceMask) -> Image:
        """Return a made face (R, R, 3) in the colours of the target's face in the aligned crop."""
        if mask.alpha is None:
            inside = render_mask(transform_points(matrix, mask.outline), crop.shape[:2], 0) > 0
        else:
            inside = mask.alpha > 0.5
        face = np.ascontiguousarray(made[..., :3])
        return match_colour(self.recipe.colour_transfer, face, crop, inside)

    def _compose(
        self, index: int, frame: Image, crop: Image, made: Image, matrix: Floats, points: Floats
    ) -> tuple[Image, FrameLabel]:
        mask = self.mask(points, matrix, made)
        if mask is None:
            return frame, FrameLabel(index, swapped=False)
        face = self.match_colours(made, crop, matrix, mask)
        if self.recipe.blending == "poisson":
            swapped, mask = clone(frame, face, matrix, mask) or (None, mask)
        else:
            swapped = paste(frame, face, matrix, mask)
        if swapped is None:
            return frame, FrameLabel(index, swapped=False)
        return swapped, FrameLabel(index, True, matrix, mask.outline, mask.feather)
