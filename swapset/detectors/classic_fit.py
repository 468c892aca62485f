"""Fitting with scikit-learn by the settings of the detectors' authors; arrays come out."""

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

HIDDEN = (64, 64, 64)
_FOLDS = 5
_EPOCHS = 300
_PATIENCE = 2
_LARGEST_BATCH = 200


def fit_svm(features: Floats, labels: Labels, seed: int) -> tuple[SupportVectors, dict[str, Any]]:
    """Standardise and fit an RBF support vector machine with C = 1 and gamma = 1 / features.

    `train_step3_training.py` of headpose_forensic: `StandardScaler`, then `SVC(kernel="rbf",
    probability=True)`. The sigmoid for probabilities is Platt's on five folds as there, with
    `CalibratedClassifierCV`, which scikit-learn offers in place of that option.

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
    made = SupportVectors(
        mean=scaler.mean_,
        scale=scaler.scale_,
        vectors=np.array(machine.support_vectors_),
        weights=machine.dual_coef_[0],
        intercept=np.array(machine.intercept_),
        gamma=np.array([1 / features.shape[1]]),
        platt=np.array((sigmoid.a_, -sigmoid.b_)),
    )
    return made, {"support_vectors": len(made.vectors)}


def fit_logistic(
    features: Floats, labels: Labels, seed: int
) -> tuple[LogisticModel, dict[str, Any]]:
    """Fit a logistic regression as scikit-learn 0.19 did by default: liblinear, L2, C = 1.

    `fit_classifiers.py` of Exploiting-Visual-Artifacts: `LogisticRegression()`.
    """
    model = LogisticRegression(solver="liblinear", C=1.0, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)
    return LogisticModel(model.coef_[0], np.array(model.intercept_)), {}


def fit_perceptron(
    features: Floats, labels: Labels, seed: int, schedule: Schedule
) -> tuple[Perceptron, dict[str, Any]]:
    """Fit three hidden layers of 64 with Adam for at most 300 epochs.

    `fit_classifiers.py` of Exploiting-Visual-Artifacts: `MLPClassifier(alpha=0.1,
    hidden_layer_sizes=(64, 64, 64), learning_rate_init=0.001, max_iter=300)` of scikit-learn 0.19,
    with batches of 200, ending when two epochs on end lower the loss by less than 1e-4.
    """
    batch = min(schedule.batch or _LARGEST_BATCH, len(features))
    by_epoch = math.ceil(len(features) / batch)
    epochs = _EPOCHS if schedule.steps is None else math.ceil(schedule.steps / by_epoch)
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
    facts = {"steps": int(model.n_iter_) * by_epoch, "loss": float(model.loss_)}
    return Perceptron(tuple(model.coefs_), tuple(model.intercepts_)), facts
