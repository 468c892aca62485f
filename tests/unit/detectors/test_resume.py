"""Detectors that are killed while they learn, and go on to the same bits."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from material.detectors import samples
from material.engine import MIXED, Tiny, faces
from torch import Tensor

from swapset.detectors import engine, mesonet, patch_stream, two_stream, warping
from swapset.detectors.base import Detector, Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.errors import InterruptedTrainingError
from swapset.learning.checkpoint import Checkpoint

CLASSIC = {"HeadPose", "VA-MLP", "VA-LogReg"}
"""Solved by scikit-learn in seconds to minutes: they start anew."""
ELSEWHERE = {"Xception-raw", "Xception-c23", "Xception-c40", "Capsule", "Two-stream"}
"""Killed in tests of their own: with backbones that are held still, and in stages."""
LARGE = {"SBI"}
"""The training of `SBI-Lite0` with a network ten times as large."""
RNG = np.random.default_rng(20)


class Killed(BaseException):
    """Ends a training in the middle of a step, as a kill does."""


def kill() -> None:
    raise Killed


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


ENDS = {"killed": (kill, Killed), "terminated": (terminate, InterruptedTrainingError)}


def on_call(number: int, act: Callable[[], None], does: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that acts when it is called for the time `number`, counted from 0."""
    calls = iter(range(number + 1))

    def called(*given: Any, **named: Any) -> Any:
        if next(calls, -1) == number:
            act()
        return does(*given, **named)

    return called


def place(folder: Path, every: int = 2) -> Checkpoint:
    return Checkpoint(folder / "c.safetensors", every, "this")


def assert_same(one: Detector, other: Detector) -> None:
    mine, others = one.arrays(), other.arrays()
    assert mine.keys() == others.keys()
    for name, part in mine.items():
        np.testing.assert_array_equal(part, others[name], err_msg=name)


# -- the engine ------------------------------------------------------------------------------------


class Slowing(Tiny):
    """Learns at a rate that falls in every step, the first layer from the fifth step on."""

    def rate(self, first: float, step: int) -> float:
        return first * 0.9**step

    def before_step(self, step: int) -> None:
        self.network[0].requires_grad_(step >= 4)  # type: ignore[index]


def fit(
    folder: Path | None = None, *, steps: int = 20, patience: int = 10
) -> tuple[Detector, dict[str, Any]]:
    """Fit a small detector, from where its checkpoint is."""
    detector = Slowing(seed=3)
    schedule = Schedule(
        seed=3,
        steps=steps,
        look_every=3,
        patience=patience,
        precision="fp32",
        checkpoint=place(folder, 4) if folder else None,
    )
    return detector, detector.fit(faces(MIXED * 2), faces(MIXED, 100), schedule, log=io.StringIO())


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("step", sorted(RNG.choice(20, 8, replace=False).tolist()))
def test_at_any_step_a_fit_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, end: str
) -> None:
    act, error = ENDS[end]
    expected, facts = fit()
    with monkeypatch.context() as patch:
        patch.setattr(Slowing, "loss", on_call(step, act, Slowing.loss))
        if end == "terminated" and step == 19:
            fit(tmp_path)  # the last step
        else:
            with pytest.raises(error):
                fit(tmp_path)
    taken = []
    rate = Slowing.rate
    monkeypatch.setattr(Slowing, "rate", lambda self, *a: taken.append(a[1]) or rate(self, *a))
    resumed, again = fit(tmp_path)
    assert_same(resumed, expected)
    assert again == facts
    first = step // 4 * 4 if end == "killed" else step + 1
    assert taken == list(range(first, 20))


def test_an_end_by_patience_comes_at_the_same_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, facts = fit(steps=200, patience=2)
    assert facts["steps"] < 200
    for step in (facts["best_step"] - 1, facts["steps"] - 1):
        with monkeypatch.context() as patch:
            patch.setattr(Slowing, "loss", on_call(step, kill, Slowing.loss))
            with pytest.raises(Killed):
                fit(tmp_path / str(step), steps=200, patience=2)
        resumed, again = fit(tmp_path / str(step), steps=200, patience=2)
        assert_same(resumed, expected)
        assert again == facts


