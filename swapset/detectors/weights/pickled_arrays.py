"""What may stand in a pickle of a scikit-learn model: numbers, arrays, objects' attributes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from swapset.errors import DataError

_NUMBERS = re.compile(r"(b1|[iu][1248]|f[248])")
_OBJECTS = re.compile(r"O[48]?")
_TEXTS = re.compile(r"[SU][1-9][0-9]{0,3}")
_BYTE_ORDERS = ("<", ">", "=", "|")
_MOST_AXES = 4


class Refused(Exception):  # noqa: N818 - not an error: what was asked for, in words
    """Something that a pickle asks for is not on the list."""


class Name(NamedTuple):
    """A class or function that a pickle names; never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Budget:
    """Counts the bytes of arrays, of which a small file could otherwise make any number."""

    def __init__(self, most: int):
        self._left = most

    def spend(self, size: int) -> None:
        """Take bytes off what is left.

        Raises
        ------
        Refused
            If more is asked for than there is.
        """
        self._left -= size
        if self._left < 0:
            raise Refused("too much memory")


@dataclass(eq=False)
class Inert:
    """An object of a pickle: the name of its class and its attributes, without any behaviour."""

    name: Name
    attributes: dict[str, Any] = field(default_factory=dict)

    def build(self, state: Any) -> None:
        """Take the attributes of a state; one in another form is kept aside, unused."""
        if isinstance(state, dict) and all(isinstance(key, str) for key in state):
            self.attributes.update(state)
        else:
            self.attributes["(state)"] = state

    def array(self, *keys: str) -> npt.NDArray[np.float64]:
        """Return the first attribute of these names that is there, an array of finite numbers.

        Raises
        ------
        DataError
            If there is none.
        """
        return _finite(self._first(keys), f"{self.name.name}.{keys[0]}")

    def arrays(self, key: str) -> list[npt.NDArray[np.float64]]:
        """Return an attribute that is a list of arrays of finite numbers; see `array`."""
        value = self._first((key,))
        if not isinstance(value, list):
            raise DataError(f"{self.name.name}.{key} is not a list of arrays")
        return [_finite(part, f"{self.name.name}.{key}") for part in value]

    def text(self, key: str) -> str:
        """Return an attribute that is a text; see `array`."""
        value = self._first((key,))
        if not isinstance(value, str):
            raise DataError(f"{self.name.name}.{key} is not a text")
        return value

    def _first(self, keys: tuple[str, ...]) -> Any:
        for key in keys:
            if key in self.attributes:
                return self.attributes[key]
        raise DataError(f"{self.name.name} has no attribute {keys[0]}; it was never fitted")


class Kind:
    """What an array is made of: `numpy.dtype` in a pickle."""

    def __init__(self, code: str):
        if _NUMBERS.fullmatch(code) or _TEXTS.fullmatch(code):
            self.dtype: np.dtype[Any] | None = np.dtype(code)
        elif _OBJECTS.fullmatch(code):
            self.dtype = None
        else:
            raise Refused(f"arrays of the type {code[:20]!r}")

    def build(self, state: Any) -> None:
        """Take the order of bytes."""
        order = state[1]
        if order not in _BYTE_ORDERS:
            raise ValueError("an unknown order of bytes")
        if self.dtype is not None:
            self.dtype = self.dtype.newbyteorder(order)

    def size_of(self, shape: tuple[int, ...]) -> int:
        """Return how many bytes an array takes.

        Raises
        ------
        Refused
            If it would hold objects.
        """
        if self.dtype is None:
            raise Refused("an array of objects")
        if len(shape) > _MOST_AXES or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("no shape of an array")
        return math.prod(shape) * self.dtype.itemsize


class Stored:
    """An array of a pickle, whose content may come later than itself.

    Attributes
    ----------
    value : ndarray, list or None
        A list for an array of objects.
    """

    def __init__(self) -> None:
        self.value: npt.NDArray[Any] | list[Any] | None = None

    def build(self, budget: Budget, state: Any) -> None:
        """Take the content: version, shape, kind, whether columns come first, bytes."""
        _, shape, kind, columns_first, content = state
        if not isinstance(kind, Kind):
            raise TypeError("an array without a type")
        if kind.dtype is None and isinstance(content, list):
            self.value = content
            return
        data = content.encode("latin-1") if isinstance(content, str) else content
        if not isinstance(data, bytes | bytearray):
            raise TypeError("an array without bytes")
        self.value = _from_bytes(budget, data, kind, tuple(shape), "F" if columns_first else "C")


def _from_bytes(
    budget: Budget, data: bytes | bytearray, kind: Kind, shape: tuple[int, ...], order: str
) -> npt.NDArray[Any]:
    size = kind.size_of(shape)
    if len(data) != size:
        raise ValueError("an array's bytes do not fit its shape")
    budget.spend(size)
    flat = np.frombuffer(data, kind.dtype)
    return flat.reshape(shape[::-1]).T if order == "F" else flat.reshape(shape)


def _finite(value: Any, name: str) -> npt.NDArray[np.float64]:
    found = value.value if isinstance(value, Stored) else value
    if isinstance(found, int | float):
        found = np.array(found)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
        raise DataError(f"{name} is not an array of numbers")
    if not np.isfinite(found).all():
        raise DataError(f"{name} has values that are not finite")
    return np.array(found, np.float64, order="C")


def _rebuilt(_: Budget, kind: Any, *__: Any) -> Inert:
    if not is_class(kind):
        raise Refused("an object of an unknown class")
    return Inert(kind)


def _array(_: Budget, *__: Any) -> Stored:
    return Stored()


def _kind(_: Budget, code: Any, *__: Any) -> Kind:
    if not isinstance(code, str):
        raise TypeError("a type of arrays that is no text")
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
"""What may be "called": each is answered by a function here that makes data of data."""

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
    """Say whether a name is that of a class in whose place an `Inert` object is put."""
    return isinstance(name, Name) and name in _INERT


def is_known(name: Name) -> bool:
    """Say whether a name may stand in a pickle at all."""
    return name in _INERT or name in MAKERS or name in _MENTIONED
