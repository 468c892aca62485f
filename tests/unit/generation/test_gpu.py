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
CHANGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "critics": {"losses": {"l1": 1.0, "dssim": 0.5, "adversarial": 0.1}},
    "textures": {"decoder": "textures", "textures": 3, "coarse_first": True, "balanced": True},
}
KINDS = ["plain", "critics"]
STEPS = 24


def trained(
    folder: Path, kind: str, *, fast: bool, recorded: bool = False, precision: str = "fp32"
) -> Trainer:
    values = {
        "resolution": 64,
        "width": 16,
        "code": 64,
        "steps": STEPS,
        "batch": 4,
        "learning_rate": 1e-3,
        "context": 1.3,
        "colour_augmentation": True,
    }
    recipe = TrainingRecipe(**values | CHANGES[kind])
    generator = torch.Generator().manual_seed(0)
    shape = (8, 3, 80, 80)
    faces = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).to(GPU)
    shown = torch.randn(8, 7, generator=generator)
    banks = {
        name: FaceBank(faces[part], 0.8, expressions=shown[part])
        for name, part in (("id0", slice(0, 4)), ("id1", slice(4, 8)))
    }
    settings = Run(1, GPU, precision, folder / "c", 10, compiled=fast)
    run = Trainer(recipe, banks, settings, "gpu")
    if recorded:
        run.record_steps()
    run.run()
    return run


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    return run.model.state_dict() | run.objective.critics.state_dict()


def apart(one: Trainer, other: Trainer) -> float:
    """Return the largest difference of two trainings' losses."""
    return float((one.record.table(STEPS) - other.record.table(STEPS)).abs().max().max())


@pytest.fixture(autouse=True)
def exact() -> None:
    """Make cuDNN deterministic."""
    torch.backends.cudnn.deterministic = True


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_steps_are_the_plain_ones(tmp_path: Path, kind: str) -> None:
    plain = weights(trained(tmp_path / "a", kind, fast=False))
    recorded = weights(trained(tmp_path / "b", kind, fast=False, recorded=True))
    assert all(torch.equal(plain[name], recorded[name]) for name in plain)


def test_steps_that_cannot_be_recorded_are_the_plain_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = weights(trained(tmp_path / "a", "plain", fast=False))
    draw = step.draw_batch

    def waits(*given: Any, **named: Any) -> Any:
        batch = draw(*given, **named)
        batch.target.sum().item()  # a recorded graph cannot wait for the processor
        return batch

    monkeypatch.setattr(step, "draw_batch", waits)
    taken = weights(trained(tmp_path / "b", "plain", fast=False, recorded=True))
    assert "steps are not recorded" in caplog.text
    assert all(torch.equal(plain[name], taken[name]) for name in plain)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_path_learns_the_same(tmp_path: Path, kind: str) -> None:
    plain = trained(tmp_path / "a", kind, fast=False)
    fast = trained(tmp_path / "b", kind, fast=True)
    assert apart(plain, fast) < 1e-3


def test_recorded_textures_learn_the_same_in_both_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Gradients of textures are sums without an order on a GPU, so bits may differ."""
    made, record = [], step.RecordedStep._record

    def counted(self: Any, *given: Any) -> Any:
        made.append(record(self, *given))
        return made[-1]

    monkeypatch.setattr(step.RecordedStep, "_record", counted)
    plain = trained(tmp_path / "a", "textures", fast=False)
    assert not made
    recorded = trained(tmp_path / "b", "textures", fast=False, recorded=True)
    assert len(made) == 2  # of half the side, and of whole faces
    assert None not in made
    assert apart(plain, recorded) < 1e-3
    assert "not recorded" not in caplog.text


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-3), ("bf16", 2e-2)])
def test_textures_learn_the_same_compiled_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, precision: str, most: float
) -> None:
    plain = trained(tmp_path / "a", "textures", fast=False)
    fast = trained(tmp_path / "b", "textures", fast=True, precision=precision)
    assert apart(plain, fast) < most
    assert "not recorded" not in caplog.text
    assert all(value.isfinite().all() for value in weights(fast).values())
    assert all(part.chances.is_cuda for part in fast.banks.values() if part.chances is not None)


def test_groups_and_starts_are_those_of_a_processor(tmp_path: Path) -> None:
    on_gpu = trained(tmp_path / "a", "textures", fast=False)
    fresh = Trainer(on_gpu.recipe, on_gpu.banks, Run(1, GPU, "fp32", tmp_path / "b", 10), "other")
    banks = {
        name: FaceBank(bank.faces.cpu(), bank.share, expressions=bank.expressions)
        for name, bank in on_gpu.banks.items()
    }
    there = Run(1, torch.device("cpu"), "fp32", tmp_path / "c", 10)
    plain = Trainer(on_gpu.recipe, banks, there, "other")
    centres = [run.model.expressions() for run in (fresh, plain)]
    assert all(each is not None for each in centres)
    assert torch.equal(centres[0].cpu(), centres[1])  # type: ignore[union-attr]
    for one, other in zip(fresh.model.textures(), plain.model.textures(), strict=True):
        torch.testing.assert_close(one.cpu(), other, atol=1e-4, rtol=1e-4)
    for name, bank in fresh.banks.items():
        assert torch.equal(bank.chances.cpu(), plain.banks[name].chances)  # type: ignore
