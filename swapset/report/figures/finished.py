"""Read a finished build for the report: its fakes, and single frames of its videos."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.dataset.labels import read_labels
from swapset.errors import DataError
from swapset.faces.align import warp_crop
from swapset.faces.prepare import ClipLandmarks
from swapset.media.decode import frames
from swapset.types import Floats, Image

T = TypeVar("T")


@dataclass(frozen=True)
class Fake:
    """A fake by its name `idT_idD_NNNN`, with the clip that it was made from."""

    name: str
    target: str
    donor: str
    clip: str


class FinishedBuild:
    """Reads the results of a build.

    Parameters
    ----------
    root : Path
        The build's folder, `results/<name>`.
    """

    def __init__(self, root: Path):
        self.root = root
        table = pd.read_csv(root / "tables" / "fakes.csv", dtype=str, keep_default_na=False)
        self._made: dict[str, list[Fake]] = {}
        for row in table[table["made"] == "True"].to_dict("records"):
            fake = Fake(row["fake"], row["target"], row["donor"], row["clip"])
            self._made.setdefault(row["method"], []).append(fake)

    def fakes_by(self, methods: Sequence[str]) -> list[Fake]:
        """Return the fakes that all of these methods could make, in the table's order."""
        others = [{fake.name for fake in self._made.get(name, [])} for name in methods[1:]]
        first = self._made.get(methods[0], [])
        return [fake for fake in first if all(fake.name in names for names in others)]

    def video(self, kind: str, name: str) -> Path:
        """Return the path of a video of the dataset; `kind` is "real" or a method."""
        return self.root / "dataset" / kind / "original" / f"{name}.mp4"

    def source(self, clip: str) -> Path:
        """Return the path of an ingested clip, from which fakes are made."""
        return self.root / "clips" / clip.partition("_")[0] / f"{clip}.mkv"

    def model(self, recipe: str, pair: str) -> Path:
        """Return the path of the model of a pair."""
        return self.root / "models" / recipe / f"{pair}.safetensors"

    def landmarks(self, clip: str) -> ClipLandmarks:
        """Read the landmarks of the subject in a clip."""
        return ClipLandmarks.load(self.root / "landmarks" / clip.partition("_")[0] / f"{clip}.npz")

    def clips(self) -> list[str]:
        """Return the names of the accepted clips."""
        table = pd.read_csv(self.root / "tables" / "clips.csv", dtype={"clip": str})
        return table.loc[table["accepted"], "clip"].tolist()

    def swapped(self, method: str, fake: str) -> npt.NDArray[np.int64]:
        """Return the numbers (n,) int64 of the frames in which a fake's face was swapped."""
        table, _ = read_labels(self.root / "labels" / method / f"{fake}.parquet")
        rows = table.to_pandas()
        return rows.loc[rows["swapped"], "frame"].to_numpy(np.int64)

    def middle_frame(self, fakes: Mapping[str, Sequence[Fake]]) -> int | None:
        """Return the middle of the frames that are swapped in all fakes (by method), or None."""
        shared: npt.NDArray[np.int64] | None = None
        for method, group in fakes.items():
            for fake in group:
                swapped = self.swapped(method, fake.name)
                shared = swapped if shared is None else np.intersect1d(shared, swapped)
        return None if shared is None or not len(shared) else int(shared[len(shared) // 2])


def frame_at(path: Path, index: int) -> Image:
    """Read one frame of a video, (H, W, 3) uint8 RGB.

    Raises
    ------
    DataError
        If the video is shorter.
    """
    frame = next(itertools.islice(frames(path), index, None), None)
    if frame is None:
        raise DataError(f"{path}: has no frame {index}; make it again")
    return frame


def zoom(
    frame: Image, landmarks: npt.NDArray[np.floating], size: int, context: float = 1.5
) -> Image:
    """Cut the upright square around a face.

    Parameters
    ----------
    frame : (H, W, 3) uint8, RGB
    landmarks : (68, 2) float
        In frame pixels.
    size : int
        Side of the result in pixels.
    context : float
        Side of the square, in sides of the landmarks' box.

    Returns
    -------
    (size, size, 3) uint8, RGB
    """
    return warp_crop(frame, zoom_transform(landmarks, size, context), size)


def zoom_transform(landmarks: npt.NDArray[np.floating], size: int, context: float = 1.5) -> Floats:
    """Return the transform from frame pixels to pixels of `zoom` with the same arguments.

    Parameters
    ----------
    landmarks : (68, 2) float
        In frame pixels.
    size : int
        Side of the zoomed picture in pixels.
    context : float
        Side of the square, in sides of the landmarks' box.

    Returns
    -------
    (2, 3) float64
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = float((high - low).max()) * context
    # Landmarks end at the eyebrows: move the centre up to show the forehead.
    centre = (low + high) / 2 - [0, 0.06 * side]
    scale = size / side
    shift = size / 2 - 0.5 - scale * centre
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def spread_over_targets(fakes: Sequence[Fake], count: int) -> list[Fake]:
    """Return up to `count` fakes of as many targets as possible, evenly spread over the list."""
    by_target: dict[str, list[Fake]] = {}
    for fake in fakes:
        by_target.setdefault(fake.target, []).append(fake)
    rounds = itertools.zip_longest(*by_target.values())
    ordered = [fake for each in rounds for fake in each if fake is not None]
    pool = ordered[: len(by_target)] if len(by_target) >= count else ordered[:count]
    return evenly(pool, count)


def evenly(items: Sequence[T], count: int) -> list[T]:
    """Return up to `count` evenly spaced items, with the first and the last."""
    if len(items) <= count:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, count).round().astype(int)]
