"""Support vector machine, logistic regression and perceptron as plain arrays.

scikit-learn fits them (`classic_fit.py`). The classes here give the same scores from arrays alone,
so that a fitted detector is a file of numbers. The positive class is fake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, Self

import numpy as np
from scipy.special import expit

from swapset.detectors.base import Arrays
from swapset.errors import DataError
from swapset.types import Floats

_LEAST_PROBABILITY = 1e-7
_MOST_ROUNDS = 100
_TOLERANCE = 0.0025


class Classifier(Protocol):
    """Tells fakes from real faces by a fixed number of features."""

    def probability(self, features: Floats) -> Floats:
        """Return the probability of fake, (B,) float64 in [0, 1], for features (B, D) float64."""

    def arrays(self) -> Arrays:
        """Return all its numbers by name."""


@dataclass(frozen=True)
class LogisticModel:
    """Logistic regression.

    Attributes
    ----------
    weights : (D,) float64
    intercept : (1,) float64
    """

    weights: Floats
    intercept: Floats

    @classmethod
    def untrained(cls, inputs: int) -> Self:
        """Return an untrained model, which gives 0.5 to all faces."""
        return cls(np.zeros(inputs), np.zeros(1))

    @classmethod
    def from_arrays(cls, arrays: Arrays, inputs: int) -> Self:
        """Return the model that `arrays` returned, with `inputs` features.

        Raises
        ------
        DataError
            If names, shapes or values are not those of such a model.
        """
        shapes = {"weights": (inputs,), "intercept": (1,)}
        return cls(**_checked(arrays, shapes))

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        return {"weights": self.weights, "intercept": self.intercept}

    def probability(self, features: Floats) -> Floats:
        """Return the probability of fake, (B,) float64, for features (B, D); see `Classifier`."""
        return np.asarray(expit(features @ self.weights + self.intercept), np.float64)


@dataclass(frozen=True)
class Perceptron:
    """Layers of rectified units, then one logistic unit.

    Attributes
    ----------
    weights : tuple of (I, O) float64
        Of each layer.
    biases : tuple of (O,) float64
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @classmethod
    def untrained(cls, sizes: tuple[int, ...]) -> Self:
        """Return an untrained network, which gives 0.5 to all faces.

        Parameters
        ----------
        sizes : tuple of int
            Of all layers, from the inputs to the single output.
        """
        weights = tuple(np.zeros(pair) for pair in pairwise(sizes))
        return cls(weights, tuple(np.zeros(size) for size in sizes[1:]))

    @classmethod
    def from_arrays(cls, arrays: Arrays, inputs: int) -> Self:
        """Return the network that `arrays` returned, with `inputs` features.

        Raises
        ------
        DataError
            If names, shapes or values are not those of such a network.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        width = inputs
        count = max(len(arrays) // 2, 1)
        for layer in range(count):
            shape = np.shape(arrays.get(f"weights.{layer}", ()))
            last = layer == count - 1
            outputs = 1 if last or len(shape) != 2 else shape[1]
            shapes |= {f"weights.{layer}": (width, outputs), f"biases.{layer}": (outputs,)}
            width = outputs
        values = _checked(arrays, shapes)
        return cls(
            tuple(values[f"weights.{k}"] for k in range(count)),
            tuple(values[f"biases.{k}"] for k in range(count)),
        )

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        weights = {f"weights.{k}": part for k, part in enumerate(self.weights)}
        return weights | {f"biases.{k}": part for k, part in enumerate(self.biases)}

    def probability(self, features: Floats) -> Floats:
        """Return the probability of fake, (B,) float64, for features (B, D); see `Classifier`."""
        values = features
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weights + biases, 0)
        return np.asarray(expit(values @ self.weights[-1] + self.biases[-1])[:, 0], np.float64)


@dataclass(frozen=True)
class SupportVectors:
    """A support vector machine with an RBF kernel on standardised features.

    Attributes
    ----------
    mean, scale : (D,) float64
        Of the standardisation.
    vectors : (n, D) float64
    weights : (n,) float64
    intercept, gamma : (1,) float64
    platt : (2,) float64
        A and B of the sigmoid that turns distances into probabilities, in libsvm's sign.
    """

    mean: Floats
    scale: Floats
    vectors: Floats
    weights: Floats
    intercept: Floats
    gamma: Floats
    platt: Floats

    @classmethod
    def untrained(cls, inputs: int) -> Self:
        """Return an untrained machine, which gives 0.5 to all faces."""
        return cls(
            mean=np.zeros(inputs),
            scale=np.ones(inputs),
            vectors=np.zeros((0, inputs)),
            weights=np.zeros(0),
            intercept=np.zeros(1),
            gamma=np.array([1 / inputs]),
            platt=np.array((-1.0, 0.0)),
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays, inputs: int) -> Self:
        """Return the machine that `arrays` returned, with `inputs` features.

        Raises
        ------
        DataError
            If names, shapes or values are not those of such a machine.
        """
        count = len(np.atleast_1d(arrays.get("weights", ())))
        return cls(**_checked(arrays, _svm_shapes(count, inputs)))

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        return {name: getattr(self, name) for name in _svm_shapes(0, 0)}

    def decision(self, features: Floats) -> Floats:
        """Return signed distances (B,) float64 of features (B, D); positive = fake."""
        scaled = (features - self.mean) / self.scale
        lengths = np.square(scaled).sum(axis=1)[:, None] + np.square(self.vectors).sum(axis=1)
        apart = np.maximum(lengths - 2 * scaled @ self.vectors.T, 0)
        return np.asarray(np.exp(-self.gamma * apart) @ self.weights + self.intercept, np.float64)

    def probability(self, features: Floats) -> Floats:
        """Return probabilities of fake, (B,) float64, for features (B, D), as `predict_proba`.

        `SVC.predict_proba` of scikit-learn gives the same numbers.
        """
        slope, offset = self.platt
        return _coupled(np.asarray(expit(slope * self.decision(features) - offset), np.float64))


def _svm_shapes(count: int, inputs: int) -> dict[str, tuple[int, ...]]:
    return {
        "mean": (inputs,),
        "scale": (inputs,),
        "vectors": (count, inputs),
        "weights": (count,),
        "intercept": (1,),
        "gamma": (1,),
        "platt": (2,),
    }


def _coupled(real: Floats) -> Floats:
    """Return the probability of fake from that of real, by libsvm's coupling.

    libsvm couples the probabilities of all pairs of classes by an iteration that it ends early
    (T.-F. Wu, C.-J. Lin, R. Weng, "Probability estimates for multi-class classification by
    pairwise coupling", JMLR 2004, method 2; `multiclass_probability` in svm.cpp). Two classes need
    no coupling, but libsvm applies it all the same, which moves the probabilities by up to 0.005.
    """
    first = np.clip(real, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    second = 1 - first
    q00, q11, q01 = second**2, first**2, -first * second
    p0, p1 = np.full_like(first, 0.5), np.full_like(first, 0.5)
    going = np.ones(first.shape, bool)
    for _ in range(_MOST_ROUNDS):
        r0, r1 = q00 * p0 + q01 * p1, q01 * p0 + q11 * p1
        total = p0 * r0 + p1 * r1
        going &= np.maximum(np.abs(r0 - total), np.abs(r1 - total)) >= _TOLERANCE
        if not going.any():
            break
        step = (total - r0) / q00
        total = (total + step * (step * q00 + 2 * r0)) / (1 + step) ** 2
        r1 = (r1 + step * q01) / (1 + step)
        moved0, moved1 = (p0 + step) / (1 + step), p1 / (1 + step)
        step = (total - r1) / q11
        p0 = np.where(going, moved0 / (1 + step), p0)
        p1 = np.where(going, (moved1 + step) / (1 + step), p1)
    return p1


def _checked(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Return arrays as float64 after checking names, shapes and that all values are finite."""
    if set(arrays) != set(shapes):
        raise DataError(f"arrays are {', '.join(sorted(arrays))}, not {', '.join(sorted(shapes))}")
    for name, shape in shapes.items():
        array = np.asarray(arrays[name])
        if array.shape != shape:
            raise DataError(f"array {name} has the shape {array.shape}, not {shape}")
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise DataError(f"array {name} has values that are not finite numbers")
    return {name: np.array(arrays[name], np.float64) for name in shapes}
