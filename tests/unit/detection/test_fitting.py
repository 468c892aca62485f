"""A detector's fit from stores to files, also through kills; and which checkpoints it takes."""

from __future__ import annotations

import io
import json
import logging
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from material.detector_fits import (
    CPU,
    EVERY,
    STEPS,
    TRAINING,
    fit,
    job_of,
    result,
    splits,
    write,
)
from material.detectors import samples

from swapset.detection.conditions import CONDITIONS, conditions
from swapset.detection.fitting import fit_detector
from swapset.detection.store import FaceStore, StoredSamples, VideoFaces, write_store
from swapset.detectors.base import load_detector
from swapset.detectors.face import Face
from swapset.detectors.mesonet import Meso4
from swapset.errors import InterruptedTrainingError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("store"), samples(12))


def assert_same(one: Path, other: Path) -> None:
    (mine, card), (others, other_card) = result(one), result(other)
    assert card == other_card
    for name, part in mine.items():
        np.testing.assert_array_equal(part, others[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    fit(job_of(folder), store, folder)
    return folder


def test_the_card_says_who_was_learnt_from_and_sets_thresholds(tmp_path: Path, store: Path) -> None:
    table = splits()
    table["target"] = [f"id{k // 2}" for k in range(12)]
    fit(job_of(tmp_path, demo=True), store, tmp_path, table)
    card = json.loads((tmp_path / "card.json").read_text())
    fit_on = card["trained_on"]
    assert (fit_on["datasets"], fit_on["compressions"]) == (["fake"], ["c23"])
    assert (fit_on["people"], fit_on["demo"]) == (4, True)
    faces = FaceStore(store)
    seen = np.array([conditions(faces.face(k)) for k in range(TRAINING)])
    assert np.isfinite(seen).all()
    for name, column in zip(CONDITIONS, seen.T, strict=True):
        assert fit_on["conditions"][name] == pytest.approx(
            np.percentile(column, (2.5, 97.5)), rel=1e-3
        )
    assert (card["validation"]["people"], card["validation"]["videos"]) == (2, 4)
    scores = load_detector(tmp_path / "model.safetensors").score_faces(
        [faces.face(k) for k in range(TRAINING, 12)]
    )
    labels = table["label"].to_numpy()[TRAINING:]
    for point in card["validation"]["points"]["video"].values():
        called = scores > point["threshold"]
        assert point["fpr"] == called[labels == 0].mean()
        assert point["tpr"] == called[labels == 1].mean()


def test_repeats_differ_in_their_seed(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    seeds = {replace(job, repeat=repeat).fit_seed for repeat in range(4)}
    assert len(seeds) == 4
    assert job.fit_seed in seeds


def test_without_validation_people_the_card_has_no_threshold(tmp_path: Path, store: Path) -> None:
    fit(job_of(tmp_path), store, tmp_path, splits(training=12))
    card = json.loads((tmp_path / "card.json").read_text())
    assert "validation" not in card
    assert card["trained_on"]["people"] is None


class Killed(BaseException):
    """Ends a fit in the middle of a step, as a kill does."""


def kill() -> None:
    raise Killed


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def interrupted(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    store: Path,
    step: int = 4,
    act: Callable[[], None] = kill,
    error: type[BaseException] = Killed,
) -> None:
    """Fit until a step, counted from 0."""
    loss, calls = Meso4.loss, []

    def ends(self: Meso4, *given: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) == step + 1:
            act()
        return loss(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Meso4, "loss", ends)
        with pytest.raises(error):
            fit(job_of(folder), store, folder)
    assert not (folder / "model.safetensors").exists()


@pytest.mark.parametrize("step", sorted(np.random.default_rng(7).permutation(STEPS - 1)[:3]))
@pytest.mark.parametrize(
    ("act", "error"), [(kill, Killed), (terminate, InterruptedTrainingError)], ids=["kill", "term"]
)
def test_an_interrupted_fit_goes_on_to_the_same_bits(
    whole: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: int,
    act: Callable[[], None],
    error: type[BaseException],
) -> None:
    interrupted(monkeypatch, tmp_path, store, step, act, error)
    done = step // EVERY * EVERY if error is Killed else step + 1
    assert job_of(tmp_path).checkpoint.exists() == (done > 0)  # type: ignore[union-attr]
    with caplog.at_level(logging.INFO):
        fit(job_of(tmp_path), store, tmp_path)
    assert (f"resumed from step {done}" in caplog.text) == (done > 0)
    assert_same(tmp_path, whole)
    assert not list((tmp_path / "checkpoints").rglob("*.safetensors"))


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "other"},
        {"seed": 12},
        {"precision": "bf16"},
        {"settings": {"steps": STEPS + 1, "batch": 4, "look_every": 2, "patience": 10}},
        {"settings": {"steps": STEPS, "batch": 4, "look_every": 2, "patience": 9}},
        {"detector": "MesoInception4"},
    ],
    ids=["code", "seed", "precision", "steps", "patience", "detector"],
)
def test_a_checkpoint_of_another_fit_is_not_used(
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
) -> None:
    interrupted(monkeypatch, tmp_path, store)
    with caplog.at_level(logging.INFO):
        fit(replace(job_of(tmp_path), **changes), store, tmp_path)
    assert "is of another training; training from the start" in caplog.text
    assert "resumed" not in caplog.text


