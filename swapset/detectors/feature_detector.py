"""Detectors that score a few features of a face by a classifier made of plain arrays."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self, TextIO

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from swapset.detectors.base import Arrays, Detector, Samples, Schedule, Scores
from swapset.detectors.batches import check_classes
from swapset.detectors.classic import Classifier
from swapset.detectors.classic_fit import Labels
from swapset.detectors.weights.pickles import Pickled, read_pickle
from swapset.errors import DataError, TrainingError
from swapset.seeds import derive_seed
from swapset.types import Floats


class FeatureDetector(Detector):
    """A detector with features (D,) float64 as crops and its classifier's decision as score.

    A probability would rank the same faces with ties: it rounds to 0 or 1 far from the border.

    Attributes
    ----------
    inputs : int
        Number of features, D.
    classifier : Classifier
        Gives 0 to all faces until it is fitted.
    """

    inputs: ClassVar[int]
    classifier: Classifier

    @abstractmethod
    def learn(
        self, features: Floats, labels: Labels, schedule: Schedule, seed: int
    ) -> dict[str, Any]:
        """Fit the classifier in place; return facts about the training.

        Parameters
        ----------
        features : (n, D) float64
            Without NaN.
        labels : (n,) int8
            1 = fake, 0 = real; both occur.
        schedule : Schedule
        seed : int
        """

    @abstractmethod
    def take_published(self, pickled: Pickled) -> None:
        """Load the classifier from the authors' pickle.

        Raises
        ------
        DataError
            If it is another model.
        """

    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Score features (B, D); see `Detector.forward`."""
        features = np.asarray(crops, np.float64)
        complete = np.isfinite(features).all(axis=1)
        scores = np.full(len(features), np.nan)
        if complete.any():
            scores[complete] = self.classifier.decision(features[complete])
        return scores

    def probability(self, scores: Scores) -> Scores:
        """Return the classifier's probabilities of fake; see `Detector.probability`."""
        return self.classifier.calibrated(scores)

    def fit(
        self,
        training: Samples,
        validation: Samples | None = None,
        schedule: Schedule | None = None,
        *,
        log: TextIO | None = None,
        backbone: Path | None = None,
    ) -> dict[str, Any]:
        """Fit the classifier to the features of all training faces. See `Detector.fit`.

        Faces that cannot be scored are left out, and counted in the facts. The originals use no
        validation faces, and here these only give an AUC for the facts.
        """
        if backbone is not None:
            raise DataError(
                f"{backbone}: {self.name} has no backbone that takes weights; leave it out"
            )
        check_classes(training, needs_fakes=self.needs_fakes)
        features, labels = self._features(training, log)
        if len(np.unique(labels)) < 2:
            raise TrainingError(
                f"{self.name} can score {np.count_nonzero(labels == 0)} real and "
                f"{np.count_nonzero(labels)} fake faces of the training dataset; it needs both"
            )
        plan = schedule or Schedule()
        seed = derive_seed(plan.seed, self.name, "fit") % 2**32
        facts = self.learn(features, labels, plan, seed)
        left_out = len(training) - len(labels)
        return facts | {"faces": len(labels), "left_out": left_out} | self._checked(validation, log)

    def _features(self, samples: Samples, log: TextIO | None) -> tuple[Floats, Labels]:
        """Return the features (n, D) and labels (n,) of the faces that can be scored."""
        rows = np.full((len(samples), self.inputs), np.nan)
        bar = tqdm(range(len(samples)), file=log, mininterval=2, unit="face", desc="features")
        for index in bar:
            rows[index] = self.crop(samples[index])
        complete = np.isfinite(rows).all(axis=1)
        return rows[complete], np.asarray(samples.labels)[complete]

    def _checked(self, validation: Samples | None, log: TextIO | None) -> dict[str, Any]:
        if validation is None or not len(validation):
            return {}
        features, labels = self._features(validation, log)
        if len(np.unique(labels)) < 2:
            return {}
        return {"validation_auc": float(roc_auc_score(labels, self.forward(features)))}

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the classifier that its authors pickled.

        The file is read as data, see `pickles`: no code in it runs.
        """
        pickled = read_pickle(path)
        detector = cls(device=device)
        try:
            detector.take_published(pickled)
        except DataError as error:
            raise DataError(f"{path}: is no published model of {cls.name}: {error}") from error
        return detector

    def arrays(self) -> Arrays:
        """Return the classifier's arrays; see `Detector.arrays`."""
        return self.classifier.arrays()
