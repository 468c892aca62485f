"""The demo's small values apply to `clips: demo` alone; other builds start from the defaults."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml
from material.builds import write_empty_clips

from swapset.build.build import Build
from swapset.cli.plan import _workflow
from swapset.config.demo import DEMO_VALUES
from swapset.config.schema import Config, load
from swapset.config.text import default_yaml

OWN: list[dict[str, Any]] = [
    {},
    {"landmark_breaker": {"frames": 450}},
    {"landmark_breaker": {"settings": {"hrnet": {"weights": __file__}}}},
    {"landmark_breaker": {"settings": {"fan": {"steps": 9}}}},
    {"detection": {"settings": {"Meso4": {"steps": 2000}}}},
    {"detection": {"frames": 8}, "align": {"every": 2}},
    {"recipes": {"celebdf": {"steps": 9}}, "methods": ["celebdf"]},
    # As in the demo: named all the same.
    {"pairs": DEMO_VALUES["pairs"], "swaps_per_clip": 1.0},
    {"landmark_breaker": {"subjects": ["id0"], "protected_pairs": 0}, "align": {"size": 176}},
    {"detection": {"look_every": 20, "settings": {"Meso4": {"batch": 16}}}},
    DEMO_VALUES,
]


@pytest.mark.parametrize("own", OWN, ids=range(len(OWN)))
@pytest.mark.parametrize("clips", ["clips.csv", None, "null"])
def test_other_clips_have_the_defaults_and_what_is_named(
    clips: str | None, own: dict[str, Any]
) -> None:
    assert load({"clips": clips, **own}) == Config(clips=clips, **own)


@pytest.mark.parametrize("values", [{}, {"clips": "demo"}])
def test_the_demo_has_its_values_and_no_others(values: dict[str, Any]) -> None:
    assert load(values) == Config(**DEMO_VALUES)


def test_what_is_named_for_the_demo_leaves_its_other_values() -> None:
    own = {"recipes": {"celebdf": {"steps": 9}}, "landmark_breaker": {"frames": 60}}
    config, demo = load(own), load({})
    assert config.recipe("celebdf") == demo.recipe("celebdf").model_copy(update={"steps": 9})
    assert config.recipe("faceswap") == demo.recipe("faceswap")
    expected = demo.landmark_breaker.model_copy(update={"frames": 60})
    assert config.landmark_breaker == expected
    assert config.detection == demo.detection


def test_lists_are_replaced_as_a_whole() -> None:
    config = load({"pairs": [["id0", "id2"]], "detectors": [], "attacks": "all"})
    assert config.pairs == [("id0", "id2")]
    assert (config.detectors, config.attacks) == ([], "all")


def test_null_takes_back_an_entry_or_one_of_its_values() -> None:
    settings = {"fan": None, "avs-san": {"steps": None}}
    config = load(
        {"landmark_breaker": {"settings": settings}, "recipes": {"celebdf": None, "dfaker": {}}}
    )
    demo, real = load({}), load({"clips": "clips.csv"})
    assert set(config.landmark_breaker.settings) == {"avs-san"}
    left = config.landmark_breaker.settings["avs-san"]
    assert (left.steps, left.width, left.batch) == (None, 0.25, 8)
    assert config.recipe("celebdf") == real.recipe("celebdf")
    assert config.recipe("dfaker") == demo.recipe("dfaker")


@pytest.mark.parametrize("clips", ["demo", "clips.csv"])
@pytest.mark.parametrize(
    "empty",
    [{"align": None}, {"recipes": None}, {"landmark_breaker": {"settings": None}}, {"align": {}}],
    ids=str,
)
def test_an_empty_section_says_nothing(clips: str, empty: dict[str, Any]) -> None:
    """So it is in YAML: all keys of `align:` may be commented out."""
    assert load({"clips": clips, **empty}) == load({"clips": clips})


def test_loading_leaves_the_demos_values_as_they_are() -> None:
    before = load({})
    load({"recipes": {"celebdf": {"steps": 9}}, "detection": {"settings": {"Meso4": None}}})
    assert load({}) == before


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a manifest of four people, who are called as the demo's are."""
    write_empty_clips(tmp_path, people=4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(folder: Path, default: str, **files: str) -> Build:
    """Return the build that `swapset plan` reads from `config.yaml` and further files."""
    (folder / "config.yaml").write_text(default)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return _workflow(argparse.Namespace(configfile=[Path(f"{name}.yaml") for name in files])).build


def test_a_file_of_own_clips_over_the_default_config(folder: Path) -> None:
    own = "clips: clips.csv\nlandmark_breaker: {protected_pairs: 0}\n"
    build = planned(folder, default_yaml(), own=own)
    breaker = build.config.landmark_breaker
    assert (breaker.protected_pairs, breaker.subjects, breaker.frames) == (0, 6, 600)
    assert len({swap.pair for swap in build.swaps}) > 1  # not of the demo's pairs only
    assert build.recipes == load({"clips": "clips.csv"}).all_recipes()


def test_the_default_config_once_more_changes_nothing(folder: Path) -> None:
    own = "clips: clips.csv\n"
    once = planned(folder, default_yaml(), own=own)
    again = planned(folder, default_yaml(), config=default_yaml(), own=own)
    assert again.config == once.config


def test_a_file_without_clips_builds_the_demo(folder: Path) -> None:
    build = planned(folder, default_yaml(), own="seed: 2\n")
    assert build.is_demo
    assert build.config == load({"seed": 2})


def test_the_default_config_edited_in_place(folder: Path) -> None:
    text = default_yaml().replace("clips: demo", "clips: clips.csv")
    edited = text.replace("#align:", "align:").replace("#size: 320  # demo: 176", "size: 176")
    assert edited.count("size: 176") == 1
    assert planned(folder, text).config == load({"clips": "clips.csv"})
    config = planned(folder, edited).config
    assert config == load({"clips": "clips.csv", "align": {"size": 176}})
    assert config == planned(folder, edited, own=yaml.safe_dump({"seed": 1})).config
