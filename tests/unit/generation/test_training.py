"""Training of face-swap models: it learns, stops at NaN, and resumes to the bit."""

import io
import signal
from functools import partial

import numpy as np
import pytest
import torch
from material.generation import training_recipe

from swapset.errors import InterruptedTrainingError, TrainingError
from swapset.generation.bank import FaceBank
from swapset.generation.training import Run, Trainer
from swapset.learning.device import uses_bf16

CPU = torch.device("cpu")
STEPS = 24


def recipe(**changes):
    return training_recipe(**{"steps": STEPS, "learning_rate": 1e-3} | changes)


def bank(shade, size=80, count=6):
    rng = np.random.default_rng(shade)
    faces = np.full((count, size, size, 3), shade, np.uint8)
    faces[:, 20:40, 20:60] = rng.integers(0, 255, (count, 1, 1, 3))
    return FaceBank.from_faces(faces, resolution=64, share=0.8, device=CPU)


def trainer(path, fingerprint="same", seed=3, precision="fp32", start=None, people=2, **changes):
    banks = {f"id{k}": bank(90 + 80 * k // (people - 1)) for k in range(people)}
    patience = changes.pop("patience", 0)
    run = Run(seed, CPU, precision, path, checkpoint_every=7, preview_every=8, patience=patience)
    return Trainer(recipe(**changes), banks, run, fingerprint, start)


def trained(path, **asked):
    run = trainer(path, **asked)
    run.run(io.StringIO())
    return run


def losses(done):
    """Return (steps, subjects), NaN where a step did not see a subject."""
    return torch.tensor(done.record.table(done.loop.done).iloc[:, 1:].to_numpy())


def weights(done):
    return {name: value.clone() for name, value in done.model.state_dict().items()}


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls(tmp_path):
    done = trained(tmp_path / "c.safetensors", steps=60, colour_augmentation=False)
    assert done.loop.done == 60
    assert float(losses(done)[-10:].mean()) < 0.7 * float(losses(done)[:5].mean())


ADVERSARIAL = {
    "attention": True,
    "learned_mask": "attention",
    "losses": {"l1": 1.0, "adversarial": 0.1, "mask_size": 0.1},
}


@pytest.mark.parametrize(
    ("step", "precision", "changes"),
    [
        (1, "fp32", {}),
        (13, "fp32", {}),
        (20, "fp32", {}),
        (23, "fp32", {}),
        (13, "bf16", {}),
        (13, "fp32", ADVERSARIAL),
    ],
)
def test_a_stopped_training_ends_with_the_same_bits(tmp_path, step, precision, changes):
    whole = trained(tmp_path / "a.safetensors", precision=precision, **changes)
    path = tmp_path / "b.safetensors"
    stopped = trainer(path, precision=precision, **changes)
    for index in range(step):
        stopped.step(index)
    stopped.loop.done = step
    stopped.loop.save()
    resumed = trainer(path, precision=precision, **changes)
    assert resumed.loop.done == step
    resumed.run(io.StringIO())
    assert equal(weights(whole), weights(resumed))
    assert equal(whole.objective.critics.state_dict(), resumed.objective.critics.state_dict())
    assert torch.equal(losses(whole), losses(resumed))


@pytest.mark.parametrize("place", ["step", "report", "look", "after", "state"])
def test_a_signal_at_any_time_leaves_a_checkpoint(tmp_path, monkeypatch, place):
    path = tmp_path / "c.safetensors"
    told, does = trainer(path), getattr(Trainer, place)

    def ends(self, *given):
        if self.loop.done == 14:  # both a checkpoint and a look are due
            signal.raise_signal(signal.SIGTERM)
        return does(self, *given)

    monkeypatch.setattr(Trainer, place, ends)
    with pytest.raises(InterruptedTrainingError, match=r"terminated at step 15; run again"):
        told.run(io.StringIO())
    assert trainer(path).loop.done == 15


def test_another_trainings_checkpoint_is_not_used(tmp_path, caplog):
    path = tmp_path / "c.safetensors"
    trainer(path).loop.save()
    assert trainer(path, fingerprint="other").loop.done == 0
    assert "another training" in caplog.text


def test_a_damaged_checkpoint_is_not_used(tmp_path, caplog):
    path = tmp_path / "c.safetensors"
    trainer(path).loop.save()
    path.write_bytes(path.read_bytes()[:1000])
    fresh = trainer(path)
    assert fresh.loop.done == 0
    assert equal(weights(fresh), weights(trainer(tmp_path / "none.safetensors")))
    assert "damaged" in caplog.text


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path):
    path = tmp_path / "c.safetensors"
    broken = trainer(path)
    step = broken.step

    def poisoned(index):
        if index == 4:
            with torch.no_grad():
                next(broken.model.parameters())[0] = float("nan")
        return step(index)

    broken.step = poisoned
    with pytest.raises(TrainingError, match="step 5"):
        broken.run(io.StringIO())
    # A checkpoint at step 7 would hold spoilt weights.
    assert not path.exists()


def test_one_subjects_broken_faces_are_enough(tmp_path):
    broken = trainer(tmp_path / "c.safetensors")
    for weight in broken.model.decoders["id1"].parameters():
        weight.data.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"step 1;.*learning_rate"):
        broken.run(io.StringIO())


def test_the_seed_alone_decides_the_weights(tmp_path):
    runs = [trainer(tmp_path / f"{seed}.safetensors", seed=seed, steps=3) for seed in (3, 3, 4)]
    for run in runs:
        run.run(io.StringIO())
    assert equal(weights(runs[0]), weights(runs[1]))
    assert not equal(weights(runs[0]), weights(runs[2]))


