"""It does not matter where a key is named: config.yaml, another file or the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from material.builds import write_rows
from material.running import ROOT, Run, dry_run

from swapset.cli.main import main

PEOPLE = ("id0", "id1", "id2", "id3")
DEMO = (ROOT / "config.yaml").read_text(encoding="utf-8")
OWN = DEMO.replace("clips: demo", "clips: clips.csv")
ONE_PAIR = "#protected_pairs: 1  # demo: 0"
BREAKER = "#landmark_breaker:"

# name: (config.yaml, further config file, --config)
RUNS: dict[str, tuple[str, str, list[str]]] = {
    "own clips in a file": (DEMO, "clips: clips.csv\n", []),
    "own clips in place": (OWN, "", []),
    "own clips on the command line": (DEMO, "", ["clips=clips.csv"]),
    "own clips, no pairs": (OWN, "landmark_breaker: {protected_pairs: 0}\n", []),
    "own clips, no pairs in place": (
        OWN.replace(BREAKER, BREAKER[1:]).replace(ONE_PAIR, "protected_pairs: 0"),
        "",
        [],
    ),
    "demo": (DEMO, "", []),
    "demo again": (OWN, "clips: demo\n", []),
    "demo with pairs in place": (
        DEMO.replace(BREAKER, BREAKER[1:]).replace(ONE_PAIR, ONE_PAIR[1:]),
        "",
        [],
    ),
}


def _plan(folder: Path, name: str) -> Run:
    default, more, added = RUNS[name]
    rows = [["clip", "subject", "path", "licence"]]
    for person in PEOPLE:
        (folder / f"{person}.mp4").touch()
        rows.append([f"{person}_0000", person, f"{person}.mp4", "CC0"])
    write_rows(folder / "clips.csv", rows)
    (folder / "config.yaml").write_text(default, encoding="utf-8")
    (folder / "own.yaml").write_text(more, encoding="utf-8")
    options = ["--snakefile", str(ROOT / "Snakefile")]
    options += ["--configfile", "own.yaml"] if more else []
    options += ["--config", *added] if added else []
    return dry_run(folder, *options, "--", "all", "landmark_breaker")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, int]]:
    """Plan all of them, two at a time."""
    folders = {name: tmp_path_factory.mktemp("config") for name in RUNS}
    with ThreadPoolExecutor(2) as pool:
        runs = dict(zip(folders, pool.map(_plan, folders.values(), folders), strict=True))
    return lambda name: runs[name].check().jobs


@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("own")])
def test_own_clips_have_the_defaults(name: str, jobs: Callable[[str], dict[str, int]]) -> None:
    planned = jobs(name)
    fakes, methods, extractors = 4, 2, 3
    assert planned["train"] == fakes * methods  # each of another pair
    assert planned["synthesise"] == fakes * methods
    assert planned["train_extractor"] == extractors
    assert ("protect_clips" in planned) == ("no pairs" not in name)


def test_it_does_not_matter_where_a_key_is_named(jobs: Callable[[str], dict[str, int]]) -> None:
    own, less = jobs("own clips in a file"), jobs("own clips, no pairs")
    assert own == jobs("own clips in place") == jobs("own clips on the command line")
    assert less == jobs("own clips, no pairs in place") != own
    assert jobs("demo") == jobs("demo again")


def test_the_demo_has_its_own_values_but_for_what_is_named(
    jobs: Callable[[str], dict[str, int]],
) -> None:
    demo, more = jobs("demo"), jobs("demo with pairs in place")
    pairs, methods, extractors = 2, 2, 2
    for planned in (demo, more):
        assert planned["train"] == pairs * methods
        assert planned["train_extractor"] == extractors
    assert "protect_clips" not in demo
    assert more["protect_clips"] > 0


@pytest.mark.parametrize("networks", ["full", "small"])
def test_what_init_writes_is_planned(tmp_path: Path, networks: str) -> None:
    clips = tmp_path / "my clips"
    clips.mkdir()
    for person in PEOPLE:
        (clips / f"{person}_0000.mp4").touch()
    assert main(["init", str(clips), "--networks", networks, "--licence", "CC0"]) == 0
    shutil.copy(ROOT / "config.yaml", tmp_path)
    options = ("--snakefile", ROOT / "Snakefile", "--configfile", clips / "config.yaml")
    planned = dry_run(tmp_path, *options, "--", "complete").check()
    assert planned.jobs["synthesise"] == len(PEOPLE) * 2
    assert planned.jobs["fit_detector"] == 16
    assert planned.jobs["train_extractor"] == 3
    assert "swapset: " not in planned.output  # nothing to tell
