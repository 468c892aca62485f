"""Validation of a network detector during its training, to find the best weights."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import log_loss, roc_auc_score

from swapset.detectors.base import Samples, Scores
from swapset.detectors.face import Face
from swapset.errors import TrainingError

logger = logging.getLogger(__name__)

VALIDATION_FACES = 2048
"""Largest number of validation faces that are scored, half of each class, evenly spaced."""
SAME_AUC = 0.005
"""AUCs within this distance count as ties, broken by cross entropy. A few faces of a few people are
soon told apart, long before a detector is well fitted."""


class Looks:
    """Scores the validation faces, and compares the result with the best one so far.

    Parameters
    ----------
    name : str
        Name of the detector, for messages.
    score : callable
        Takes faces, returns their scores (n,) float64.
    validation : Samples or None
        Without them, or if they have one class only, nothing is validated.

    Attributes
    ----------
    auc : float
        AUC of the best validation; NaN before the first.
    last : float
        AUC of the last validation; NaN before the first.
    """

    def __init__(
        self, name: str, score: Callable[[Sequence[Face]], Scores], validation: Samples | None
    ):
        self._name, self._score = name, score
        self._highest, self._loss = -np.inf, np.inf
        self.auc = self.last = np.nan
        self._faces: list[Face] = []
        self._labels: npt.NDArray[np.int8] = np.empty(0, np.int8)
        labels = np.empty(0, np.int8) if validation is None else np.asarray(validation.labels)
        classes = [np.flatnonzero(labels == label) for label in (0, 1)]
        if validation is not None and all(map(len, classes)):
            most = VALIDATION_FACES // len(classes)
            index = np.concatenate([part[:: -(-len(part) // most)] for part in classes])
            self._faces = [validation[int(k)] for k in index]
            self._labels = labels[index]

    @property
    def possible(self) -> bool:
        """Return whether there are validation faces of both classes."""
        return bool(self._faces)

    def look(self, step: int) -> bool:
        """Score the validation faces; return whether the result is the best so far.

        Better is a higher AUC, and among about equal ones the lower cross entropy.

        Raises
        ------
        TrainingError
            If a score is not a number.
        """
        scores = self._score(self._faces)
        if not np.isfinite(scores).all():
            raise TrainingError(
                f"{self._name}: scores of validation faces are not numbers after step {step}; "
                "lower its learning_rate or set training.precision to fp32"
            )
        auc = float(roc_auc_score(self._labels, scores))
        logger.info("step %d, validation AUC %.3f", step, auc)
        # Rounding may leave a probability a hair above 1, which `log_loss` refuses.
        loss = float(log_loss(self._labels, np.clip(scores, 0, 1), labels=[0, 1]))
        better = auc > self._highest + SAME_AUC or (
            auc >= self._highest - SAME_AUC and loss < self._loss
        )
        self._highest, self.last = max(self._highest, auc), auc
        if better:
            self._loss, self.auc = loss, auc
        return better

    def facts(self) -> dict[str, Any]:
        """Return the best and last results as JSON values, for a checkpoint."""
        return {"highest": self._highest, "loss": self._loss, "auc": self.auc, "last": self.last}

    def restore(self, facts: dict[str, Any]) -> None:
        """Restore the results that `facts` returned."""
        self._highest, self._loss = facts["highest"], facts["loss"]
        self.auc, self.last = facts["auc"], facts["last"]
