"""Files of extractors: swapset's, and those that the authors' code writes."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from swapset.errors import DataError
from swapset.extractors.avs_san import AVSSAN
from swapset.extractors.base import Extractor, load_extractor
from swapset.extractors.fan import FAN
from swapset.extractors.hrnet import HRNet
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.learning.model_files import read_model, write_model

WIDTH = 0.1


def images(extractor: Extractor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, extractor.side, extractor.side, generator=generator) * 255


def trained(name: str, points: int = 98) -> Extractor:
    extractor = extractor_class(name)(points=points, width=WIDTH, seed=1)
    extractor.trained = True
    return extractor


@pytest.mark.parametrize("name", EXTRACTORS)
def test_saved_and_loaded_it_gives_the_same_maps(name: str, tmp_path: Path) -> None:
    extractor = trained(name)
    path = tmp_path / "one.safetensors"
    extractor.save(path, {"nme": 0.08})
    again = load_extractor(path)
    assert type(again) is type(extractor)
    assert again.trained
    with torch.inference_mode():
        assert torch.equal(again.heatmaps(images(again)), extractor.heatmaps(images(extractor)))
    assert read_model(path)[2] == {"nme": 0.08}
    assert [each.name for each in tmp_path.iterdir()] == ["one.safetensors"]


def test_untrained_ones_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="untrained fan"):
        FAN(width=WIDTH).save(tmp_path / "fan.safetensors")
    assert not list(tmp_path.iterdir())


def test_files_of_another_extractor_or_detector_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fan.safetensors"
    trained("fan").save(path)
    with pytest.raises(DataError, match=r"fan\.safetensors: is no extractor hrnet"):
        HRNet.load(path)
    write_model(path, {}, {"detector": "Xception"}, {})
    with pytest.raises(DataError, match="is no landmark extractor"):
        load_extractor(path)


def test_a_cut_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fan.safetensors"
    trained("fan").save(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"fan\.safetensors"):
        load_extractor(path)
    with pytest.raises(DataError, match="none"):
        load_extractor(tmp_path / "none")


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "fan.safetensors"
    write_model(path, {}, {"extractor": "fan", "points": 68, "width": WIDTH}, {})
    with pytest.raises(DataError, match=r"fan\.safetensors: weights do not fit fan"):
        load_extractor(path)
    write_model(path, {}, {"extractor": "fan", "points": 68, "depth": 3}, {})
    with pytest.raises(DataError, match="another version"):
        load_extractor(path)


# -- published weights -----------------------------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make "published" extractors narrow: full ones take a second each."""
    for kind in (FAN, HRNet, AVSSAN):
        monkeypatch.setattr(kind.__init__, "__kwdefaults__", _defaults(kind))


def _defaults(kind: type[Extractor]) -> dict[str, object]:
    return {**(kind.__init__.__kwdefaults__ or {}), "width": WIDTH}


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_published_weights_are_read(name: str, wrapped: bool, tmp_path: Path) -> None:
    extractor = trained(name)
    state = extractor.network.state_dict()
    held: object = state
    if wrapped:
        held = {"epoch": 3, "state_dict": {f"module.{key}": part for key, part in state.items()}}
    path = tmp_path / "published.pth"
    torch.save(held, path)
    again = type(extractor).from_weights(path)
    assert again.trained
    assert again.points == 98
    with torch.inference_mode():
        assert torch.equal(again.heatmaps(images(again)), extractor.heatmaps(images(extractor)))


@pytest.mark.usefixtures("narrow")
def test_of_several_hourglasses_the_first_is_read(tmp_path: Path) -> None:
    extractor = trained("fan", 68)
    state = {
        key: part
        for key, part in extractor.network.state_dict().items()
        if not key.endswith("num_batches_tracked")  # 2DFAN4 is older than these
    }
    further = ("m1.b1_4.bn1.bias", "top_m_1.bn1.bias", "conv_last3.bias", "bn_end2.bias", "l1.bias")
    for key in (*further, "bl0.weight", "al0.weight", "al2.bias"):
        state[key] = torch.zeros(4)
    path = tmp_path / "2DFAN4.pth.tar"
    torch.save(state, path)
    again = FAN.from_weights(path)
    with torch.inference_mode():
        assert torch.equal(again.heatmaps(images(again)), extractor.heatmaps(images(extractor)))


