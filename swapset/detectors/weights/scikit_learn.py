"""Turn models that authors publish as scikit-learn pickles into plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from swapset.detectors.classic import LogisticModel, Perceptron, SupportVectors
from swapset.detectors.weights.pickled_arrays import Inert
from swapset.errors import DataError
from swapset.types import Floats

_UNCALIBRATED = np.array((-1.0, 0.0))


def published_svm(value: Any, inputs: int) -> SupportVectors:
    """Return the support vector machine of a list of an `SVC` and its `StandardScaler`.

    Parameters
    ----------
    value : object
        Content of a pickle, see `Pickled`.
    inputs : int
        Number of features.

    Raises
    ------
    DataError
        If it is anything else, not fitted, or has another number of features.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise DataError("is not a list of an SVC and a StandardScaler")
    machine, scaler = _object(value[0], "SVC"), _object(value[1], "StandardScaler")
    _two_classes(machine)
    _expect(machine, "kernel", "rbf")
    slope, offset = machine.array("probA_", "_probA"), machine.array("probB_", "_probB")
    model = SupportVectors(
        mean=scaler.array("mean_"),
        scale=scaler.array("scale_"),
        vectors=machine.array("support_vectors_"),
        weights=machine.array("dual_coef_").ravel(),
        intercept=_single(machine, "intercept_"),
        gamma=_single(machine, "_gamma"),
        platt=np.concatenate((slope, offset)) if slope.size else _UNCALIBRATED,
    )
    return SupportVectors.from_arrays(model.arrays(), inputs)


def published_perceptron(value: Any, inputs: int) -> Perceptron:
    """Return the network of an `MLPClassifier`; see `published_svm`."""
    network = _object(value, "MLPClassifier")
    _two_classes(network)
    _expect(network, "activation", "relu")
    _expect(network, "out_activation_", "logistic")
    model = Perceptron(tuple(network.arrays("coefs_")), tuple(network.arrays("intercepts_")))
    return Perceptron.from_arrays(model.arrays(), inputs)


def published_logistic(value: Any, inputs: int) -> LogisticModel:
    """Return the model of a `LogisticRegression`; see `published_svm`."""
    model = _object(value, "LogisticRegression")
    _two_classes(model)
    logistic = LogisticModel(model.array("coef_").ravel(), _single(model, "intercept_"))
    return LogisticModel.from_arrays(logistic.arrays(), inputs)


def _object(value: Any, name: str) -> Inert:
    if not isinstance(value, Inert) or value.name.name != name:
        kind = value.name.name if isinstance(value, Inert) else type(value).__name__
        raise DataError(f"holds {kind} instead of {name}")
    return value


def _two_classes(model: Inert) -> None:
    classes = model.array("classes_")
    if classes.shape != (2,) or not classes[0] < classes[1]:
        raise DataError(f"{model.name.name} does not have two classes, real below fake")


def _expect(model: Inert, key: str, value: str) -> None:
    if model.text(key) != value:
        raise DataError(f"{model.name.name}.{key} is not {value!r}")


def _single(model: Inert, key: str) -> Floats:
    values = model.array(key)
    if values.size != 1:
        raise DataError(f"{model.name.name}.{key} is not one number")
    return values.reshape(1)
