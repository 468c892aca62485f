"""Patches at the frame's resolution, and the stream that learns from triplets of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.detectors import FaceList, face, samples
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from swapset.detectors.face import Face, cut_face
from swapset.detectors.inputs import patches, srm
from swapset.detectors.inputs.patch_triplets import Gathered, Triplets, gather, triplet_loss
from swapset.detectors.patch_stream import PatchStream, separate
from swapset.detectors.two_stream import FaceStream, TwoStream


def drawn(pixels: np.ndarray, centre: tuple[float, float], side: float) -> Face:
    """Return a face of about `side` pixels around `centre` in a picture."""
    landmarks = face(0).landmarks
    spread = np.sqrt(((landmarks - landmarks.mean(0)) ** 2).sum(1).mean())
    moved = (landmarks - landmarks.mean(0)) * (side / 2.81 / spread) + centre
    found = cut_face(pixels, moved)
    assert found is not None
    return found


def coded(height: int = 500, width: int = 600) -> np.ndarray:
    """Return a picture whose pixels hold their coordinates."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 251, y % 241, 1 + (x // 251) + 8 * (y // 241)], -1).astype(np.uint8)


@pytest.mark.parametrize("side", [110.0, 150.0, 200.0])
def test_patches_are_the_frames_own_pixels_on_one_grid(side):
    frame = coded()
    cut = patches.cut_patches(drawn(frame, (290, 260), side))
    assert cut.shape == (24, 64, 64, 3)
    assert patches.present(cut).all()
    for patch in cut:
        x = int(patch[0, 0, 0]) + 251 * ((int(patch[0, 0, 2]) - 1) % 8)
        y = int(patch[0, 0, 1]) + 241 * ((int(patch[0, 0, 2]) - 1) // 8)
        assert (x % 16, y % 16) == (0, 0)
        np.testing.assert_array_equal(patch, frame[y : y + 64, x : x + 64])


def test_inner_patches_lie_in_the_face_and_outer_ones_beside_it():
    frame = np.full((500, 600, 3), 60, np.uint8)
    there = drawn(frame, (290, 260), 150.0)
    x0, y0, x1, y1 = np.rint(there.box + np.tile(there.origin, 2)).astype(int)
    frame[y0:y1, x0:x1] = 200
    cut = patches.cut_patches(drawn(frame, (290, 260), 150.0))
    assert (cut[:8] == 200).all()
    assert (cut[8:] == 60).all()
    others = patches.cut_patches(drawn(coded(), (290, 260), 150.0))
    assert len({patch.tobytes() for patch in others}) == 24


def test_a_small_face_and_one_at_the_border_have_fewer_patches():
    frame = coded()
    small = patches.present(patches.cut_patches(drawn(frame, (290, 260), 45)))
    assert not small[8:].any()
    corner = patches.present(patches.cut_patches(drawn(frame, (5, 10), 100)))
    assert 0 < corner[:8].sum() < 8
    assert 0 < corner[8:].sum() < 16


def test_the_face_streams_crop_is_1_3_boxes_and_black_beyond_the_frame():
    frame = np.full((500, 600, 3), 80, np.uint8)
    there = drawn(frame, (300, 250), 160)
    x0, y0, x1, y1 = np.rint(there.box + np.tile(there.origin, 2)).astype(int)
    frame[y0:y1, x0:x1] = 200
    crop = FaceStream().crop(drawn(frame, (300, 250), 160))
    assert crop.shape == (299, 299, 3)
    bright = np.flatnonzero(crop[149, :, 0] > 140)
    assert bright[0] == pytest.approx(299 * 0.15 / 1.3, abs=2)
    assert len(bright) == pytest.approx(299 / 1.3, abs=2)
    beyond = FaceStream().crop(drawn(frame, (60, 250), 160))
    assert (beyond[:, 0] == 0).all()
    assert (beyond[:, -1] == 80).all()


def test_a_sheet_holds_what_both_streams_look_at():
    detector, there = TwoStream(), face(2)
    sheet = detector.crop(there)
    assert (sheet.shape, sheet.dtype) == ((299, 683, 3), np.uint8)
    np.testing.assert_array_equal(sheet[:, :299], detector.face.crop(there))
    cut = patches.cut_patches(there)
    np.testing.assert_array_equal(sheet[:64, 299:363], cut[0])
    np.testing.assert_array_equal(sheet[64:128, 299:363], cut[1])
    np.testing.assert_array_equal(sheet[192:256, 619:], cut[23])


def test_the_machine_for_a_face_decides_as_scikit_learn():
    rng = np.random.default_rng(0)
    others, own = rng.normal(size=(30, 512)), rng.normal(0.3, 1, (9, 512))
    asked = rng.normal(size=(20, 512))
    reference = SVC(kernel="linear", C=1.0, class_weight="balanced", tol=1e-6)
    reference.fit(np.concatenate([others, own]), [1] * 30 + [0] * 9)
    plane = separate(others, own)
    found = plane.decide(asked)
    np.testing.assert_allclose(found, reference.decision_function(asked), rtol=0, atol=1e-9)
    assert plane.decide(others).mean() > 0 > plane.decide(own).mean()


def test_triplet_loss_by_hand():
    anchor, positive = torch.zeros(2, 2), torch.tensor([[0.3, 0.0], [0.0, 0.1]])
    negative = torch.tensor([[1.0, 0.0], [0.2, 0.0]])
    expected = (0.0 + (0.2 + 0.01 - 0.04)) / 2
    assert float(triplet_loss(anchor, positive, negative)) == pytest.approx(expected)


def gathered(fakes: int = 4) -> Gathered:
    """Return patches of four real images in three videos, and some of a fake one."""
    image = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3] + [4] * fakes)
    video = np.array([10, 10, 10, 10, 10, 11, 11, 11, 12] + [13] * fakes)
    return Gathered(np.zeros((len(image), 4), np.float32), image, video, image == 4)


