"""Noise as visible as that of another attack: what attacks are fairly compared at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from swapset.obstruction.evaluation import face_ssim
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.types import Frames

LOUDEST = 4.0
"""Noise is not made larger than so many times what it was."""
_HALVINGS = 9


def write_even(
    noisy: Path,
    others: Sequence[Path],
    frames: Path,
    folder: Path,
    *,
    log: TextIO | None = None,
) -> None:
    """Write frames whose noise is scaled, run by run, to the mean SSIM_I of other noisy frames.

    Epsilon then does not hold: noise that hurts a picture less may be larger.

    Parameters
    ----------
    noisy : Path
        Folder with the frames whose noise is scaled.
    others : sequence of Path
        Folders with the same frames after other attacks; of several, the mean counts.
    frames : Path
        Folder of the clean key frames, see `swapset.obstruction.keyframes`.
    folder : Path
        An existing folder.
    log : TextIO, optional
        Gets a progress bar.
    """
    runs = read_runs(frames)
    clean, own = read_frames(frames, runs), read_frames(noisy, runs)
    compared = zip(*(read_frames(other, runs) for other in others), strict=True)
    bar = tqdm(runs, file=log, unit="run", mininterval=2)
    for run, one, loud, quality in zip(bar, clean, own, compared, strict=True):
        wanted = float(np.mean([face_ssim(one, other, run) for other in quality]))
        np.save(folder / f"{run.name}.npy", evened(one, loud, run, wanted))


def evened(clean: Frames, noisy: Frames, run: Run, wanted: float) -> Frames:
    """Return frames (n, H, W, 3) uint8 with as much of the noise as gives a mean SSIM_I.

    Parameters
    ----------
    clean, noisy : (n, H, W, 3) uint8, RGB
    run : Run
    wanted : float
        Mean SSIM inside the faces, in (0, 1].
    """
    low, high = 0.0, LOUDEST
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        visible = face_ssim(clean, scaled(clean, noisy, share), run).mean() < wanted
        low, high = (low, share) if visible else (share, high)
    return scaled(clean, noisy, low)


def scaled(clean: Frames, noisy: Frames, share: float) -> Frames:
    """Return clean frames with a share of the noise, rounded."""
    noise = noisy.astype(np.float32) - clean
    return np.rint(clean + share * noise).clip(0, 255).astype(np.uint8)
