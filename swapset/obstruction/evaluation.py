"""What noise does: landmark error, quality of the noisy picture, and of the swap made from it.

Figure 4.11 of the chapter. A noisy frame is compressed, its landmarks are found by an extractor, a
face is aligned by them, goes through the pair's model and back into the frame.
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
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import render_mask
from swapset.generation.checkpoint import load_model
from swapset.generation.synthesis import Synthesiser
from swapset.io.files import read_json, write_csv
from swapset.obstruction.attacks.codecs import compress
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.obstruction.tables import ROW
from swapset.quality.mask_ssim import head_ssim
from swapset.types import Floats, Frames, Mask

Finder = Extractor | LandmarkPredictor


@dataclass(frozen=True)
class Swaps:
    """Swaps of a run's frames, and where they are.

    Attributes
    ----------
    frames : (n, H, W, 3) uint8
    masks : (n, H, W) bool
        False throughout where no swap could be made.
    """

    frames: Frames
    masks: Mask


@dataclass(frozen=True)
class Unharmed:
    """Clean frames of a run, and what comes of them.

    Attributes
    ----------
    run : Run
    frames : (n, H, W, 3) uint8, RGB
    truth : (n, 68, 2) float64
        Landmarks that the reference extractor finds.
    swaps : dict of str to Swaps or None
        By extractor whose landmarks they are made with.
    """

    run: Run
    frames: Frames
    truth: Floats
    swaps: dict[str, Swaps | None]


class Evaluator:
    """Measure noisy frames of one person.

    Parameters
    ----------
    finders : mapping of str to Finder
        Extractors that are attacked, and others that find landmarks.
    reference : str
        The extractor whose landmarks on the clean frames count as the truth.
    synthesiser : Synthesiser or None
        The pair's model with the donor's face; None: swaps are not measured.
    swap_every : int
        Every n-th frame of a run is swapped.
    targets : iterable of str, optional
        The extractors that are measured; by default all.
    """

    def __init__(
        self,
        finders: Mapping[str, Finder],
        reference: str,
        synthesiser: Synthesiser | None,
        *,
        swap_every: int = 1,
        targets: Iterable[str] | None = None,
    ):
        self._finders, self._reference = dict(finders), reference
        self._synthesiser, self._every = synthesiser, swap_every
        self._targets = list(self._finders if targets is None else targets)

    def measure(
        self, run: Run, clean: Frames, noisy: Frames, compressions: Iterable[str]
    ) -> Iterator[dict[str, object]]:
        """Yield a row for each compression, extractor and frame.

        Parameters
        ----------
        run : Run
        clean, noisy : (n, H, W, 3) uint8, RGB
        compressions : iterable of str
            See `swapset.obstruction.attacks.codecs`.

        Yields
        ------
        dict
            compression, target, run, frame, nme, ssim_i, ssim_w; NaN where nothing is measured.
        """
        before = self.unharmed(run, clean)
        for compression in compressions:
            for row in self.compare(before, compress(noisy, compression)):
                yield {"compression": compression, **row}

    def unharmed(self, run: Run, clean: Frames) -> Unharmed:
        """Return what is found in and made of clean frames (n, H, W, 3) uint8, RGB."""
        found = {name: find(own, clean, run) for name, own in self._finders.items()}
        swaps = {name: self._swapped(clean, found[name]) for name in self._targets}
        return Unharmed(run, clean, found[self._reference], swaps)

    def compare(self, before: Unharmed, shown: Frames) -> Iterator[dict[str, object]]:
        """Yield a row for each extractor and frame, as `measure` does for one compression.

        Parameters
        ----------
        before : Unharmed
        shown : (n, H, W, 3) uint8, RGB
            The frames with noise, as they come back from a file.
        """
        run = before.run
        quality = face_ssim(before.frames, shown, run)
        for name in self._targets:
            points = find(self._finders[name], shown, run)
            errors = nme(points, before.truth)
            swap_quality = self._compared(before.swaps[name], shown, points)
            for place in range(len(shown)):
                yield {
                    "target": name,
                    "run": run.name,
                    "frame": run.first + place,
                    "nme": errors[place],
                    "ssim_i": quality[place],
                    "ssim_w": swap_quality[place],
                }

    def _swapped(self, frames: Frames, points: Floats) -> Swaps | None:
        if self._synthesiser is None:
            return None
        made = list(self._synthesiser.swap(frames[:: self._every], points[:: self._every]))
        shape = (frames.shape[1], frames.shape[2])
        return Swaps(
            np.stack([frame for frame, _ in made]),
            np.stack([swap_mask(label, shape) for _, label in made]),
        )

    def _compared(self, clean: Swaps | None, frames: Frames, points: Floats) -> Floats:
        """Return the SSIM (n,) with the clean frames' swaps, inside the masks of those."""
        values = np.full(len(frames), np.nan)
        made = None if clean is None else self._swapped(frames, points)
        if clean is None or made is None:
            return values
        values[:: self._every] = [
            head_ssim(one, other, mask) if mask.any() else np.nan
            for one, other, mask in zip(clean.frames, made.frames, clean.masks, strict=True)
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
    """Return what swaps faces of a pair, or None if it has no trained model.

    Parameters
    ----------
    model, card : Path
        As rule `train` wrote them.
    donor : str
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
def find(finder: Finder, frames: Frames, run: Run) -> Floats:
    """Return the 68 landmarks (n, 68, 2) that are found in frames (n, H, W, 3) uint8."""
    frames = np.ascontiguousarray(frames)
    if isinstance(finder, LandmarkPredictor):
        pairs = zip(frames, run.boxes, strict=True)
        return np.stack([finder.predict(frame, box) for frame, box in pairs]).astype(np.float64)
    images = torch.from_numpy(frames).to(finder.device)
    boxes = torch.from_numpy(run.boxes)
    points = finder.landmarks(images.permute(0, 3, 1, 2).float(), boxes)
    return as_68(points.double().cpu().numpy())


def face_ssim(clean: Frames, shown: Frames, run: Run) -> Floats:
    """Return the SSIM (n,) of pictures inside the detected face; SSIM_I of the chapter."""
    height, width = clean.shape[1:3]
    values = []
    for one, other, box in zip(clean, shown, run.boxes, strict=True):
        x0, y0, x1, y1 = np.rint(box).astype(int).clip(0, (width, height, width, height))
        face = np.zeros((height, width), bool)
        face[y0:y1, x0:x1] = True
        values.append(head_ssim(one, other, face) if face.any() else np.nan)
    return np.array(values)


def swap_mask(label: FrameLabel, shape: tuple[int, int]) -> Mask:
    """Return the pixels (H, W) that a swap changed."""
    if label.outline is None:
        return np.zeros(shape, bool)
    return np.asarray(render_mask(label.outline, shape, label.feather) > 0)


def write_measures(
    path: Path,
    evaluator: Evaluator,
    *,
    clean: Path,
    noisy: Path,
    compressions: Iterable[str],
    log: TextIO | None = None,
) -> None:
    """Write the measures of all runs of a person as CSV, a row as `Evaluator.measure` yields.

    Parameters
    ----------
    path : Path
    evaluator : Evaluator
    clean, noisy : Path
        Folders of key frames, see `swapset.obstruction.keyframes`.
    compressions : iterable of str
    log : TextIO, optional
        Gets a progress bar.
    """
    runs = read_runs(clean)
    pairs = zip(runs, read_frames(clean, runs), read_frames(noisy, runs), strict=True)
    rows = [
        row
        for run, one, other in tqdm(pairs, total=len(runs), file=log, unit="run", mininterval=2)
        for row in evaluator.measure(run, np.array(one), np.array(other), compressions)
    ]
    write_csv(path, pd.DataFrame(rows, columns=ROW))
