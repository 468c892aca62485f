"""What the noise of a protected video or picture does: landmarks that move, and its visibility."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.faces.boxes import box_from_landmarks
from swapset.obstruction.evaluation import Finder, face_ssim, find
from swapset.obstruction.keyframes import Run
from swapset.obstruction.names import DLIB
from swapset.obstruction.protect.faces import Which, predictor
from swapset.types import Image, Points

PROMISE = (
    "Noise was made against {against}. Others that are listed were only measured; programs that "
    "are not may find the landmarks all the same, and so may these after strong compression or "
    "resizing. This makes face swaps harder and prevents none for certain."
)


class ProtectsFrames(Protocol):
    """What puts the noise on: `swapset.obstruction.protect.noise.Protector`."""

    def protect(self, frames: Iterable[Image], landmarks: Iterable[Points]) -> Iterator[Image]:
        """Yield the frames with noise, in order; those without a face as they are."""


@dataclass(frozen=True)
class Job:
    """How files are protected.

    Attributes
    ----------
    protector : ProtectsFrames
    extractors : mapping of str to Extractor
        On which the noise is measured, by the name of their file.
    against : list of str
        Those that the noise follows.
    which : {"all", "largest"}
        Of several faces.
    crf : int
        Rate factor of videos; 0 = without loss.
    jpeg : int
        Quality of JPEG.
    overwrite : bool
        Replace a file that is there.
    """

    protector: ProtectsFrames
    extractors: Mapping[str, Extractor]
    against: list[str]
    which: Which = "all"
    crf: int = 16
    jpeg: int = 95
    overwrite: bool = False

    def meter(self) -> Meter:
        """Return a meter for one file: of the extractors, and of dlib, which no noise follows."""
        return Meter({**self.extractors, DLIB: predictor()}, self.against)


class Meter:
    """Collects measures of some frames, once as protected and once as read back from the file.

    Parameters
    ----------
    finders : mapping of str to Extractor or LandmarkPredictor
        By the name of their file.
    against : sequence of str
        Those that the noise follows.
    """

    def __init__(self, finders: Mapping[str, Finder], against: list[str]) -> None:
        self._finders, self._against = dict(finders), against
        self._errors: dict[tuple[str, str], list[float]] = {}
        self._ssims: dict[str, list[float]] = {}

    def add(self, stage: str, clean: Image, shown: Image, points: Points) -> None:
        """Measure a frame.

        Parameters
        ----------
        stage : {"protected", "written"}
        clean, shown : (H, W, 3) uint8, RGB
        points : (n, 68, 2) float32
            Landmarks of all faces of the clean frame; NaN = not in it.
        """
        for face in points[np.isfinite(points).all(axis=(1, 2))]:
            (before, after), run = _about(face, clean, shown)
            self._ssims.setdefault(stage, []).extend(face_ssim(before, after, run).tolist())
            for name, finder in self._finders.items():
                moved = nme(find(finder, after, run), find(finder, before, run))
                self._errors.setdefault((stage, name), []).extend(moved.tolist())

    def results(self) -> dict[str, Any]:
        """Return the means as JSON values; None where nothing was measured.

        `nme`: how far the landmarks of an extractor are from those that it finds in the clean
        frame, over the distance of the outer eye corners there. `ssim`: inside the faces' boxes.
        """
        return {
            "faces_measured": len(self._ssims.get("protected", [])),
            "ssim_protected": _mean(self._ssims.get("protected", [])),
            "ssim_written": _mean(self._ssims.get("written", [])),
            "extractors": [
                {
                    "file": name,
                    "extractor": getattr(finder, "name", DLIB),
                    "noise_follows_it": name in self._against,
                    "nme_protected": _mean(self._errors.get(("protected", name), [])),
                    "nme_written": _mean(self._errors.get(("written", name), [])),
                }
                for name, finder in self._finders.items()
            ],
        }


def _about(face: Points, *images: Image) -> tuple[list[Image], Run]:
    """Return the part (1, h, w, 3) of images that finders look at, and a face's place in it."""
    x0, y0, x1, y1 = box_from_landmarks(face).astype(int)
    left, right = _span(x0, x1, images[0].shape[1])
    top, bottom = _span(y0, y1, images[0].shape[0])
    run = Run("", 0, face[None] - np.array([left, top], np.float32))
    return [image[None, top:bottom, left:right] for image in images], run


def _span(start: int, end: int, size: int) -> tuple[int, int]:
    """Return a span of 0 ... size with as much on either side, at least one pixel."""
    first = min(max(2 * start - end, 0), size - 1)
    return first, min(max(2 * end - start, first + 1), size)


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return round(float(np.mean(known)), 6) if known else None
