"""Read MesoNet's weights from Keras' .h5 files: h5py reads the arrays, and no code runs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from swapset.detectors.networks.mesonet import MesoNetwork
from swapset.errors import DataError

Layer = Mapping[str, h5py.Dataset]

_LAYER = re.compile(r"(conv2d|batch_normalization|dense)(?:_(\d+))?")
_PARTS = {
    "conv2d": {"kernel": "weight", "bias": "bias"},
    "batch_normalization": {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    },
    "dense": {"kernel": "weight", "bias": "bias"},
}
"""A layer's arrays: their names in Keras, in Keras' order, and in torch."""


def read_keras_weights(path: Path, network: MesoNetwork) -> dict[str, Tensor]:
    """Return a network's state dict from a file that Keras wrote for that network.

    Parameters
    ----------
    path : Path
        Written by `model.save_weights` or `model.save` of Keras 2 or 3, as HDF5. Layers are
        ordered by the numbers in their names, which may start anywhere.
    network : MesoNetwork
        Gives names and shapes; it is not changed.

    Returns
    -------
    dict of str to Tensor
        float32, on the CPU.

    Raises
    ------
    DataError
        If the file is not HDF5, or its layers are not those of the network.
    """
    try:
        with h5py.File(path, "r") as stream:
            return _state(_layers(stream), network)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise DataError(f"{path}: is not a readable .h5 file of Keras ({error})") from error
    except DataError as error:
        raise DataError(
            f"{path}: {error}; give the .h5 file of the same network from the authors' repository"
        ) from error


def _layers(stream: h5py.File) -> dict[str, list[Layer]]:
    """Return the layers of each kind in the order of their numbers."""
    inner = next((key for key in ("model_weights", "layers") if key in stream), None)
    root = stream if inner is None else _group(stream, inner)
    if root is None:
        raise DataError(f"its {inner} is not a group of layers")
    numbered: dict[str, list[tuple[int, Layer]]] = {kind: [] for kind in _PARTS}
    for name in root:
        match = _LAYER.fullmatch(name)
        group = _group(root, name) if match else None
        if match and group is not None:
            kind = match[1]
            numbered[kind].append((int(match[2] or 0), _arrays(group, kind)))
    return {
        kind: [layer for _, layer in sorted(layers, key=lambda pair: pair[0])]
        for kind, layers in numbered.items()
    }


def _group(parent: h5py.Group, name: str) -> h5py.Group | None:
    """Return a group that is in this file itself: a link may lead into another file."""
    inside = isinstance(parent.get(name, getlink=True), h5py.HardLink)
    item = parent[name] if inside else None
    return item if isinstance(item, h5py.Group) else None


def _arrays(group: h5py.Group, kind: str) -> Layer:
    """Return a layer's arrays by Keras' names; the newest files have only numbers for them."""
    order = list(_PARTS[kind])
    arrays: dict[str, h5py.Dataset] = {}

    def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
        last = name.rsplit("/", 1)[-1].split(":")[0]
        if isinstance(item, h5py.Dataset):
            numbered = last.isdecimal() and int(last) < len(order)
            arrays[order[int(last)] if numbered else last] = item

    group.visititems(note)
    return arrays


def _state(layers: Mapping[str, Sequence[Layer]], network: MesoNetwork) -> dict[str, Tensor]:
    modules = dict(network.named_modules())
    norms = [name for name, part in modules.items() if isinstance(part, nn.BatchNorm2d)]
    dense = [name for name, part in modules.items() if isinstance(part, nn.Linear)]
    expected = {key: tuple(part.shape) for key, part in network.state_dict().items()}
    state: dict[str, Tensor] = {}
    for kind, orders in (
        ("conv2d", network.convolution_orders()),
        ("batch_normalization", [norms]),
        ("dense", [dense]),
    ):
        state |= _fill(kind, layers[kind], orders, expected)
    return state


def _fill(
    kind: str,
    layers: Sequence[Layer],
    orders: Sequence[Sequence[str]],
    expected: Mapping[str, tuple[int, ...]],
) -> dict[str, Tensor]:
    """Return the arrays of all layers of a kind, in the first order with fitting shapes."""
    if len(layers) != len(orders[0]):
        raise DataError(f"has {len(layers)} {kind} layers instead of {len(orders[0])}")
    for order in orders:
        named = {
            f"{name}.{ours}": layer.get(theirs)
            for name, layer in zip(order, layers, strict=True)
            for theirs, ours in _PARTS[kind].items()
        }
        if all(
            array is not None and _torch_shape(array.shape) == expected[key]
            for key, array in named.items()
        ):
            return {key: _tensor(array) for key, array in named.items() if array is not None}
    raise DataError(f"its {kind} layers have other arrays or shapes than this network")


def _torch_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape in torch's order of axes: Keras has outputs last, torch first."""
    return (*shape[:-3:-1], *shape[:-2]) if len(shape) > 1 else shape


def _tensor(array: h5py.Dataset) -> Tensor:
    """Read an array in torch's order of axes, as float32."""
    if array.is_virtual or array.external:
        raise DataError(f"its array {array.name} is in another file")
    if array.dtype.kind not in "fiu":
        raise DataError(f"its array {array.name} holds no numbers")
    if array.chunks and math.prod(array.chunks) > max(array.size, 1):
        raise DataError(f"its array {array.name} would need more memory than its values fill")
    values = np.asarray(array[()], np.float32)
    if values.ndim > 1:
        values = np.moveaxis(values, (-1, -2), (0, 1))
    return torch.from_numpy(np.ascontiguousarray(values))
