"""Detectors agree on where a face is, at any scale, and say what they need."""

import numpy as np
import pytest
from material.faces import ASTRONAUT_BOX, background, placed, portrait

from swapset.errors import ConfigError
from swapset.faces.boxes import (
    box_from_landmarks,
    box_side,
    intersection_over_smaller,
    intersection_over_union,
    without_overlaps,
)
from swapset.faces.detect import (
    CnnDetector,
    Detections,
    HogDetector,
    box_of_five,
    make_detector,
    search,
)
from swapset.faces.landmarks import LandmarkPredictor
from swapset.types import Image


@pytest.fixture(scope="module")
def hog() -> HogDetector:
    return HogDetector()


@pytest.mark.parametrize("side", [56, 100, 180])
def test_hog_finds_the_face_at_every_size(hog: HogDetector, side: int) -> None:
    boxes, scores = hog.detect(placed("astronaut", (160, 130), side), min_face=48)
    assert boxes.shape == (1, 4)
    assert scores.shape == (1,)
    expected = (160 - side / 2, 130 - side / 2, 160 + side / 2, 130 + side / 2)
    assert intersection_over_union(expected, boxes)[0] > 0.6


def test_min_face_leaves_out_smaller_faces(hog: HogDetector) -> None:
    frame = placed("astronaut", (160, 130), 56)
    assert len(hog.detect(frame, min_face=120)[0]) == 0


def test_cnn_agrees_with_hog(hog: HogDetector) -> None:
    frame = placed("hopper", (100, 90), 80, size=(180, 200))
    boxes, _ = CnnDetector().detect(frame, min_face=60)
    assert len(boxes) == 1
    assert intersection_over_union(boxes[0], hog.detect(frame, min_face=60)[0])[0] > 0.5


@pytest.mark.parametrize("name", ["hog", "cnn"])
def test_no_face_gives_empty_arrays(name: str) -> None:
    boxes, scores = make_detector(name).detect(background((160, 200)), min_face=60)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_no_scale_of_a_large_frame_is_searched_twice() -> None:
    class Noted(HogDetector):
        def detect(self, image: Image, *, min_face: float, lenient: bool = False) -> Detections:
            sizes.append(min_face)
            return super().detect(image, min_face=min_face, lenient=lenient)

    sizes: list[float] = []
    search(Noted(), np.zeros((2160, 7680, 3), np.uint8), min_face=48)
    assert sizes == [540, 270, 150]  # 150 pixels are 80 in the 4096 that a frame is shrunk to


def test_search_finds_small_faces_and_the_second_of_two(hog: HogDetector) -> None:
    small, _ = search(hog, placed("astronaut", (160, 120), 56), min_face=48)
    assert len(small) == 1
    pair = placed("hopper", (230, 120), 70, onto=placed("astronaut", (90, 120), 110))
    assert len(search(hog, pair, min_face=48)[0]) == 2


def test_search_can_leave_out_faces_smaller_than_the_largest(hog: HogDetector) -> None:
    size = 480, 640
    large = placed("astronaut", (180, 240), 136, size=size)
    pair = placed("hopper", (460, 240), 64, size=size, onto=large)
    assert len(search(hog, pair, min_face=48)[0]) == 2
    (box,), _ = search(hog, pair, min_face=48, smaller=False)
    assert 112 < (box[0] + box[2]) / 2 < 248


def test_landmarks_give_the_detectors_box_whatever_the_size() -> None:
    points = LandmarkPredictor().predict(portrait("astronaut"), ASTRONAUT_BOX)
    box = box_from_landmarks(points)
    assert intersection_over_union(ASTRONAUT_BOX, box)[0] > 0.75
    np.testing.assert_allclose(box_from_landmarks(points * 3 + 7), box * 3 + 7, rtol=1e-4)
    assert box_side(box) == pytest.approx(box[2] - box[0], rel=1e-4)


def test_five_landmarks_become_the_detectors_box() -> None:
    points = LandmarkPredictor().predict(portrait("astronaut"), ASTRONAUT_BOX)
    five = [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
    assert intersection_over_union(ASTRONAUT_BOX, [box_of_five(five)])[0] > 0.6


def test_yunet_without_its_file_names_the_key() -> None:
    with pytest.raises(ConfigError, match=r"track\.yunet_model.*opencv|OpenCV"):
        make_detector("yunet")
    with pytest.raises(ConfigError, match=r"track\.yunet_model: no file"):
        make_detector("yunet", yunet_model="missing.onnx")


def test_unknown_detector_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'centerface', 'cnn', 'hog', 'yunet'"):
        make_detector("haar")


def test_overlaps() -> None:
    whole, quarter, apart = (0, 0, 10, 10), (0, 0, 5, 5), (20, 20, 30, 30)
    others = [whole, quarter, apart]
    np.testing.assert_allclose(intersection_over_union(whole, others), [1, 0.25, 0])
    np.testing.assert_allclose(intersection_over_smaller(whole, others), [1, 1, 0])
    boxes = np.array([quarter, whole, apart], np.float32)
    kept = without_overlaps(boxes, np.array([0.2, 0.9, 0.5]), limit=0.3)
    assert kept.tolist() == [1, 2]
