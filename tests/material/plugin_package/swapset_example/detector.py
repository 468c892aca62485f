"""Sharpness: a swapped face is often less sharp than what surrounds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from swapset.detectors.base import Arrays, Detector, Samples, Scores
from swapset.detectors.face import Face
from swapset.errors import DataError, TrainingError


class Sharpness(Detector):
    """A straight line through the sharpness of the inner face and of its surroundings."""

    name = "Sharpness"

    def __init__(self, **given: Any):
        super().__init__(**given)
        self.weights = np.zeros(3)

    def crop(self, face: Face) -> np.ndarray:
        """Return logarithms of the mean squared gradient, inner face and surroundings, and 1."""
        grey = face.pixels.mean(axis=2)
        energy = sum(part**2 for part in np.gradient(grey))
        left, top = face.points[17:].min(axis=0).clip(0).astype(int)  # brows to mouth
        right, bottom = face.points[17:].max(axis=0).clip(0).astype(int)
        inner = np.zeros(grey.shape, bool)
        inner[top : bottom + 1, left : right + 1] = True
        if inner.all() or not inner.any():
            return np.full(3, np.nan)  # this face cannot be judged
        return np.array([np.log1p(energy[inner].mean()), np.log1p(energy[~inner].mean()), 1])

    def forward(self, crops: np.ndarray) -> Scores:
        """Return scores; higher = more likely fake, NaN where a crop is NaN."""
        return np.asarray(crops @ self.weights, np.float64)

    def fit(self, training: Samples, *unused: Any, **also_unused: Any) -> dict[str, Any]:
        """Fit the line by least squares; return facts for the model's card."""
        features = np.stack([self.crop(training[k]) for k in range(len(training))])
        judged = np.isfinite(features).all(axis=1)
        labels = training.labels[judged]
        if len(np.unique(labels)) < 2:
            raise TrainingError(f"{self.name} needs real and fake faces to learn from")
        self.weights = np.linalg.lstsq(features[judged], labels, rcond=None)[0]
        return {"faces": int(judged.sum())}

    def arrays(self) -> Arrays:
        """Return all that was learnt."""
        return {"weights": self.weights}

    def take(self, arrays: Arrays) -> None:
        """Put back what `arrays` gave."""
        if set(arrays) != {"weights"} or arrays["weights"].shape != (3,):
            raise DataError(f"weights do not fit {self.name}")
        self.weights = arrays["weights"]
