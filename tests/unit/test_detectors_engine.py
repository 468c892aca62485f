"""What all detectors share: faces cut from frames, batches, training, files, the registry."""

from __future__ import annotations

import json
from collections import Counter

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from detectors_material import FaceList
from safetensors.torch import save_file
from torch import Tensor, nn

from swapset.detectors import network as engine
from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch, Batches, check_classes
from swapset.detectors.faces import MARGIN, Face, cut_face
from swapset.detectors.files import read_model, write_model
from swapset.detectors.names import DETECTORS
from swapset.detectors.network import Example, NetworkDetector
from swapset.detectors.registry import detector_class, load_detector
from swapset.errors import ConfigError, DataError, TrainingError
from swapset.faces.boxes import box_from_landmarks

# -- a small detector and its faces --------------------------------------------------------------


class Tiny(NetworkDetector):
    """Scores by colour; learns in a few steps."""

    name = "Tiny"
    side = 8
    published = Schedule(steps=40, batch=8, learning_rate=0.05)

    def build(self) -> nn.Module:
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))

    def crop(self, face: Face) -> npt.NDArray[np.uint8]:
        return cv2.resize(face.pixels, (8, 8), interpolation=cv2.INTER_AREA)

    def prepare(self, crops: Tensor) -> Tensor:
        return crops / 255

    def judge(self, output: Tensor) -> Tensor:
        return output[:, 0].sigmoid()

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(output[:, 0], batch.labels)


class Twin(Tiny):
    """Looks at every face twice, the second time in the mirror."""

    name = "Twin"

    def crop(self, face: Face) -> npt.NDArray[np.uint8]:
        crop = super().crop(face)
        return np.stack([crop, crop[:, ::-1]])


def shape() -> npt.NDArray[np.float64]:
    """Return 68 landmarks around 0 whose box has side 1, and its middle near 0."""
    rng = np.random.default_rng(68)
    points = rng.uniform(-1, 1, (68, 2))
    x0, y0, x1, y1 = box_from_landmarks(points).astype(np.float64)
    return (points - ((x0 + x1) / 2, (y0 + y1) / 2)) / (x1 - x0)


def frame_of(label: int, seed: int) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    frame = rng.normal((110, 120, 130), 25, (60, 70, 3))
    frame[..., 0] += 30 * label
    return np.clip(frame, 0, 255).astype(np.uint8)


def points_at(x: float, y: float, side: float) -> npt.NDArray[np.float64]:
    return shape() * side + (x, y)


def faces(labels, first: int = 0) -> FaceList:
    found = [
        cut_face(frame_of(label, first + k), points_at(35, 30, 20))
        for k, label in enumerate(labels)
    ]
    count = np.arange(len(labels), dtype=np.int32)
    return FaceList(tuple(each for each in found if each), np.array(labels, np.int8), count)


MIXED = [0, 1, 0, 0, 1, 0, 1, 0, 0, 1]

# -- faces ---------------------------------------------------------------------------------------


def numbered(height: int = 120, width: int = 160) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


def test_a_region_is_the_box_and_a_margin_around_it():
    points = points_at(80, 60, 40)
    swapped = np.zeros((120, 160), bool)
    swapped[50:70, 75:90] = True
    found = cut_face(numbered(), points, swapped=swapped)
    x0, y0, x1, y1 = box_from_landmarks(points.astype(np.float32)).astype(np.float64)
    grow = (MARGIN - 1) / 2 * (x1 - x0)
    left, top = found.origin
    height, width = found.pixels.shape[:2]
    assert left <= x0 - grow < left + 1
    assert top <= y0 - grow < top + 1
    assert left + width - 2 < x1 + grow <= left + width - 1
    assert top + height - 2 < y1 + grow <= top + height - 1
    assert found.side == pytest.approx(40, abs=0.01)
    np.testing.assert_array_equal(found.pixels[0, 0], (left, top, 0))
    np.testing.assert_array_equal(found.pixels[-1, -1], (left + width - 1, top + height - 1, 0))
    np.testing.assert_allclose(found.points + found.origin, points, atol=1e-4)
    np.testing.assert_allclose(found.box + np.tile(found.origin, 2), (x0, y0, x1, y1), atol=1e-3)
    assert found.frame_size == (160, 120)
    rows, columns = np.nonzero(found.swapped)
    assert (columns.min() + left, columns.max() + left) == (75, 89)
    assert (rows.min() + top, rows.max() + top) == (50, 69)


