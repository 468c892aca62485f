"""Landmark Breaker with other step sizes and numbers of steps: figure 4.13 of the chapter."""

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
    """Measure a person's frames under every setting, and write a CSV file of a row per frame.

    Parameters
    ----------
    path : Path
    sweep : Sweep
        The settings to compare.
    job : AttackJob
        The attack with its remaining settings.
    extractor : Extractor
        The extractor to attack.
    evaluator : Evaluator
        Measures this extractor alone.
    frames : Path
        Folder of key frames, see `swapset.obstruction.keyframes`.
    log : TextIO, optional
        Gets a progress bar.

    Raises
    ------
    ConfigError
        If the attack does not take the settings.
    DataError
        If a file of key frames is missing or damaged, or the extractor's maps or gradients are not
        finite.
    """
    runs = read_runs(frames)
    rows: list[dict[str, object]] = []
    for run, clean in zip(
        tqdm(runs, file=log, unit="run", mininterval=2), read_frames(frames, runs), strict=True
    ):
        few = replace(run, landmarks=run.landmarks[:: sweep.every])
        chosen = np.array(clean[:: sweep.every])
        before = evaluator.clean_run(few, chosen)
        for setting, noisy in noisy_by_setting(sweep, job, extractor, few, chosen):
            rows += [{**setting, **row} for row in evaluator.compare(before, noisy)]
    write_csv(path, pd.DataFrame(rows, columns=SWEEP_ROW))


def noisy_by_setting(
    sweep: Sweep, job: AttackJob, extractor: Extractor, run: Run, clean: Frames
) -> Iterator[tuple[dict[str, float], Frames]]:
    """Attack the frames of a run with every setting.

    Parameters
    ----------
    sweep : Sweep
    job : AttackJob
        The attack with its remaining settings.
    extractor : Extractor
        The extractor to attack.
    run : Run
        The boxes of the faces in these frames.
    clean : (n, H, W, 3) uint8 in [0, 255], RGB

    Yields
    ------
    dict
        The setting: `step` and `iterations`.
    (n, H, W, 3) uint8 in [0, 255], RGB
        The noisy frames.

    Raises
    ------
    ConfigError
        If the attack does not take the settings.
    DataError
        If the extractor's maps or gradients are not finite.
    """
    images = torch.from_numpy(clean).to(extractor.device).permute(0, 3, 1, 2)
    on_frames = OnFrames(extractor, torch.from_numpy(run.boxes))
    for step, counts in sweep.attacks().items():
        settings = {**job.settings, "step": step, "iterations": counts[-1]}
        attack = replace(job, settings=settings).make()
        for count, noisy in zip(counts, attack.snapshots(on_frames, images, counts), strict=True):
            shown = noisy.permute(0, 2, 3, 1).contiguous().cpu().numpy()
            yield {"step": step, "iterations": count}, shown
