"""DeepfakeBench's detectors: outputs of its own code, its crop, files, and its protocol."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.detectors import face, picture
from material.known_weights import known_images, known_weights
from skimage.transform import SimilarityTransform
from torch import Tensor, nn

from swapset.detectors.base import Detector, load_detector
from swapset.detectors.deepfakebench import Benchmarked
from swapset.detectors.face import cut_face
from swapset.detectors.inputs.aligned_square import LANDMARKS, SIDE, aligned_square, goals
from swapset.detectors.margins import WIDE
from swapset.detectors.networks.efficientnet import B4, EfficientNet
from swapset.detectors.registry import PROTOCOLS, detector_class, detector_record
from swapset.errors import ConfigError, DataError
from swapset.faces.align import umeyama

# What DeepfakeBench's code (commit 8a4a7bf) returned for two images with `known_weights`, run with
# torch on a processor: logits of its network, and for Capsule the mean of its probabilities.
GOLDEN = {
    "F3Net": (0.6, [[0.373098, -1.857587], [0.496541, -1.552137]]),
    "SPSL": (0.6, [[10.085513, 0.440484], [9.512681, 0.499034]]),
    "Xception-c23": (0.6, [[11.073365, 1.180639], [10.574083, 1.287205]]),
    "FWA": (0.6, [[11.073365, 1.180639], [10.574083, 1.287205]]),
    "Meso4": (0.6, [[-0.18863, -0.39083], [-0.114647, -0.358251]]),
    "MesoInception4": (0.6, [[-0.109417, -0.385422], [-0.639739, -0.313552]]),
    "SBI": (0.95, [[0.288148, -0.001671, 0.00732], [0.287263, 0.005616, -0.003321]]),
    "Capsule": (1.0, [[0.492767, 0.507233], [0.494673, 0.505327]]),
}
PROBABILITY = {"F3Net": 0.097029, "Meso4": 0.449622, "SBI": 0.298934, "Capsule": 0.503616}
"""Its score of the first image."""


def made(name: str) -> Benchmarked:
    kind = detector_class(name, "deepfakebench")
    detector: Benchmarked = kind(classes=3) if name == "SBI" else kind(seed=1)
    return detector


def with_known_weights(name: str) -> Benchmarked:
    detector = made(name)
    detector.take_state(known_weights(detector.network.state_dict(), GOLDEN[name][0]))
    return detector


@pytest.mark.parametrize("name", GOLDEN)
def test_outputs_are_those_of_the_benchmarks_own_code(name: str) -> None:
    detector = with_known_weights(name)
    with torch.inference_mode():
        output = detector.network(known_images())
        score = detector.fake_probability(output)
    expected = torch.tensor(GOLDEN[name][1])
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    if name in PROBABILITY:
        assert float(score[0]) == pytest.approx(PROBABILITY[name], abs=2e-6)


def test_the_efficient_network_of_the_authors_is_padded() -> None:
    """As EfficientNet-PyTorch 0.7.1 computes it, on images of 380²."""

    network = EfficientNet(B4, 2)
    network.load_state_dict(known_weights(network.state_dict(), 0.95))
    with torch.inference_mode():
        output = network.eval()(known_images(2, 380))
    torch.testing.assert_close(
        output, torch.tensor([[-7.225465, 6.748414], [-3.955077, 3.260818]]), atol=1e-5, rtol=1e-5
    )


# -- crop ------------------------------------------------------------------------------------------


def benchmarks_matrix(points: np.ndarray) -> np.ndarray:
    """Return the (2, 3) matrix of `img_align_crop` of the benchmark, step by step."""
    places = np.array(
        [
            [30.2946, 51.6963],
            [65.5318, 51.5014],
            [48.0252, 71.7366],
            [33.5493, 92.3655],
            [62.7299, 92.2041],
        ]
    )
    places[:, 0] += 8
    places *= 256 / 112
    margin = 256 * 0.3 / 2
    places = (places + margin) * (256 / (256 + 2 * margin))
    return np.asarray(SimilarityTransform.from_estimate(points, places).params[:2])


@pytest.mark.parametrize("degrees", [-25, 0, 40])
@pytest.mark.parametrize("size", [0.4, 1.0, 7.5])
def test_the_matrix_is_the_benchmarks_wherever_the_face_is(degrees: float, size: float) -> None:
    turn = cv2.getRotationMatrix2D((80.0, 60.0), degrees, size)
    face_points = np.array([[40.0, 50], [90, 55], [62, 80], [45, 110], [85, 108]])
    five = np.rint(face_points @ turn[:, :2].T + turn[:, 2] + (300, 40))
    np.testing.assert_allclose(umeyama(five, goals()), benchmarks_matrix(five), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_crops_are_the_benchmarks(seed: int) -> None:
    frame, points = picture(seed, side=90)
    one = cut_face(frame, points, margin=WIDE)
    assert one is not None
    five = np.rint(points[[37, 44, 30, 49, 55]])
    expected = cv2.warpAffine(frame, benchmarks_matrix(five), (256, 256))
    difference = np.abs(aligned_square(one).astype(int) - expected)
    assert difference.max() <= 2
    assert difference.mean() < 0.01


def test_a_turned_face_lies_upright_within_the_region() -> None:
    frame, points = picture(1, side=60)
    centre = points.mean(axis=0)
    turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), 25, 1)
    turned = cv2.warpAffine(frame, turn, frame.shape[1::-1], borderValue=(9, 9, 9))
    moved = (points @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    one = cut_face(turned, moved, margin=WIDE)
    assert one is not None
    crop = aligned_square(one)
    assert (crop.max(axis=2) == 0).mean() < 0.002  # black only where the picture is
    assert np.abs(goals() - SIDE / 2).max() < 90
    assert list(LANDMARKS) == [37, 44, 30, 49, 55]


# -- files -----------------------------------------------------------------------------------------


def test_all_of_the_protocol_are_of_a_detector_and_are_measured() -> None:
    others = {"Xception-raw", "Xception-c40"}  # the same under other names
    assert set(PROTOCOLS["deepfakebench"]) == set(GOLDEN) | others
    for name in PROTOCOLS["deepfakebench"]:
        assert detector_class(name, "deepfakebench").name == name


def published(name: str, path: Path) -> dict[str, Tensor]:
    """Write weights as the benchmark's files hold them, with parts that nothing uses."""
    state = known_weights(made(name).network.state_dict(), GOLDEN.get(name, (0.6,))[0])
    extra = {}
    if any(key.startswith("backbone.block12.") for key in state):
        extra = {"backbone.adjust_channel.0.weight": torch.zeros(512, 2048, 1, 1)}
    torch.save({f"module.{key}": part for key, part in {**state, **extra}.items()}, path)
    return state


