"""Model files: equal after saving and loading, and damaged ones refused."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from material.generation import CPU, training_recipe
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from swapset.errors import DataError
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.checkpoint import load_model, save_model

SUBJECTS = ("id0", "id1")


def fresh() -> SwapAutoencoder:
    """Return a network with fresh weights, always the same."""
    torch.manual_seed(0)
    return SwapAutoencoder(training_recipe(), SUBJECTS).placed(CPU)


def same(one: SwapAutoencoder, other: SwapAutoencoder) -> bool:
    """Return whether two networks have the same weights, to the bit."""
    mine, others = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], others[name]) for name in mine)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_model(path, fresh(), training_recipe(), {"faces": {"id0": "hash"}})
    return path


def test_model_comes_back_ready_for_use(model_file: Path) -> None:
    back = load_model(model_file, CPU)
    assert same(back.model, fresh())
    assert back.recipe == training_recipe()
    assert back.subjects == SUBJECTS
    assert not back.model.training
    assert not any(weight.requires_grad for weight in back.model.parameters())


def test_facts_stand_in_the_file(model_file: Path) -> None:
    with safe_open(model_file, framework="pt") as stored:
        facts = json.loads(stored.metadata()["swapset"])
    assert facts["faces"] == {"id0": "hash"}
    assert facts["subjects"] == list(SUBJECTS)
    assert facts["recipe"]["width"] == 8


def test_same_model_same_bytes_and_nothing_left_beside(model_file: Path) -> None:
    other = model_file.with_name("other.safetensors")
    save_model(other, fresh(), training_recipe(), {"faces": {"id0": "hash"}})
    assert other.read_bytes() == model_file.read_bytes()
    assert len(list(model_file.parent.iterdir())) == 2


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.mark), "w")


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_pickles_are_refused_and_not_run(tmp_path: Path, writer: str) -> None:
    path, mark = tmp_path / "model.safetensors", tmp_path / "ran"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(Bomb(mark)))
    else:
        torch.save({"weights": Bomb(mark)}, path)
    with pytest.raises(DataError, match=r"model\.safetensors: damaged"):
        load_model(path, CPU)
    assert not mark.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_cut_files_are_damaged(model_file: Path, share: float) -> None:
    whole = model_file.read_bytes()
    model_file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"model\.safetensors: damaged "):
        load_model(model_file, CPU)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.safetensors"):
        load_model(tmp_path / "none.safetensors", CPU)


def test_decoders_that_are_wanted_are_read_alone(tmp_path: Path) -> None:
    path, people = tmp_path / "all.safetensors", [f"id{k}" for k in range(6)]
    whole = SwapAutoencoder(training_recipe(), people)
    save_model(path, whole, training_recipe(), {})
    some = load_model(path, CPU, ["id4", "id1"])
    assert some.subjects == ("id1", "id4") == tuple(some.model.decoders)
    for name, value in some.model.state_dict().items():
        assert torch.equal(value, whole.state_dict()[name])
    # A subject without a decoder needs the choice among all.
    assert load_model(path, CPU, ["id1", "new"]).subjects == tuple(people)


def rewritten(path: Path, facts: dict[str, Any] | None, **tensors: torch.Tensor) -> None:
    """Write a model file again with other facts or more tensors."""
    metadata = None if facts is None else {"swapset": json.dumps(facts)}
    save_file(load_file(path) | tensors, path, metadata=metadata)


def test_files_of_other_programs_are_refused(model_file: Path) -> None:
    rewritten(model_file, None)
    with pytest.raises(DataError, match="was not written by swapset"):
        load_model(model_file, CPU)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": training_recipe(width=16).model_dump()},
        {"recipe": training_recipe().model_dump() | {"width": -1}},
        {"recipe": {}},
        {"subjects": ["id0", "id2"]},
        {"subjects": ["id0"]},
    ],
)
def test_weights_that_do_not_fit_are_refused(model_file: Path, changes: dict[str, Any]) -> None:
    facts = {"recipe": training_recipe().model_dump(), "subjects": list(SUBJECTS)}
    rewritten(model_file, facts)
    load_model(model_file, CPU)
    rewritten(model_file, facts | changes)
    with pytest.raises(DataError, match="do not fit its recipe"):
        load_model(model_file, CPU)


def textured() -> SwapAutoencoder:
    """Return a network with decoders of textures, which look like photographs."""
    torch.manual_seed(0)
    model = SwapAutoencoder(TEXTURES, SUBJECTS).placed(CPU)
    model.encoder.motion.centres.normal_()
    for each in model.textures():
        torch.nn.init.normal_(each, std=1.5)
    return model


TEXTURES = training_recipe(decoder="textures", textures=3)


@pytest.mark.parametrize("keep", [torch.float32, torch.bfloat16])
def test_textures_come_back(tmp_path: Path, keep: torch.dtype) -> None:
    path, model = tmp_path / "model.safetensors", textured()
    save_model(path, model, TEXTURES, {}, keep)
    back = load_model(path, CPU).model
    faces = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        error = (back(faces, "id1") - model(faces, "id1")).abs()
    if keep == torch.float32:
        assert same(back, model)
        assert float(error.max()) == 0
    else:
        assert 0 < float(error.mean()) < 1 / 255
        assert all(weight.dtype == torch.float32 for weight in back.state_dict().values())
    alone = load_model(path, CPU, ["id1"]).model
    assert torch.equal(alone.textures()[0], back.textures()[1])
    assert torch.equal(alone.encoder.motion.centres, back.encoder.motion.centres)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"textures": 4}, "decoders.id0.textures"),
        ({"decoder": "convolutional"}, "decoders.id0.head"),
        ({"resolution": 256, "textures": 64, "width": 512}, "decoders.id0"),
    ],
)
def test_textures_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, textured(), TEXTURES, {})
    facts = {"recipe": TEXTURES.model_dump() | changes, "subjects": list(SUBJECTS)}
    rewritten(path, facts)
    with pytest.raises(DataError, match=rf"do not fit its recipe .*{re.escape(named)}"):
        load_model(path, CPU)
