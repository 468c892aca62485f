"""Measure the noise of a protected video or picture: how far landmarks move, how visible it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.faces.align import MEAN_FACE, transform_points, umeyama
from swapset.faces.boxes import box_from_landmarks
from swapset.obstruction.attacks.registry import DLIB
from swapset.obstruction.evaluation import Finder, face_ssim, find_landmarks
from swapset.obstruction.keyframes import Run
from swapset.obstruction.protect.faces import Which, predictor
from swapset.obstruction.protect.interface import ProtectsFrames
from swapset.types import Floats, Frames, Image, Points

PROMISE = (
    "Noise was made against {against}. Others that are listed were only measured; programs that "
    "are not may find the landmarks all the same, and so may these after strong compression or "
    "resizing. This makes face swaps harder and prevents none for certain."
)


POOR_PROMISE = (
    "All extractors that the noise follows miss the landmarks without any noise, so that it "
    "protects from little. "
)
"""Put before the promise where this is so in every file."""

POOR = 0.08
"""Error in clean frames from which on an extractor counts as poor.

A fixed mean face, fitted to labelled faces by similarities, has 0.089, dlib's predictor 0.069 and
trained extractors 0.064 to 0.072 (docs/results.md).
"""

_CLEAN, _MEAN_FACE = "clean", "mean face"  # keys of the errors in clean frames


@dataclass(frozen=True)
class Job:
    """Settings for protecting files.

    Attributes
    ----------
    protector : ProtectsFrames
    extractors : mapping of str to Extractor
        Extractors on which the noise is measured, by the name of their file.
    against : list of str
        Names of the extractors that the noise attacks.
    which : {"all", "largest"}
        Faces to protect.
    crf : int
        Rate factor of videos; 0 = lossless.
    jpeg : int
        Quality of JPEG, 1 to 100.
    overwrite : bool
        Replace existing files.
    """

    protector: ProtectsFrames
    extractors: Mapping[str, Extractor]
    against: list[str]
    which: Which = "all"
    crf: int = 16
    jpeg: int = 95
    overwrite: bool = False

    def meter(self) -> Meter:
        """Return a meter for one file, with the extractors and dlib, which no noise attacks."""
        return Meter({**self.extractors, DLIB: predictor()}, self.against)


class Meter:
    """Collects measures of frames, as protected and as read back from the written file.

    Parameters
    ----------
    finders : mapping of str to Extractor or LandmarkPredictor
        Models that find landmarks, by the name of their file.
    against : list of str
        Names of the extractors that the noise attacks.
    """

    def __init__(self, finders: Mapping[str, Finder], against: list[str]) -> None:
        self._finders, self._against = dict(finders), against
        self._errors: dict[tuple[str, str], list[float]] = {}
        self._ssims: dict[str, list[float]] = {}
        self._found: dict[tuple[str, int, int], Floats] = {}

    def add(
        self, stage: str, clean: Image, shown: Image, points: Points, *, number: int = 0
    ) -> None:
        """Measure the faces of a frame.

        Parameters
        ----------
        stage : {"protected", "written"}
            Whether the frame comes from the protector or from the written file.
        clean, shown : (H, W, 3) uint8 in [0, 255], RGB
            The frame without and with noise.
        points : (n, 68, 2) float32
            Landmarks of all faces in the clean frame, x and y in pixels; NaN = not visible.
        number : int
            Number of the frame. Landmarks in a clean frame are found once for both stages.
        """
        for place in np.flatnonzero(np.isfinite(points).all(axis=(1, 2))).tolist():
            face = points[place]
            (before, after), run = _about(face, clean, shown)
            self._ssims.setdefault(stage, []).extend(face_ssim(before, after, run).tolist())
            if not any(key[1:] == (number, place) for key in self._found):
                self._look(before, run, number, place)
            for name, finder in self._finders.items():
                moved = nme(find_landmarks(finder, after, run), self._found[name, number, place])
                self._errors.setdefault((stage, name), []).extend(moved.tolist())

    def seconds(self, image: Image, points: Points) -> float:
        """Return about how long a face takes at a stage, by a trial that counts for nothing.

        Parameters
        ----------
        image : (H, W, 3) uint8 in [0, 255], RGB
        points : (68, 2) float32
            Landmarks of a face, x and y in pixels.
        """
        trial = Meter(self._finders, self._against)
        for _ in range(2):  # the first time, torch prepares itself
            start = time.perf_counter()
            trial.add("trial", image, image, points[None])
        return time.perf_counter() - start

    def _look(self, before: Frames, run: Run, number: int, place: int) -> None:
        """Find the landmarks of a clean face, and compare them with those that are known."""
        truth = run.landmarks
        mean = transform_points(umeyama(MEAN_FACE[None], truth), MEAN_FACE)
        self._errors.setdefault((_CLEAN, _MEAN_FACE), []).extend(nme(mean, truth).tolist())
        for name, finder in self._finders.items():
            found = self._found[name, number, place] = find_landmarks(finder, before, run)
            self._errors.setdefault((_CLEAN, name), []).extend(nme(found, truth).tolist())

    def results(self) -> dict[str, Any]:
        """Return the means as JSON values; None where nothing was measured.

        `nme`: mean distance of an extractor's landmarks from those that it finds in the clean
        frame, divided by the distance of the outer eye corners there. `ssim`: SSIM inside the
        faces' boxes. `nme_clean`: distance of an extractor's landmarks in clean frames from dlib's
        smoothed ones; None for dlib itself. `poor`: whether it is at least `POOR`, and at least
        that of a fixed mean face which a similarity fits to dlib's (`nme_mean_face`; larger than
        `POOR` for faces that are turned away).
        """
        mean_face = _mean(self._errors.get((_CLEAN, _MEAN_FACE), []))
        return {
            "nme_mean_face": mean_face,
            "faces_measured": len(self._ssims.get("protected", [])),
            "ssim_protected": _mean(self._ssims.get("protected", [])),
            "ssim_written": _mean(self._ssims.get("written", [])),
            "extractors": [
                {
                    "file": name,
                    "extractor": getattr(finder, "name", DLIB),
                    "noise_follows_it": name in self._against,
                    **self._accuracy(name, mean_face),
                    "nme_protected": _mean(self._errors.get(("protected", name), [])),
                    "nme_written": _mean(self._errors.get(("written", name), [])),
                }
                for name, finder in self._finders.items()
            ],
        }

    def _accuracy(self, name: str, mean_face: float | None) -> dict[str, Any]:
        """Return the error of an extractor in clean frames, and whether it is poor."""
        error = None if name == DLIB else _mean(self._errors.get((_CLEAN, name), []))
        poor = error is not None and error >= max(POOR, mean_face or 0)
        return {"nme_clean": error, "poor": poor}


def _about(face: Points, *images: Image) -> tuple[list[Image], Run]:
    """Cut images to the surroundings (1, h, w, 3) of a face; return them and the face's place."""
    x0, y0, x1, y1 = box_from_landmarks(face).astype(int)
    left, right = _span(x0, x1, images[0].shape[1])
    top, bottom = _span(y0, y1, images[0].shape[0])
    run = Run("", 0, face[None] - np.array([left, top], np.float32))
    return [image[None, top:bottom, left:right] for image in images], run


def _span(start: int, end: int, size: int) -> tuple[int, int]:
    """Extend a span by its length on both sides, cut to 0 ... size, at least one pixel long."""
    first = min(max(2 * start - end, 0), size - 1)
    return first, min(max(2 * end - start, first + 1), size)


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return round(float(np.mean(known)), 6) if known else None
