"""Published weights and backbones in fits: what is read, and what the card says of it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from material.detector_fits import fit, job_of, result, write
from material.detectors import face, samples

from swapset.config.schema import Config
from swapset.detectors.base import load_detector
from swapset.detectors.capsule import Capsule
from swapset.detectors.multi_task import MultiTask
from swapset.detectors.networks.vgg import vgg19_features
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.errors import DataError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("store"), samples(12))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_multi_task(folder: Path) -> tuple[Path, Path]:
    """Write an encoder and a decoder as ClassNSeg publishes them."""
    folder.mkdir(parents=True)
    state = MultiTask(seed=2).network.state_dict()
    paths = folder / "encoder_46.pt", folder / "decoder_46.pt"
    for path in paths:
        part = path.name.partition("_")[0] + "."
        mine = {name: value for name, value in state.items() if name.startswith(part)}
        torch.save({name.removeprefix(part): value for name, value in mine.items()}, path)
    return paths


@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_published_weights_may_be_a_folder_and_all_files_are_in_the_card(
    tmp_path: Path, whole: bool
) -> None:
    encoder, decoder = write_multi_task(tmp_path / "full")
    given = encoder.parent if whole else encoder
    fit(job_of(tmp_path, "Multi-task", settings={"weights": str(given)}), tmp_path, tmp_path)
    arrays, card = result(tmp_path)
    assert card["weights"] == "encoder_46.pt"
    assert card["weights_sha256"] == sha256(encoder)
    assert card["beside_sha256"] == {"decoder_46.pt": sha256(decoder)}
    expected = MultiTask.from_weights(encoder).arrays()
    for name, part in expected.items():
        np.testing.assert_array_equal(arrays[name], part, err_msg=name)
    decoder.unlink()
    fit(job_of(tmp_path, "Multi-task", settings={"weights": str(given)}), tmp_path, tmp_path)
    assert result(tmp_path)[1]["beside_sha256"] == {}


@pytest.mark.parametrize("detector", list(DETECTORS.built_in))
def test_a_folder_that_holds_no_weights_is_named(detector: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="empty"):
        fit(job_of(tmp_path, detector, settings={"weights": str(empty)}), tmp_path, tmp_path)


def write_vgg19(path: Path) -> Path:
    state = {f"features.{k}": part for k, part in vgg19_features().state_dict().items()}
    torch.save(state, path)
    return path


@pytest.mark.parametrize("named", [True, False], ids=["in the config", "beside"])
@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_the_backbone_that_decides_scores_is_in_the_card(
    tmp_path: Path, named: bool, whole: bool
) -> None:
    capsule = tmp_path / "capsule_21.pt"
    state = Capsule(seed=2).network.state_dict()
    torch.save({k: v for k, v in state.items() if not k.startswith("features.")}, capsule)
    settings = {"weights": str(tmp_path if whole else capsule)}
    if named:
        (tmp_path / "elsewhere").mkdir()
        vgg = write_vgg19(tmp_path / "elsewhere" / "vgg19-mine.pth")
        settings["backbone_weights"] = str(vgg)
    else:
        vgg = write_vgg19(tmp_path / "vgg19-dcbb9e9d.pth")
    fit(job_of(tmp_path, "Capsule", settings=settings), tmp_path, tmp_path)
    card = result(tmp_path)[1]
    assert card["weights_sha256"] == sha256(capsule)
    assert card["beside_sha256"] == {vgg.name: sha256(vgg)}


def test_a_missing_backbone_is_asked_for_by_keys_that_exist(tmp_path: Path) -> None:
    capsule = tmp_path / "capsule_21.pt"
    torch.save(Capsule().network.state_dict(), capsule)
    with pytest.raises(DataError) as caught:
        fit(job_of(tmp_path, "Capsule", settings={"weights": str(capsule)}), tmp_path, tmp_path)
    [key] = re.findall(r"detection\.settings\.(\S+)$", str(caught.value))
    detector, _, option = key.partition(".")
    assert detector in DETECTORS
    Config(detection={"settings": {detector: {option: str(write_vgg19(tmp_path / "v.pth"))}}})


def test_the_backbone_of_a_fit_is_in_the_card(store: Path, tmp_path: Path) -> None:
    vgg = write_vgg19(tmp_path / "vgg19.pth")
    settings = {"steps": 1, "batch": 2, "backbone_weights": str(vgg)}
    fit(job_of(tmp_path, "Capsule", settings=settings), store, tmp_path)
    card = result(tmp_path)[1]
    assert (card["backbone"], card["backbone_sha256"]) == ("vgg19.pth", sha256(vgg))


def test_a_backbone_that_published_weights_do_not_need_is_refused(tmp_path: Path) -> None:
    weights = {"weights": "w.h5", "backbone_weights": "b.pth"}
    with pytest.raises(DataError, match=r"settings\.Meso4\.backbone_weights: is not allowed"):
        fit(job_of(tmp_path, settings=weights), tmp_path, tmp_path)


def test_weights_of_a_protocol_are_read_by_it(tmp_path: Path, store: Path) -> None:
    published = detector_class("Meso4", "deepfakebench")(seed=4)
    torch.save(published.network.state_dict(), tmp_path / "meso4_best.pth")
    settings = {"weights": str(tmp_path / "meso4_best.pth"), "protocol": "deepfakebench"}
    fit(job_of(tmp_path, settings=settings), store, tmp_path)
    detector = load_detector(tmp_path / "model.safetensors")
    assert type(detector) is type(published)
    crops = np.stack([detector.crop(face(0))])
    np.testing.assert_array_equal(detector.forward(crops), published.forward(crops))
    assert json.loads((tmp_path / "card.json").read_text())["protocol"] == "deepfakebench"