def test_killed_in_a_look_it_goes_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, facts = fit()
    for look in range(7):
        folder = tmp_path / str(look)
        with monkeypatch.context() as patch:
            patch.setattr(engine.Looks, "look", on_call(look, kill, engine.Looks.look))
            with pytest.raises(Killed):
                fit(folder)
        resumed, again = fit(folder)
        assert_same(resumed, expected)
        assert again == facts


def test_rates_and_layers_of_a_step_are_the_hooks() -> None:
    detector, rates, learn = Slowing(seed=3), [], []
    step = detector._step

    def watched(batch: Batch, optimiser: torch.optim.Optimizer, *given: Any) -> Tensor:
        loss = step(batch, optimiser, *given)
        rates.append(optimiser.param_groups[0]["lr"])
        learn.append(sum(part.requires_grad for part in detector.network.parameters()))
        return loss

    detector._step = watched  # type: ignore[method-assign]
    detector.fit(faces(MIXED), schedule=Schedule(steps=6), log=io.StringIO())
    np.testing.assert_allclose(rates, [0.05 * 0.9**k for k in range(6)])
    assert learn == [4] * 4 + [6] * 2


# -- all detectors ---------------------------------------------------------------------------------


def test_all_networks_resume_and_the_rest_start_anew() -> None:
    resume = {name for name in DETECTORS if detector_class(name).resumes}
    assert set(DETECTORS) - resume == CLASSIC


def learned(name: str, checkpoint: Checkpoint | None = None) -> Detector:
    detector = detector_class(name)(seed=3)
    schedule = Schedule(seed=5, steps=2, batch=2, precision="fp32", checkpoint=checkpoint)
    detector.fit(samples(8), None, schedule, log=io.StringIO())
    return detector


@pytest.mark.parametrize("name", [n for n in DETECTORS if n not in CLASSIC | ELSEWHERE | LARGE])
def test_a_killed_detector_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Rates that fall in time to be seen.
    monkeypatch.setattr(mesonet, "DECAY_EVERY", 1)
    monkeypatch.setattr(warping, "LR_STEPS", 1)
    kind: Any = detector_class(name)
    expected = learned(name)
    with monkeypatch.context() as patch:
        patch.setattr(kind, "loss", on_call(1, kill, kind.loss))
        with pytest.raises(Killed):
            learned(name, place(tmp_path, 1))
    resumed = learned(name, place(tmp_path, 1))
    assert_same(resumed, expected)


def test_two_stream_goes_on_in_each_of_its_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted(folder: Path | None) -> tuple[Detector, dict[str, Any]]:
        detector = two_stream.TwoStream(seed=1)
        schedule = Schedule(
            seed=1,
            steps=3,
            batch=2,
            look_every=2,
            precision="fp32",
            checkpoint=place(folder) if folder else None,
        )
        facts = detector.fit(samples(8), samples(4, 60), schedule, log=io.StringIO())
        return detector, facts

    expected, facts = fitted(None)
    stages: list[tuple[Any, str, int]] = [
        (two_stream.FaceStream, "loss", 2),
        (patch_stream, "gather", 0),
        (patch_stream, "triplet_loss", 2),
        (two_stream.TwoStream, "_choose_balance", 0),
    ]
    face_losses = []
    loss = two_stream.FaceStream.loss
    for owner, name, number in stages:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, on_call(number, kill, getattr(owner, name)))
            with pytest.raises(Killed):
                fitted(tmp_path)
        monkeypatch.setattr(
            two_stream.FaceStream, "loss", lambda *a: face_losses.append(1) or loss(*a)
        )
    assert len(face_losses) == 1  # its third step, after the kill
    resumed, again = fitted(tmp_path)
    assert len(face_losses) == 1
    assert_same(resumed, expected)
    assert again == facts
    assert {path.name for path in tmp_path.iterdir()} == {
        "c.face.safetensors",
        "c.patches.safetensors",
    }
