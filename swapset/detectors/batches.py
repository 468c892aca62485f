"""Batches of training faces, half of them fake, read ahead by a few threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swapset.errors import TrainingError
from swapset.learning.order import Epochs
from swapset.seeds import derive_seed
from swapset.types import Bytes, Image

if TYPE_CHECKING:
    from swapset.detectors.base import Samples

AHEAD = 4
"""Batches that are read at a time, including the one asked for."""
KEPT_BYTES = 1 << 30
"""Crops are kept in memory up to this size; beyond it they are cut again in each epoch."""


class Example(NamedTuple):
    """One training face.

    Attributes
    ----------
    crop : (S, S, 3) uint8 in [0, 255], RGB
    label : int
        1 = fake, 0 = real.
    swapped : (S, S) uint8 or None
        1 = swapped pixel, 0 = original pixel, 255 = unknown; None if no loss needs it.
    """

    crop: Image
    label: int
    swapped: Bytes | None = None


@dataclass(frozen=True)
class Batch:
    """Training faces on the device.

    Attributes
    ----------
    images : (B, 3, S, S) float32 in [0, 255], RGB
    labels : (B,) float32
        1 = fake.
    swapped : (B, S, S) float32 or None
        1 = swapped pixel, 0 = original pixel, NaN = unknown.
    """

    images: Tensor
    labels: Tensor
    swapped: Tensor | None = None


def check_classes(samples: Samples, *, needs_fakes: bool) -> None:
    """Check that the training faces are of both classes, or real where no fakes are needed.

    Raises
    ------
    TrainingError
        If there are no real faces, or no fake ones although they are needed.
    """
    fakes = int(np.count_nonzero(samples.labels))
    if len(samples) == fakes:
        raise TrainingError("there is no real face to learn from; check the training dataset")
    if needs_fakes and not fakes:
        raise TrainingError("there is no fake face to learn from; check the training dataset")


class Batches:
    """The batch of each step, read ahead by threads; the same for the same seed.

    Half of a batch is real and half fake, if there are fakes. Each class comes in random order, and
    all of its faces come before any comes again.

    Parameters
    ----------
    samples : Samples
    make : callable
        Returns the `Example` of a face, its label and a random generator.
    batch : int
        Faces in a batch.
    seed : int
    keep : bool
        True: a face's example is always the same, so it may be kept in memory.
    threads : int
        Number of threads that read ahead.
    """

    def __init__(
        self,
        samples: Samples,
        make: Callable[..., Example],
        *,
        batch: int,
        seed: int,
        keep: bool,
        threads: int = 2,
    ):
        self._samples, self._make, self._batch, self._seed = samples, make, batch, seed
        self._classes = [part for k in (0, 1) if len(part := np.flatnonzero(samples.labels == k))]
        self._orders = [
            Epochs(len(members), seed, number) for number, members in enumerate(self._classes)
        ]
        self._kept: dict[int, Example] = {}
        self._room = KEPT_BYTES if keep else 0
        self._pool = ThreadPoolExecutor(threads)
        self._coming: dict[int, Future[list[Example]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._pool.shutdown(cancel_futures=True)

    def get(self, step: int, device: torch.device) -> Batch:
        """Return the batch of a step, and start reading the next ones."""
        for ahead in range(step, step + AHEAD):
            if ahead not in self._coming:
                self._coming[ahead] = self._pool.submit(self._read, ahead)
        return _to_device(self._coming.pop(step).result(), device)

    def indices(self, step: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the faces in the batch of a step, (batch,) int64."""
        number = len(self._classes)
        sizes = [(self._batch + k) // number for k in range(number)]
        parts = [
            members[order.indices(step * size, size)]
            for members, order, size in zip(self._classes, self._orders, sizes, strict=True)
        ]
        return np.concatenate(parts)

    def _read(self, step: int) -> list[Example]:
        return [
            self._example(int(index), step, position)
            for position, index in enumerate(self.indices(step))
        ]

    def _example(self, index: int, step: int, position: int) -> Example:
        """Return the example of a face, which stands at a position in the batch of a step."""
        if index in self._kept:
            return self._kept[index]
        generator = np.random.default_rng(derive_seed(self._seed, "example", step, position))
        label = int(self._samples.labels[index])
        example = self._make(self._samples[index], label, generator)
        if self._room >= example.crop.nbytes:
            self._room -= example.crop.nbytes
            self._kept[index] = example
        return example


def _to_device(examples: list[Example], device: torch.device) -> Batch:
    crops = torch.from_numpy(np.stack([example.crop for example in examples]))
    labels = torch.tensor([float(example.label) for example in examples])
    swapped = None
    known = [example.swapped for example in examples if example.swapped is not None]
    if len(known) == len(examples):
        swapped = torch.from_numpy(np.stack(known)).to(device).float()
        swapped[swapped == 255] = torch.nan
    images = crops.to(device).permute(0, 3, 1, 2).float()
    return Batch(images, labels.to(device), swapped)