@pytest.mark.parametrize(
    ("x", "y", "origin", "corner"),
    [
        (10, 60, (0, 20), (51, 101)),
        (80, 10, (40, 0), (121, 51)),
        (150, 110, (110, 70), (160, 120)),
        (-10, 60, (0, 20), (31, 101)),
    ],
)
def test_the_frames_border_cuts_a_region_off(x, y, origin, corner):
    found = cut_face(numbered(), points_at(x, y, 40))
    height, width = found.pixels.shape[:2]
    ends = (found.origin[0] + width, found.origin[1] + height)
    assert np.abs(np.subtract(found.origin, origin)).max() <= 1
    assert np.abs(np.subtract(ends, corner)).max() <= 1
    np.testing.assert_array_equal(found.pixels[0, 0, :2], found.origin)
    np.testing.assert_allclose(found.points + found.origin, points_at(x, y, 40), atol=1e-4)


@pytest.mark.parametrize("where", [(-90, 60), (80, 400), (np.nan, 60), (np.inf, 60)])
def test_a_face_outside_the_frame_or_nowhere_is_none(where):
    assert cut_face(numbered(), points_at(*where, 40)) is None


def test_one_missing_landmark_means_no_face():
    points = points_at(80, 60, 40)
    points[17, 1] = np.nan
    assert cut_face(numbered(), points) is None


def test_a_region_does_not_hold_the_frame():
    frame = numbered()
    found = cut_face(frame, points_at(80, 60, 40))
    before = found.pixels.copy()
    frame[:] = 0
    np.testing.assert_array_equal(found.pixels, before)


# -- batches -------------------------------------------------------------------------------------


def example(face: Face, label: int, generator: np.random.Generator) -> Example:
    return Example(np.full((2, 2, 3), generator.integers(256), np.uint8), label)


def batches(labels, batch: int, *, seed: int = 0, keep: bool = False, make=example) -> Batches:
    return Batches(faces(labels), make, batch=batch, seed=seed, keep=keep)


@pytest.mark.parametrize(("batch", "real", "fake"), [(8, 4, 4), (2, 1, 1), (5, 2, 3)])
def test_a_batch_is_half_real_and_half_fake(batch, real, fake):
    with batches(MIXED, batch) as drawn:
        for step in range(5):
            labels = np.array(MIXED)[drawn.indices(step)]
            assert (np.count_nonzero(labels == 0), np.count_nonzero(labels)) == (real, fake)


def test_every_face_comes_before_any_comes_again():
    with batches(MIXED, 4) as drawn:
        seen = np.concatenate([drawn.indices(step) for step in range(12)])
    for label, members in ((0, 6), (1, 4)):
        own = [int(k) for k in seen if MIXED[k] == label]
        for start in range(0, len(own), members):
            counts = Counter(own[start : start + members])
            assert max(counts.values()) == 1
        assert len(set(own)) == members


def test_the_order_follows_the_seed_alone():
    with batches(MIXED, 4, seed=1) as one, batches(MIXED, 4, seed=2) as other:
        ones = [one.indices(step).tolist() for step in range(6)]
        assert [other.indices(step).tolist() for step in range(6)] != ones
    with batches(MIXED, 4, seed=1) as same:
        assert [same.indices(step).tolist() for step in reversed(range(6))] == ones[::-1]


def test_random_examples_follow_step_and_seed():
    cpu = torch.device("cpu")
    with batches(MIXED, 4, seed=1) as one, batches(MIXED, 4, seed=1) as same:
        first = [one.get(step, cpu) for step in range(3)]
        again = [same.get(step, cpu) for step in range(3)]
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.labels, b.labels)
    assert not torch.equal(first[0].images, first[1].images)
    assert first[0].images.shape == (4, 3, 2, 2)
    assert first[0].labels.tolist() == [0, 0, 1, 1]


