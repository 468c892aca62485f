"""Models of all subjects: what pairs start from, or what makes all fakes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from material.builds import CONFIG
from material.running import Run, copy_build, dry_run, snakemake

FAKE = "labels/faceswap/id0_id1_0000.parquet"


def _settings(folder: Path, **training: object) -> tuple[str, ...]:
    """Write settings of the training; return what Snakemake is called with."""
    values = {"training": {**CONFIG["training"], **training}, "methods": ["faceswap"]}
    (folder / "more.yaml").write_text(yaml.safe_dump(values))
    return ("--configfile", "tiny.yaml", "more.yaml")


@pytest.fixture(scope="module")
def warm(build: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """Return a build whose pairs started from a base model."""
    folder = copy_build(build, tmp_path_factory.mktemp("warm") / "build")
    settings = _settings(folder, warm_start=True, base_steps=0.5, warm_steps=0.2)
    table = "results/tiny/tables/training.csv"
    return folder, snakemake(folder, *settings, "--", table).check()


def test_pairs_start_from_one_base(warm: tuple[Path, Run]) -> None:
    folder, run = warm
    assert run.jobs["train_shared"] == 1
    models = folder / "results" / "tiny" / "models" / "faceswap"
    base, pair = (json.loads((models / f"{n}.json").read_text()) for n in ("base", "id0-id1"))
    assert (base["warm_start"], pair["warm_start"]) == (False, True)
    assert base["left_out"] == ["id2"]
    assert set(base["faces"]) == {"id0", "id1"}
    assert (models / "base.png").stat().st_size > 0
    log = (folder / "results/tiny/logs/train/faceswap/id0-id1.log").read_text()
    assert "decoders start from those of {'id0': 'id0', 'id1': 'id1'}" in log
    events = folder / "results" / "tiny" / "events" / "faceswap"
    assert {path.name for path in events.iterdir()} >= {"base", "id0-id1"}


def test_the_table_says_where_each_started(warm: tuple[Path, Run]) -> None:
    with (warm[0] / "results/tiny/tables/training.csv").open() as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    assert rows["base"]["start"] == "nothing"
    assert rows["id0-id1"]["start"] == "base"
    assert rows["id0-id2"]["trained"] == "False"
    assert int(rows["id0-id1"]["limit"]) < int(rows["base"]["limit"])


def test_a_base_from_elsewhere_is_used_as_it_is(warm: tuple[Path, Run]) -> None:
    folder, _ = warm
    base = shutil.copy(folder / "results/tiny/models/faceswap/base.safetensors", folder / "old")
    settings = _settings(folder, warm_start=False, bases={"faceswap": str(base)}, warm_steps=0.2)
    run = dry_run(folder, *settings, "--", "results/tiny/tables/training.csv").check()
    assert "train_shared" not in run.jobs


def test_one_model_makes_all_fakes(build: Path, tmp_path: Path) -> None:
    folder = copy_build(build, tmp_path / "build")
    settings = _settings(folder, scope="all")
    run = snakemake(folder, *settings, "--", f"results/tiny/{FAKE}").check()
    assert run.jobs["train_shared"] == 1
    assert "train" not in run.jobs
    card = json.loads((folder / "results/tiny/models/faceswap/all.json").read_text())
    assert set(card["faces"]) == {"id0", "id1"}
    assert (folder / "results" / "tiny" / FAKE).stat().st_size > 0
