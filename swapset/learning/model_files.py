"""Write and read fitted models as safetensors with a card; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from swapset.errors import DataError
from swapset.io.files import atomic_output

_LENGTH = 8
"""Bytes of a safetensors file that give the length of its header."""


def write_model(
    path: Path,
    arrays: Mapping[str, npt.NDArray[Any]],
    facts: Mapping[str, Any],
    card: Mapping[str, Any],
) -> None:
    """Write a model's arrays, facts and card as safetensors; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to ndarray
        Weights by name, of any shape (...) and any dtype that safetensors has, such as float32.
    facts : mapping of str to object
        JSON values from which the model can be built again.
    card : mapping of str to object
        JSON values that describe how the model was fitted.

    Raises
    ------
    ValueError
        If a fact or the card has a number that is not finite.
    """
    described = {
        key: json.dumps(value, sort_keys=True, allow_nan=False)
        for key, value in (("facts", dict(facts)), ("card", dict(card)))
    }
    # Not ascontiguousarray: it turns a scalar into an array of shape (1,).
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with atomic_output(path) as scratch:
        scratch.write_bytes(_in_order(save(contiguous, metadata=described)))


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its metadata sorted by key: the library's order is random."""
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    header = json.loads(data[_LENGTH:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH)  # tensors start at a multiple of 8 bytes
    return len(text).to_bytes(_LENGTH, "little") + text + data[end:]


def read_model(
    path: Path, kind: str = "fitted detector"
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any], dict[str, Any]]:
    """Return the arrays, facts and card of a file that `write_model` wrote.

    Parameters
    ----------
    path : Path
    kind : str
        Expected kind of model, for the error message if the file is something else.

    Returns
    -------
    arrays : dict of str to ndarray
        Weights by name, with the shapes (...) and dtypes, such as float32, that were written.
    facts, card : dict of str to object

    Raises
    ------
    DataError
        If the file is missing, damaged or of another kind.
    """
    try:
        with safe_open(path, framework="numpy") as stream:
            described = stream.metadata() or {}
            if "facts" not in described:  # weights of another tool, or a swap model
                raise DataError(f"{path}: is no {kind}")
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        facts, card = json.loads(described["facts"]), json.loads(described["card"])
        return arrays, dict(facts), dict(card)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: is not a swapset model ({error}); fit it again") from error
