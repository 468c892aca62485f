"""Fit classifiers by scikit-learn with the settings of the detectors' authors."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from swapset.detectors.base import Schedule
from swapset.detectors.classic import LogisticModel, Perceptron, SupportVectors
from swapset.errors import TrainingError
from swapset.types import Floats

Labels = npt.NDArray[np.int8]
"""Classes of faces: (n,) int8, 1 = fake, 0 = real."""

HIDDEN = (64, 64, 64)
"""Units in the perceptron's hidden layers."""
_FOLDS = 5
_EPOCHS = 300
_PATIENCE = 2
_LARGEST_BATCH = 200


def fit_svm(features: Floats, labels: Labels, seed: int) -> tuple[SupportVectors, dict[str, Any]]:
    """Fit an RBF support vector machine on standardised features, with C = 1 and gamma = 1 / D.

    As `train_step3_training.py` of headpose_forensic: `StandardScaler`, then `SVC(kernel="rbf",
    probability=True)`. The probabilities are Platt's sigmoid on five folds, as there, by
    `CalibratedClassifierCV`, with which scikit-learn replaces that option; they never fall where
    the decision rises.

    Parameters
    ----------
    features : (n, D) float64
        Without NaN.
    labels : (n,) int8
        1 = fake, 0 = real.
    seed : int
        Seed of the folds.

    Returns
    -------
    model : SupportVectors
    facts : dict of str to object
        The number of support vectors.

    Raises
    ------
    TrainingError
        If a class has fewer than two faces.
    """
    folds = min(_FOLDS, int(np.bincount(labels, minlength=2).min()))
    if folds < 2:
        raise TrainingError("a support vector machine needs at least two faces of each class")
    scaler = StandardScaler().fit(features)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    fitted = CalibratedClassifierCV(
        SVC(kernel="rbf", C=1.0, gamma="auto"), method="sigmoid", cv=parts, ensemble=False
    ).fit(scaler.transform(features), labels)
    [calibrated] = fitted.calibrated_classifiers_
    machine, [sigmoid] = calibrated.estimator, calibrated.calibrators
    model = SupportVectors(
        mean=scaler.mean_,
        scale=scaler.scale_,
        vectors=np.array(machine.support_vectors_),
        weights=machine.dual_coef_[0],
        intercept=np.array(machine.intercept_),
        gamma=np.array([1 / features.shape[1]]),
        platt=_rising(sigmoid.a_, -sigmoid.b_, labels),
    )
    return model, {"support_vectors": len(model.vectors)}


def _rising(slope: float, offset: float, labels: Labels) -> Floats:
    """Return A and B of Platt's sigmoid, (2,) float64, with A = 0 where it would fall.

    Folds that cannot tell fakes at all may give a sigmoid that falls as the decision rises. The
    likeliest one that does not is then flat, at the share of fakes (as Platt counts it).
    """
    if slope <= 0:
        return np.array((slope, offset))
    fakes = int(labels.sum())
    return np.array((0.0, math.log((fakes + 1) / (len(labels) - fakes + 1))))


def fit_logistic(
    features: Floats, labels: Labels, seed: int
) -> tuple[LogisticModel, dict[str, Any]]:
    """Fit a logistic regression with the defaults of scikit-learn 0.19: liblinear, L2, C = 1.

    As `fit_classifiers.py` of Exploiting-Visual-Artifacts: `LogisticRegression()`.

    Parameters
    ----------
    features : (n, D) float64
        Without NaN.
    labels : (n,) int8
        1 = fake, 0 = real.
    seed : int

    Returns
    -------
    model : LogisticModel
    facts : dict of str to object
        Empty.
    """
    model = LogisticRegression(solver="liblinear", C=1.0, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)
    return LogisticModel(model.coef_[0], np.array(model.intercept_)), {}


def fit_perceptron(
    features: Floats, labels: Labels, seed: int, schedule: Schedule
) -> tuple[Perceptron, dict[str, Any]]:
    """Fit three hidden layers of 64 units with Adam, for at most 300 epochs by default.

    As `fit_classifiers.py` of Exploiting-Visual-Artifacts: `MLPClassifier(alpha=0.1,
    hidden_layer_sizes=(64, 64, 64), learning_rate_init=0.001, max_iter=300)` of scikit-learn 0.19,
    with batches of 200. The fit ends when two epochs in a row lower the loss by less than 1e-4.

    Parameters
    ----------
    features : (n, D) float64
        Without NaN.
    labels : (n,) int8
        1 = fake, 0 = real.
    seed : int
    schedule : Schedule
        Its steps (rounded up to epochs), batch and learning rate replace the authors'.

    Returns
    -------
    model : Perceptron
    facts : dict of str to object
        Steps taken and the last loss.
    """
    batch = min(schedule.batch or _LARGEST_BATCH, len(features))
    steps_per_epoch = math.ceil(len(features) / batch)
    epochs = _EPOCHS if schedule.steps is None else math.ceil(schedule.steps / steps_per_epoch)
    model = MLPClassifier(
        hidden_layer_sizes=HIDDEN,
        alpha=0.1,
        batch_size=batch,
        learning_rate_init=schedule.learning_rate or 0.001,
        max_iter=max(epochs, 1),
        n_iter_no_change=_PATIENCE,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)
    facts = {"steps": int(model.n_iter_) * steps_per_epoch, "loss": float(model.loss_)}
    return Perceptron(tuple(model.coefs_), tuple(model.intercepts_)), facts