@pytest.fixture
def authors_options(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return an object of SAN's options class, which its checkpoints contain."""
    module = ModuleType("models.model_utils")
    kind = type("ModelConfig", (), {"__module__": "models.model_utils"})
    monkeypatch.setattr(module, "ModelConfig", kind, raising=False)
    monkeypatch.setitem(sys.modules, "models", ModuleType("models"))
    monkeypatch.setitem(sys.modules, "models.model_utils", module)
    options = kind()
    options.pts_num = 99
    return options


@pytest.mark.usefixtures("narrow")
def test_a_checkpoint_of_san_brings_its_generators(tmp_path: Path, authors_options: object) -> None:
    extractor = AVSSAN(points=98, generators=True)
    state = {f"module.{key}": part for key, part in extractor.network.state_dict().items()}
    held = {"args": Namespace(sigma=4.0, modelconfig=authors_options), "state_dict": state}
    path = tmp_path / "checkpoint_49.pth.tar"
    torch.save(held, path)
    again = AVSSAN.from_weights(path)
    assert again.generators
    again.save(tmp_path / "own.safetensors")
    own = AVSSAN.load(tmp_path / "own.safetensors")
    with torch.inference_mode():
        assert torch.equal(own.heatmaps(images(own)), extractor.heatmaps(images(extractor)))


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("evil",)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_nothing_in_a_checkpoint_is_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "args": Evil()}, "evil.pth")
    with pytest.raises(DataError, match=r"evil\.pth"):
        extractor_class(name).from_weights(Path("evil.pth"))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", EXTRACTORS)
def test_other_weights_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(3, 4)}, path)
    with pytest.raises(DataError, match=r"other\.pth: has no layer"):
        extractor_class(name).from_weights(path)


def test_weights_for_other_landmarks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "HR18-COFW.pth"
    torch.save({"head.3.weight": torch.zeros(29, 270, 1, 1)}, path)
    with pytest.raises(DataError, match=r"HR18-COFW\.pth: finds 29 landmarks"):
        HRNet.from_weights(path)


# -- backbones -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "part"), [("hrnet", "stage4.2."), ("avs-san", "features.21.")])
def test_a_backbone_fills_its_own_part_only(name: str, part: str, tmp_path: Path) -> None:
    source = extractor_class(name)(width=WIDTH, points=98, seed=1)
    path = tmp_path / "imagenet.pth"
    state = source.network.state_dict()
    torch.save({**state, "classifier.0.weight": torch.zeros(4, 4)}, path)
    extractor = extractor_class(name)(width=WIDTH, points=68, seed=2)
    before = {key: own.clone() for key, own in extractor.network.state_dict().items()}
    extractor.take_backbone(path)
    assert extractor.pretrained
    assert not extractor.trained
    after = extractor.network.state_dict()
    assert set(after) == set(before)
    filled = {key for key in after if key.startswith(extractor.backbone)}
    assert any(key.startswith(part) for key in filled)
    for key in filled:
        assert torch.equal(after[key], state[key]), key
    last = "head.3.weight" if name == "hrnet" else "stage3.16.weight"
    assert after[last].shape == before[last].shape


def test_a_backbone_of_another_width_or_for_fan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vgg16.pth"
    torch.save(AVSSAN(width=0.2).network.state_dict(), path)
    with pytest.raises(DataError, match=r"vgg16\.pth: is no backbone of avs-san of width 0\.1"):
        AVSSAN(width=0.1).take_backbone(path)
    with pytest.raises(DataError, match="fan has no backbone"):
        FAN(width=0.1).take_backbone(path)
