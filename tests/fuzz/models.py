"""Weights and stored arrays in the formats of the project, and hostile ones made by hand."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlib
import h5py
import numpy as np
import torch
from material.generation import training_recipe
from material.keras import Keras
from material.pickles import write_python2
from material.protect import extractor_file
from safetensors.numpy import save

from swapset.detectors.mesonet import Meso4
from swapset.faces.prepare import ClipLandmarks
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import save_model

Seeds = dict[str, bytes]


def make_models(folder: Path) -> Seeds:
    """Return good files by the name of their reader."""
    detector = Meso4()
    detector.save(folder / "detector")
    keras = Keras()
    keras.run(Meso4, np.zeros((1, 256, 256, 3), np.uint8))
    keras.save(folder / "keras")
    extractor_file(folder / "extractor")
    recipe = training_recipe()
    save_model(folder / "pair", SwapAutoencoder(recipe, ["id0", "id1"]), recipe, {})
    state = {"fc.weight": torch.ones(3, 4), "fc.bias": torch.zeros(3)}
    torch.save({"state_dict": state}, folder / "torch")
    torch.save(state, folder / "old torch", _use_new_zipfile_serialization=False)
    for which in ("logistic", "perceptron", "machine"):
        write_python2(folder / which, which)
    _write_arrays(folder)
    _train_predictor(folder / "predictor")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _write_arrays(folder: Path) -> None:
    points = np.zeros((5, 68, 2), np.float32)
    ClipLandmarks(points, points, np.zeros(0, np.int64)).save(folder / "landmarks")


def _train_predictor(path: Path) -> None:
    """Write a small predictor of 68 landmarks, trained on noise."""
    picture = np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)
    whole = dlib.rectangle(5, 5, 84, 84)
    parts = [dlib.point(10 + k, 10 + k * 7 % 60) for k in range(68)]
    shape = dlib.full_object_detection(whole, parts)
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level, options.tree_depth = 2, 3, 2
    options.num_test_splits, options.feature_pool_size, options.oversampling_amount = 5, 20, 2
    dlib.train_shape_predictor([picture], [[shape]], options).save(str(path))


class _Call:
    """An object whose pickle calls a function when it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def _pickled(marker: Path, protocol: int) -> bytes:
    return pickle.dumps([_Call(os.mkdir, str(marker)), _Call(os.system, "touch ran")], protocol)


def _torch_zip(content: bytes, *, compression: int = zipfile.ZIP_STORED, size: int = 48) -> bytes:
    """Return a file in torch's format with a pickle inside."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", bytes(size))
    return made.getvalue()


def _state_of(shape: tuple[int, ...]) -> bytes:
    """Return a state dict with a tensor that claims a larger shape than its bytes."""
    made = io.BytesIO()
    torch.save({"state_dict": {"fc.weight": torch.zeros(1).expand(shape)}}, made)
    return made.getvalue()


def _safetensors(head: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(head)) + head + body


def _lying_header(start: int, end: int) -> bytes:
    head = b'{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[%d,%d]}}' % (start, end)
    return _safetensors(head, bytes(64))


def _facts(which: str, **facts: Any) -> Callable[[Seeds, Path], bytes]:
    """Return the maker of a small file that names another, or a gigantic, network."""
    import json

    def make(seeds: Seeds, marker: Path) -> bytes:
        described = {"facts": json.dumps({which: facts.pop("name", "fan"), **facts}), "card": "{}"}
        return save({"a": np.zeros(3, np.float32)}, described)

    return make


def _recipe(subjects: Any, **changes: Any) -> Callable[[Seeds, Path], bytes]:
    import json

    def make(seeds: Seeds, marker: Path) -> bytes:
        facts = {"recipe": training_recipe(**changes).model_dump(), "subjects": subjects}
        return save({"a": np.zeros(3, np.float32)}, {"swapset": json.dumps(facts)})

    return make


def _hdf5(change: Callable[[h5py.File, Path], None]) -> Callable[[Seeds, Path], bytes]:
    """Return the maker of good weights with one array changed to a link or a bomb."""

    def make(seeds: Seeds, marker: Path) -> bytes:
        made = io.BytesIO(seeds["keras"])
        with h5py.File(made, "r+") as stream:
            change(stream, marker.parent / "secret.h5")
        return made.getvalue()

    return make


_BIAS = "conv2d_1/conv2d_1/bias:0"


def _external_link(stream: h5py.File, other: Path) -> None:
    del stream[_BIAS]
    stream[_BIAS] = h5py.ExternalLink(str(other), "/bias")


def _external_layer(stream: h5py.File, other: Path) -> None:
    del stream["conv2d_1"]
    stream["conv2d_1"] = h5py.ExternalLink(str(other), "/")


def _external_bytes(stream: h5py.File, other: Path) -> None:
    del stream[_BIAS]
    stream.create_dataset(_BIAS, (8,), "f4", external=[(str(other), 0, 32)])


def _virtual(stream: h5py.File, other: Path) -> None:
    del stream[_BIAS]
    layout = h5py.VirtualLayout((8,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "bias", (8,))
    stream.create_virtual_dataset(_BIAS, layout)


def _great_chunk(stream: h5py.File, other: Path) -> None:
    del stream[_BIAS]
    about = {"maxshape": (None,), "chunks": (1 << 29,), "compression": "gzip"}
    stream.create_dataset(_BIAS, (8,), "f4", **about)
    stream[_BIAS].id.write_direct_chunk((0,), _zeros(1 << 31))


def _zeros(count: int) -> bytes:
    """Return `count` zeros, compressed by zlib."""
    import zlib

    packer, block = zlib.compressobj(1), bytes(1 << 24)
    return b"".join(packer.compress(block) for _ in range(count >> 24)) + packer.flush()


def _circle(stream: h5py.File, other: Path) -> None:
    del stream["conv2d_1"]
    stream["conv2d_1"] = h5py.SoftLink("/conv2d_1")
    stream["dense_1/again"] = stream["/"]


def _array_bomb(seeds: Seeds, marker: Path) -> bytes:
    """Return an archive of a few megabytes with arrays of 4 GB of zeros."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("raw", "smooth", "cuts"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                about = {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 512, 2)}
                np.lib.format.write_array_header_1_0(stream, about)
                for _ in range(256 if name == "raw" else 0):
                    stream.write(bytes(1 << 24))
    return made.getvalue()


