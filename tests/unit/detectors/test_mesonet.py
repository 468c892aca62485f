"""MesoNet: the networks against arrays computed apart, Keras' files, crops, and learning."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.detectors import face, picture, samples
from material.keras import Keras
from PIL import Image
from sklearn.metrics import roc_auc_score

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch
from swapset.detectors.face import cut_face
from swapset.detectors.mesonet import Meso4, MesoInception4, sampling_matrix
from swapset.errors import DataError

BOTH = (Meso4, MesoInception4)


def photographs() -> np.ndarray:
    """Return three faces (3, 256, 256, 3) as the detectors see them."""
    detector = Meso4()
    return np.stack([detector.crop(face(k)) for k in range(3)])


# -- networks and files ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("first", "inside"), [(1, ""), (97, ""), (1, "model_weights"), (0, "numbered")]
)
def test_scores_with_keras_weights_are_those_of_keras(kind, first, inside, tmp_path):
    keras, images = Keras(first), photographs()
    real = keras.run(kind, images)
    path = tmp_path / "weights.h5"
    if inside == "numbered":
        keras.save_numbered(path)
    else:
        keras.save(path, inside=inside)
    scores = kind.from_weights(path).forward(images)
    assert np.ptp(real) > 1e-3
    np.testing.assert_allclose(scores, 1 - real, atol=1e-5)


def test_numbers_not_names_order_the_layers_when_sorted_as_text_they_would_not_be(tmp_path):
    keras = Keras(first=5)
    keras.run(MesoInception4, photographs()[:1])
    assert sorted(keras.layers) != list(keras.layers)
    keras.layers = dict(sorted(keras.layers.items()))
    keras.save(tmp_path / "sorted.h5")
    state = MesoInception4.from_weights(tmp_path / "sorted.h5").network.state_dict()
    np.testing.assert_array_equal(
        state["stages.1.branch3.1.weight"].numpy(),
        keras.layers["conv2d_16"]["kernel"].transpose(3, 2, 0, 1),
    )


@pytest.mark.skipif("SWAPSET_GOLDEN" not in os.environ, reason="no known answers at hand")
def test_official_weights_give_the_official_outputs():
    folder = Path(os.environ["SWAPSET_GOLDEN"]) / "meso4"
    known = {
        "df00204": (0.041412, 0.052214),
        "df01254": (0.048694, 0.020315),
        "real00240": (0.989748, 0.989748),
        "real00772": (0.997702, 0.996627),
    }
    detector = Meso4.from_weights(folder / "Meso4_DF.h5")
    for name, answers in known.items():
        image = Image.open(folder / f"{name}.jpg").convert("RGB")
        for how, answer in zip(
            (Image.Resampling.NEAREST, Image.Resampling.BILINEAR), answers, strict=True
        ):
            score = detector.forward(np.array(image.resize((256, 256), how))[None])[0]
            assert 1 - score == pytest.approx(answer, abs=1e-5)


@pytest.mark.parametrize(("kind", "count"), [(Meso4, 27_977), (MesoInception4, 28_615)])
def test_as_many_weights_are_learnt_as_the_paper_says(kind, count):
    assert sum(part.numel() for part in kind().network.parameters()) == count


def test_files_of_something_else_are_refused_by_name(tmp_path):
    path = tmp_path / "weights.h5"
    keras = Keras()
    keras.run(Meso4, photographs()[:1])
    keras.save(path)
    with pytest.raises(DataError, match=r"weights\.h5.*4 conv2d layers instead of 16"):
        MesoInception4.from_weights(path)
    keras.layers["conv2d_2"]["kernel"] = np.zeros((3, 3, 8, 8), np.float32)
    keras.save(path)
    with pytest.raises(DataError, match=r"weights\.h5.*conv2d layers have other arrays"):
        Meso4.from_weights(path)
    del keras.layers["conv2d_2"]["kernel"]
    keras.save(path)
    with pytest.raises(DataError, match=r"weights\.h5.*conv2d layers have other arrays"):
        Meso4.from_weights(path)
    path.write_bytes(b"no such format" * 100)
    with pytest.raises(DataError, match=r"weights\.h5.*not a readable"):
        Meso4.from_weights(path)
    with pytest.raises(DataError, match=r"gone\.h5"):
        Meso4.from_weights(tmp_path / "gone.h5")


# -- crops ----------------------------------------------------------------------------------------


def to_crop(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Return where points of a frame lie in the crop of its face."""
    matrix = sampling_matrix(landmarks)
    return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


