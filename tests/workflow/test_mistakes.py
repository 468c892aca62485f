"""A user's mistakes: one clear message before any job, and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from material.builds import write_rows
from material.running import ROOT, Run, dry_run

HEADER = ["clip", "subject", "path", "licence"]
GOOD = [["id0_0000", "id0", "a.mp4", "CC0"], ["id1_0000", "id1", "b.mp4", "CC0"]]
OWN = "clips: clips.csv\n"


def _rows(*added: list[str]) -> list[list[str]]:
    return [HEADER, *GOOD, *added]


# name: (config file, --config, rows of clips.csv, what the message must hold)
MISTAKES: dict[str, tuple[str, list[str], list[list[str]], list[str]]] = {
    "unknown key": ("swaps_per_clips: 2\n", [], _rows(), ["swaps_per_clips: unknown key"]),
    "unknown key inside": (
        "training: {precison: fp32}\n",
        [],
        _rows(),
        ["training.precison: unknown key", "precision"],
    ),
    "key on the command line": ("", ["devise=cpu"], _rows(), ["devise: unknown key", "device"]),
    "value on the command line": ("", ["device=gpu"], _rows(), ["device: 'gpu' is not allowed"]),
    "value of a recipe": (
        "recipes: {celebdf: {mask: oval}}\n",
        [],
        _rows(),
        ["recipes.celebdf.mask: 'oval' is not allowed", "hull"],
    ),
    "unknown method": ("methods: [celebdf, fsgan]\n", [], _rows(), ["methods: 'fsgan'"]),
    "manifest is missing": (OWN, ["clips=none.csv"], _rows(), ["none.csv: cannot be read"]),
    "unknown column": (
        OWN,
        [],
        [[*HEADER, "lisence"], *([*row, ""] for row in GOOD)],
        ["clips.csv", "lisence"],
    ),
    "clip twice": (OWN, [], _rows(GOOD[0]), ["clips.csv, line 4", "'id0_0000'", "line 2"]),
    "file is missing": (
        OWN,
        [],
        _rows(["id2_0000", "id2", "c.mp4", "CC0"]),
        ["clips.csv, line 4", "c.mp4 does not exist"],
    ),
    "path leaves the folder": (
        OWN,
        [],
        _rows(["id2_0000", "id2", "../c.mp4", "CC0"]),
        ["clips.csv, line 4", "leaves"],
    ),
    "unknown donor": (
        OWN + "swaps: swaps.csv\n",
        [],
        _rows(),
        ["swaps.csv, line 3", "donor 'id7'"],
    ),
    "unknown subject in pairs": (
        OWN + "pairs: [[id0, id8]]\n",
        [],
        _rows(),
        ["pairs: subject 'id8' has no clip"],
    ),
}


def _plan(folder: Path, name: str) -> Run:
    config, added, rows, _ = MISTAKES[name]
    write_rows(folder / "clips.csv", rows)
    write_rows(folder / "swaps.csv", [["clip", "donor"], ["id0_0000", "id1"], ["id1_0000", "id7"]])
    for row in GOOD:
        (folder / row[2]).touch()
    (folder / "own.yaml").write_text(config or "seed: 1\n")
    options = ["--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "config.yaml", "own.yaml"]
    return dry_run(folder, *options, *(["--config", *added] if added else []))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Plan all of them, two at a time: a plan takes two seconds."""
    folders = {name: tmp_path_factory.mktemp("mistake") for name in MISTAKES}
    with ThreadPoolExecutor(2) as pool:
        runs = dict(zip(folders, pool.map(_plan, folders.values(), folders), strict=True))
    return lambda name: runs[name].refused()


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named(name: str, outputs: Callable[[str], str]) -> None:
    output = outputs(name)
    for part in MISTAKES[name][-1]:
        assert part in output
    assert len(output.strip().splitlines()) <= 12, output