def _array_of_objects(seeds: Seeds, marker: Path) -> bytes:
    made = io.BytesIO()
    values = np.empty(1, object)
    values[0] = _Call(os.mkdir, str(marker))
    np.savez(made, raw=values, smooth=values, cuts=values)
    return made.getvalue()


EVIL: dict[str, tuple[str, Callable[[Seeds, Path], bytes]]] = {
    "torch: a pickle that calls": ("torch", lambda seeds, marker: _pickled(marker, 2)),
    "torch: calls inside": ("torch", lambda seeds, marker: _torch_zip(_pickled(marker, 2))),
    "joblib: a pickle that calls": ("logistic", lambda seeds, marker: _pickled(marker, 0)),
    "arrays: objects": ("landmarks", _array_of_objects),
    "keras: an array elsewhere": ("keras", _hdf5(_external_link)),
    "keras: bytes elsewhere": ("keras", _hdf5(_external_bytes)),
    "keras: a virtual array": ("keras", _hdf5(_virtual)),
    "keras: a layer elsewhere": ("keras", _hdf5(_external_layer)),
    "extractor: gigantic": ("extractor", _facts("extractor", points=68, width=500.0)),
    "safetensors: beyond its end": ("detector", lambda s, m: _lying_header(0, 4_000_000_000)),
    "keras: a circle": ("keras", _hdf5(_circle)),
    "extractor: odd": ("extractor", _facts("extractor", points="68", width=[1])),
    "extractor: negative": ("extractor", _facts("extractor", points=68, width=-1.0)),
    "extractor: other": ("extractor", _facts("extractor", name=["fan"])),
    "detector: other": ("detector", _facts("detector", name={"a": 1})),
    "detector: odd": ("detector", _facts("detector", name="Capsule", version="x")),
    "detector: more": ("detector", _facts("detector", name="Meso4", seed=-1)),
    "pair: gigantic": ("pair", _recipe(["id0", "id1"], width=512, resolution=256, code=4096)),
    "pair: many people": ("pair", _recipe([f"id{k}" for k in range(20_000)])),
    "pair: nobody": ("pair", _recipe([])),
    "pair: odd people": ("pair", _recipe([1, None])),
    "pair: a person with a dot": ("pair", _recipe(["a.b", ""])),
    "safetensors: a negative place": ("detector", lambda s, m: _lying_header(64, 0)),
    "safetensors: a long header": ("detector", lambda s, m: struct.pack("<Q", 1 << 62) + b"{}"),
    "safetensors: deep": ("pair", lambda s, m: _safetensors(b'{"a":' * 50_000)),
    "torch: gigantic": ("torch", lambda seeds, marker: _state_of((1 << 20, 1 << 20))),
    "torch: a packed archive": (
        "torch",
        lambda seeds, marker: _torch_zip(b"\x80\x02}.", compression=8, size=1 << 28),
    ),
    "joblib: a later pickle": ("machine", lambda seeds, marker: _pickled(marker, 4)),
    "keras: a great chunk": ("keras", _hdf5(_great_chunk)),
    "arrays: a bomb": ("landmarks", _array_bomb),
}
"""Reader and maker by name; files that are expensive to make come last."""
