"""Training of extractors: it learns, resumes to the bit, keeps the best, and stops at NaN."""

from __future__ import annotations

import dataclasses
import io
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from material.extractors import MOVING, Tiny, bank, csv_tree
from torch import Tensor

from swapset.errors import DataError, TrainingError
from swapset.extractors import training as engine
from swapset.extractors.bank import FaceBank
from swapset.extractors.base import load_extractor
from swapset.extractors.fitting import ExtractorJob, train_extractor
from swapset.extractors.labels.csv_file import read_csv
from swapset.extractors.labels.faces import LabelledFaces
from swapset.extractors.nme import nme
from swapset.extractors.registry import extractor_class
from swapset.extractors.schedules import widened
from swapset.extractors.training import Run, Trainer, find

CPU = torch.device("cpu")


def run_of(folder: Path, **changed: object) -> Run:
    run = Run(
        seed=3,
        precision="fp32",
        checkpoint=folder / "checkpoint.safetensors",
        checkpoint_every=3,
        fingerprint="this",
    )
    return dataclasses.replace(run, **changed)  # type: ignore[arg-type]


def trainer(
    folder: Path,
    *,
    kind: type[Tiny] = Tiny,
    steps: int = 6,
    validation: FaceBank | None = None,
    run: Run | None = None,
    **plan: object,
) -> Trainer:
    schedule = dataclasses.replace(Tiny.published, steps=steps, **plan)  # type: ignore[arg-type]
    return Trainer(kind(seed=1), bank(10), validation, schedule, MOVING, run or run_of(folder))


def test_settings_choose_the_variation(tmp_path: Path) -> None:
    published = extractor_class("fan").variation
    job = ExtractorJob("fan", 0, tmp_path / "checkpoint.safetensors")
    assert job.variation() == published
    wide = dataclasses.replace(job, settings={"variation": "wide"}).variation()
    assert wide == widened(published) != published


def test_the_rate_falls_as_published_or_as_a_cosine(tmp_path: Path) -> None:
    job = ExtractorJob("fan", 0, tmp_path / "checkpoint.safetensors", settings={"steps": 40})
    steps = [job.plan().rate(step / 40) for step in range(40)]
    assert steps == pytest.approx([1] * 15 + [0.1] * 15 + [0.01] * 10)
    wide = dataclasses.replace(job, settings={"steps": 40, "variation": "wide"}).plan()
    assert [wide.rate(share) for share in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def trained(folder: Path, **asked: object) -> Trainer:
    made = trainer(folder, **asked)  # type: ignore[arg-type]
    made.run(io.StringIO())
    return made


def weights(made: Trainer) -> dict[str, Tensor]:
    return {name: part.clone() for name, part in made.extractor.network.state_dict().items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, part in one.items():
        assert torch.equal(part, other[name]), name


def test_it_learns_where_landmarks_are(tmp_path: Path) -> None:
    held = bank(12, seed=9)
    before = nme(find(Tiny(seed=1), held), held.points).mean()
    made = trained(tmp_path, steps=60, batch=8, validation=held)
    after = nme(find(made.extractor, held), held.points).mean()
    assert after < min(0.5, before / 2)
    assert made.extractor.trained
    assert not made.extractor.network.training
    assert made.losses[-10:].mean() < made.losses[:10].mean() / 2


class Broken(Tiny):
    """An extractor whose loss in the fifth step is set by the test."""

    fifth = "raise"

    def loss(self, outputs: Sequence[Tensor], points: Tensor, known: Tensor) -> Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        value = super().loss(outputs, points, known)
        if self.calls == 5:
            if self.fifth == "nan":
                return value * torch.nan
            if self.fifth == "raise":
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGTERM)
        return value


class Ending(Broken):
    fifth = "terminate"


class NotANumber(Broken):
    fifth = "nan"


def test_interrupted_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    held = bank(4, seed=9)
    whole = trained(tmp_path / "whole", steps=9, validation=held)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", steps=9, validation=held, kind=Broken)
    rest = trainer(tmp_path / "parts", steps=9, validation=held)
    assert rest.loop.done == 3
    rest.run(io.StringIO())
    assert_same(weights(whole), weights(rest))
    assert torch.equal(whole.losses, rest.losses)
    assert (whole.history, whole.best.step) == (rest.history, rest.best.step)
    assert [step for step, _ in rest.history] == list(range(1, 10))


def test_best_weights_before_an_interruption_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.5, 0.1, 0.3, 0.4])  # looks at steps 1, 2, 3 and, interrupted, 4
    monkeypatch.setattr(engine, "nme", lambda *_: np.array([next(values, 0.2)]))
    held = bank(2, seed=9)
    expected = weights(trained(tmp_path / "two", steps=2, milestones=()))
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", validation=held, kind=Broken, milestones=())
    rest = trained(tmp_path / "parts", validation=held, milestones=())
    assert (rest.best.step, rest.best_nme) == (2, 0.1)
    assert_same(weights(rest), expected)


