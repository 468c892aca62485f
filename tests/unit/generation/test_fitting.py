"""Training of a model from faces to files, with and without an interruption."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from material.expressive import drawn, expression, placed, talking
from material.generation import CPU, astronaut, training_recipe

from swapset.errors import ConfigError, TrainingError
from swapset.faces.align import standard_points
from swapset.generation import step, training
from swapset.generation.checkpoint import load_model
from swapset.generation.fitting import AlignedFaces, ModelFiles, ModelJob, train_model
from swapset.generation.preview import SAMPLES, loss_picture
from swapset.generation.training import Run
from swapset.io.files import sha256_of

STEPS = 12
RECIPE = training_recipe(steps=STEPS)


def faces(seed: int, count: int = 5) -> np.ndarray:
    """Return (count, 96, 96, 3) aligned faces of one person."""
    corners = np.random.default_rng(seed).integers((60, 165), (80, 185), (count, 2))
    return np.stack([astronaut()[y : y + 96, x : x + 96] for y, x in corners])


FACES = {"id0": faces(0), "id1": 255 - faces(1, 4)}


def trained(
    folder: Path,
    people: dict[str, np.ndarray] = FACES,
    *,
    seed: int = 1,
    code: str = "code",
    checkpoint_every: int = 5,
) -> ModelFiles:
    """Train a pair into a folder."""
    files = files_in(folder)
    checkpoint = folder / "checkpoint.safetensors"
    run = Run(seed, CPU, "fp32", checkpoint, checkpoint_every=checkpoint_every, preview_every=6)
    train_model(ModelJob(RECIPE, 1.6, run, code), aligned(people), files, io.StringIO())
    return files


def files_in(folder: Path) -> ModelFiles:
    """Return a model's files in a folder."""
    names = ("model.safetensors", "losses.csv", "preview.png", "card.json")
    return ModelFiles(*(folder / name for name in names))


def aligned(people: dict[str, np.ndarray]) -> dict[str, AlignedFaces]:
    """Return faces with the mean face's landmarks."""
    points = standard_points(96, 1.6).astype(np.float32)
    return {
        name: AlignedFaces(images, np.tile(points, (len(images), 1, 1)))
        for name, images in people.items()
    }


