"""Meso4 and MesoInception4: shallow networks on aligned faces.

D. Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018;
github.com/DariusAf/MesoNet: `classifiers.py` (networks, loss, optimiser), `pipeline.py` (crop).
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.networks.mesonet import SIDE, MesoNetwork, meso4, meso_inception4
from swapset.detectors.weights.keras import read_keras_weights
from swapset.types import Floats, Image

LENGTHS = 2.2
"""Side of a face over the distance between the eyes or between eyes and mouth, the larger of both
(`find_coordinates`)."""
ENLARGED = 1.3
"""Side of a crop in sides of a face (`get_aligned_face`)."""
# `face_recognition` groups the 68 landmarks in this way for the authors' pipeline.
_TOP_LIP = np.array([*range(48, 55), 64, 63, 62, 61, 60])
_BOTTOM_LIP = np.array([*range(54, 60), 48, 60, 67, 66, 65, 64])

DECAY_EVERY = 1000
"""Steps after which the learning rate falls to a tenth, at most three times."""

ROTATION = 10.0
"""Largest rotation of a training face, in degrees."""
ZOOM = 0.1
BRIGHTNESS = 0.2
HUE = 0.05
"""Largest change of the hue, as a share of the colour circle."""


def placement(points: npt.ArrayLike) -> tuple[tuple[int, int], int, float]:
    """Return the place of a face, as `find_coordinates` of the authors' pipeline does.

    Parameters
    ----------
    points : (68, 2) float
        Landmarks x, y in pixels of the frame.

    Returns
    -------
    centre : (int, int)
        x, y of the nose.
    length : int
        Side of the face in pixels.
    angle : float
        From the vertical to the line from eyes to mouth, in radians, in [-π/2, π/2].
    """
    marks = np.asarray(points, np.float64)
    left, right = marks[36:42].mean(0), marks[42:48].mean(0)
    eyes = (left + right) / 2
    mouth = (marks[_TOP_LIP].mean(0) + marks[_BOTTOM_LIP].mean(0)) / 2
    nose = (marks[31:36].mean(0) + marks[27:31].mean(0)) / 2
    across, down = mouth - eyes
    longest = max(float(np.hypot(*(left - right))), float(np.hypot(across, down)))
    angle = math.atan(across / down) if down else math.copysign(math.pi / 2, across)
    return (math.floor(nose[0]), math.floor(nose[1])), math.floor(LENGTHS * longest), angle


def sampling_matrix(points: npt.ArrayLike) -> Floats:
    """Return the affine map (2, 3) float64 from pixels x, y of the crop to pixels of the frame.

    It joins the steps of the authors' `get_aligned_face` and `resize_patch`: a square cut around
    the nose, rotated about its middle, cut to its final size and scaled with corners on corners.

    Parameters
    ----------
    points : (68, 2) float
        Landmarks x, y in pixels of the frame.
    """
    (x, y), length, angle = placement(points)
    half = max(math.floor(length * ENLARGED // 2), 1)
    scale = (2 * half - 1) / (SIDE - 1)
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    shift = turn @ np.full(2, 0.5 - half) + (x - 0.5, y - 0.5)
    return np.column_stack([scale * turn, shift])


class MesoDetector(NetworkDetector):
    """Shared parts of Meso4 and MesoInception4: crop, training and loading.

    Trained as published: mean squared error, Adam with Keras' values, a learning rate that falls
    from 1e-3 to 1e-6, to a tenth every 1,000 steps; training ends after 1,000 steps at the last
    rate. Faces are slightly zoomed, rotated, mirrored, and changed in brightness and hue; the
    published values do not say by how much.
    """

    side: ClassVar[int] = SIDE
    published: ClassVar[Schedule] = Schedule(steps=4 * DECAY_EVERY, batch=76, learning_rate=1e-3)

    def crop(self, face: Face) -> Image:
        """Return the aligned face (256, 256, 3) uint8, RGB.

        The face is upright, with the nose in the middle; pixels outside the region are mirrored.
        Unlike the original, which samples three times with splines, this samples once, bicubically.
        """
        matrix = sampling_matrix(face.landmarks)
        matrix[:, 2] -= face.origin
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (SIDE, SIDE)
        crop = cv2.warpAffine(
            face.pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(crop, np.uint8)

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops in [0, 1]."""
        return crops / 255

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float64; the output (B,) is that of real."""
        return 1 - output.double()

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the mean squared error, a scalar float32; targets are 1 = real, 0 = fake."""
        return nn.functional.mse_loss(output, 1 - batch.labels)

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return Adam with Keras' epsilon."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate, eps=1e-7)

    def rate(self, first: float, step: int) -> float:
        """Return the rate with the published decay."""
        return first * 0.1 ** min(step // DECAY_EVERY, 3)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Slightly zoom, rotate, mirror, brighten and tint each training face."""
        images = _colour(_move(batch.images, generator), generator)
        return replace(batch, images=images)

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the authors' weights, a Keras .h5 file.

        Raises
        ------
        DataError
            If the file is not an .h5 file, or of another network.
        """
        detector = cls(device=device)
        assert isinstance(detector.network, MesoNetwork)  # noqa: S101 - `build` made it
        detector.take_state(read_keras_weights(path, detector.network))
        return detector


class Meso4(MesoDetector):
    """Meso4: four convolutions and two dense layers; section III-A of the paper."""

    name: ClassVar[str] = "Meso4"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.mesonet`."""
        return meso4()


class MesoInception4(MesoDetector):
    """MesoInception4: Meso4 with two inception layers in front; section III-B of the paper."""

    name: ClassVar[str] = "MesoInception4"

    def build(self) -> nn.Module:
        """Return the network; see `swapset.detectors.networks.mesonet`."""
        return meso_inception4()


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return random numbers (B,) in [-1, 1)."""
    return torch.rand(len(like), generator=generator, device=like.device) * 2 - 1


def _move(images: Tensor, generator: torch.Generator) -> Tensor:
    """Zoom, rotate and mirror images (B, 3, S, S); border pixels repeat outside, as in Keras."""
    angle = _uniform(images, generator) * math.radians(ROTATION)
    scale = 1 + _uniform(images, generator) * ZOOM
    mirror = torch.where(_uniform(images, generator) < 0, -1.0, 1.0)
    cosine, sine, none = scale * angle.cos(), scale * angle.sin(), torch.zeros_like(angle)
    rows = [cosine * mirror, -sine, none, sine * mirror, cosine, none]
    matrix = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _colour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness and hue of images (B, 3, S, S) in [0, 255].

    The hue is rotated about the axis of greys, so that greys and the sum of a pixel's channels stay
    the same.
    """
    angle = (_uniform(images, generator) * HUE * 2 * math.pi).view(-1, 1, 1)
    gain = (1 + _uniform(images, generator) * BRIGHTNESS).view(-1, 1, 1)
    device = images.device
    across = torch.tensor(
        [[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=device
    ) / math.sqrt(3)
    grey = torch.full((3, 3), 1 / 3, device=device)
    turn = angle.cos() * torch.eye(3, device=device)
    turn = turn + (1 - angle.cos()) * grey + angle.sin() * across
    changed = (gain * turn) @ images.flatten(2)
    return changed.clamp(0, 255).view(images.shape)