def test_termination_leaves_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="terminated at step 5; run again"):
        trained(tmp_path, kind=Ending)
    assert trainer(tmp_path).loop.done == 5


@pytest.mark.parametrize("place", ["report", "state"])
def test_termination_at_any_time_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    does = getattr(Trainer, place)

    def ends(self: Any, *given: Any) -> Any:
        if self.loop.done == 3:  # a checkpoint's
            signal.raise_signal(signal.SIGTERM)
        return does(self, *given)

    monkeypatch.setattr(Trainer, place, ends)
    with pytest.raises(TrainingError, match="terminated at step 4; run again"):
        trained(tmp_path)
    assert trainer(tmp_path).loop.done == 4


def test_checkpoints_of_other_trainings_are_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, kind=Broken)
    other = trainer(tmp_path, run=run_of(tmp_path, fingerprint="other"))
    assert other.loop.done == 0
    assert "is of another training; training from the start" in caplog.text
    run_of(tmp_path).checkpoint.write_bytes(b"damaged")
    assert trainer(tmp_path).loop.done == 0


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="tiny: the loss is not a number at step 5; lower"):
        trained(tmp_path, kind=NotANumber)
    assert trainer(tmp_path).loop.done == 3


def test_seed_decides_and_global_generators_do_not(tmp_path: Path) -> None:
    one = weights(trained(tmp_path / "a"))
    torch.manual_seed(99)
    np.random.default_rng(5)
    assert_same(one, weights(trained(tmp_path / "b")))
    other = trained(tmp_path / "c", run=run_of(tmp_path / "c", seed=4))
    assert not torch.equal(one["0.weight"], weights(other)["0.weight"])


def test_learning_rate_falls_at_the_milestones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trainer(tmp_path, steps=8)
    rates = []
    step = made.optimiser.step
    monkeypatch.setattr(
        made.optimiser,
        "step",
        lambda: (rates.append(made.optimiser.param_groups[0]["lr"]), step())[1],
    )
    made.run(io.StringIO())
    np.testing.assert_allclose(rates, [0.01] * 4 + [0.001] * 2 + [0.0001] * 2)


def test_every_face_comes_before_any_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    draw = engine.draw_batch
    monkeypatch.setattr(
        engine,
        "draw_batch",
        lambda own, index, *a, **k: seen.extend(index.tolist()) or draw(own, index, *a, **k),
    )
    trained(tmp_path, steps=5)
    first, second = seen[:10], seen[10:20]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_statistics_are_of_the_weights_that_are_kept(tmp_path: Path) -> None:
    def norms(made: Trainer) -> list[torch.nn.BatchNorm2d]:
        return [part for part in made.extractor.network.modules() if hasattr(part, "running_mean")]

    held = bank(4, seed=9)
    for number, validation in enumerate((None, held)):
        made = trainer(tmp_path / str(number), validation=validation)
        for norm in norms(made):
            norm.momentum = 0.0  # running statistics stay where they were
        made.run(io.StringIO())
        assert norms(made)
        for norm in norms(made):
            assert norm.running_mean.abs().max() > 0
            assert norm.momentum == 0.0
    # A look changes nothing that the training goes on with.
    one, other = (trained(tmp_path / str(k), validation=v) for k, v in ((3, held), (4, None)))
    assert torch.equal(one.losses, other.losses)


def test_the_bar_tells_faces_loss_and_nme(tmp_path: Path) -> None:
    log = io.StringIO()
    trainer(tmp_path, validation=bank(3)).run(log)
    assert "24.0/24.0" in log.getvalue()
    assert "face/s" in log.getvalue()
    assert "loss " in log.getvalue()


# -- jobs ------------------------------------------------------------------------------------------

SMALL = {"width": 0.0625, "steps": 2, "batch": 2, "learning_rate": 1e-3}


