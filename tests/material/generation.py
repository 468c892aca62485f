"""A face with known landmarks, tiny recipes and stand-in networks, for tests of generation."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from skimage import data
from torch import Tensor, nn

from swapset.config.recipes import SynthesisRecipe, TrainingRecipe
from swapset.faces.align import MEAN_FACE, transform_points
from swapset.generation.bank import FaceBank
from swapset.generation.checkpoint import TrainedPair

CPU = torch.device("cpu")
# The mean face laid over the astronaut's face.
LANDMARKS = transform_points([[93.0, -4.9, 179.7], [4.9, 93.0, 83.5]], MEAN_FACE)


def astronaut() -> np.ndarray:
    """Return a (512, 512, 3) uint8 RGB frame whose face has the landmarks `LANDMARKS`."""
    return np.ascontiguousarray(data.astronaut())


def posed(degrees: float, zoom: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the frame (512, 512, 3) uint8 and its landmarks (68, 2), turned and enlarged."""
    centre = LANDMARKS.mean(axis=0)
    matrix = cv2.getRotationMatrix2D(tuple(centre), degrees, zoom)
    matrix[:, 2] += 256 - centre
    frame = cv2.warpAffine(
        astronaut(), matrix, (512, 512), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    # Warping leaves pixel noise that crops lose; a photograph is smoother.
    return cv2.GaussianBlur(frame, (0, 0), 1.5), transform_points(matrix, LANDMARKS)


def training_recipe(**changes: Any) -> TrainingRecipe:
    """Return a recipe of the smallest network."""
    values: dict[str, Any] = {
        "resolution": 64,
        "width": 8,
        "code": 16,
        "steps": 12,
        "batch": 2,
        "learning_rate": 2e-3,
        "context": 1.3,
        "colour_augmentation": True,
    }
    return TrainingRecipe(**values | changes)


def synthesis_recipe(**changes: Any) -> SynthesisRecipe:
    """Return a recipe with all refinements."""
    values: dict[str, Any] = {
        "smoothing": "kalman",
        "colour_transfer": "reinhard",
        "mask": "smooth",
        "feather": 0.12,
    }
    return SynthesisRecipe(**values | changes)


def bank(seed: int, resolution: int = 64, count: int = 6) -> FaceBank:
    """Return slightly shifted crops of the astronaut's face; each seed has another tint."""
    rng = np.random.default_rng(seed)
    corners = rng.integers((45, 150), (65, 170), (count, 2))
    tint = rng.uniform(0.6, 1.0, 3)
    crops = np.stack([astronaut()[y : y + 128, x : x + 128] for y, x in corners])
    faces = np.round(crops * tint).astype(np.uint8)
    return FaceBank.from_faces(faces, resolution=resolution, share=0.75, device=CPU)


class Keep(nn.Module):
    """A network that adds `change` to its input."""

    def __init__(self, change: float = 0.0):
        super().__init__()
        self.change = change
        self.asked: list[str] = []

    def forward(self, faces: Tensor, subject: str) -> Tensor:
        """Return `faces` plus the change."""
        self.asked.append(subject)
        return (faces + self.change).clamp(0, 1)


def stand_in(network: nn.Module, resolution: int = 128, context: float = 1.3) -> TrainedPair:
    """Return a trained pair of the subjects id0 and id1 around a stand-in network."""
    recipe = training_recipe(resolution=resolution, context=context)
    return TrainedPair(network, recipe, ("id0", "id1"))  # type: ignore[arg-type]
