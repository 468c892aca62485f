"""On a GPU, recorded and compiled steps give the results of plain ones. Skipped without a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from swapset.config.recipes import TrainingRecipe
from swapset.generation import step
from swapset.generation.bank import FaceBank
from swapset.generation.training import Run, Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

GPU = torch.device("cuda")
LOSSES = {
    "plain": {"l1": 1.0},
    "critics": {"l1": 1.0, "dssim": 0.5, "adversarial": 0.1},
}


def trained(
    folder: Path, losses: dict[str, float], *, fast: bool, recorded: bool = False
) -> Trainer:
    recipe = TrainingRecipe(
        resolution=64,
        width=16,
        code=64,
        losses=losses,
        steps=24,
        batch=4,
        learning_rate=1e-3,
        context=1.3,
        colour_augmentation=True,
    )
    generator = torch.Generator().manual_seed(0)
    shape = (8, 3, 80, 80)
    faces = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).to(GPU)
    banks = {"id0": FaceBank(faces[:4], 0.8), "id1": FaceBank(faces[4:], 0.8)}
    settings = Run(1, GPU, "fp32", folder / "c", 10, compiled=fast)
    run = Trainer(recipe, banks, settings, "gpu")
    if recorded:
        run.record_steps()
    run.run()
    return run


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    return run.model.state_dict() | run.objective.critics.state_dict()


@pytest.fixture(autouse=True)
def exact() -> None:
    """Make cuDNN deterministic."""
    torch.backends.cudnn.deterministic = True


@pytest.mark.parametrize("kind", list(LOSSES))
def test_recorded_steps_are_the_plain_ones(tmp_path: Path, kind: str) -> None:
    plain = weights(trained(tmp_path / "a", LOSSES[kind], fast=False))
    recorded = weights(trained(tmp_path / "b", LOSSES[kind], fast=False, recorded=True))
    assert all(torch.equal(plain[name], recorded[name]) for name in plain)


def test_steps_that_cannot_be_recorded_are_the_plain_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = weights(trained(tmp_path / "a", LOSSES["plain"], fast=False))
    draw = step.draw_batch

    def waits(*given: Any, **named: Any) -> Any:
        batch = draw(*given, **named)
        batch.target.sum().item()  # a recorded graph cannot wait for the processor
        return batch

    monkeypatch.setattr(step, "draw_batch", waits)
    taken = weights(trained(tmp_path / "b", LOSSES["plain"], fast=False, recorded=True))
    assert "steps are not recorded" in caplog.text
    assert all(torch.equal(plain[name], taken[name]) for name in plain)


@pytest.mark.parametrize("kind", list(LOSSES))
def test_the_fast_path_learns_the_same(tmp_path: Path, kind: str) -> None:
    plain = trained(tmp_path / "a", LOSSES[kind], fast=False).record.table(24)
    fast = trained(tmp_path / "b", LOSSES[kind], fast=True).record.table(24)
    assert float((plain - fast).abs().max().max()) < 1e-3