def test_real_faces_alone_fill_a_batch():
    with batches([0, 0, 0], 4) as drawn:
        assert len(drawn.indices(0)) == 4
        assert drawn.get(0, torch.device("cpu")).labels.tolist() == [0] * 4


def test_kept_examples_are_made_once():
    made: list[int] = []

    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        made.append(label)
        return Example(np.zeros((2, 2, 3), np.uint8), label)

    with Batches(faces([0, 1]), make, batch=2, seed=0, keep=True, threads=1) as drawn:
        for step in range(20):
            drawn.get(step, torch.device("cpu"))
    assert len(made) == 2


def test_an_error_in_reading_reaches_the_training():
    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        raise DataError("this face is damaged")

    with batches(MIXED, 4, make=make) as drawn, pytest.raises(DataError, match="damaged"):
        drawn.get(0, torch.device("cpu"))


def test_unknown_pixels_of_masks_are_nan():
    mask = np.array([[0, 1], [255, 1]], np.uint8)

    def make(face: Face, label: int, generator: np.random.Generator) -> Example:
        return Example(np.zeros((2, 2, 3), np.uint8), label, mask)

    with batches(MIXED, 2, make=make) as drawn:
        found = drawn.get(0, torch.device("cpu")).swapped
    np.testing.assert_array_equal(found[0], [[0, 1], [np.nan, 1]])


@pytest.mark.parametrize(
    ("labels", "needs_fakes", "said"),
    [([1, 1], True, "no real"), ([0, 0], True, "no fake"), ([], False, "no real")],
)
def test_one_class_alone_is_refused(labels, needs_fakes, said):
    with pytest.raises(TrainingError, match=said):
        check_classes(faces(labels), needs_fakes=needs_fakes)


def test_real_faces_alone_do_where_no_fakes_are_needed():
    check_classes(faces([0, 0]), needs_fakes=False)
    with pytest.raises(TrainingError, match="no fake"):
        Tiny().fit(faces([0, 0]))


# -- training ------------------------------------------------------------------------------------


def weights(detector: Tiny) -> dict[str, npt.NDArray]:
    return {name: np.array(part) for name, part in detector.arrays().items()}


def fitted(
    seed: int = 3, *, kind: type[Tiny] = Tiny, validation=None, **asked
) -> tuple[Tiny, dict]:
    detector = kind(seed=seed)
    facts = detector.fit(faces(MIXED * 2), validation, Schedule(seed=seed, **asked))
    return detector, facts


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


def scripted(monkeypatch, aucs) -> None:
    values = iter(aucs)
    monkeypatch.setattr(engine, "roc_auc_score", lambda labels, scores: next(values))


def test_early_stopping_keeps_the_best_weights(monkeypatch):
    scripted(monkeypatch, [0.6, 0.9, 0.8, 0.9])
    detector, facts = fitted(validation=faces(MIXED, 100), steps=100, look_every=3, patience=2)
    assert facts == {"steps": 12, "validation_auc": 0.9, "best_step": 6}
    expected = weights(fitted(steps=6)[0])
    for name, part in weights(detector).items():
        np.testing.assert_array_equal(part, expected[name], err_msg=name)
    assert not detector.network.training


def test_the_last_steps_are_looked_at_too(monkeypatch):
    scripted(monkeypatch, [0.6, 0.7])
    facts = fitted(validation=faces(MIXED, 100), steps=5, look_every=3)[1]
    assert facts == {"steps": 5, "validation_auc": 0.7, "best_step": 5}


def test_validation_faces_of_one_class_are_not_looked_at():
    assert fitted(validation=faces([0, 0, 0], 100), steps=3, look_every=1)[1] == {"steps": 3}


def test_of_many_validation_faces_both_classes_are_looked_at(monkeypatch):
    monkeypatch.setattr(engine, "VALIDATION_FACES", 6)
    looked: list[npt.NDArray] = []
    monkeypatch.setattr(
        engine, "roc_auc_score", lambda labels, scores: looked.append(labels) or 0.5
    )
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
    monkeypatch.setattr(Tiny, "judge", lambda self, output: output[:, 0] * torch.nan)
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