@pytest.mark.parametrize("degrees", [0, 30, -70])
def test_faces_stand_upright_in_the_published_size(degrees):
    _, points = picture(3)
    turn = cv2.getRotationMatrix2D((170, 150), degrees, 1.0)
    turned = points @ turn[:, :2].T + turn[:, 2]
    placed = to_crop(turned, turned)
    eyes = (placed[36:42].mean(0) + placed[42:48].mean(0)) / 2
    lips = placed[[*range(48, 60), 48, 54, *range(60, 68), 60, 64]].mean(0)
    nose = (placed[27:31].mean(0) + placed[31:36].mean(0)) / 2
    apart = np.linalg.norm(placed[36:42].mean(0) - placed[42:48].mean(0))
    assert abs(lips - eyes)[0] < 0.5
    assert lips[1] > eyes[1]
    np.testing.assert_allclose(nose, 127.5, atol=3.5)
    assert max(apart, lips[1] - eyes[1]) == pytest.approx(256 / (1.3 * 2.2), rel=0.03)


def test_the_longer_of_both_distances_sets_the_size():
    _, points = picture(3)
    points = points.astype(np.float64)
    long = points * (1, 1.5)
    wide = points * (1.5, 1)
    for stretched in (long, wide):
        eyes = [stretched[36:42].mean(0), stretched[42:48].mean(0)]
        mouth = stretched[48:60].mean(0)
        distances = np.linalg.norm(eyes[0] - eyes[1]), np.linalg.norm(mouth - np.mean(eyes, axis=0))
        scale = np.sqrt(np.linalg.det(sampling_matrix(stretched)[:, :2]))
        assert 256 * scale == pytest.approx(1.3 * 2.2 * max(distances), rel=0.04)


def test_pixels_lie_where_the_landmarks_say():
    frame, points = picture(2)
    frame = frame.copy()
    dots = np.rint(points[[30, 36, 45, 48, 54]]).astype(int)
    for dot in dots.tolist():
        cv2.circle(frame, dot, 3, (255, 0, 255), -1)
    cut = cut_face(frame, points)
    assert cut is not None
    crop = Meso4().crop(cut)
    assert crop.shape == (256, 256, 3)
    assert crop.dtype == np.uint8
    for x, y in np.rint(to_crop(dots, points)).astype(int):
        np.testing.assert_allclose(crop[y, x].astype(int), (255, 0, 255), atol=6)


def test_a_turned_picture_gives_the_same_crop():
    frame, points = picture(3)
    turn = cv2.getRotationMatrix2D((170, 150), 35, 1.0)
    turned = cv2.warpAffine(frame, turn, (340, 300), flags=cv2.INTER_CUBIC)
    crops = []
    for image, marks in ((frame, points), (turned, points @ turn[:, :2].T + turn[:, 2])):
        cut = cut_face(image, marks)
        assert cut is not None
        smooth = cv2.GaussianBlur(Meso4().crop(cut).astype(np.float32), (0, 0), 2)
        crops.append(smooth[40:216, 40:216])
    # The centre and the size are whole pixels of the frame, each of which is 1.7 of the crop.
    assert np.abs(crops[0] - crops[1]).mean() < 5
    assert np.abs(crops[0] - crops[0][:, ::-1]).mean() > 20


def test_beyond_the_frame_the_picture_is_mirrored():
    frame, points = picture(3)
    start = int(points[:, 0].min())
    part, shifted = np.ascontiguousarray(frame[:, start:]), points - (start, 0)
    wide = np.pad(part, ((0, 0), (150, 150), (0, 0)), mode="reflect")
    cut, whole = cut_face(part, shifted), cut_face(wide, shifted + (150, 0))
    assert cut is not None
    assert whole is not None
    assert cut.origin[0] == 0
    difference = Meso4().crop(cut).astype(int) - Meso4().crop(whole)
    assert np.abs(difference).max() <= 2