def test_triplets_are_two_patches_of_a_real_image_and_one_of_another_video():
    patch = gathered()
    drawn_ = np.concatenate([Triplets(patch, seed=1).rows(step) for step in range(20)], axis=1)
    anchor, positive, negative = drawn_
    assert (patch.image[anchor] == patch.image[positive]).all()
    assert (anchor != positive).all()
    assert not patch.fake[anchor].any()
    assert (patch.video[anchor] != patch.video[negative]).all()
    assert patch.fake[negative].mean() == pytest.approx(0.5)
    assert set(patch.image[anchor]) == {0, 1, 2}
    np.testing.assert_array_equal(Triplets(patch, 1).rows(3), Triplets(patch, 1).rows(3))
    assert not np.array_equal(Triplets(patch, 1).rows(3), Triplets(patch, 2).rows(3))


def test_without_another_image_there_is_no_triplet():
    alone = gathered(fakes=0)
    keep = alone.video == 10
    alone = Gathered(alone.features[keep], alone.image[keep], alone.video[keep], alone.fake[keep])
    assert not Triplets(alone, 0).possible
    assert Triplets(gathered(fakes=0), 0).possible


def test_only_the_inside_of_a_fake_is_learnt_from():
    found = gather(samples(8), faces=3)
    assert found.features.shape == (3 * 24 + 3 * 8, 5514)
    assert set(found.image[~found.fake]) == {0, 4, 6}
    assert set(found.image[found.fake]) <= {1, 3, 5, 7}
    np.testing.assert_array_equal(found.video, samples(8).videos[found.image])


@pytest.fixture(scope="module")
def stream() -> PatchStream:
    made = PatchStream(seed=4, device=torch.device("cpu"))
    made.facts = made.fit(samples(32), seed=4, steps=16)  # type: ignore[attr-defined]
    return made


def test_patches_tell_coarse_faces_from_their_surroundings(stream):
    tested = samples(16, 100)
    cut = np.stack([patches.cut_patches(each) for each in tested.faces])
    scores = stream.score(cut)
    assert stream.facts["patches"] == 16 * 24 + 16 * 8
    assert stream.facts["triplet_loss"] < 0.1
    assert roc_auc_score(tested.labels, scores) > 0.9


def test_a_faces_score_is_the_mean_decision_on_its_patches(stream):
    cut = patches.cut_patches(face(101, fake=True))
    embedded = stream.embed(srm.features(cut))
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-6)
    machine = SVC(kernel="linear", C=1.0, class_weight="balanced", tol=1e-6)

    def decided(own):
        labels = [1] * len(stream.others) + [0] * len(own)
        machine.fit(np.concatenate([stream.others, own]), labels)
        return machine.decision_function(embedded[:8]).mean()

    assert stream.score(cut[None])[0] == pytest.approx(decided(embedded[8:]), abs=1e-9)
    cut[9:12] = 0
    fewer = np.concatenate([embedded[8:9], embedded[12:]])
    assert stream.score(cut[None])[0] == pytest.approx(decided(fewer), abs=1e-6)


@pytest.mark.parametrize("gone", [slice(0, 8), slice(8, 24), slice(0, 24)])
def test_without_patches_the_stream_says_nothing(stream, gone):
    cut = patches.cut_patches(face(101, fake=True))
    cut[gone] = 0
    assert stream.score(cut[None]).tolist() == [0.0]


def test_the_same_seed_gives_the_same_patch_stream(stream):
    again = PatchStream(seed=4, device=torch.device("cpu"))
    again.fit(samples(32), seed=4, steps=16)
    for name, part in stream.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], part, err_msg=name)


def test_faces_without_patches_leave_the_face_stream_alone(caplog):
    faces = tuple(face(k, fake=k % 2 == 1, side=30) for k in range(2))
    made = PatchStream(seed=0, device=torch.device("cpu"))
    facts = made.fit(FaceList(faces, np.array([0, 1], np.int8), np.arange(2)), seed=0, steps=2)
    assert facts == {"patches": 0}
    assert "only the face stream counts" in caplog.text
    assert made.score(np.ones((1, 24, 64, 64, 3), np.uint8)).tolist() == [0.0]
