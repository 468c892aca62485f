"""A small stand-in for Keras that runs and saves MesoNets; NHWC layers, numbered when created."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from swapset.detectors.mesonet import Meso4, MesoDetector


@dataclass
class Keras:
    """Creates layers with random arrays, numbered as by a Keras session, and runs them."""

    first: int = 1
    layers: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    seed: int = 0

    def _new(self, kind: str, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([self.seed, len(self.layers)])
        number = self.first + sum(name.rsplit("_", 1)[0] == kind for name in self.layers)
        arrays = {}
        for part, shape in shapes.items():
            if part in ("moving_variance", "gamma"):
                arrays[part] = rng.uniform(0.5, 1.5, shape)
            else:
                spread = np.sqrt(2 / np.prod(shape[:-1])) if part == "kernel" else 0.2
                arrays[part] = rng.normal(0, spread, shape)
        self.layers[f"{kind}_{number}"] = {k: v.astype(np.float32) for k, v in arrays.items()}
        return self.layers[f"{kind}_{number}"]

    def conv(self, x: np.ndarray, outputs: int, size: int, dilation: int = 1) -> np.ndarray:
        layer = self._new("conv2d", kernel=(size, size, x.shape[-1], outputs), bias=(outputs,))
        reach = dilation * (size // 2)
        height, width = x.shape[1:3]
        wide = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
        total = np.zeros((*x.shape[:3], outputs)) + layer["bias"]
        for row in range(size):
            for column in range(size):
                top, left = row * dilation, column * dilation
                part = wide[:, top : top + height, left : left + width]
                total += part @ layer["kernel"][row, column]
        return np.maximum(total, 0)

    def norm_and_pool(self, x: np.ndarray, size: int) -> np.ndarray:
        shape = (x.shape[-1],)
        layer = self._new(
            "batch_normalization", gamma=shape, beta=shape, moving_mean=shape, moving_variance=shape
        )
        scaled = (x - layer["moving_mean"]) / np.sqrt(layer["moving_variance"] + 1e-3)
        y = scaled * layer["gamma"] + layer["beta"]
        n, height, width, channels = y.shape
        y = y.reshape(n, height // size, size, width // size, size, channels)
        return y.max(axis=(2, 4))

    def inception(self, x: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
        branches = [self.conv(x, a, 1)]
        for outputs, dilation in ((b, 1), (c, 2), (d, 3)):
            branches.append(self.conv(self.conv(x, outputs, 1), outputs, 3, dilation))
        return np.concatenate(branches, axis=-1)

    def dense(self, x: np.ndarray, outputs: int) -> np.ndarray:
        layer = self._new("dense", kernel=(x.shape[-1], outputs), bias=(outputs,))
        return x @ layer["kernel"] + layer["bias"]

    def run(self, kind: type[MesoDetector], images: np.ndarray) -> np.ndarray:
        """Return the probabilities (n,) of real faces for images (n, 256, 256, 3) uint8."""
        x = images / 255
        if kind is Meso4:
            x = self.norm_and_pool(self.conv(x, 8, 3), 2)
            x = self.norm_and_pool(self.conv(x, 8, 5), 2)
        else:
            x = self.norm_and_pool(self.inception(x, 1, 4, 4, 2), 2)
            x = self.norm_and_pool(self.inception(x, 2, 4, 4, 2), 2)
        x = self.norm_and_pool(self.conv(x, 16, 5), 2)
        x = self.norm_and_pool(self.conv(x, 16, 5), 4)
        x = self.dense(x.reshape(len(x), -1), 16)
        x = self.dense(np.where(x > 0, x, 0.1 * x), 1)
        return 1 / (1 + np.exp(-x[:, 0]))

    def save(self, path: Path, *, inside: str = "") -> None:
        """Write in the format of Keras 2: `save_weights`, or `save` with a group inside."""
        with h5py.File(path, "w") as stream:
            group = stream.create_group(inside) if inside else stream
            group.attrs["layer_names"] = [name.encode() for name in ("input_1", *self.layers)]
            group.create_group("input_1")
            for name, arrays in self.layers.items():
                for part, array in arrays.items():
                    group[f"{name}/{name}/{part}:0"] = array

    def save_numbered(self, path: Path) -> None:
        """Write in the format of Keras 3: numbered from 0 in the order of the model's layers."""
        kernels = [name for name in self.layers if name.startswith("conv2d")]
        if len(kernels) == 16:
            inner = (1, 3, 5, 0, 2, 4, 6)
            order = [*inner, *(7 + k for k in inner), 14, 15]
            kernels = [kernels[k] for k in order]
        with h5py.File(path, "w") as stream:
            for kind in ("conv2d", "batch_normalization", "dense"):
                names = [name for name in self.layers if name.rsplit("_", 1)[0] == kind]
                for k, name in enumerate(kernels if kind == "conv2d" else names):
                    for number, array in enumerate(self.layers[name].values()):
                        stream[f"layers/{kind}{f'_{k}' if k else ''}/vars/{number}"] = array
