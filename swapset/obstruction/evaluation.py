"""Measure the effect of noise: landmark error, SSIM of the noisy picture, SSIM of its swap.

Follows figure 4.11 of the chapter: a noisy frame is compressed, an extractor finds its landmarks,
the face is aligned by them, goes through the pair's model and is pasted back into the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from swapset.config.recipes import SynthesisRecipe
from swapset.dataset.labels import FrameLabel
from swapset.extractors.base import Extractor
from swapset.extractors.markup import as_68
from swapset.extractors.nme import nme
from swapset.faces.detect import Detector
from swapset.faces.facemesh import FaceMesh
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import render_mask
from swapset.generation.checkpoint import load_model
from swapset.generation.synthesis import Synthesiser
from swapset.io.files import read_json, write_csv
from swapset.obstruction.attacks.codecs import compress
from swapset.obstruction.black_boxes import detected
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.obstruction.tables import DETECTION_ROW, ROW
from swapset.quality.mask_ssim import head_ssim
from swapset.seeds import derive_seed
from swapset.types import Floats, Frames, Mask

Finder = Extractor | LandmarkPredictor | FaceMesh
"""A model that finds landmarks in a frame whose face is known."""
Row = dict[str, object]
"""Measures of one frame, by column."""


@dataclass(frozen=True)
class Swaps:
    """Swapped frames of a run, and the pixels that the swap changed.

    Attributes
    ----------
    frames : (n, H, W, 3) uint8 in [0, 255], RGB
    masks : (n, H, W) bool
        True = changed. False everywhere in a frame that could not be swapped.
    """

    frames: Frames
    masks: Mask


@dataclass(frozen=True)
class CleanRun:
    """Clean frames of a run with their landmarks and swaps: the reference for noisy frames.

    Attributes
    ----------
    run : Run
    frames : (n, H, W, 3) uint8 in [0, 255], RGB
    truth : (n, 68, 2) float64
        Landmarks by the reference extractor, x and y in pixels.
    own : dict of str to (n, 68, 2) float64
        Landmarks by each measured model, by its name.
    swaps : dict of str to Swaps or None
        Swaps by the name of the extractor that found the landmarks. None: swaps are not measured.
    """

    run: Run
    frames: Frames
    truth: Floats
    own: dict[str, Floats]
    swaps: dict[str, Swaps | None]


class Evaluator:
    """Measure noisy frames of one person.

    Parameters
    ----------
    finders : mapping of str to Finder
        The attacked extractors and any other models that find landmarks, by name.
    reference : str
        Name of the extractor whose landmarks on the clean frames count as the truth.
    synthesiser : Synthesiser or None
        The pair's model with the donor's face. None: swaps are not measured.
    swap_every : int
        Swap every n-th frame of a run.
    targets : iterable of str, optional
        Names of the extractors to measure, by default all.
    detectors : mapping of str to Detector, optional
        Face detectors to measure, by name.
    seed : int
        Of the random numbers of perturbations.
    """

    def __init__(
        self,
        finders: Mapping[str, Finder],
        reference: str,
        synthesiser: Synthesiser | None,
        *,
        swap_every: int = 1,
        targets: Iterable[str] | None = None,
        detectors: Mapping[str, Detector] | None = None,
        seed: int = 0,
    ):
        self._finders, self._reference = dict(finders), reference
        self._synthesiser, self._every, self._seed = synthesiser, swap_every, seed
        self._targets = list(self._finders if targets is None else targets)
        self._detectors = dict(detectors or {})

    def measure(
        self, run: Run, clean: Frames, noisy: Frames, compressions: Iterable[str]
    ) -> Iterator[tuple[list[Row], list[Row]]]:
        """Yield the measures of each frame under each compression.

        Parameters
        ----------
        run : Run
        clean, noisy : (n, H, W, 3) uint8 in [0, 255], RGB
        compressions : iterable of str
            See `swapset.obstruction.attacks.codecs.compress`.

        Yields
        ------
        landmarks : list of dict
            By each extractor: compression, target, run, frame, nme, moved, ssim_i, ssim_w. NaN =
            not measured.
        detection : list of dict
            By each face detector: compression, detector, run, frame, found.

        Raises
        ------
        ConfigError
            If a compression is unknown.
        MediaError
            If a file of a compression cannot be written or read.
        """
        before = self.clean_run(run, clean)
        for compression in compressions:
            shown = compress(noisy, compression, derive_seed(self._seed, run.name))
            rows = self.compare(before, shown), detected(self._detectors, shown, run)
            landmarks, detection = (
                [{"compression": compression, **row} for row in each] for each in rows
            )
            yield landmarks, detection

    def clean_run(self, run: Run, clean: Frames) -> CleanRun:
        """Find the landmarks of clean frames (n, H, W, 3) uint8 RGB, and swap their faces."""
        landmarks = {
            name: find_landmarks(finder, clean, run) for name, finder in self._finders.items()
        }
        swaps = {name: self._swapped(clean, landmarks[name]) for name in self._targets}
        own = {name: landmarks[name] for name in self._targets}
        return CleanRun(run, clean, landmarks[self._reference], own, swaps)

    def compare(self, before: CleanRun, shown: Frames) -> Iterator[Row]:
        """Yield the measures of each frame by each extractor, as `measure` for one compression.

        Parameters
        ----------
        before : CleanRun
        shown : (n, H, W, 3) uint8 in [0, 255], RGB
            The noisy frames as read back from the compressed file.
        """
        run = before.run
        quality = face_ssim(before.frames, shown, run)
        for name in self._targets:
            points = find_landmarks(self._finders[name], shown, run)
            errors = nme(points, before.truth)
            # In the unit of the errors: a model's own eye corners may coincide.
            moves = nme(before.truth + points - before.own[name], before.truth)
            swap_quality = self._compared(before.swaps[name], shown, points)
            for place in range(len(shown)):
                yield {
                    "target": name,
                    "run": run.name,
                    "frame": run.first + place,
                    "nme": errors[place],
                    "moved": moves[place],
                    "ssim_i": quality[place],
                    "ssim_w": swap_quality[place],
                }

    def _swapped(self, frames: Frames, points: Floats) -> Swaps | None:
        if self._synthesiser is None:
            return None
        swapped = list(self._synthesiser.swap(frames[:: self._every], points[:: self._every]))
        shape = (frames.shape[1], frames.shape[2])
        return Swaps(
            np.stack([frame for frame, _ in swapped]),
            np.stack([swap_mask(label, shape) for _, label in swapped]),
        )

    def _compared(self, clean: Swaps | None, frames: Frames, points: Floats) -> Floats:
        """Return the SSIM (n,) of swaps to the clean frames' swaps, inside the latter's masks."""
        values = np.full(len(frames), np.nan)
        noisy = None if clean is None else self._swapped(frames, points)
        if clean is None or noisy is None:
            return values
        values[:: self._every] = [
            head_ssim(one, other, mask) if mask.any() else np.nan
            for one, other, mask in zip(clean.frames, noisy.frames, clean.masks, strict=True)
        ]
        return values


def load_synthesiser(
    model: Path,
    card: Path,
    donor: str,
    recipe: Mapping[str, Any],
    device: torch.device,
    precision: str,
) -> Synthesiser | None:
    """Return the synthesiser of a pair, or None if the pair has no trained model.

    Parameters
    ----------
    model, card : Path
        Files that rule `train` wrote.
    donor : str
        Person whose face is put in.
    recipe : mapping
        Fields of `SynthesisRecipe`.
    device : torch.device
    precision : {"auto", "fp32", "bf16"}
    """
    if not read_json(card)["trained"]:
        return None
    pair, how = load_model(model, device, [donor]), SynthesisRecipe(**recipe)
    return Synthesiser(pair, donor, how, device, precision=precision)


@torch.inference_mode()
def find_landmarks(finder: Finder, frames: Frames, run: Run) -> Floats:
    """Find the landmarks of the face in each frame of a run.

    Parameters
    ----------
    finder : Extractor, LandmarkPredictor or FaceMesh
    frames : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The boxes of the faces in these frames.

    Returns
    -------
    (n, 68, 2) float64
        x and y in pixels.
    """
    frames = np.ascontiguousarray(frames)
    if isinstance(finder, LandmarkPredictor):
        pairs = zip(frames, run.boxes, strict=True)
        return np.stack([finder.predict(frame, box) for frame, box in pairs]).astype(np.float64)
    if isinstance(finder, FaceMesh):
        return finder.predict(frames, run.landmarks)
    images = torch.from_numpy(frames).to(finder.device)
    boxes = torch.from_numpy(run.boxes)
    points = finder.landmarks(images.permute(0, 3, 1, 2).float(), boxes)
    return as_68(points.double().cpu().numpy())


def face_ssim(clean: Frames, shown: Frames, run: Run) -> Floats:
    """Return the SSIM of each frame inside the detected face: SSIM_I of the chapter.

    Parameters
    ----------
    clean, shown : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The boxes of the faces in these frames.

    Returns
    -------
    (n,) float64 in [-1, 1]
        NaN where the box lies outside the frame.
    """
    height, width = clean.shape[1:3]
    values = []
    for one, other, box in zip(clean, shown, run.boxes, strict=True):
        x0, y0, x1, y1 = np.rint(box).astype(int).clip(0, (width, height, width, height))
        face = np.zeros((height, width), bool)
        face[y0:y1, x0:x1] = True
        values.append(head_ssim(one, other, face) if face.any() else np.nan)
    return np.array(values)


def swap_mask(label: FrameLabel, shape: tuple[int, int]) -> Mask:
    """Return the pixels (H, W) bool that a swap changed, True = changed."""
    if label.outline is None:
        return np.zeros(shape, bool)
    return np.asarray(render_mask(label.outline, shape, label.feather) > 0)


def write_measures(
    path: Path,
    detection: Path,
    evaluator: Evaluator,
    *,
    clean: Path,
    noisy: Path,
    compressions: Iterable[str],
    log: TextIO | None = None,
) -> None:
    """Measure all runs of a person and write CSV files of the rows of `Evaluator.measure`.

    Parameters
    ----------
    path, detection : Path
        Files for the measures of landmarks, and of face detectors.
    evaluator : Evaluator
    clean, noisy : Path
        Folders of key frames, see `swapset.obstruction.keyframes`.
    compressions : iterable of str
        See `swapset.obstruction.attacks.codecs.compress`.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    ConfigError
        If a compression is unknown.
    DataError
        If a file of key frames is missing or damaged.
    MediaError
        If a file of a compression cannot be written or read.
    """
    runs = read_runs(clean)
    pairs = zip(runs, read_frames(clean, runs), read_frames(noisy, runs), strict=True)
    rows: list[Row] = []
    faces: list[Row] = []
    for run, one, other in tqdm(pairs, total=len(runs), file=log, unit="run", mininterval=2):
        for measured, found in evaluator.measure(run, np.array(one), np.array(other), compressions):
            rows += measured
            faces += found
    write_csv(detection, pd.DataFrame(faces, columns=DETECTION_ROW))
    write_csv(path, pd.DataFrame(rows, columns=ROW))
