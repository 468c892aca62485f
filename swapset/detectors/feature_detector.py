"""Detectors that judge a few features of a face by a classifier of plain arrays."""

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


class FeatureDetector(Detector):
    """A detector whose crops are features (D,) float64 and whose score is a probability.

    Attributes
    ----------
    inputs : int
        Number of features.
    classifier : Classifier
        Before it is fitted, it gives 0.5 to all.
    """

    inputs: ClassVar[int]
    classifier: Classifier

    @abstractmethod
    def learn(
        self, features: npt.NDArray[np.float64], labels: Labels, schedule: Schedule, seed: int
    ) -> dict[str, Any]:
        """Fit the classifier to features (n, D) without NaN; return facts about it."""

    @abstractmethod
    def take_published(self, pickled: Pickled) -> None:
        """Put in the classifier that the authors pickled; DataError if it is another."""

    def forward(self, crops: npt.NDArray[Any]) -> Scores:
        """Score features (B, D); see `Detector.forward`."""
        features = np.asarray(crops, np.float64)
        judged = np.isfinite(features).all(axis=1)
        scores = np.full(len(features), np.nan)
        if judged.any():
            scores[judged] = self.classifier.probability(features[judged])
        return scores

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

        Faces that cannot be judged are left out, and counted in the facts. The authors have no
        validation faces: theirs decide nothing here, only their AUC is told.
        """
        if backbone is not None:
            raise DataError(
                f"{backbone}: {self.name} has no backbone that takes weights; leave it out"
            )
        check_classes(training, needs_fakes=self.needs_fakes)
        features, labels = self._features(training, log)
        if len(np.unique(labels)) < 2:
            raise TrainingError(
                f"{self.name} can judge {np.count_nonzero(labels == 0)} real and "
                f"{np.count_nonzero(labels)} fake faces of the training dataset; it needs both"
            )
        plan = schedule or Schedule()
        seed = derive_seed(plan.seed, self.name, "fit") % 2**32
        facts = self.learn(features, labels, plan, seed)
        left_out = len(training) - len(labels)
        return facts | {"faces": len(labels), "left_out": left_out} | self._checked(validation, log)

    def _features(
        self, samples: Samples, log: TextIO | None
    ) -> tuple[npt.NDArray[np.float64], Labels]:
        """Return the features (n, D) and labels (n,) of the faces that can be judged."""
        rows = np.full((len(samples), self.inputs), np.nan)
        bar = tqdm(range(len(samples)), file=log, mininterval=2, unit="face", desc="features")
        for index in bar:
            rows[index] = self.crop(samples[index])
        judged = np.isfinite(rows).all(axis=1)
        return rows[judged], np.asarray(samples.labels)[judged]

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

        The file is read as data, see `pickles`: nothing of it is run.
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