# -- scores and learning --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
def test_high_outputs_mean_real_and_so_low_scores(kind):
    detector, images = kind(seed=1), photographs()
    low = detector.forward(images)
    with torch.no_grad():
        detector.network.get_parameter("dense2.bias").add_(3)
    assert (detector.forward(images) < low).all()
    labels = torch.tensor([0.0, 1.0])
    batch = Batch(torch.zeros(2, 3, 256, 256), labels)
    assert float(detector.loss(torch.tensor([1.0, 0.0]), batch)) == 0


@pytest.mark.parametrize("kind", BOTH)
def test_saved_detectors_score_the_same_to_the_bit(kind, tmp_path):
    detector, images = kind(seed=4), photographs()
    assert not np.array_equal(detector.forward(images), kind(seed=5).forward(images))
    detector.save(tmp_path / "detector.safetensors")
    again = kind.load(tmp_path / "detector.safetensors")
    np.testing.assert_array_equal(detector.forward(images), again.forward(images))
    one = again.forward(images[:1])
    np.testing.assert_allclose(one, again.forward(images)[:1], atol=1e-6)


def test_the_learning_rate_falls_by_tenths_to_a_thousandth():
    rates = [Meso4().rate(1e-3, step) for step in (0, 999, 1000, 1999, 2000, 3000, 4499)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-6, 1e-6])


def test_augmentation_is_slight_and_the_same_for_the_same_seed():
    crops = torch.from_numpy(photographs()).permute(0, 3, 1, 2).float()
    batch = Batch(crops, torch.tensor([0.0, 1.0, 0.0]))
    detector = Meso4()
    first, again, other = (
        detector.augment(batch, torch.Generator().manual_seed(seed)).images for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 255
    middle = (slice(None), slice(None), slice(118, 138), slice(118, 138))
    ratio = first[middle].mean((1, 2, 3)) / crops[middle].mean((1, 2, 3))
    assert (torch.abs(ratio - 1) < 0.25).all()


def test_turning_the_hue_leaves_greys_grey():
    grey = Batch(torch.full((64, 3, 256, 256), 100.0), torch.zeros(64))
    changed = Meso4().augment(grey, torch.Generator().manual_seed(0)).images
    assert torch.allclose(changed, changed[:, :1].expand_as(changed), atol=1e-3)
    level = changed[:, 0, 128, 128]
    assert 80 <= level.min() < 90
    assert 110 < level.max() <= 120


def test_meso4_learns_coarse_faces():
    faces, unseen = samples(16), samples(12, 200)
    detector = Meso4(seed=1)
    schedule = Schedule(seed=1, steps=60, batch=8, learning_rate=2e-3, precision="fp32")
    assert detector.fit(faces, schedule=schedule)["steps"] == 60
    assert roc_auc_score(unseen.labels, detector.score_faces(unseen.faces)) > 0.9


def test_the_same_seed_learns_the_same():
    schedule = Schedule(seed=1, steps=2, batch=4, precision="fp32")
    twins = [Meso4(seed=2) for _ in range(2)]
    for twin in twins:
        twin.fit(samples(16), schedule=schedule)
    first, second = (twin.score_faces(samples(16).faces[:2]) for twin in twins)
    np.testing.assert_array_equal(first, second)


def test_meso_inception4_lowers_its_loss_in_20_steps():
    faces = samples(16)
    detector = MesoInception4(seed=1)
    crops = np.stack([detector.crop(faces[k]) for k in range(16)])
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    batch = Batch(images, torch.from_numpy(faces.labels).float())

    def loss() -> float:
        detector.network.train()
        detector.network.get_submodule("dropout").eval()
        with torch.no_grad():
            return float(detector.loss(detector.network(detector.prepare(images)), batch))

    before = loss()
    schedule = Schedule(seed=1, steps=20, batch=8, learning_rate=2e-3, precision="fp32")
    detector.fit(faces, schedule=schedule)
    assert loss() < 0.5 * before
