"""Contract of all detectors, after a few training steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from material.detectors import FaceList, picture, samples

from swapset.detectors.base import Detector, Schedule, load_detector
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.errors import DataError
from swapset.io.packaged import packaged_file

STEPS, BATCH = 20, 2
SHORT = 2
"""Steps of those that learn from other fakes than these, whose scores are not looked at here."""
FACES = 12
FEW = 3


@pytest.fixture(scope="module", params=DETECTORS)
def fitted(request: pytest.FixtureRequest) -> Detector:
    """Return a detector after a few steps on a few faces, half of them coarse fakes."""
    detector = detector_class(request.param)(seed=3)
    material = material_of(detector)
    steps = STEPS if detector.needs_fakes else SHORT
    backbone = packaged_file(*DETECTORS.find(detector.name).traits["packaged_backbone"])
    schedule = Schedule(seed=3, steps=steps, batch=BATCH)
    facts = detector.fit(material, None, schedule, backbone=backbone)
    assert isinstance(facts, dict)
    return detector


@pytest.fixture(scope="module")
def scores(fitted: Detector) -> np.ndarray:
    return scores_of(fitted, FACES)


def scores_of(detector: Detector, count: int = FEW) -> np.ndarray:
    material = material_of(detector)
    return detector.score_faces([material[k] for k in range(count)])


def material_of(detector: Detector) -> FaceList:
    """Return faces, half of them fake; for HeadPose, fakes whose inner face is turned as well."""
    material = samples(FACES)
    if detector.name != "HeadPose":
        return material
    faces = []
    for face, label in zip(material.faces, material.labels, strict=True):
        points = face.landmarks.copy()
        points[17:, 0] += 9 * label
        faces.append(replace(face, landmarks=points))
    return replace(material, faces=tuple(faces))


def test_the_name_and_what_it_sees_are_the_tables(fitted: Detector) -> None:
    assert type(fitted) is detector_class(fitted.name)
    assert fitted.margin == DETECTORS.find(fitted.name).traits["margin"]
    assert fitted.protocol is None


def test_scores_are_numbers_one_per_face(scores: np.ndarray) -> None:
    assert scores.shape == (FACES,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).mean() >= 0.4  # some detectors cannot score some faces


def test_higher_means_fake(fitted: Detector, scores: np.ndarray) -> None:
    """On the training faces, even a few steps must order real and fake correctly."""
    if not fitted.needs_fakes:
        pytest.skip("has not learnt from these fakes; its own tests have its direction")
    labels = samples(FACES).labels == 1
    assert np.nanmean(scores[labels]) > np.nanmean(scores[~labels])


def test_frames_without_a_face_keep_their_place(fitted: Detector) -> None:
    frames, points = zip(*(picture(k) for k in range(FEW)), strict=True)
    landmarks = np.stack(points)
    whole = fitted.score(frames, landmarks)
    landmarks[1] = np.nan
    gapped = fitted.score(frames, landmarks)
    assert np.isnan(gapped[1])
    np.testing.assert_allclose(gapped[[0, 2]], whole[[0, 2]], atol=2e-3)
    assert np.isnan(fitted.score(frames, np.full_like(landmarks, np.nan))).all()


def test_a_picture_that_shows_no_face_is_no_error(fitted: Detector) -> None:
    """Trackers also find landmarks on walls."""
    frame, points = picture(2)
    score = fitted.score([np.full_like(frame, 128)], points[None])
    assert score.shape == (1,)
    assert not np.isinf(score).any()
    outside = fitted.score([frame], points[None] + 10_000)
    assert np.isnan(outside).all()


def test_a_clip_of_one_frame_and_of_none(fitted: Detector) -> None:
    frame, points = picture(2)
    assert fitted.score([frame], points[None]).shape == (1,)
    assert fitted.score([], np.empty((0, 68, 2))).shape == (0,)


def test_saved_and_loaded_it_scores_the_same(fitted: Detector, tmp_path: Path) -> None:
    path = tmp_path / "detector.safetensors"
    fitted.save(path, {"note": "test"})
    loaded = load_detector(path)
    assert type(loaded) is type(fitted)
    np.testing.assert_array_equal(scores_of(loaded), scores_of(fitted))


def test_the_same_seed_learns_the_same(fitted: Detector) -> None:
    one, other = (detector_class(fitted.name)(seed=7) for _ in range(2))
    for detector in (one, other):
        detector.fit(samples(FACES), None, Schedule(seed=7, steps=1, batch=BATCH))
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name], err_msg=name)


def test_weights_that_are_none_are_refused(fitted: Detector, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"no weights")
    with pytest.raises(DataError, match=r"weights\.pt"):
        type(fitted).from_weights(path)
