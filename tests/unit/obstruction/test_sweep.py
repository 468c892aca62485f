"""Landmark Breaker with other steps, on a tiny extractor and frames of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from material.extractors import Tiny

from swapset.faces.align import standard_points
from swapset.obstruction.attack_frames import AttackJob
from swapset.obstruction.attacks.on_frames import OnFrames
from swapset.obstruction.evaluation import Evaluator
from swapset.obstruction.keyframes import LANDMARKS, Run
from swapset.obstruction.sweep import noisy_by_setting, write_sweep
from swapset.obstruction.tables import SWEEP_ROW, Sweep

SWEEP = Sweep(step=1.0, iterations=3, steps=[0.5, 2.0], counts=[1, 3, 5], every=4)
JOB = AttackJob("lb", "id0", 1, {"epsilon": 4.0, "budget": "stop", "precision": "fp32"})
FRAMES = 9


@pytest.fixture(scope="module")
def extractor() -> Tiny:
    return Tiny(seed=2)


def run_of(count: int) -> Run:
    points = standard_points(40, 1.2).astype(np.float32) + 10
    return Run("id0_0000", 30, np.stack([points] * count))


def frames_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def test_every_setting_is_what_its_own_attack_gives(extractor: Tiny) -> None:
    run, clean = run_of(2), frames_of(2)
    found = list(noisy_by_setting(SWEEP, JOB, extractor, run, clean))
    settings = [(setting["step"], setting["iterations"]) for setting, _ in found]
    assert settings == [(0.5, 3), (2.0, 3), (1.0, 1), (1.0, 3), (1.0, 5)]
    images = torch.from_numpy(clean).permute(0, 3, 1, 2)
    for (step, count), (_, noisy) in zip(settings, found, strict=True):
        own = {**JOB.settings, "step": step, "iterations": count}
        attack = AttackJob("lb", "id0", 1, own).make()
        alone = attack.run(OnFrames(extractor, torch.from_numpy(run.boxes)), images)
        assert np.array_equal(alone.permute(0, 2, 3, 1).numpy(), noisy)
    # At epsilon the loop ends: 2 steps of 2, 4 of 1.
    assert [int(np.abs(noisy.astype(int) - clean).max()) for _, noisy in found] == [2, 4, 1, 3, 4]


def test_a_row_for_every_nth_frame(extractor: Tiny, tmp_path: Path) -> None:
    run = run_of(FRAMES)
    np.save(tmp_path / f"{run.name}.npy", frames_of(FRAMES))
    np.savez(tmp_path / LANDMARKS, **{run.name: run.landmarks})
    evaluator = Evaluator({"tiny": extractor}, "tiny", None, targets=["tiny"])
    path = tmp_path / "sweep" / "id0.csv"
    write_sweep(path, SWEEP, JOB, extractor, evaluator, tmp_path)
    table = pd.read_csv(path)
    assert list(table) == SWEEP_ROW
    assert len(table) == 3 * 5
    assert set(table["run"]) == {run.name}
    assert table["ssim_w"].isna().all()
    by_count = table[table["step"] == 1.0].groupby("iterations")["ssim_i"].mean()
    assert by_count[1] > by_count[3] > by_count[5]