@pytest.mark.parametrize("name", GOLDEN)
def test_its_files_are_read_saved_and_loaded(name: str, tmp_path: Path) -> None:
    state = published(name, tmp_path / "some_best.pth")
    detector = detector_class(name, "deepfakebench").from_weights(tmp_path / "some_best.pth")
    assert detector.name == name
    assert detector.margin == WIDE == detector_record(name, "deepfakebench").traits["margin"]
    for key, part in detector.network.state_dict().items():
        torch.testing.assert_close(part, state[key], msg=key)
    crops = np.stack([detector.crop(face(k)) for k in range(2)])
    assert crops.shape == (2, 256, 256, 3)
    scores = detector.forward(crops)
    detector.save(tmp_path / "model.safetensors")
    loaded = load_detector(tmp_path / "model.safetensors")
    assert type(loaded) is type(detector)
    np.testing.assert_array_equal(loaded.forward(crops), scores)
    again: Detector = detector_class(name).load(tmp_path / "model.safetensors")
    assert type(again) is type(detector)


def test_the_names_are_those_of_its_files() -> None:
    known = {
        "F3Net": {
            "backbone.conv1.weight": (32, 12, 3, 3),
            "backbone.last_linear.1.weight": (2, 2048),
            "FAD_head._DCT_all": (256, 256),
            "FAD_head.filters.3.learnable": (256, 256),
        },
        "SPSL": {"backbone.conv1.weight": (32, 4, 3, 3), "backbone.last_linear.bias": (2,)},
        "Xception-raw": {"backbone.block12.rep.4.pointwise.weight": (1024, 728, 1, 1)},
        "Meso4": {"backbone.bn2.weight": (16,), "backbone.fc1.weight": (16, 1024)},
        "MesoInception4": {"backbone.Incption2_conv4_2.weight": (2, 2, 3, 3)},
        "SBI": {
            "backbone.efficientnet._blocks.31._se_reduce.weight": (112, 2688, 1, 1),
            "backbone.last_layer.weight": (3, 1792),
        },
        "Capsule": {
            "vgg_ext.vgg_1.16.weight": (256, 256, 3, 3),
            "fea_ext.capsules.9.10.weight": (1,),
            "routing_stats.route_weights": (2, 10, 4, 8),
        },
    }
    for name, expected in known.items():
        shapes = {key: tuple(part.shape) for key, part in made(name).network.state_dict().items()}
        assert shapes.items() >= expected.items(), name


def test_files_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "meso4_best.pth"
    published("Meso4", path)
    kind = detector_class("Xception-c23", "deepfakebench")
    with pytest.raises(DataError, match=r"meso4_best\.pth: weights do not fit Xception-c23"):
        kind.from_weights(path)
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(DataError, match=r"meso4_best\.pth: cannot be read as torch weights"):
        kind.from_weights(path)


def test_who_has_no_weights_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"HeadPose.protocol: 'deepfakebench' .* Meso4, Meso"):
        detector_class("HeadPose", "deepfakebench")
    with pytest.raises(ConfigError, match=r"'other' is not allowed"):
        detector_class("Meso4", "other")
