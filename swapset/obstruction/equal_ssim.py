"""Scale one attack's noise to another's SSIM, so that both compare at equal visibility."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from swapset.obstruction.evaluation import face_ssim
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.types import Frames

LARGEST_SCALE = 4.0
"""Largest factor by which noise is multiplied."""
_HALVINGS = 9


def write_matched(
    noisy: Path,
    others: Sequence[Path],
    frames: Path,
    folder: Path,
    *,
    log: TextIO | None = None,
) -> None:
    """Scale noise, run by run, to the mean SSIM_I of other noisy frames, and write the result.

    The scaled noise may exceed epsilon, because noise that lowers SSIM less may be larger.

    Parameters
    ----------
    noisy : Path
        Folder with the frames whose noise is scaled.
    others : sequence of Path
        Folders with the same frames after other attacks; the goal is the mean of their SSIM_I.
    frames : Path
        Folder of the clean key frames, see `swapset.obstruction.keyframes`.
    folder : Path
        An existing folder; gets `<run>.npy`, (n, H, W, 3) uint8 RGB, for each run.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    DataError
        If a file of frames is missing or damaged.
    """
    runs = read_runs(frames)
    all_clean, all_noisy = read_frames(frames, runs), read_frames(noisy, runs)
    all_others = zip(*(read_frames(other, runs) for other in others), strict=True)
    bar = tqdm(runs, file=log, unit="run", mininterval=2)
    for run, clean, noisy_frames, compared in zip(
        bar, all_clean, all_noisy, all_others, strict=True
    ):
        wanted = float(np.mean([face_ssim(clean, other, run) for other in compared]))
        np.save(folder / f"{run.name}.npy", matched(clean, noisy_frames, run, wanted))


def matched(clean: Frames, noisy: Frames, run: Run, wanted: float) -> Frames:
    """Scale the noise of a run's frames to a mean SSIM_I, by bisection.

    Parameters
    ----------
    clean, noisy : (n, H, W, 3) uint8 in [0, 255], RGB
    run : Run
        The faces of these frames.
    wanted : float
        Mean SSIM inside the faces, in (0, 1].

    Returns
    -------
    (n, H, W, 3) uint8 in [0, 255], RGB
    """
    low, high = 0.0, LARGEST_SCALE
    for _ in range(_HALVINGS):
        factor = (low + high) / 2
        visible = face_ssim(clean, scaled(clean, noisy, factor), run).mean() < wanted
        low, high = (low, factor) if visible else (factor, high)
    return scaled(clean, noisy, low)


def scaled(clean: Frames, noisy: Frames, factor: float) -> Frames:
    """Multiply the noise of frames, and round.

    Parameters
    ----------
    clean, noisy : (n, H, W, 3) uint8 in [0, 255], RGB
    factor : float
        0 gives the clean frames, 1 the noisy ones.

    Returns
    -------
    (n, H, W, 3) uint8 in [0, 255], RGB
    """
    noise = noisy.astype(np.float32) - clean
    return np.rint(clean + factor * noise).clip(0, 255).astype(np.uint8)