@pytest.fixture
def labels(tmp_path: Path) -> LabelledFaces:
    people = {f"p{k}": "train" for k in range(6)} | {"out": "test"}
    return read_csv(csv_tree(tmp_path / "faces", people))


def outputs(folder: Path) -> dict[str, Path]:
    ends = {"model": "safetensors", "card": "json", "preview": "png"}
    return {key: folder / f"result.{end}" for key, end in ends.items()}


def job_of(folder: Path, **changed: object) -> ExtractorJob:
    checkpoint = folder / "checkpoints" / "avs-san.safetensors"
    job = ExtractorJob("avs-san", 7, checkpoint, precision="fp32", settings=SMALL)
    return dataclasses.replace(job, **changed)  # type: ignore[arg-type]


def test_a_job_writes_model_card_and_preview(tmp_path: Path, labels: LabelledFaces) -> None:
    files = outputs(tmp_path)
    train_extractor(job_of(tmp_path), labels, **files, device=CPU, log=io.StringIO())
    extractor = load_extractor(files["model"])
    assert (extractor.name, extractor.width, extractor.points) == ("avs-san", 0.0625, 68)
    card = json.loads(files["card"].read_text())
    expected = {"extractor": "avs-san", "points": 68, "faces": 10, "validation_faces": 2}
    assert card | expected | SMALL == card
    assert card["validation_nme"] == pytest.approx(dict(card["history"])[card["best_step"]])
    picture = cv2.imread(str(files["preview"]))
    assert picture.shape == (320, 640, 3)
    assert (picture == (0, 220, 0)).all(-1).any()
    assert (picture == (40, 40, 255)).all(-1).any()
    assert not list((tmp_path / "checkpoints").iterdir())


def test_interrupted_jobs_go_on(
    tmp_path: Path, labels: LabelledFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = outputs(tmp_path / "once")
    train_extractor(job_of(tmp_path), labels, **once, device=CPU, log=io.StringIO())
    job = job_of(tmp_path, checkpoint_every=1)
    kind = extractor_class("avs-san")
    loss, calls = kind.loss, []

    def stopping(*given: object) -> Tensor:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "loss", stopping)
    files = outputs(tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        train_extractor(job, labels, **files, device=CPU, log=io.StringIO())
    assert not files["model"].exists()
    kept = {path.suffix for path in job.checkpoint.parent.iterdir()}
    assert kept == {".safetensors", ".npy"}
    train_extractor(job, labels, **files, device=CPU, log=io.StringIO())
    assert len(calls) == 3  # the first step was not made again
    one, other = (load_extractor(each["model"]).network.state_dict() for each in (once, files))
    assert_same(dict(one), dict(other))


def test_labels_with_other_landmarks_are_refused(tmp_path: Path) -> None:
    path = csv_tree(tmp_path / "faces", {"ann": "train"}, count=98)
    with pytest.raises(DataError, match="98 landmarks, but the extractor finds 68"):
        train_extractor(
            job_of(tmp_path, points=68), read_csv(path), **outputs(tmp_path), device=CPU
        )


@pytest.mark.parametrize("split", ["test", None])
def test_without_faces_there_is_nothing_to_learn_from(tmp_path: Path, split: str | None) -> None:
    labels = None if split is None else read_csv(csv_tree(tmp_path / "faces", {"ann": split}))
    with pytest.raises(DataError, match="no labelled face"):
        train_extractor(job_of(tmp_path), labels, **outputs(tmp_path), device=CPU)


def test_published_weights_are_taken_as_they_are(tmp_path: Path, labels: LabelledFaces) -> None:
    fresh = extractor_class("fan")(seed=2)
    path = tmp_path / "published.pth"
    torch.save(fresh.network.state_dict(), path)
    job = job_of(tmp_path, extractor="fan", settings={"weights": str(path)})
    files = outputs(tmp_path)
    train_extractor(job, None, **files, device=CPU)
    taken = load_extractor(files["model"])
    assert_same(dict(taken.network.state_dict()), dict(fresh.network.state_dict()))
    card = json.loads(files["card"].read_text())
    assert card["weights"] == "published.pth"
    assert "steps" not in card
    assert files["preview"].read_bytes() == b""
    train_extractor(job, labels, **files, device=CPU, log=io.StringIO())
    assert json.loads(files["card"].read_text())["validation_nme"] > 0
