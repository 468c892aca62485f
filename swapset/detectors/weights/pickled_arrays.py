"""Data in a scikit-learn pickle: numbers, arrays and objects' attributes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from swapset.errors import DataError
from swapset.types import Floats

_NUMBERS = re.compile(r"(b1|[iu][1248]|f[248])")
_OBJECTS = re.compile(r"O[48]?")
_TEXTS = re.compile(r"[SU][1-9][0-9]{0,3}")
_BYTE_ORDERS = ("<", ">", "=", "|")
_MOST_AXES = 4


class Refused(Exception):  # noqa: N818 - its text names the request, not an error
    """A pickle asks for something that is not on the list."""


class Name(NamedTuple):
    """The name of a class or function in a pickle; it is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Budget:
    """Limits the bytes of arrays, as a small file could otherwise fill the memory.

    Parameters
    ----------
    most : int
        Bytes that all arrays together may take.
    """

    def __init__(self, most: int):
        self._left = most

    def spend(self, size: int) -> None:
        """Subtract `size` bytes from the rest.

        Raises
        ------
        Refused
            If fewer are left.
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
        """Set the attributes of a state; a state in another form is kept aside, unused."""
        if isinstance(state, dict) and all(isinstance(key, str) for key in state):
            self.attributes.update(state)
        else:
            self.attributes["(state)"] = state

    def array(self, *keys: str) -> Floats:
        """Return the first existing attribute of these names, an array of finite numbers.

        Returns
        -------
        (...) float64
            Of any number of axes, (n, ...) or scalar.

        Raises
        ------
        DataError
            If there is none.
        """
        return _finite(self._first(keys), f"{self.name.name}.{keys[0]}")

    def arrays(self, key: str) -> list[Floats]:
        """Return an attribute that is a list of arrays of finite numbers, (n, ...) float64.

        Raises
        ------
        DataError
            If it is missing or something else.
        """
        value = self._first((key,))
        if not isinstance(value, list):
            raise DataError(f"{self.name.name}.{key} is not a list of arrays")
        return [_finite(part, f"{self.name.name}.{key}") for part in value]

    def text(self, key: str) -> str:
        """Return an attribute that is a text.

        Raises
        ------
        DataError
            If it is missing or something else.
        """
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
    """The type of an array's elements: `numpy.dtype` in a pickle.

    Parameters
    ----------
    code : str
        Such as "f8"; "O" for objects.

    Raises
    ------
    Refused
        If it is not a type of numbers, texts or objects.
    """

    def __init__(self, code: str):
        if _NUMBERS.fullmatch(code) or _TEXTS.fullmatch(code):
            self.dtype: np.dtype[Any] | None = np.dtype(code)
        elif _OBJECTS.fullmatch(code):
            self.dtype = None
        else:
            raise Refused(f"arrays of the type {code[:20]!r}")

    def build(self, state: Any) -> None:
        """Set the byte order.

        Raises
        ------
        ValueError
            If it is unknown.
        """
        order = state[1]
        if order not in _BYTE_ORDERS:
            raise ValueError("an unknown order of bytes")
        if self.dtype is not None:
            self.dtype = self.dtype.newbyteorder(order)

    def size_of(self, shape: tuple[int, ...]) -> int:
        """Return the size in bytes of an array.

        Raises
        ------
        Refused
            If it would hold objects.
        ValueError
            If it is not a shape.
        """
        if self.dtype is None:
            raise Refused("an array of objects")
        if len(shape) > _MOST_AXES or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("no shape of an array")
        return math.prod(shape) * self.dtype.itemsize


class Stored:
    """An array of a pickle; its content may come later than the array itself.

    Attributes
    ----------
    value : ndarray, list or None
        A list for an array of objects.
    """

    def __init__(self) -> None:
        self.value: npt.NDArray[Any] | list[Any] | None = None

    def build(self, budget: Budget, state: Any) -> None:
        """Set the content: version, shape, kind, whether columns come first, bytes.

        Raises
        ------
        Refused
            If it needs more memory than the budget has.
        TypeError, ValueError
            If the parts are damaged or do not fit.
        """
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


def _finite(value: Any, name: str) -> Floats:
    array = value.value if isinstance(value, Stored) else value
    if isinstance(array, int | float):
        array = np.array(array)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise DataError(f"{name} is not an array of numbers")
    if not np.isfinite(array).all():
        raise DataError(f"{name} has values that are not finite")
    return np.array(array, np.float64, order="C")
