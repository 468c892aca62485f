"""Hostile configs give a build, or one message that names the key."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from words import LONGEST, NASTY, attempt, json_values, numbers, words

from swapset.build.workflow import Workflow
from swapset.cli.main import main
from swapset.config.demo import DEMO_VALUES
from swapset.config.schema import Config, load
from swapset.errors import SwapsetError

WHOLE: dict[str, Any] = {**Config().model_dump(mode="json"), **copy.deepcopy(DEMO_VALUES)}
values = st.one_of(
    json_values(("base", "steps", "root", "weights", "options", "celebdf", "Meso4", "fan")),
    st.sampled_from(
        [*WHOLE, "celebdf", "all", "none", "/dev/zero", "/dev/stdin", "/proc/self/mem"]
    ),
    numbers,
    words,
)


def places(value: Any, start: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the keys to every setting."""
    inner = value.items() if isinstance(value, dict) else []
    return [start] * bool(start) + [p for k, v in inner for p in places(v, (*start, k))]


PLACES = places(WHOLE)


@st.composite
def configs(draw: st.DrawFn) -> dict[Any, Any]:
    """Return the demo's config with some settings changed, left out or added."""
    config = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(PLACES))
        section = config
        for key in way:
            section = section[key] if isinstance(section.get(key), dict) else {}
        last = draw(st.one_of(st.just(last), st.just(last), st.just(last), words, st.integers()))
        if draw(st.integers(0, 6)):
            section[last] = draw(values)
        else:
            section.pop(last, None)
    return config


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory):
    """Yield an empty working folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("configs")
        patch.chdir(folder)
        yield folder


def planned(build: Workflow) -> tuple[Any, ...]:
    """Return the parts of a workflow that the Snakefile reads."""
    return build.detection, build.breaker, build.build.config_hash()


@given(config=configs())
def test_settings(inside: Path, config: dict[Any, Any]) -> None:
    attempt(lambda: planned(Workflow(config)))
    assert not list(inside.iterdir())


@pytest.mark.parametrize("key", ["name", "clips", "clips_root", "subjects", "swaps", "results"])
def test_nasty_texts_where_files_are_named(inside: Path, key: str) -> None:
    for value in NASTY:
        attempt(partial(Workflow, {**WHOLE, key: value}))


TEXTS = [
    "a: 2001-99-99",
    "[" * 3000,
    "a: 0x" + "f" * 5000,
    "? [1]\n: 2",
    "1: 2",
    "!!python/name:os.system",
    "a: &a [*a]",
    "a: \0",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_yaml_that_plan_reads(tmp_path: Path, monkeypatch, capsys, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(text)
    assert main(["plan"]) == 1
    assert 0 < len(capsys.readouterr().err) < LONGEST


def test_a_bomb_of_aliases_gives_one_message(inside: Path) -> None:
    bomb: Any = ["x"] * 9
    for _ in range(60):
        bomb = [bomb] * 9
    for key in ("methods", "name", "swaps_per_clip", "datasets", "recipes", "training", "pairs"):
        with pytest.raises(SwapsetError) as caught:
            load({key: bomb})
        assert len(str(caught.value)) < LONGEST
