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


class Classifier(Protocol):
    """Tells fakes from real faces by a fixed number of features."""

    def decision(self, features: Floats) -> Floats:
        """Return decision values (B,) float64 of features (B, D) float64, which rank faces.

        Higher = more likely fake.
        """

    def calibrated(self, decisions: Floats) -> Floats:
        """Return the probabilities of fake, (B,) float64 in [0, 1], of decision values (B,)."""

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
        """Return an untrained model, which gives 0 to all faces."""
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

    def decision(self, features: Floats) -> Floats:
        """Return the logarithms of the odds of fake, (B,) float64, of features (B, D)."""
        return np.asarray(features @ self.weights + self.intercept, np.float64)

    def calibrated(self, decisions: Floats) -> Floats:
        """Return the probabilities of fake, (B,) float64, of decision values (B,)."""
        return np.asarray(expit(decisions), np.float64)


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
        """Return an untrained network, which gives 0 to all faces.

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

    def decision(self, features: Floats) -> Floats:
        """Return the logarithms of the odds of fake, (B,) float64, of features (B, D)."""
        values = features
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weights + biases, 0)
        return np.asarray((values @ self.weights[-1] + self.biases[-1])[:, 0], np.float64)

    def calibrated(self, decisions: Floats) -> Floats:
        """Return the probabilities of fake, (B,) float64, of decision values (B,)."""
        return np.asarray(expit(decisions), np.float64)


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
        """Return an untrained machine, which gives 0 to all faces."""
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

    def calibrated(self, decisions: Floats) -> Floats:
        """Return the probabilities of fake, (B,) float64, of signed distances (B,).

        By Platt's sigmoid. libsvm, and so `SVC.predict_proba`, goes on from here to couple the
        probabilities of pairs of classes (`multiclass_probability` in svm.cpp). With two classes
        there is nothing to couple, but its iteration ends early: it moves probabilities by up to
        0.005, and gives exactly 0.5 to all that are near it, whatever their order.

        References
        ----------
        J. Platt, "Probabilistic outputs for support vector machines", 1999.
        """
        slope, offset = self.platt
        return np.asarray(expit(offset - slope * decisions), np.float64)


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
