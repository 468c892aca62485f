"""What noise does: landmark error, quality of the noisy picture, and of the swap made from it.

Figure 4.11 of the chapter. A noisy frame is compressed, its landmarks are found by an extractor, a
face is aligned by them, goes through the pair's model and back into the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.faces.masks import render_mask
from swapset.generation.synthesis import FrameLabel, Synthesiser
from swapset.obstruction.codecs import compress
from swapset.obstruction.keyframes import Run
from swapset.obstruction.points import as_68
from swapset.quality.mask_ssim import head_ssim

Frames = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]


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
    masks: Masks


class Evaluator:
    """Measure noisy frames of one person.

    Parameters
    ----------
    extractors : mapping of str to Extractor
        Those that are attacked.
    reference : str
        The extractor whose landmarks on the clean frames count as the truth.
    synthesiser : Synthesiser or None
        The pair's model with the donor's face; None: swaps are not measured.
    swap_every : int
        Every n-th frame of a run is swapped.
    """

    def __init__(
        self,
        extractors: Mapping[str, Extractor],
        reference: str,
        synthesiser: Synthesiser | None,
        *,
        swap_every: int = 1,
    ):
        self._extractors, self._reference = dict(extractors), reference
        self._synthesiser, self._every = synthesiser, swap_every

    def measure(
        self, run: Run, clean: Frames, noisy: Frames, compressions: Iterable[str]
    ) -> Iterator[dict[str, object]]:
        """Yield a row for each compression, extractor and frame.

        Parameters
        ----------
        run : Run
        clean, noisy : (n, H, W, 3) uint8, RGB
        compressions : iterable of str
            See `swapset.obstruction.codecs`.

        Yields
        ------
        dict
            compression, target, clip, frame, nme, ssim_i, ssim_w; NaN where nothing is measured.
        """
        found = {name: find(own, clean, run) for name, own in self._extractors.items()}
        swaps = {name: self._swapped(clean, points) for name, points in found.items()}
        truth = found[self._reference]
        for compression in compressions:
            shown = compress(noisy, compression)
            quality = face_ssim(clean, shown, run)
            for name, own in self._extractors.items():
                points = find(own, shown, run)
                errors = nme(points, truth)
                swap_quality = self._compared(swaps[name], shown, points)
                for place in range(len(shown)):
                    yield {
                        "compression": compression,
                        "target": name,
                        "clip": run.clip,
                        "frame": run.first + place,
                        "nme": errors[place],
                        "ssim_i": quality[place],
                        "ssim_w": swap_quality[place],
                    }

    def _swapped(self, frames: Frames, points: Points) -> Swaps | None:
        if self._synthesiser is None:
            return None
        made = list(self._synthesiser.swap(frames[:: self._every], points[:: self._every]))
        shape = frames.shape[1:3]
        return Swaps(
            np.stack([frame for frame, _ in made]),
            np.stack([swap_mask(label, shape) for _, label in made]),
        )

    def _compared(self, clean: Swaps | None, frames: Frames, points: Points) -> Points:
        """Return the SSIM (n,) of swaps with those of the clean frames, in the clean swaps' masks."""
        values = np.full(len(frames), np.nan)
        made = None if clean is None else self._swapped(frames, points)
        if clean is None or made is None:
            return values
        values[:: self._every] = [
            head_ssim(one, other, mask) if mask.any() else np.nan
            for one, other, mask in zip(clean.frames, made.frames, clean.masks, strict=True)
        ]
        return values


@torch.inference_mode()
def find(extractor: Extractor, frames: Frames, run: Run) -> Points:
    """Return the 68 landmarks (n, 68, 2) that an extractor finds in frames (n, H, W, 3) uint8."""
    images = torch.from_numpy(np.ascontiguousarray(frames)).to(extractor.device)
    boxes = torch.from_numpy(run.boxes)
    points = extractor.landmarks(images.permute(0, 3, 1, 2).float(), boxes)
    return as_68(points.double().cpu().numpy())


def face_ssim(clean: Frames, shown: Frames, run: Run) -> Points:
    """Return the SSIM (n,) of pictures inside the detected face; SSIM_I of the chapter."""
    height, width = clean.shape[1:3]
    values = []
    for one, other, box in zip(clean, shown, run.boxes, strict=True):
        x0, y0, x1, y1 = np.rint(box).astype(int).clip(0, (width, height, width, height))
        face = np.zeros((height, width), bool)
        face[y0:y1, x0:x1] = True
        values.append(head_ssim(one, other, face) if face.any() else np.nan)
    return np.array(values)


def swap_mask(label: FrameLabel, shape: tuple[int, ...]) -> Masks:
    """Return the pixels (H, W) that a swap changed."""
    if label.outline is None:
        return np.zeros(shape[:2], bool)
    return np.asarray(render_mask(label.outline, shape[:2], label.feather) > 0)
