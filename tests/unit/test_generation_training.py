"""The network, its augmentation, and training that resumes to the bit."""

import pickle

import numpy as np
import pytest
import torch

from swapset.errors import DataError, TrainingError
from swapset.generation.augment import FaceBank, centre_crop, draw_batch, perturb_colour
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_model, save_model
from swapset.generation.methods import BUILT_IN, training_of
from swapset.generation.training import Schedule, Trainer, rate_factor

CPU = torch.device("cpu")
STEPS = 24


def recipe(**changes):
    small = {"resolution": 64, "width": 8, "code": 16, "steps": STEPS, "batch": 2}
    base = training_of(BUILT_IN["celebdf"])
    return base.model_copy(update=small | {"learning_rate": 1e-3} | changes)


def bank(shade, size=80, count=6):
    rng = np.random.default_rng(shade)
    faces = np.full((count, size, size, 3), shade, np.uint8)
    faces[:, 20:40, 20:60] = rng.integers(0, 255, (count, 1, 1, 3))
    return FaceBank.of(faces, resolution=64, share=0.8, device=CPU)


def trainer(path, fingerprint="same", **changes):
    torch.set_num_threads(2)
    banks = {"id0": bank(90), "id1": bank(170)}
    schedule = Schedule(3, CPU, "fp32", path, checkpoint_every=7)
    return Trainer(recipe(**changes), banks, schedule, fingerprint)


def weights(done):
    return {name: value.clone() for name, value in done.model.state_dict().items()}


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("resolution", [64, 96, 128, 192, 256])
def test_faces_keep_their_shape_in_both_directions(resolution):
    model = SwapAutoencoder(recipe(resolution=resolution), ["id0", "id1"])
    faces = torch.rand(1, 3, resolution, resolution)
    made = [model(faces, subject) for subject in ("id0", "id1")]
    assert all(each.shape == faces.shape for each in made)
    assert all(((each >= 0) & (each <= 1)).all() for each in made)
    assert not torch.equal(*made)


def test_one_encoder_serves_both_decoders():
    model = SwapAutoencoder(recipe(), ["id0", "id1"])
    faces = {"id0": torch.rand(2, 3, 64, 64), "id1": torch.rand(3, 3, 64, 64)}
    together = model.reconstruct(faces)
    for subject, batch in faces.items():
        torch.testing.assert_close(together[subject], model(batch, subject))


def test_a_batch_depends_on_its_generator_only():
    faces = bank(120)
    draws = [
        draw_batch(faces, 4, 64, colour=True, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0].warped, draws[1].warped)
    assert not torch.equal(draws[0].target, draws[2].target)


def test_only_the_input_is_warped():
    batch = draw_batch(bank(60), 4, 64, colour=False, generator=torch.Generator().manual_seed(5))
    assert not torch.equal(batch.warped, batch.target)
    # Both show the same faces: their colours differ by little.
    assert float((batch.warped.mean((2, 3)) - batch.target.mean((2, 3))).abs().max()) < 0.1


def test_colour_changes_input_and_target_alike():
    flat = FaceBank(torch.full((1, 3, 80, 80), 100, dtype=torch.uint8), share=0.8)
    batch = draw_batch(flat, 8, 64, colour=True, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(batch.warped, batch.target, atol=1e-5, rtol=0)
    assert float(batch.target.std(dim=0).max()) > 0.02


def test_perturbed_colours_stay_in_range():
    faces = perturb_colour(torch.rand(64, 3, 4, 4), torch.Generator().manual_seed(0))
    assert float(faces.min()) >= 0
    assert float(faces.max()) <= 1


def test_faces_are_shrunk_by_area():
    fine = np.zeros((1, 256, 256, 3), np.uint8)
    fine[:, ::2] = 200
    small = FaceBank.of(fine, resolution=64, share=1.0, device=CPU)
    assert small.faces.shape == (1, 3, 64, 64)
    middle = small.faces[..., 8:-8, :].float()
    assert float((middle - 100).abs().max()) <= 2


def test_the_centre_is_cut_without_augmentation():
    faces = np.zeros((1, 80, 80, 3), np.uint8)
    faces[:, 8:72, 8:72] = 255
    whole = FaceBank.of(faces, resolution=64, share=0.8, device=CPU)
    assert float(centre_crop(whole, torch.tensor([0]), 64).min()) > 0.99


def test_the_rate_rises_stays_and_falls():
    factors = [rate_factor(step / 100) for step in range(1, 101)]
    assert factors[0] < 1
    assert max(factors) == factors[30] == 1
    assert factors[-1] == pytest.approx(0.1)


def test_the_loss_falls(tmp_path):
    done = trainer(tmp_path / "c.safetensors", steps=60, colour_augmentation=False)
    assert list(done.run())[-1] == 60
    assert float(done.losses[-10:].mean()) < 0.7 * float(done.losses[:5].mean())


def test_a_stopped_training_ends_with_the_same_bits(tmp_path):
    whole = trainer(tmp_path / "a.safetensors")
    list(whole.run())
    path = tmp_path / "b.safetensors"
    stopped = trainer(path)
    while stopped.step < 13:
        stopped.losses[stopped.step] = stopped._one_step()
        stopped.step += 1
    stopped.save()
    resumed = trainer(path)
    assert resumed.step == 13
    list(resumed.run())
    assert equal(weights(whole), weights(resumed))
    assert torch.equal(whole.losses, resumed.losses)


def test_another_trainings_checkpoint_is_not_used(tmp_path, caplog):
    path = tmp_path / "c.safetensors"
    trainer(path).save()
    assert trainer(path, fingerprint="other").step == 0
    assert "another training" in caplog.text


def test_a_damaged_checkpoint_is_not_used(tmp_path, caplog):
    path = tmp_path / "c.safetensors"
    done = trainer(path)
    list(done.run())
    done.save()
    path.write_bytes(path.read_bytes()[:1000])
    fresh = trainer(path)
    assert fresh.step == 0
    assert equal(weights(fresh), weights(trainer(tmp_path / "none.safetensors")))
    assert "damaged" in caplog.text


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path):
    broken = trainer(tmp_path / "c.safetensors")
    step = broken._one_step

    def poisoned():
        losses = step()
        return losses * float("nan") if broken.step == 4 else losses

    broken._one_step = poisoned
    with pytest.raises(TrainingError, match="step 5"):
        list(broken.run())


def test_a_model_comes_back_as_it_was(tmp_path):
    path = tmp_path / "m.safetensors"
    model = SwapAutoencoder(recipe(), ["id0", "id1"])
    save_model(path, model, recipe(), {"faces": {}})
    back = load_model(path, CPU)
    faces = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(back.model(faces, "id1"), model(faces, "id1"))
    assert back.recipe == recipe()
    assert back.subjects == ("id0", "id1")


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "m.safetensors"

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"m\.safetensors"):
        load_model(path, CPU)
    assert not (tmp_path / "owned").exists()
