"""The names that may occur in a scikit-learn pickle, and functions that run in place of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from swapset.detectors.weights.pickled_arrays import Budget, Inert, Kind, Name, Refused, Stored


def _rebuilt(_: Budget, kind: Any, *__: Any) -> Inert:
    if not is_class(kind):
        raise Refused("an object of an unknown class")
    return Inert(kind)


def _array(_: Budget, *__: Any) -> Stored:
    return Stored()


def _kind(_: Budget, code: Any, *__: Any) -> Kind:
    if not isinstance(code, str):
        raise TypeError("a type of arrays that is not a text")
    return Kind(code)


def _scalar(budget: Budget, kind: Any, content: Any) -> Any:
    stored = Stored()
    stored.build(budget, (1, (), kind, False, content))
    return stored.value.item() if isinstance(stored.value, np.ndarray) else None


def _from_buffer(budget: Budget, content: Any, kind: Any, shape: Any, order: Any) -> Stored:
    stored = Stored()
    stored.build(budget, (1, shape, kind, order == "F", content))
    return stored


def _bytes_of(_: Budget, text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("a text that stands for no bytes")
    return text.encode("latin-1")


_NUMPY_CORES = ("numpy.core", "numpy._core")

MAKERS: dict[Name, Callable[..., Any]] = {
    Name("copy_reg", "_reconstructor"): _rebuilt,
    Name("copyreg", "_reconstructor"): _rebuilt,
    Name("_codecs", "encode"): _bytes_of,
    Name("numpy", "dtype"): _kind,
    **{Name(f"{core}.multiarray", "_reconstruct"): _array for core in _NUMPY_CORES},
    **{Name(f"{core}.multiarray", "scalar"): _scalar for core in _NUMPY_CORES},
    **{Name(f"{core}.numeric", "_frombuffer"): _from_buffer for core in _NUMPY_CORES},
}
"""Functions that a pickle may "call", each with a function here that runs in its place."""

_CLASSES = {
    "SVC": ("sklearn.svm.classes", "sklearn.svm._classes"),
    "StandardScaler": ("sklearn.preprocessing.data", "sklearn.preprocessing._data"),
    "LabelBinarizer": ("sklearn.preprocessing.label", "sklearn.preprocessing._label"),
    "LogisticRegression": ("sklearn.linear_model.logistic", "sklearn.linear_model._logistic"),
    "MLPClassifier": (
        "sklearn.neural_network.multilayer_perceptron",
        "sklearn.neural_network._multilayer_perceptron",
    ),
    "AdamOptimizer": (
        "sklearn.neural_network._stochastic_optimizers",
        "sklearn.neural_network.stochastic_optimizers",
    ),
    "NumpyArrayWrapper": ("joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"),
    "__RandomState_ctor": ("numpy.random", "numpy.random.mtrand"),
    "__randomstate_ctor": ("numpy.random._pickle",),
    "__bit_generator_ctor": ("numpy.random._pickle",),
    "MT19937": ("numpy.random._mt19937",),
    "SeedSequence": ("numpy.random.bit_generator",),
    "__pyx_unpickle_SeedSequence": ("numpy.random.bit_generator",),
}
_INERT = frozenset(Name(module, name) for name, modules in _CLASSES.items() for module in modules)
_MENTIONED = frozenset(
    (Name("numpy", "ndarray"), Name("__builtin__", "object"), Name("builtins", "object"))
)


def is_class(name: Any) -> bool:
    """Return whether a name is that of a class that `Inert` objects replace."""
    return isinstance(name, Name) and name in _INERT


def is_known(name: Name) -> bool:
    """Return whether a name may occur in a pickle at all."""
    return name in _INERT or name in MAKERS or name in _MENTIONED
