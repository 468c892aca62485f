"""Two-stream: the fusion of both streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from material.detectors import FaceList, samples
from sklearn.metrics import roc_auc_score

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.inputs import patches
from swapset.detectors.two_stream import FaceStream, TwoStream
from swapset.errors import DataError, TrainingError


@pytest.fixture(scope="module")
def fitted() -> tuple[TwoStream, dict]:
    detector = TwoStream(seed=1)
    schedule = Schedule(seed=1, steps=20, batch=2, look_every=20)
    return detector, detector.fit(samples(16), samples(8, 60), schedule)


def test_a_short_fit_tells_coarse_faces(fitted):
    detector, facts = fitted
    assert facts["steps"] == 20
    assert facts["balance"] == detector.balance
    assert facts["validation_auc"] >= facts["face_validation_auc"]
    tested = samples(12, 100)
    scores = detector.score_faces(tested.faces, batch=5)
    assert roc_auc_score(tested.labels, scores) > 0.9


def test_a_face_alone_and_in_a_batch_scores_alike(fitted):
    detector, _ = fitted
    faces = samples(4, 100).faces
    together = detector.score_faces(faces)
    alone = [detector.score_faces([each])[0] for each in faces]
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_the_score_is_the_tampered_probability_and_the_weighed_patches(fitted):
    detector, _ = fitted
    sheets = np.stack([detector.crop(each) for each in samples(2, 100).faces])
    images = torch.from_numpy(sheets[:, :, :299]).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        tampered = detector.face.network(images).double().softmax(1)[:, 1].numpy()
    cut = np.stack([patches.cut_patches(each) for each in samples(2, 100).faces])
    expected = tampered + detector.balance * detector.patch.score(cut)
    np.testing.assert_allclose(detector.forward(sheets), expected, atol=1e-5)


def test_saved_and_loaded_it_scores_the_same(fitted, tmp_path):
    detector, _ = fitted
    detector.balance = 0.2
    detector.save(tmp_path / "model.safetensors")
    again = TwoStream.load(tmp_path / "model.safetensors")
    assert again.balance == 0.2
    frames = [there.pixels for there in samples(2, 100).faces]
    points = np.stack([there.points for there in samples(2, 100).faces])
    points[1] = np.nan
    before, after = detector.score(frames, points), again.score(frames, points)
    np.testing.assert_array_equal(before, after)
    assert np.isfinite(before[0])
    assert np.isnan(before[1])


@pytest.mark.parametrize("change", ["missing", "unknown", "shape", "others", "balance"])
def test_arrays_that_do_not_fit_are_refused(fitted, change):
    detector, _ = fitted
    arrays = dict(detector.arrays())
    if change == "missing":
        del arrays["patch.fc1.bias"]
    elif change == "unknown":
        arrays["something"] = np.zeros(1)
    elif change == "shape":
        arrays["face.fc.weight"] = np.zeros((3, 2048), np.float32)
    elif change == "others":
        arrays["patch.others"] = np.zeros((4, 3))
    else:
        arrays["balance"] = np.zeros(2)
    with pytest.raises(DataError, match="Two-stream"):
        TwoStream().take(arrays)


def test_lambda_is_what_serves_the_validation_faces_best(monkeypatch):
    """The patches' scores are wrong here: with lambda above 2/3 they outweigh the whole face."""
    detector, faces = TwoStream(), samples(8, 60)
    fakes = [there for there, label in zip(faces.faces, faces.labels, strict=True) if label]

    def streams(sheets):
        fake = float(sheets[0, 0])
        return np.array([0.4 + 0.2 * fake]), np.array([0.3 - 0.3 * fake])

    monkeypatch.setattr(
        detector, "crop", lambda there: np.array([any(there is fake for fake in fakes)])
    )
    monkeypatch.setattr(detector, "streams", streams)
    assert detector._choose_balance(faces) == 1.0
    assert detector.balance == 0.5


def test_one_class_alone_is_refused():
    faces = samples(8)
    real = FaceList(faces.faces[::2], faces.labels[::2], faces.videos[::2])
    with pytest.raises(TrainingError, match="no fake"):
        TwoStream().fit(real, schedule=Schedule(steps=1, batch=2))


def test_the_second_output_is_tampered_and_both_classifiers_learn():
    detector = FaceStream()
    logits = torch.tensor([[0.0, 3.0], [3.0, 0.0]])
    assert detector.fake_probability(logits).tolist() == pytest.approx([0.9526, 0.0474], abs=1e-4)
    batch = Batch(torch.zeros(2, 3, 1, 1), torch.tensor([1.0, 0.0]))
    found = float(detector.loss((logits, -logits), batch))
    assert found == pytest.approx(0.0486 + 0.4 * 3.0486, abs=1e-3)


def test_no_weights_of_the_authors_are_known():
    with pytest.raises(DataError, match="no published weights"):
        TwoStream.from_weights(Path("weights.pth"))