def changed_face(face: Face) -> Face:
    pixels = face.pixels.copy()
    pixels[0, 0, 0] ^= 1
    return replace(face, pixels=pixels)


@pytest.mark.parametrize("change", ["a pixel", "a label", "who is held out"])
def test_a_checkpoint_of_other_faces_is_not_used(
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    interrupted(monkeypatch, tmp_path, store)
    table, place = splits(), store
    if change == "a pixel":
        faces = samples(12)
        place = write(
            tmp_path / "other", replace(faces, faces=(changed_face(faces[0]), *faces.faces[1:]))
        )
    elif change == "a label":
        table = splits(swapped=True)
    else:
        table = splits(TRAINING - 1)
    fit(job_of(tmp_path), place, tmp_path, table)
    assert "is of another training; training from the start" in caplog.text


def test_faces_of_several_compressions_are_learnt_together(store: Path, tmp_path: Path) -> None:
    worse = tmp_path / "fake" / "c40" / "0000"
    worse.mkdir(parents=True)
    faces = samples(12)
    write_store(worse, [VideoFaces(f"v{k}", [0], [f]) for k, f in enumerate(faces.faces)])
    model, card = tmp_path / "model.safetensors", tmp_path / "card.json"
    fit_detector(
        job_of(tmp_path, "Multi-task", settings={"steps": 1, "batch": 4}),
        splits(), [store, worse], model=model, card=card, device=CPU, log=io.StringIO(),
    )  # fmt: skip
    facts = json.loads(card.read_text())
    assert facts["compressions"] == ["c23", "c40"]
    assert (facts["faces"], facts["validation_faces"]) == (2 * TRAINING, 2 * (12 - TRAINING))


def test_what_scikit_learn_solves_keeps_no_checkpoint(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredSamples, "fingerprint", None)  # not even asked for
    fit(job_of(tmp_path, "HeadPose"), store, tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    assert not (tmp_path / "checkpoints").exists()


def test_checkpoints_of_stages_go_with_the_model(store: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path)
    assert job.checkpoint is not None
    job.checkpoint.parent.mkdir(parents=True)
    for name in ("0.face", "0.patches", "1"):
        job.checkpoint.with_name(f"{name}.safetensors").touch()
    fit(job, store, tmp_path)
    assert [path.name for path in job.checkpoint.parent.iterdir()] == ["1.safetensors"]


def test_the_fingerprint_is_that_of_the_faces(store: Path, tmp_path: Path) -> None:
    labels = [{f"v{k}": k % 2 for k in range(4)}]
    first = StoredSamples([FaceStore(store)], labels).fingerprint()
    moved = write(tmp_path, samples(12))
    assert StoredSamples([FaceStore(moved)], labels).fingerprint() == first
    fewer = [{f"v{k}": k % 2 for k in range(3)}]
    assert StoredSamples([FaceStore(store)], fewer).fingerprint() != first
