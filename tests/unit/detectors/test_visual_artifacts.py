import numpy as np
import pytest
from material.detectors import FaceList, samples
from material.features import BOX, TEXTURE_FEATURES, drawn_face, frame, landmarks
from scipy import ndimage
from sklearn.cluster import KMeans

from swapset.detectors.base import Schedule
from swapset.detectors.classic_fit import fit_perceptron
from swapset.detectors.face import cut_face
from swapset.detectors.inputs.face_parts import (
    bright_part,
    convex_mask,
    cut_parts,
    eyes_open,
    face_crop,
    mouth_open,
    resized,
)
from swapset.detectors.inputs.laws import ENERGIES, PYTHON2_ORDER, laws_features
from swapset.detectors.visual_artifacts import VAMLP, VALogReg
from swapset.errors import DataError, TrainingError

ANSWERS = (
    3.4204955766866274e-2,
    1.3809767944945257e-4,
    1.5435273984522132e-4,
    3.8184180540682753e-6,
)
"""Values of scikit-learn 0.19.1, fitted with the authors' settings and `random_state=0`."""

BOTH = pytest.mark.parametrize("kind", [VAMLP, VALogReg])


def in_order(features: np.ndarray, order: tuple[str, ...]) -> np.ndarray:
    """Reorder features (18,) from the order of `ENERGIES` to another."""
    places = [ENERGIES.index(name) for name in order]
    return features.reshape(2, 9)[:, places].ravel()


def open_samples(count: int, first: int = 0) -> FaceList:
    """Return drawn faces; every second one is coarse, as a fake."""
    rng = np.random.default_rng(first)
    faces = []
    for index in range(count):
        image = frame().astype(np.float64) + rng.normal(0, 6, frame().shape)
        if index % 2:
            image = ndimage.gaussian_filter(image, (2, 2, 0))
        points = landmarks() + rng.integers(-3, 4, 2)
        faces.append(cut_face(np.clip(np.rint(image), 0, 255).astype(np.uint8), points))
    labels = (np.arange(count) % 2).astype(np.int8)
    return FaceList(tuple(faces), labels, np.arange(count, dtype=np.int32))


def test_features_are_those_of_the_original_code():
    features = VAMLP().crop(drawn_face())
    np.testing.assert_allclose(in_order(features, PYTHON2_ORDER), TEXTURE_FEATURES, atol=0.01)
    assert features.dtype == np.float64


def test_energies_follow_from_eight_bit_arithmetic():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
    mask = np.zeros((60, 70), bool)
    mask[20:31, 25:50] = True
    vectors = {
        "L": (1, 4, 6, 4, 1),
        "E": (-1, -2, 0, 2, 1),
        "S": (-1, 0, 2, 0, -1),
        "R": (1, -4, 6, -4, 1),
    }

    def mean(values, side):
        # An even window extends further towards lower indices.
        return np.rint(ndimage.uniform_filter(values.astype(float), side, mode="mirror"))

    grey = np.rint(image @ (0.299, 0.587, 0.114))
    centred = (grey - mean(grey, 15)) % 256

    def energy(across, down):
        filtered = ndimage.correlate1d(centred, vectors[across], axis=1, mode="mirror")
        filtered = ndimage.correlate1d(filtered, vectors[down], axis=0, mode="mirror")
        return mean(np.clip(filtered, 0, 255), 10)

    expected = []
    for name in ENERGIES:
        one, other = name[0], name[2]
        both = (energy(one, other) + energy(other, one)) % 256 / 2
        expected.append((energy(one, one) if one == other else both)[mask].mean())
    np.testing.assert_allclose(laws_features(image, mask), expected, atol=0.5)


def test_only_the_surroundings_of_a_part_count():
    image = np.random.default_rng(1).integers(0, 256, (120, 130, 3), dtype=np.uint8)
    mask = np.zeros((120, 130), bool)
    mask[50:60, 40:90] = True
    features = laws_features(image, mask)
    near, far = image.copy(), image.copy()
    far[:30] = far[85:] = 0
    near[46:48] = 0
    np.testing.assert_array_equal(laws_features(far, mask), features)
    assert not np.array_equal(laws_features(near, mask), features)


def test_red_and_blue_are_not_the_same():
    face = drawn_face()
    swapped = cut_face(np.ascontiguousarray(frame()[..., ::-1]), landmarks())
    assert not np.allclose(VAMLP().crop(face), VAMLP().crop(swapped), atol=1)


