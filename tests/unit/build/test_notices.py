"""What a user is told when a config with own clips inherits the demo's values."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import Any

import pytest

from swapset.build.build import Build
from swapset.cli.plan import _extend, _stages
from swapset.config.schema import DEMO, load
from swapset.config.text import default_yaml


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["clip,subject,path,licence"]
    for person in ("id0", "id1", "id2", "id3"):
        (tmp_path / f"{person}.mp4").touch()
        lines.append(f"{person}_0000,{person},{person}.mp4,CC0")
    path = tmp_path / "clips.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def build_of(manifest: Path, **values: Any) -> Build:
    return Build({**DEMO, "clips": str(manifest), **values})


def build_with(clips: str | None, **named: Any) -> Build:
    """Return the build of a user's config over `config.yaml`."""
    own = {"clips": clips, **named}
    values = copy.deepcopy(DEMO)
    _extend(values, copy.deepcopy(own))
    return Build(values, own)


def test_small_networks_are_named(manifest: Path) -> None:
    (first, *_) = build_of(manifest).notices
    assert "recipes.celebdf, recipes.faceswap are still the embedded demo's" in first
    own = {"celebdf": {"steps": 9}, "faceswap": {"steps": 9}}
    assert not any("recipes" in notice for notice in build_of(manifest, recipes=own).notices)


def test_pairs_of_the_demo_are_not_applied_and_that_is_said(manifest: Path) -> None:
    build = build_of(manifest)
    assert len({swap.pair for swap in build.swaps}) > 1
    assert any(notice.startswith("pairs: ") for notice in build.notices)


def test_own_pairs_are_applied_without_a_word(manifest: Path) -> None:
    build = build_of(manifest, pairs=[["id1", "id0"], ["id3", "id2"]], swaps_per_clip="all")
    assert {swap.pair for swap in build.swaps} == {"id0-id1", "id2-id3"}
    assert not any(notice.startswith("pairs: ") for notice in build.notices)


OWN: list[dict[str, Any]] = [
    {},
    {"landmark_breaker": {"frames": 450}},
    {"landmark_breaker": {"settings": {"hrnet": {"weights": __file__}}}},
    {"landmark_breaker": {"settings": {"fan": {"steps": 9}}}},
    {"detection": {"settings": {"Meso4": {"steps": 2000}}}},
    {"detection": {"settings": {"Multi-task": {"weights": __file__}}}},
    {"detection": {"frames": 8}, "align": {"every": 2}},
]


@pytest.mark.parametrize("own", OWN, ids=str)
def test_what_is_named_brings_none_of_the_demos_values_back(
    manifest: Path, own: dict[str, Any]
) -> None:
    config, wanted = build_with(str(manifest), **own).config, load(own)
    for section in ("align", "detection", "landmark_breaker"):
        assert getattr(config, section) == getattr(wanted, section)


@pytest.mark.parametrize(
    "own",
    [
        {"landmark_breaker": {"subjects": 1, "protected_pairs": 0}},
        {"landmark_breaker": {"settings": {"fan": {"width": 0.25}}}},
        {"detection": {"look_every": 20, "settings": {"Meso4": {"batch": 16}}}},
        {"align": {"size": 176}},
    ],
    ids=str,
)
def test_what_is_named_stays_also_where_the_demo_says_the_same(
    manifest: Path, own: dict[str, Any]
) -> None:
    config, wanted = build_with(str(manifest), **own).config, load(own)
    for section in ("align", "detection", "landmark_breaker"):
        assert getattr(config, section) == getattr(wanted, section)


@pytest.mark.parametrize("first", [[], ["config.yaml"]])
def test_plan_knows_what_is_named(manifest: Path, monkeypatch, first: list[str]) -> None:
    folder = manifest.parent
    monkeypatch.chdir(folder)
    (folder / "config.yaml").write_text(default_yaml())
    (folder / "own.yaml").write_text("clips: clips.csv\nlandmark_breaker: {protected_pairs: 0}\n")
    given = argparse.Namespace(configfile=[Path(name) for name in [*first, "own.yaml"]])
    breaker = _stages(given).build.config.landmark_breaker
    assert (breaker.protected_pairs, breaker.subjects, breaker.frames) == (0, 6, 600)


def test_the_demo_keeps_its_values() -> None:
    config = build_with("demo", landmark_breaker={"frames": 60}).config
    assert config.landmark_breaker.subjects == 1
    assert config.detection.look_every == 20


@pytest.mark.parametrize("clips", [None, "null"])
def test_without_clips_no_recipe_is_small(clips: str | None) -> None:
    assert Build({**DEMO, "clips": clips}).notices == []
