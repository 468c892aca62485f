"""Training of network detectors, and their scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from material.engine import MIXED, Tiny, Twin, faces, fitted, frame_of, points_at, weights
from torch import Tensor

from swapset.detectors import looks
from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.errors import DataError, TrainingError


def test_the_same_seed_gives_the_same_weights_to_the_bit():
    one, same, other = (weights(fitted(seed, steps=8)[0]) for seed in (3, 3, 4))
    assert one.keys() == same.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], same[name], err_msg=name)
    assert not np.array_equal(one["0.weight"], other["0.weight"])


def test_the_global_generators_do_not_matter():
    one = weights(fitted(steps=4)[0])
    torch.manual_seed(12345)
    np.random.default_rng(5)
    torch.rand(7)
    np.testing.assert_array_equal(weights(fitted(steps=4)[0])["0.weight"], one["0.weight"])


def test_it_learns_and_scores_higher_what_is_fake():
    detector, facts = fitted(steps=60)
    tested = faces(MIXED, first=500)
    scores = detector.score_faces(tested.faces)
    assert scores[tested.labels == 1].min() > scores[tested.labels == 0].max()
    assert facts == {"steps": 60}
    assert not detector.network.training


def test_published_values_stand_where_none_is_asked_for():
    assert fitted(batch=2)[1]["steps"] == 40
    plan = Tiny()._plan(Schedule(steps=0, batch=3))
    assert (plan.steps, plan.batch, plan.learning_rate) == (0, 3, 0.05)


def scripted(monkeypatch, aucs, losses=None) -> None:
    values, entropies = iter(aucs), iter(losses or [1.0] * len(aucs))
    monkeypatch.setattr(looks, "roc_auc_score", lambda labels, scores: next(values))
    monkeypatch.setattr(looks, "log_loss", lambda *_, **__: next(entropies))


def test_early_stopping_keeps_the_best_weights(monkeypatch):
    scripted(monkeypatch, [0.6, 0.9, 0.8, 0.9])
    detector, facts = fitted(validation=faces(MIXED, 100), steps=100, look_every=3, patience=2)
    assert facts == {"steps": 12, "validation_auc": 0.9, "best_step": 6}
    expected = weights(fitted(steps=6)[0])
    for name, part in weights(detector).items():
        np.testing.assert_array_equal(part, expected[name], err_msg=name)
    assert not detector.network.training


@pytest.mark.parametrize(
    ("aucs", "losses", "best"),
    [
        ([0.9, 1.0, 1.0, 1.0], [0.7, 0.6, 0.3, 0.4], 3),
        ([0.9, 0.999, 0.997, 0.9], [0.7, 0.6, 0.3, 0.1], 3),
        ([0.9, 0.95, 0.96, 0.9], [0.7, 0.2, 0.3, 0.1], 3),
        ([1.0, 0.996, 0.994, 0.99], [0.7, 0.6, 0.5, 0.4], 2),
    ],
    ids=["equal", "about equal", "higher", "no slow decline"],
)
def test_about_equal_aucs_are_decided_by_cross_entropy(monkeypatch, aucs, losses, best):
    scripted(monkeypatch, aucs, losses)
    facts = fitted(validation=faces(MIXED, 100), steps=4, look_every=1)[1]
    assert (facts["best_step"], facts["validation_auc"]) == (best, aucs[best - 1])


def test_the_last_steps_are_looked_at_too(monkeypatch):
    scripted(monkeypatch, [0.6, 0.7])
    facts = fitted(validation=faces(MIXED, 100), steps=5, look_every=3)[1]
    assert facts == {"steps": 5, "validation_auc": 0.7, "best_step": 5}


def test_validation_faces_of_one_class_are_not_looked_at():
    assert fitted(validation=faces([0, 0, 0], 100), steps=3, look_every=1)[1] == {"steps": 3}


def test_of_many_validation_faces_both_classes_are_looked_at(monkeypatch):
    monkeypatch.setattr(looks, "VALIDATION_FACES", 6)
    looked: list[npt.NDArray] = []
    monkeypatch.setattr(looks, "roc_auc_score", lambda labels, scores: looked.append(labels) or 0.5)
    fitted(validation=faces([0, 1] * 6, 100), steps=2, look_every=2)
    assert len(looked) == 1
    assert len(looked[0]) <= 6
    assert set(looked[0].tolist()) == {0, 1}


class Broken(Tiny):
    """Its loss is not a number in the third step."""

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        self.steps = getattr(self, "steps", 0) + 1
        return super().loss(output, batch) * (torch.nan if self.steps == 3 else 1)


def test_a_loss_that_is_not_a_number_stops_with_its_step():
    with pytest.raises(TrainingError, match="Tiny: the loss is not a number at step 3;"):
        fitted(kind=Broken)


def test_scores_of_validation_faces_that_are_not_numbers_stop_the_training(monkeypatch):
    monkeypatch.setattr(Tiny, "fake_probability", lambda self, output: output[:, 0] * torch.nan)
    with pytest.raises(
        TrainingError, match="Tiny: scores of validation faces are not numbers after step 2;"
    ):
        fitted(validation=faces(MIXED, 100), steps=4, look_every=2)


def test_a_backbone_is_refused_where_there_is_none(tmp_path):
    with pytest.raises(DataError, match=r"weights\.pth.*no backbone"):
        Tiny().fit(faces(MIXED), backbone=tmp_path / "weights.pth")


def test_images_and_masks_are_mirrored_together():
    images = torch.arange(16.0).view(1, 1, 1, 16).expand(200, 3, 4, 16).contiguous()
    batch = Batch(images, torch.zeros(200), images[:, 0].clone())
    found = Tiny().augment(batch, torch.Generator().manual_seed(0))
    assert torch.equal(found.images[:, 0], found.swapped)
    mirrored = found.images[:, 0, 0, 0] == 15
    assert 60 < int(mirrored.sum()) < 140
    assert torch.equal(found.images[~mirrored], images[~mirrored])
    assert torch.equal(found.images[mirrored], images[mirrored].flip(-1))


def test_a_frame_without_a_face_gives_nan_in_its_place():
    detector = Tiny(seed=1)
    frames = [frame_of(k % 2, k) for k in range(5)]
    points = np.stack([points_at(35, 30, 20)] * 5)
    whole = detector.score(frames, points, batch=2)
    assert whole.shape == (5,)
    assert np.isfinite(whole).all()
    points[[1, 4]] = np.nan
    some = detector.score(frames, points, batch=2)
    np.testing.assert_array_equal(np.isnan(some), [False, True, False, False, True])
    np.testing.assert_allclose(some[[0, 2, 3]], whole[[0, 2, 3]], atol=1e-6)


def test_no_frame_and_no_face_at_all():
    detector = Tiny()
    assert detector.score([], np.empty((0, 68, 2))).shape == (0,)
    assert np.isnan(detector.score([frame_of(0, 0)], np.full((1, 68, 2), np.nan))).all()
    with pytest.raises(ValueError, match="2 frames do not fit 1 faces"):
        detector.score([frame_of(0, 0)] * 2, np.zeros((1, 68, 2)))


def test_several_crops_of_a_face_give_their_mean():
    one, two = Tiny(seed=5), Twin(seed=5)
    two.take(one.arrays())
    tested = faces(MIXED).faces
    mirrored = np.stack([one.crop(each)[:, ::-1] for each in tested])
    plain = np.stack([one.crop(each) for each in tested])
    expected = (one.forward(plain) + one.forward(mirrored)) / 2
    np.testing.assert_allclose(two.score_faces(tested, batch=3), expected, atol=1e-6)
