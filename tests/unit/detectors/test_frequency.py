"""F3Net and SPSL: bands and phases by hand, ImageNet weights, and SPSL's changes of pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.detectors import face
from scipy.fft import dctn, idctn

from swapset.detectors.frequency import SPSL, F3Net
from swapset.detectors.inputs import augmentations
from swapset.detectors.networks.frequency import FrequencyBands, cosine_basis, phase_picture
from swapset.detectors.networks.xception import Xception
from swapset.errors import DataError


def test_the_basis_is_scipys() -> None:
    basis = cosine_basis(16).numpy()
    np.testing.assert_allclose(basis @ basis.T, np.eye(16), atol=1e-6)
    picture = np.random.default_rng(0).normal(size=(16, 16))
    np.testing.assert_allclose(basis @ picture @ basis.T, dctn(picture, norm="ortho"), atol=1e-5)


def test_bands_are_those_of_the_paper() -> None:
    """Without learnt changes: low, middle and high frequencies, which add up to the picture."""
    side = 32
    bands = FrequencyBands(side)
    for band in bands.filters:
        torch.nn.init.zeros_(band.learnable)
    picture = np.random.default_rng(1).normal(size=(1, 3, side, side)).astype(np.float32)
    with torch.inference_mode():
        found = bands(torch.from_numpy(picture)).numpy().reshape(4, 3, side, side)
    sums = np.add.outer(np.arange(side), np.arange(side))
    for number, (first, last) in enumerate([(0, 11), (11, 16), (16, 64), (0, 64)]):
        kept = dctn(picture[0], axes=(1, 2), norm="ortho") * ((sums >= first) & (sums <= last))
        np.testing.assert_allclose(found[number], idctn(kept, axes=(1, 2), norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(found[3], picture[0], atol=1e-5)


def test_learnt_filters_change_a_coefficient_by_at_most_one() -> None:
    bands = FrequencyBands(8)
    fixed = {name for name, part in bands.named_parameters() if not part.requires_grad}
    assert fixed == {"_DCT_all", "_DCT_all_T"} | {f"filters.{k}.base" for k in range(4)}
    one = bands.filters[3]
    one.learnable.data.fill_(50.0)
    ones = torch.ones(8, 8)
    np.testing.assert_allclose(one(ones).detach(), 2 * ones)
    one.learnable.data.fill_(-50.0)
    np.testing.assert_allclose(one(ones).detach(), 0 * ones)


def test_phase_pictures_have_the_phase_and_no_amplitude() -> None:
    picture = np.random.default_rng(2).normal(size=(2, 3, 24, 24)).astype(np.float32)
    found = phase_picture(torch.from_numpy(picture)).numpy()
    assert found.shape == (2, 1, 24, 24)
    np.testing.assert_allclose(np.sqrt((found**2).mean(axis=(1, 2, 3))), 1 / 24, rtol=1e-4)
    grey = picture.astype(np.float64).mean(axis=1)
    spectrum = np.fft.fft2(found[:, 0])
    np.testing.assert_allclose(np.abs(spectrum), 1, atol=1e-4)
    np.testing.assert_allclose(np.exp(1j * np.angle(np.fft.fft2(grey))), spectrum, atol=1e-3)
    # Brightness and contrast do not change a phase.
    twice = phase_picture(torch.from_numpy(2 * picture)).numpy()
    np.testing.assert_allclose(twice, found, atol=1e-5)


@pytest.mark.parametrize("kind", [F3Net, SPSL])
def test_weights_on_imagenet_fill_all_but_first_and_last(kind, tmp_path: Path) -> None:
    torch.manual_seed(3)
    source = Xception(1000).state_dict()
    state = {n: p[..., 0, 0] if "pointwise" in n else p for n, p in source.items()}
    state = {n.replace("last_linear", "fc"): p for n, p in state.items() if "num_b" not in n}
    torch.save(state, tmp_path / "xception.pth")
    detector = kind(seed=1)
    before = {name: part.clone() for name, part in detector.network.state_dict().items()}
    detector.take_backbone(tmp_path / "xception.pth")
    after = detector.network.state_dict()
    middle = "block7.rep.4.pointwise.weight"
    torch.testing.assert_close(after[f"backbone.{middle}"], source[middle])
    first, given = after["backbone.conv1.weight"], source["conv1.weight"]
    if kind is F3Net:
        torch.testing.assert_close(first.unflatten(1, (4, 3)).sum(1), given)
        torch.testing.assert_close(first[:, :3], given / 4)
    else:
        torch.testing.assert_close(first, given.mean(1, keepdim=True).expand(-1, 4, -1, -1))
    for name in after:
        if "last_linear" in name or name.startswith("FAD_head"):
            assert torch.equal(after[name], before[name])
    torch.save({"conv1.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"other\.pth: is no Xception \(.* is missing"):
        detector.take_backbone(tmp_path / "other.pth")


def test_spsl_learns_from_changed_pictures_and_f3net_does_not() -> None:
    one = face(1)
    for kind, random in ((SPSL, True), (F3Net, False)):
        detector = kind.__new__(kind)
        examples = [
            kind.example(detector, one, 1, np.random.default_rng(seed)).crop for seed in range(4)
        ]
        same = [np.array_equal(each, kind.crop(detector, one)) for each in examples]
        assert all(same) != random
        assert detector.random_examples == random


# -- changes of pictures ---------------------------------------------------------------------------


PICTURE = np.random.default_rng(4).integers(40, 200, (40, 36, 3), dtype=np.uint8)


def test_colours_change_as_told() -> None:
    shifted = augmentations.shifted(PICTURE, np.array([10.0, -20.0, 100.0]))
    expected = np.clip(PICTURE.astype(int) + [10, -20, 100], 0, 255)
    np.testing.assert_array_equal(shifted, expected)
    relit = augmentations.relit(PICTURE, 0.1, -0.2)
    np.testing.assert_array_equal(relit, np.clip(PICTURE * 0.8 + 25.5, 0, 255).astype(np.uint8))
    red = np.full((4, 4, 3), (200, 20, 20), np.uint8)
    green = augmentations.recoloured(red, np.array([60.0, 0.0, 0.0]))
    np.testing.assert_array_equal(green[0, 0], (20, 200, 20))
    unchanged = augmentations.tinted(PICTURE, np.zeros(3))
    np.testing.assert_array_equal(unchanged, PICTURE)
    dark = augmentations.tinted(PICTURE, np.array([0.0, 0.0, -8.0]))
    assert not np.array_equal(dark, PICTURE)


def test_sharpness_changes_as_told() -> None:
    coarse = augmentations.coarse(PICTURE, 4)
    assert coarse.shape == PICTURE.shape
    assert np.abs(np.diff(coarse.astype(int), axis=1)).mean() < 20
    flat = np.full((9, 9, 3), 100, np.uint8)
    np.testing.assert_array_equal(augmentations.sharpened(flat, 0.4, 1.0), flat)
    np.testing.assert_array_equal(augmentations.sharpened(flat, 0.5, 0.5), 75)
    spot = flat.copy()
    spot[4, 4] = 120
    np.testing.assert_array_equal(augmentations.sharpened(spot, 0.5, 1.0)[4, 4], 200)
    rough = augmentations.as_jpeg(PICTURE, 40)
    _, stream = cv2.imencode(".jpg", PICTURE[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    np.testing.assert_array_equal(rough, cv2.imdecode(stream, cv2.IMREAD_COLOR)[..., ::-1])


def test_a_quarter_turn_is_exact() -> None:
    square = PICTURE[:36]
    np.testing.assert_array_equal(augmentations.turned(square, 90), np.rot90(square))