def test_the_box_is_cut_without_its_last_row_and_column():
    image, points = face_crop(drawn_face())
    x0, y0, x1, y1 = BOX
    np.testing.assert_array_equal(image, frame()[y0:y1, x0:x1])
    np.testing.assert_array_equal(points, landmarks() - (x0, y0))
    assert resized(image.shape[:2]) == (256, 253)
    assert resized((100, 200)) == (128, 256)


def test_a_box_beyond_the_frame_is_cut_off():
    shift = 120
    moved = landmarks() - np.array((shift, 0), np.float32)
    image, points = face_crop(cut_face(np.roll(frame(), -shift, axis=1), moved))
    x0, y0, x1, y1 = BOX
    assert image.shape[:2] == (y1 - y0, x1 - shift)
    np.testing.assert_array_equal(image, frame()[y0:y1, shift:x1])
    np.testing.assert_array_equal(points, moved - (max(x0 - shift, 0), y0))


def test_closed_eyes_and_mouths_cannot_be_judged():
    closed_mouth, closed_eyes = landmarks(mouth=0), landmarks(eyes=-7)
    assert np.isfinite(VAMLP().crop(drawn_face())).all()
    for points in (closed_mouth, closed_eyes):
        assert np.isnan(VAMLP().crop(drawn_face(points))).all()


def test_how_far_eyes_and_mouth_must_be_open():
    points = np.zeros((68, 2), np.int32)
    for eye in (36, 42):
        points[eye + 3, 0] = 16
        points[[eye + 4, eye + 5], 1] = 4
    points[64, 0] = 20
    points[66, 1] = 3
    assert not eyes_open(points)
    assert not mouth_open(points)
    points[[41, 47], 1] = 5
    points[66, 1] = 4
    assert eyes_open(points)
    assert mouth_open(points)
    points[[47, 46], 1] = 3
    points[64, 0] = 0
    assert not eyes_open(points)
    assert not mouth_open(points)


@pytest.mark.parametrize(
    ("points", "drawn"),
    [
        (
            [(2, 2), (6, 2), (6, 5), (2, 5)],
            """
            .........
            .........
            ..#####..
            ..#####..
            ..#####..
            ..#####..
            """,
        ),
        (
            [(1, 1), (7, 3), (3, 6)],
            """
            .........
            .##......
            .#####...
            ..######.
            ..#####..
            ...##....
            ...#.....
            """,
        ),
        (
            [(0, 3), (4, 1), (8, 3), (4, 5)],
            """
            .........
            ...###...
            .#######.
            #########
            ..#####..
            ....#....
            """,
        ),
    ],
)
def test_hulls_are_those_of_scikit_image_0_14(points, drawn):
    expected = np.array([list(line) for line in drawn.split()]) == "#"
    mask = convex_mask((8, 9), np.array(points, np.int32))
    np.testing.assert_array_equal(mask[: len(expected)], expected)
    assert not mask[len(expected) :].any()


def test_landmarks_beyond_the_crop_stay_at_its_border():
    mask = convex_mask((6, 6), np.array([(-4, 1), (9, 1), (9, 4), (-4, 4)], np.int32))
    assert mask[1:5].all()
    assert mask.sum() == 24


def test_teeth_are_the_brighter_cluster():
    rng = np.random.default_rng(2)
    for spread in (5, 25):
        grey = np.clip(rng.normal(70, spread, (30, 40)), 0, 255)
        grey[8:20, 5:20] = np.clip(rng.normal(160, spread, (12, 15)), 0, 255)
        grey = grey.astype(np.uint8)
        mask = np.zeros(grey.shape, bool)
        mask[5:25, 3:30] = True
        values = grey[mask].astype(float)[:, None]
        clusters = KMeans(2, n_init=10, random_state=0, tol=0).fit(values)
        bright = clusters.labels_ == np.argmax(clusters.cluster_centers_)
        np.testing.assert_array_equal(bright_part(grey, mask)[mask], bright)
        assert not bright_part(grey, mask)[~mask].any()


def test_a_mouth_of_one_colour_is_all_teeth():
    mask = np.ones((4, 5), bool)
    assert bright_part(np.full((4, 5), 90, np.uint8), mask).all()