def test_precision_as_asked():
    assert uses_bf16("bf16", CPU)
    assert not uses_bf16("fp32", CPU)


def test_bf16_learns_what_fp32_learns(tmp_path):
    exact, short = (
        trainer(tmp_path / f"{precision}.safetensors", precision=precision)
        for precision in ("fp32", "bf16")
    )
    for run in (exact, short):
        run.run(io.StringIO())
    assert not torch.equal(losses(exact), losses(short))
    torch.testing.assert_close(losses(short), losses(exact), rtol=0.03, atol=0.002)
    # Stored and updated weights stay fp32.
    assert all(weight.dtype == torch.float32 for weight in short.model.parameters())


def test_every_step_draws_other_faces(tmp_path):
    # Without learning, the same faces would give the same loss.
    still = trainer(tmp_path / "c.safetensors", learning_rate=1e-12, steps=6)
    still.run(io.StringIO())
    assert losses(still).unique(dim=0).shape == (6, 2)
    assert float(losses(still).std(dim=0).min()) > 1e-4


def end_at(step, after, done):
    if done == step:
        signal.raise_signal(signal.SIGTERM)
    after(done)


def test_a_resumed_training_has_the_same_previews_looks_and_end(tmp_path, monkeypatch):
    # Preview rows, looks at the held-out faces, and the earlier end after a plateau.
    flat = {"learning_rate": 1e-12, "patience": 3}
    whole = trainer(tmp_path / "a.safetensors", steps=40, **flat)
    whole.run(io.StringIO())
    assert whole.schedule.plateau_step is not None
    assert whole.loop.done == whole.schedule.end < 40
    for step in (7, 9):
        path = tmp_path / f"{step}.safetensors"
        stopped = trainer(path, steps=40, **flat)
        monkeypatch.setattr(stopped, "after", partial(end_at, step, stopped.after))
        with pytest.raises(InterruptedTrainingError, match=f"terminated at step {step + 1};"):
            stopped.run(io.StringIO())
        resumed = trained(path, steps=40, **flat)
        assert resumed.schedule == whole.schedule
        assert len(resumed.previews) == len(whole.previews) > 1
        for one, other in zip(resumed.previews, whole.previews, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_last_faces_are_held_out(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    assert {name: len(part) for name, part in run.banks.items()} == {"id0": 5, "id1": 5}
    assert {name: len(part) for name, part in run.held_out.items()} == {"id0": 1, "id1": 1}


def test_held_out_faces_are_looked_at_as_they_are(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    run.run(io.StringIO())
    assert [step for step, _ in run.schedule.history] == list(range(1, STEPS + 1))
    again = run.validate()
    assert run.schedule.history[-1][1] == pytest.approx(sum(again.values()) / 2)
    assert set(again) == {"id0", "id1"}


def test_many_subjects_take_turns(tmp_path):
    run = trainer(tmp_path / "c.safetensors", people=4, steps=30)
    run.run(io.StringIO())
    seen = losses(run).isfinite()
    assert seen.sum(dim=1).tolist() == [2] * 30
    assert (seen.sum(dim=0) > 5).all()
    assert run.previews[-1].shape[1] == 64 * 3 * 3 * 4


def test_a_training_starts_where_another_ended(tmp_path):
    base = trainer(tmp_path / "a.safetensors", people=3, steps=60)
    base.run(io.StringIO())
    warm = trainer(tmp_path / "b.safetensors", start=base.model)
    cold = trainer(tmp_path / "c.safetensors")
    assert equal(weights(warm), {k: v for k, v in weights(base).items() if k in weights(warm)})
    assert warm.validate()["id0"] < 0.7 * cold.validate()["id0"]


def test_critics_learn_from_their_own_loss_alone(tmp_path):
    # With a tiny weight the model ignores its critics, but they still learn.
    grain = {"l1": 1.0, "adversarial": 1e-9}
    run = trainer(tmp_path / "c.safetensors", losses=grain, steps=60)
    before = {k: v.clone() for k, v in run.objective.critics.state_dict().items()}
    run.run(io.StringIO())
    assert not equal(before, run.objective.critics.state_dict())
    plain = trainer(tmp_path / "d.safetensors", steps=60)
    plain.run(io.StringIO())
    assert float((losses(run) - losses(plain)).abs().mean()) < 1e-3


def test_events_are_written_for_tensorboard(tmp_path):
    settings = Run(
        3, CPU, "fp32", tmp_path / "c", 1000, preview_every=12, events=tmp_path / "events"
    )
    run = Trainer(recipe(), {"id0": bank(90), "id1": bank(170)}, settings, "f")
    run.run(io.StringIO())
    (file,) = (tmp_path / "events").iterdir()
    assert "tfevents" in file.name
    content = file.read_bytes()
    for tag in (b"L1/id0", b"held_out/id1", b"loss/l1", b"speed/faces_per_second", b"preview"):
        assert tag in content


def test_a_new_subject_starts_from_the_most_similar_decoder(tmp_path):
    base = trainer(tmp_path / "a.safetensors", people=2, steps=60)
    base.run(io.StringIO())
    # id2 has id1's faces.
    banks = {"id0": bank(90), "id2": bank(170)}
    settings = Run(3, CPU, "fp32", tmp_path / "b", checkpoint_every=7)
    warm = Trainer(recipe(), banks, settings, "f", base.model)
    for name, value in warm.model.decoders["id2"].state_dict().items():
        assert torch.equal(value, base.model.decoders["id1"].state_dict()[name])
