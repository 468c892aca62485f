"""Landmark Breaker with other sizes and numbers of steps: figure 4.13 of the chapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from swapset.extractors.base import Extractor
from swapset.io.files import write_csv
from swapset.obstruction.attack_frames import AttackJob
from swapset.obstruction.attacks.on_frames import OnFrames
from swapset.obstruction.evaluation import Evaluator
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.obstruction.tables import SWEEP_ROW, Sweep
from swapset.types import Frames


def write_sweep(
    path: Path,
    sweep: Sweep,
    job: AttackJob,
    extractor: Extractor,
    evaluator: Evaluator,
    frames: Path,
    *,
    log: TextIO | None = None,
) -> None:
    """Write what every setting does to a person's frames as CSV: a row for each frame.

    Parameters
    ----------
    path : Path
    sweep : Sweep
    job : AttackJob
        The attack with its other settings.
    extractor : Extractor
        The one that is attacked.
    evaluator : Evaluator
        Measures it, and nothing else.
    frames : Path
        Key frames, see `swapset.obstruction.keyframes`.
    log : TextIO, optional
        Gets a progress bar.
    """
    runs = read_runs(frames)
    rows: list[dict[str, object]] = []
    for run, clean in zip(
        tqdm(runs, file=log, unit="run", mininterval=2), read_frames(frames, runs), strict=True
    ):
        few = replace(run, landmarks=run.landmarks[:: sweep.every])
        chosen = np.array(clean[:: sweep.every])
        before = evaluator.unharmed(few, chosen)
        for setting, noisy in noisy_by_setting(sweep, job, extractor, few, chosen):
            rows += [{**setting, **row} for row in evaluator.compare(before, noisy)]
    write_csv(path, pd.DataFrame(rows, columns=SWEEP_ROW))


def noisy_by_setting(
    sweep: Sweep, job: AttackJob, extractor: Extractor, run: Run, clean: Frames
) -> Iterator[tuple[dict[str, float], Frames]]:
    """Yield each setting, `step` and `iterations`, and a run's noisy frames (n, H, W, 3) uint8."""
    images = torch.from_numpy(clean).to(extractor.device).permute(0, 3, 1, 2)
    on_frames = OnFrames(extractor, torch.from_numpy(run.boxes))
    for step, counts in sweep.attacks().items():
        settings = {**job.settings, "step": step, "iterations": counts[-1]}
        attack = replace(job, settings=settings).make()
        for count, noisy in zip(counts, attack.passing(on_frames, images, counts), strict=True):
            shown = noisy.permute(0, 2, 3, 1).contiguous().cpu().numpy()
            yield {"step": step, "iterations": count}, shown
