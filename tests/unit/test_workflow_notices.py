"""What a user is told when a config with own clips inherits the demo's values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from swapset.config import DEMO
from swapset.workflow import Build


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