# -- scoring -------------------------------------------------------------------------------------


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


# -- files ---------------------------------------------------------------------------------------


def test_saved_and_loaded_it_scores_the_same(tmp_path):
    detector, _ = fitted(steps=5)
    path = tmp_path / "tiny.safetensors"
    detector.save(path, {"note": "a card"})
    again = Tiny.load(path)
    tested = faces(MIXED, first=300).faces
    np.testing.assert_array_equal(again.score_faces(tested), detector.score_faces(tested))
    arrays, facts, card = read_model(path)
    assert facts == {"detector": "Tiny"}
    assert card == {"note": "a card"}
    for name, part in detector.arrays().items():
        assert arrays[name].shape == part.shape, name
        np.testing.assert_array_equal(arrays[name], part)
    assert [each.name for each in tmp_path.iterdir()] == ["tiny.safetensors"]


def damaged(path, kind: str) -> None:
    Tiny().save(path)
    whole = path.read_bytes()
    if kind == "cut":
        path.write_bytes(whole[:-100])
    elif kind == "header":
        path.write_bytes(whole[:20])
    elif kind == "text":
        path.write_text("no model\n" * 50)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "missing":
        path.unlink()
    elif kind == "foreign":
        save_file({"0.weight": torch.zeros(4, 3, 3, 3)}, path)
    elif kind == "half":
        save_file({"w": torch.zeros(3, dtype=torch.bfloat16)}, path, {"facts": "{}", "card": "{}"})
    elif kind == "facts":
        save_file({"w": torch.zeros(3)}, path, {"facts": "[1]", "card": "{}"})
    elif kind == "json":
        save_file({"w": torch.zeros(3)}, path, {"facts": "{", "card": "{}"})
    else:
        path.unlink()
        path.mkdir()


KINDS = ["cut", "header", "text", "empty", "missing", "foreign", "half", "facts", "json", "folder"]


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_and_foreign_files_are_refused(tmp_path, kind):
    path = tmp_path / "model.safetensors"
    damaged(path, kind)
    with pytest.raises(DataError, match=r"model\.safetensors"):
        Tiny.load(path)
    with pytest.raises(DataError, match=r"model\.safetensors"):
        load_detector(path)


def test_a_file_of_another_detector_or_version_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    Twin().save(path)
    with pytest.raises(DataError, match=r"model\.safetensors: is no model of Tiny"):
        Tiny.load(path)
    with pytest.raises(DataError, match="unknown detector 'Twin'"):
        load_detector(path)
    write_model(path, Tiny().arrays(), {"detector": "Tiny", "later": 1}, {})
    with pytest.raises(DataError, match=r"model\.safetensors.*later"):
        Tiny.load(path)


@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_arrays_that_do_not_fit_are_refused(change):
    arrays = weights(Tiny())
    if change == "missing":
        del arrays["0.bias"]
    elif change == "unknown":
        arrays["9.bias"] = np.zeros(2, np.float32)
    else:
        arrays["0.bias"] = np.zeros(7, np.float32)
    with pytest.raises(DataError, match=r"do not fit Tiny: .*(0|9)\.bias"):
        Tiny().take(arrays)


def test_a_card_that_is_no_json_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        Tiny().save(tmp_path / "model.safetensors", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_without_published_weights_there_is_a_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"w\.pt: no published weights of Tiny"):
        Tiny.from_weights(tmp_path / "w.pt")


# -- the registry --------------------------------------------------------------------------------


def test_the_registry_is_the_table_of_the_chapter():
    assert len(DETECTORS) == 13
    for name in DETECTORS:
        assert detector_class(name).name == name
    with pytest.raises(ConfigError, match="'Meso5' is unknown; choose of Two-stream, Meso4"):
        detector_class("Meso5")


def test_facts_are_json(tmp_path):
    Tiny().save(tmp_path / "model.safetensors")
    assert json.dumps(read_model(tmp_path / "model.safetensors")[1]) == '{"detector": "Tiny"}'
