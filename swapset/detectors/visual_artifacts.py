"""VA-MLP and VA-LogReg: the texture of eyes and teeth, which early fakes lack.

F. Matern, C. Riess, M. Stamminger, "Exploiting Visual Artifacts to Expose Deepfakes and Face
Manipulations", WACVW 2019; follows the pipeline "deepfake" of the code at
github.com/FalkoMatern/Exploiting-Visual-Artifacts (`process_data.py`, `pipeline/texture.py`,
`fit_classifiers.py`) with the versions of scikit-image and scikit-learn that it pins.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch

from swapset.detectors.base import Arrays, Schedule
from swapset.detectors.classic import Classifier, LogisticModel, Perceptron
from swapset.detectors.classic_fit import HIDDEN, Labels, fit_logistic, fit_perceptron
from swapset.detectors.face import Face
from swapset.detectors.feature_detector import FeatureDetector
from swapset.detectors.inputs.face_parts import cut_parts
from swapset.detectors.inputs.hog_box import hog_box
from swapset.detectors.inputs.laws import ENERGIES, PYTHON2_ORDER, laws_features
from swapset.detectors.weights.pickles import Pickled
from swapset.detectors.weights.scikit_learn import published_logistic, published_perceptron
from swapset.errors import DataError
from swapset.types import Floats

_COLUMNS = "columns"


class VisualArtifacts(FeatureDetector):
    """Nine texture energies of the eyes and nine of the teeth, scored by a classifier.

    A face gets a score only if both eyes and the mouth are open; others get NaN, as the original
    calls them invalid. A detector with the authors' weights also takes the box as they do, from
    dlib's HOG detector, and gives no score where that finds no face; the textures depend on how
    large the face is cut. One that is fitted here takes the box of the landmarks, which does not
    leap from frame to frame.

    Features are in the order of `laws.ENERGIES`. A model that Python 2 pickled, such as the
    published ones, expects the order of `laws.PYTHON2_ORDER`, and a detector with such a model
    gives its features in that order.

    Parameters
    ----------
    seed : int
    device : torch.device or str
    authors_box : bool
        Take the box from dlib's HOG detector.
    """

    inputs = 2 * len(ENERGIES)

    def __init__(
        self,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        authors_box: bool = False,
    ):
        super().__init__(seed=seed, device=device)
        self.columns = _columns(ENERGIES)
        self.authors_box = authors_box

    def facts(self) -> dict[str, Any]:
        """Return whether the box is the authors'."""
        return {"authors_box": True} if self.authors_box else {}

    @abstractmethod
    def classifier_of(self, arrays: Arrays) -> Classifier:
        """Return the classifier with these arrays.

        Raises
        ------
        DataError
            If they do not fit.
        """

    def crop(self, face: Face) -> Floats:
        """Return the features (18,) float64 of a face, or NaN; see `Detector.crop`."""
        box = hog_box(face) if self.authors_box else None
        parts = None if self.authors_box and box is None else cut_parts(face, box)
        if parts is None:
            return np.full(self.inputs, np.nan)
        energies = [laws_features(parts.image, mask) for mask in (parts.eyes, parts.teeth)]
        return np.concatenate(energies).astype(np.float64)[self.columns]

    def take_published(self, pickled: Pickled) -> None:
        """Set the box, and the order of the features that the pickled model expects."""
        self.authors_box = True
        self.columns = _columns(PYTHON2_ORDER if pickled.python2 else ENERGIES)

    def arrays(self) -> Arrays:
        """Return the classifier's arrays and the order of the features."""
        return {**self.classifier.arrays(), _COLUMNS: self.columns}

    def take(self, arrays: Arrays) -> None:
        """Load the arrays that `arrays` returned; see `Detector.take`."""
        rest = dict(arrays)
        columns = np.asarray(rest.pop(_COLUMNS, ()))
        if sorted(columns.tolist()) != list(range(self.inputs)):
            raise DataError(f"weights do not fit {self.name}: no order of {self.inputs} features")
        try:
            self.classifier = self.classifier_of(rest)
        except DataError as error:
            raise DataError(f"weights do not fit {self.name}: {error}") from error
        self.columns = columns.astype(np.int64)


class VAMLP(VisualArtifacts):
    """A perceptron with three hidden layers of 64."""

    name = "VA-MLP"

    def __init__(self, **given: Any):
        super().__init__(**given)
        self.classifier = Perceptron.untrained((self.inputs, *HIDDEN, 1))

    def classifier_of(self, arrays: Arrays) -> Perceptron:
        """Return the perceptron with these arrays; see `VisualArtifacts.classifier_of`."""
        return Perceptron.from_arrays(arrays, self.inputs)

    def learn(
        self, features: Floats, labels: Labels, schedule: Schedule, seed: int
    ) -> dict[str, Any]:
        """Fit the perceptron; see `FeatureDetector.learn`."""
        self.classifier, facts = fit_perceptron(features, labels, seed, schedule)
        return facts

    def take_published(self, pickled: Pickled) -> None:
        """Load an `MLPClassifier`, as in `models/deepfake/mlp_df.pkl`."""
        self.classifier = published_perceptron(pickled.value, self.inputs)
        super().take_published(pickled)


class VALogReg(VisualArtifacts):
    """A logistic regression."""

    name = "VA-LogReg"

    def __init__(self, **given: Any):
        super().__init__(**given)
        self.classifier = LogisticModel.untrained(self.inputs)

    def classifier_of(self, arrays: Arrays) -> LogisticModel:
        """Return the regression with these arrays; see `VisualArtifacts.classifier_of`."""
        return LogisticModel.from_arrays(arrays, self.inputs)

    def learn(
        self, features: Floats, labels: Labels, schedule: Schedule, seed: int
    ) -> dict[str, Any]:
        """Fit the regression, without regard to steps and batch; see `FeatureDetector.learn`."""
        self.classifier, facts = fit_logistic(features, labels, seed)
        return facts

    def take_published(self, pickled: Pickled) -> None:
        """Load a `LogisticRegression`, as in `models/deepfake/logreg_df.pkl`."""
        self.classifier = published_logistic(pickled.value, self.inputs)
        super().take_published(pickled)


def _columns(order: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return, for each place in `order`, the number of the computed feature that belongs there."""
    one = np.array([ENERGIES.index(name) for name in order], np.int64)
    return np.concatenate([one, one + len(order)])