def terminated(folder: Path, monkeypatch: pytest.MonkeyPatch, draws: int) -> None:
    """Train until batch number `draws` is drawn, and send SIGTERM then."""
    left = iter(range(draws, 0, -1))
    draw: Callable = step.draw_batch

    def last_draw(*arguments: object, **settings: object) -> object:
        if next(left, 0) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(*arguments, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(step, "draw_batch", last_draw)
        with pytest.raises(TrainingError, match=r"terminated at step 7; run again"):
            trained(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """Return an uninterrupted training's files."""
    return trained(tmp_path_factory.mktemp("whole"))


def test_model_carries_its_recipe_and_subjects(whole: ModelFiles) -> None:
    pair = load_model(whole.model, CPU)
    assert pair.recipe == RECIPE
    assert pair.subjects == ("id0", "id1")


def test_losses_are_one_row_per_step(whole: ModelFiles) -> None:
    table = pd.read_csv(whole.losses)
    assert list(table.columns) == ["step", "id0", "id1"]
    assert table["step"].tolist() == list(range(1, STEPS + 1))
    assert table[["id0", "id1"]].gt(0).all(axis=None)
    assert table[["id0", "id1"]].lt(1).all(axis=None)


def test_card_describes_the_training(whole: ModelFiles) -> None:
    card = json.loads(whole.card.read_text())
    assert card["trained"] is True
    assert card["sha256"] == sha256_of(whole.model)
    assert card["recipe"] == RECIPE.model_dump()
    assert (card["steps"], card["device"]) == (STEPS, "cpu")
    assert card["faces"] == {"id0": 5, "id1": 4}
    losses = pd.read_csv(whole.losses)[["id0", "id1"]].mean()
    assert card["loss"] == pytest.approx(losses.to_dict(), abs=1e-5)
    weights = load_model(whole.model, CPU).model.parameters()
    assert card["parameters"] == sum(weight.numel() for weight in weights)


def test_preview_is_a_picture_with_rows_of_faces(whole: ModelFiles) -> None:
    picture = cv2.imread(str(whole.preview))
    assert picture.shape[1] == pytest.approx(6 * SAMPLES * RECIPE.resolution, abs=2)
    assert picture.std() > 10
    rows = picture[-(STEPS // 6) * RECIPE.resolution :]  # one for each 6 steps, below the curve
    assert len(picture) == len(rows) + 360
    assert rows[: RECIPE.resolution].std() > 10
    assert (rows[: RECIPE.resolution] != rows[-RECIPE.resolution :]).any()


def test_long_previews_take_little_more_memory_than_their_rows(tmp_path: Path) -> None:
    losses = pd.DataFrame({"step": range(1, 101), "id0": 0.1, "id1": 0.2})
    row = np.random.default_rng(0).integers(0, 256, (128, 2304, 3), dtype=np.uint8)
    tracemalloc.start()
    loss_picture(losses, [(50, 0.1)], [row] * 60, tmp_path / "a.png")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1.5 * 60 * row.nbytes + 50e6
    picture = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(picture[-128:], row)
    assert len(picture) > 60 * 128 + 300
    assert picture[: -60 * 128].std() > 10


def test_checkpoint_is_deleted_when_the_model_is_written(whole: ModelFiles) -> None:
    folder = whole.model.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "losses.csv",
        "model.safetensors",
        "preview.png",
    ]


def test_same_faces_and_seed_same_bytes(whole: ModelFiles, tmp_path: Path) -> None:
    again = trained(tmp_path, checkpoint_every=1000)
    for name in ("model", "losses", "card"):
        assert getattr(again, name).read_bytes() == getattr(whole, name).read_bytes()
    other = trained(tmp_path, seed=2)
    assert other.model.read_bytes() != whole.model.read_bytes()


def test_terminated_training_ends_with_the_same_bytes(
    whole: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two subjects: the 13th draw is in step 7, after which neither look nor checkpoint is due.
    terminated(tmp_path, monkeypatch, draws=13)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    steps = []
    one_step = training.Trainer.step
    monkeypatch.setattr(
        training.Trainer, "step", lambda self, k: steps.append(k) or one_step(self, k)
    )
    resumed = trained(tmp_path)
    assert steps == list(range(7, STEPS))
    assert resumed.model.read_bytes() == whole.model.read_bytes()
    assert resumed.losses.read_bytes() == whole.losses.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"code": "other"},
        {"people": FACES | {"id1": FACES["id1"][::-1]}},
    ],
)
def test_checkpoint_of_another_training_is_not_resumed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: dict,
) -> None:
    terminated(tmp_path, monkeypatch, draws=13)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        trained(tmp_path, **change)
    assert "is of another training; training from the start" in caplog.text
    assert "resumed" not in caplog.text


def test_signal_handler_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    terminated(tmp_path, monkeypatch, draws=13)
    assert signal.getsignal(signal.SIGTERM) is before


def test_person_without_faces_leaves_empty_files_and_the_reason(tmp_path: Path) -> None:
    nobody = np.empty((0, 96, 96, 3), np.uint8)
    files = trained(tmp_path, {"id0": FACES["id0"], "id1": nobody})
    assert [path.stat().st_size for path in (files.model, files.losses, files.preview)] == [0] * 3
    card = json.loads(files.card.read_text())
    assert card == {"trained": False, "reason": "no accepted clip of id1"}
    files = trained(tmp_path, {"id0": nobody, "id1": nobody})
    assert "id0 and id1" in files.card.read_text()


def test_a_base_with_other_layers_is_refused(whole: ModelFiles, tmp_path: Path) -> None:
    run = Run(1, CPU, "fp32", tmp_path / "c", checkpoint_every=100)
    files = files_in(tmp_path)
    wider = RECIPE.model_copy(update={"width": 16})
    job = ModelJob(wider, 1.6, run, "code", start=whole.model)
    with pytest.raises(ConfigError, match="it has width 8 instead of 16"):
        train_model(job, aligned(FACES), files, io.StringIO())


def test_a_warm_start_is_on_the_card_and_starts_better(whole: ModelFiles, tmp_path: Path) -> None:
    run = Run(1, CPU, "fp32", tmp_path / "c", checkpoint_every=100)
    files = files_in(tmp_path)
    job = ModelJob(RECIPE, 1.6, run, "code", start=whole.model)
    train_model(job, aligned(FACES), files, io.StringIO())
    card = json.loads(files.card.read_text())
    assert card["warm_start"] is True
    first = json.loads(whole.card.read_text())
    assert card["held_out"][0][1] < first["held_out"][0][1]


