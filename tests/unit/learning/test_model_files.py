"""Files of fitted detectors, and the registry."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from material.engine import MIXED, Tiny, Twin, faces, fitted, weights
from safetensors.torch import save_file

from swapset.detectors.base import load_detector
from swapset.detectors.registry import ALL, DETECTORS, detector_class
from swapset.errors import ConfigError, DataError
from swapset.learning.model_files import read_model, write_model


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


def test_the_same_model_has_the_same_bytes(tmp_path):
    path = tmp_path / "model.safetensors"
    arrays = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "é": np.float64(2)}
    seen = set()
    for _ in range(20):
        write_model(path, arrays, {"detector": "é"}, {"steps": 3})
        seen.add(path.read_bytes())
    assert len(seen) == 1
    read, facts, card = read_model(path)
    assert (facts, card) == ({"detector": "é"}, {"steps": 3})
    assert all((read[name] == array).all() for name, array in arrays.items())


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


def test_the_registry_is_the_table_of_the_chapter_newer_ones_and_light_ones():
    assert len(ALL) == 16
    assert [*DETECTORS] == [*ALL, "EfficientNet-Lite0", "SBI-Lite0"]
    for name in DETECTORS:
        assert detector_class(name).name == name
    with pytest.raises(
        ConfigError, match="'Meso5' is not allowed: it is unknown; choose from Two-stream, Meso4"
    ):
        detector_class("Meso5")


def test_facts_are_json(tmp_path):
    Tiny().save(tmp_path / "model.safetensors")
    assert json.dumps(read_model(tmp_path / "model.safetensors")[1]) == '{"detector": "Tiny"}'
