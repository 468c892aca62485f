"""Models that a build trains: their steps and their start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from swapset.build.workflow import Workflow
from swapset.config.methods import training_of
from swapset.errors import ConfigError


@pytest.fixture
def build(tmp_path: Path) -> Any:
    """Return a function that reads a build of six subjects, one clip each."""
    (tmp_path / "a.mp4").write_bytes(b"")
    rows = [f"id{k}_0000,id{k},a.mp4,CC0" for k in range(6)]
    manifest = tmp_path / "clips.csv"
    manifest.write_text("\n".join(["clip,subject,path,licence", *rows]))

    def read(training: dict[str, Any], **more: Any) -> Workflow:
        values = {"clips": str(manifest), "results": str(tmp_path), "name": "b", **more}
        return Workflow({"swaps_per_clip": "all", "training": training, **values})

    return read


def test_cold_pairs_take_the_recipes_steps(build: Any) -> None:
    plan = build({"warm_start": False}).generation
    assert len(plan.pairs) == 15
    assert not plan.warm
    assert plan.start("celebdf") == []
    assert plan.pair_recipe("celebdf") == plan.cold_recipe("celebdf")
    assert plan.warm_rate("celebdf") == 1
    assert plan.pair_recipe("celebdf")["steps"] == 100_000
    assert len(plan.trained()) == 2 * 15


def test_warm_pairs_take_a_share_and_need_the_base(build: Any) -> None:
    plan = build(
        {"warm_start": True, "base_steps": 2.0, "warm_steps": 0.1, "warm_rate": 0.3}
    ).generation
    assert plan.start("celebdf")[0].endswith("/models/celebdf/base.safetensors")
    assert plan.pair_recipe("celebdf")["steps"] == 10_000
    assert plan.warm_rate("celebdf") == 0.3
    assert plan.shared_recipe("celebdf", "base")["steps"] == 100_000 * 2 * 6 / 2
    assert plan.cold_recipe("celebdf")["steps"] == 100_000
    assert "celebdf/base" in plan.trained()
    assert "celebdf/base" not in plan.previewed()


def test_auto_starts_warm_where_that_takes_fewer_steps(build: Any) -> None:
    shares = {"warm_start": "auto", "base_steps": 2.0, "warm_steps": 0.1}
    plan = build(shares).generation
    assert (plan.cost(True), plan.cost(False)) == (pytest.approx(6 + 1.5), 15)
    assert plan.warm
    few = build(shares, pairs=[["id0", "id1"], ["id2", "id4"]]).generation
    assert not few.warm


def test_all_subjects_share_one_model(build: Any) -> None:
    plan = build({"scope": "all", "warm_start": True}).generation
    assert not plan.warm
    paths = {plan.model("celebdf", one, other)["model"] for one, other in ("01", "25")}
    assert len(paths) == 1
    assert paths.pop().endswith("/models/celebdf/all.safetensors")
    assert plan.shared_recipe("celebdf", "all")["steps"] == 300_000
    assert plan.trained() == ["celebdf/all", "faceswap/all"]


def test_only_the_steps_differ_from_the_recipe(build: Any) -> None:
    made = build({"warm_start": True})
    own = training_of(made.build.recipes["faceswap"]).model_dump()
    for values in (
        made.generation.pair_recipe("faceswap"),
        made.generation.shared_recipe("faceswap", "base"),
    ):
        assert {**values, "steps": own["steps"]} == own


def test_a_method_without_a_training_of_its_own_trains_nothing(build: Any) -> None:
    plan = build({"warm_start": False}, methods=["faceswap", "fakeapp"]).generation
    assert {name.split("/")[0] for name in plan.trained()} == {"faceswap"}
    assert plan.model("fakeapp", "id0", "id1") == plan.model("faceswap", "id1", "id0")


def test_a_base_from_elsewhere_is_not_trained(build: Any, tmp_path: Path) -> None:
    base = tmp_path / "old.safetensors"
    base.write_bytes(b"")
    plan = build({"warm_start": False, "bases": {"celebdf": str(base)}}).generation
    assert plan.start("celebdf") == [str(base)]
    assert plan.pair_recipe("celebdf")["steps"] < plan.cold_recipe("celebdf")["steps"]
    assert plan.start("faceswap") == []
    assert not [name for name in plan.trained() if name.endswith("base")]


def test_bases_are_checked_before_any_job(build: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"training\.bases\.celebdf: no file"):
        build({"bases": {"celebdf": str(tmp_path / "none")}})
    with pytest.raises(ConfigError, match=r"training\.bases: 'mine' is not allowed"):
        build({"bases": {"mine": str(tmp_path / "none")}})


def test_a_model_of_all_has_as_many_previews_as_a_pair(build: Any) -> None:
    plan = build({"warm_start": True, "base_steps": 2.0}).generation
    steps = plan.shared_recipe("celebdf", "base")["steps"]
    assert steps / plan.shared_every("base", 2000) == 100_000 / 2000
    assert plan.shared_every("all", 500) == 1500