def test_parts_lie_where_the_landmarks_are():
    parts = cut_parts(drawn_face())
    assert parts.image.shape[:2] == parts.eyes.shape == parts.teeth.shape == (256, 253)
    scale = 256 / (BOX[3] - BOX[1])
    for part, which in ((parts.eyes, slice(36, 48)), (parts.teeth, slice(60, 68))):
        low, high = landmarks()[which].min(axis=0), landmarks()[which].max(axis=0)
        rows, columns = np.nonzero(part)
        places = np.stack([columns, rows], axis=1) / scale + BOX[:2]
        assert (places > low - 1).all()
        assert (places < high + 2).all()


@BOTH
def test_coarse_eyes_and_teeth_score_as_fakes(kind):
    training, test = open_samples(40), open_samples(20, first=1)
    detector = kind()
    # On so few faces, the authors' schedule ends after seven epochs; a lower rate lasts longer.
    facts = detector.fit(training, test, Schedule(learning_rate=1e-4))
    scores = detector.score_faces(test.faces)
    assert scores[test.labels == 1].min() > scores[test.labels == 0].max()
    chances = detector.probability(scores)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert ((chances > 0.5) == (scores > 0)).all()
    assert facts["validation_auc"] == 1


@BOTH
def test_a_short_fit_leaves_out_what_cannot_be_judged(kind, tmp_path):
    training = samples()
    detector, again = kind(), kind()
    facts = detector.fit(training, schedule=Schedule(seed=2, steps=20))
    assert facts["faces"] == 8
    assert facts["left_out"] == 8
    again.fit(training, schedule=Schedule(seed=2, steps=20))
    scores = detector.score_faces(training.faces)
    assert np.isnan(scores).sum() == 8
    np.testing.assert_array_equal(again.score_faces(training.faces), scores)
    detector.save(tmp_path / "model.safetensors")
    loaded = kind.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.score_faces(training.faces), scores)


def test_the_perceptron_learns_as_in_scikit_learn_0_19():
    rng = np.random.RandomState(0)
    features = rng.uniform(20, 120, (60, 18))
    sums = features[:, 0] + features[:, 3] - features[:, 10]
    labels = (sums + 20 * rng.randn(60) > 60).astype(np.int8)
    network, facts = fit_perceptron(features, labels, 0, Schedule())
    assert facts["steps"] == 6
    chances = network.calibrated(network.decision(features[:4]))
    np.testing.assert_allclose(chances, ANSWERS, rtol=1e-6)
    assert [len(biases) for biases in network.biases] == [64, 64, 64, 1]


def test_steps_batch_and_learning_rate_can_be_set():
    features = np.random.default_rng(0).normal(size=(60, 18))
    labels = (features[:, 0] > 0).astype(np.int8)
    plan = Schedule(steps=20, batch=6, learning_rate=1e-4)
    assert fit_perceptron(features, labels, 0, plan)[1]["steps"] == 20


@BOTH
def test_one_face_scores_as_among_others(kind):
    training = open_samples(12)
    detector = kind()
    detector.fit(training)
    rows = np.stack([detector.crop(face) for face in training.faces[:3]])
    rows[1] = np.nan
    scores = detector.forward(rows)
    assert np.isnan(scores).tolist() == [False, True, False]
    assert detector.forward(rows[2:])[0] == pytest.approx(scores[2], rel=1e-12)


@BOTH
def test_training_faces_of_which_none_can_be_judged_are_named(kind):
    closed = tuple(drawn_face(landmarks(mouth=0)) for _ in range(4))
    labels = np.array([0, 1, 0, 1], np.int8)
    with pytest.raises(TrainingError, match="can score 0 real and 0 fake"):
        kind().fit(FaceList(closed, labels, np.arange(4, dtype=np.int32)))


@BOTH
def test_arrays_that_do_not_fit_are_refused(kind):
    detector = kind()
    arrays = dict(detector.arrays())
    with pytest.raises(DataError, match="no order of 18 features"):
        detector.take(arrays | {"columns": np.zeros(18, np.int64)})
    with pytest.raises(DataError, match=f"do not fit {kind.name}"):
        detector.take({"columns": arrays["columns"]})


def test_another_detectors_file_is_refused(tmp_path):
    VAMLP().save(tmp_path / "model.safetensors")
    with pytest.raises(DataError, match="is no model of VA-LogReg"):
        VALogReg.load(tmp_path / "model.safetensors")
