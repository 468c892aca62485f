"""Synthesis: swap the donor's face into a clip of the target, frame by frame.

Align, run the network, match colours, mask, warp back, blend (figures 4.3 and 4.7 of the
chapter). Frames without a face stay unchanged and are labelled so.
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
from swapset.types import Bytes, Floats, Frames, Image


class Synthesiser:
    """Swaps the donor's face into frames of the target.

    Parameters
    ----------
    trained : TrainedPair
        The model, on `device`.
    donor : str
        The subject whose decoder makes the faces.
    recipe : SynthesisRecipe
        Colour, mask and boundary.
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    batch : int
        Frames that go through the network together.

    Raises
    ------
    DataError
        If the model has no decoder of the donor.
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
        frames : iterable of (H, W, 3) uint8 in [0, 255], RGB
            The target's clip.
        landmarks : (n, 68, 2) float32 or float64
            The target's landmarks x, y in pixels, NaN where there is no face.

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
        has_face = [bool(np.isfinite(matrix).all()) for matrix in matrices]
        crops = [
            warp_crop(frame, matrix, recipe.resolution)
            for (_, frame), matrix, there in zip(chunk, matrices, has_face, strict=True)
            if there
        ]
        faces = iter(zip(crops, self.synthesise(np.stack(crops)) if crops else (), strict=True))
        for (index, frame), matrix, face_points, there in zip(
            chunk, matrices, points, has_face, strict=True
        ):
            if there:
                crop, synthesised = next(faces)
                yield self._compose(index, frame, crop, synthesised, matrix, face_points)
            else:
                yield frame, FrameLabel(index, swapped=False)

    @torch.inference_mode()
    def synthesise(self, crops: Frames) -> Bytes:
        """Return the donor's faces for aligned crops of the target.

        Parameters
        ----------
        crops : (B, R, R, 3) uint8 in [0, 255], RGB

        Returns
        -------
        (B, R, R, 3) uint8 in [0, 255]
            RGB; (B, R, R, 4) with the mask as the last channel where the model makes one.
        """
        images = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float().div_(255)
        images = resized(images, self.trained.recipe.input_side)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            faces = self.trained.model(images, self.donor)
        faces = faces.float().mul_(255).round_().clamp_(0, 255).to(torch.uint8)
        return faces.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def mask(self, points: Floats, matrix: Floats, synthesised: Bytes) -> FaceMask | None:
        """Return the part of a frame that a face replaces; None if it is empty.

        Parameters
        ----------
        points : (68, 2) float64
            The target's landmarks x, y in frame pixels.
        matrix : (2, 3) float64
            Transform from frame to aligned crop, in pixels.
        synthesised : (R, R, 3 or 4) uint8 in [0, 255]
            A face of `synthesise`.
        """
        side, kind = self.trained.recipe.resolution, self.recipe.mask
        in_crop = self.recipe.feather * side / self.trained.recipe.context
        feather = in_crop / float(scale_of(matrix))
        if kind == "learned":
            return learned_mask(synthesised[..., 3], matrix, feather, in_crop)
        if kind == "learned-hull":
            hull = transform_points(matrix, polygon(points, "face-hull"))
            inside = render_mask(hull, synthesised.shape[:2], in_crop)
            values = np.rint(synthesised[..., 3] * inside).astype(np.uint8)
            return learned_mask(values, matrix, feather, in_crop)
        return FaceMask(polygon(points, kind, corners=crop_corners(matrix, side)), feather)

    def match_colours(
        self, synthesised: Bytes, crop: Image, matrix: Floats, mask: FaceMask
    ) -> Image:
        """Match a synthesised face's colours to the target's face.

        Parameters
        ----------
        synthesised : (R, R, 3 or 4) uint8 in [0, 255]
            A face of `synthesise`.
        crop : (R, R, 3) uint8 in [0, 255], RGB
            The target's face in the aligned crop.
        matrix : (2, 3) float64
            Transform from frame to aligned crop, in pixels.
        mask : FaceMask
            The part of the frame that the face replaces.

        Returns
        -------
        (R, R, 3) uint8 in [0, 255], RGB
        """
        if mask.alpha is None:
            inside = render_mask(transform_points(matrix, mask.outline), crop.shape[:2], 0) > 0
        else:
            inside = mask.alpha > 0.5
        face = np.ascontiguousarray(synthesised[..., :3])
        return match_colour(self.recipe.colour_transfer, face, crop, inside)

    def _compose(
        self,
        index: int,
        frame: Image,
        crop: Image,
        synthesised: Bytes,
        matrix: Floats,
        points: Floats,
    ) -> tuple[Image, FrameLabel]:
        """Return a frame with the synthesised face, and its label."""
        mask = self.mask(points, matrix, synthesised)
        if mask is None:
            return frame, FrameLabel(index, swapped=False)
        face = self.match_colours(synthesised, crop, matrix, mask)
        if self.recipe.blending == "poisson":
            swapped, mask = clone(frame, face, matrix, mask) or (None, mask)
        else:
            swapped = paste(frame, face, matrix, mask)
        if swapped is None:
            return frame, FrameLabel(index, swapped=False)
        return swapped, FrameLabel(index, True, matrix, mask.outline, mask.feather)