def test_the_warm_rate_needs_a_decoder_for_every_subject(whole: ModelFiles, tmp_path: Path) -> None:
    run = Run(1, CPU, "fp32", tmp_path / "c", checkpoint_every=100)
    files = files_in(tmp_path)
    job = ModelJob(RECIPE, 1.6, run, "code", start=whole.model, warm_rate=0.25)
    for people, share in ((("id0", "id1"), 0.25), (("id0", "new"), 1.0)):
        faces = dict(zip(people, FACES.values(), strict=True))
        train_model(job, aligned(faces), files, io.StringIO())
        rate = json.loads(files.card.read_text())["recipe"]["learning_rate"]
        assert rate == pytest.approx(share * RECIPE.learning_rate)


def test_a_model_of_all_leaves_out_subjects_without_faces(tmp_path: Path) -> None:
    nobody = np.empty((0, 96, 96, 3), np.uint8)
    run = Run(1, CPU, "fp32", tmp_path / "c", checkpoint_every=100)
    files = files_in(tmp_path)
    job = ModelJob(RECIPE, 1.6, run, "code", needs_all=False)
    train_model(job, aligned(FACES | {"id2": nobody}), files, io.StringIO())
    card = json.loads(files.card.read_text())
    assert card["left_out"] == ["id2"]
    assert set(card["faces"]) == {"id0", "id1"}
    train_model(job, aligned({"id0": FACES["id0"], "id2": nobody}), files, io.StringIO())
    assert json.loads(files.card.read_text())["trained"] is False


def talkers(*names: str) -> dict[str, AlignedFaces]:
    """Return drawn people who talk and blink, with their landmarks."""
    made = {}
    for number, name in enumerate(names):
        points = placed(np.stack([expression(**each) for each in talking(9, number)]))
        skin = (220 - 60 * number, 180 - 60 * number, 150 - 60 * number)
        made[name] = AlignedFaces(np.stack([drawn(each, skin) for each in points]), points)
    return made


def test_textures_from_faces_to_files_and_on_to_another_pair(tmp_path: Path) -> None:
    recipe = training_recipe(
        decoder="textures", textures=3, coarse_first=True, balanced=True, steps=6
    )
    run, files = Run(1, CPU, "fp32", tmp_path / "c", checkpoint_every=100), files_in(tmp_path)
    train_model(ModelJob(recipe, 1.6, run, "code"), talkers("a", "b"), files, io.StringIO())
    base = load_model(files.model, CPU)
    assert base.recipe == recipe
    card = json.loads(files.card.read_text())
    assert card["parameters"] == sum(weight.numel() for weight in base.model.parameters())
    (tmp_path / "on").mkdir()
    on = files_in(tmp_path / "on")
    job = ModelJob(recipe, 1.6, run, "code", start=files.model, keep="bfloat16")
    train_model(job, talkers("a", "new"), on, io.StringIO())
    warm = load_model(on.model, CPU).model
    assert json.loads(on.card.read_text())["warm_start"] is True
    centres = base.model.encoder.motion.centres
    assert torch.equal(warm.encoder.motion.centres, centres.bfloat16().float())
    gone = [float((each - base.model.textures()[0]).abs().mean()) for each in warm.textures()]
    assert gone[0] < 0.2 * gone[1]  # `a` goes on, `new` has a face of its own
    other = recipe.model_copy(update={"textures": 4})
    with pytest.raises(ConfigError, match="it has textures 3 instead of 4"):
        train_model(
            ModelJob(other, 1.6, run, "code", start=files.model),
            talkers("a", "new"),
            on,
            io.StringIO(),
        )


def test_a_pair_that_is_one_person_is_not_trained(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    run = Run(1, CPU, "fp32", tmp_path / "checkpoint.safetensors", checkpoint_every=5)
    job = ModelJob(RECIPE, 1.6, run, "code", one_person=True)
    train_model(job, aligned(FACES), files, io.StringIO())
    card = json.loads(files.card.read_text())
    assert card == {"trained": False, "reason": "id0 and id1 are one person"}
    assert files.model.stat().st_size == 0
