"""Results of earlier configs: what is found, and what never is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from swapset.build.leftovers import SEEN, Leftovers, tidy_command
from swapset.build.workflow import Workflow
from swapset.dataset.tidy import Removed, tidy

FILES = (
    "dataset/real/original/id0_0000.mp4",
    "dataset/real/original/id7_0000.mp4",
    "dataset/celebdf/c23/id0_id7_0000.mp4",
    "dataset/fakeapp/original/id0_id1_0000.mp4",
    "dataset/provenance.jsonl",
    "records/real/id0_0000.json",
    "records/real/id7_0000.json",
    "records/celebdf/id0_id7_0000.json",
    "records/fakeapp/id0_id1_0000.json",
    "labels/celebdf/id0_id1_0000.parquet",
    "models/celebdf/id0-id1.safetensors",
    "models/celebdf/id0-id7.safetensors",
    "models/celebdf/notes.txt",
    "clips/id0/id0_0000.mkv",
    "clips/id7/id7_0000.mkv",
    "tables/clips.csv",
    "tables/detector_auc.csv",
    "tables/my_own.csv",
    "figures/contact_sheet_celebdf.png",
    "figures/contact_sheet_fakeapp.png",
    "logs/ingest/id7.log",
    "logs/accept.log",
    "benchmarks/train/celebdf/id0-id7.tsv",
    "checkpoints/celebdf/id0-id1.safetensors",
    "checkpoints/detectors/Meso4/0.safetensors",
    "crops/real/original/0000/index.npz",
    "README.txt",
)
UNMADE = [
    "benchmarks/train/celebdf/id0-id7.tsv",
    "checkpoints/detectors/Meso4/0.safetensors",
    "clips/id7",
    "crops/real/original/0000",
    "dataset/celebdf/c23/id0_id7_0000.mp4",
    "dataset/fakeapp/original/id0_id1_0000.mp4",
    "dataset/real/original/id7_0000.mp4",
    "figures/contact_sheet_fakeapp.png",
    "logs/ingest/id7.log",
    "models/celebdf/id0-id7.safetensors",
    "records/celebdf/id0_id7_0000.json",
    "records/fakeapp/id0_id1_0000.json",
    "records/real/id7_0000.json",
    "tables/detector_auc.csv",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with clips of id0 and id1, and results that also hold others."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").write_text("x")
    rows = ["clip,subject,path,licence", "id0_0000,id0,a.mp4,CC0", "id1_0000,id1,a.mp4,CC0"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    for name in FILES:
        path = tmp_path / "results" / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def leftovers(**values: Any) -> Leftovers:
    usual = {"name": "mine", "clips": "clips.csv", "methods": ["celebdf"], "detectors": []}
    return Workflow({**usual, "attacks": [], **values}).leftovers


def test_all_that_the_config_does_not_make_is_found(folder: Path) -> None:
    assert leftovers().paths() == UNMADE


def test_more_is_made_by_a_wider_config(folder: Path) -> None:
    wider = leftovers(methods=["celebdf", "fakeapp"], detectors=["Meso4"]).paths()
    gone = [path for path in UNMADE if path not in wider]
    assert gone == [
        "checkpoints/detectors/Meso4/0.safetensors",
        "crops/real/original/0000",
        "dataset/fakeapp/original/id0_id1_0000.mp4",
        "figures/contact_sheet_fakeapp.png",
        "records/fakeapp/id0_id1_0000.json",
        "tables/detector_auc.csv",
    ]
    assert set(wider) < set(UNMADE)


def test_videos_that_the_build_has_not_written_are_not_ours(folder: Path) -> None:
    (folder / "results/mine/dataset/real/original/my_holiday.mp4").write_text("x")
    assert leftovers().paths() == UNMADE


def test_what_the_config_names_is_not_found(folder: Path) -> None:
    base = "results/mine/models/celebdf/id0-id7.safetensors"
    found = leftovers(training={"bases": {"celebdf": base}}).paths()
    assert found == [path for path in UNMADE if not base.endswith(path)]


def test_nothing_of_no_build(folder: Path) -> None:
    other = leftovers(name="other")
    assert other.paths() == []
    assert other.token() == ""
    assert other.summary("tidy") == ""


def test_summary_counts_by_folder_and_names_what_is_older(folder: Path) -> None:
    page = folder / "results/mine/report.html"
    page.write_text("x")
    os.utime(page, (1, 1))
    said = leftovers().summary("snakemake tidy")
    assert said == (
        "results/mine: 14 files and folders are from an earlier config and no longer made "
        "(benchmarks 1, checkpoints 1, clips 1, crops 1, dataset 3, figures 1, logs 1, models 1, "
        "records 3, tables 1); 'snakemake tidy' removes them and makes anew what is older than "
        "the dataset (report.html)"
    )


def test_tidy_removes_it_and_nothing_else(folder: Path) -> None:
    root, found = folder / "results" / "mine", leftovers()
    before = found.token()
    rows = tidy(root, [], {}, [], found.paths())
    assert Removed("dataset (no longer made)", 3, 3, "removed") in rows
    assert sum(row.files for row in rows) == len(UNMADE)
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert left == {name for name in FILES if not name.startswith(tuple(UNMADE))}
    assert not (root / "dataset" / "fakeapp").exists(), "empty folders go, too"
    assert found.paths() == []
    (root / SEEN).write_text(before)
    assert found.token() == before, "a further tidy has nothing to do"


def test_links_and_sources_stay(folder: Path, tmp_path: Path) -> None:
    root = folder / "results" / "mine"
    (root / "clips/id7").rename(folder / "elsewhere")
    (root / "clips/id7").symlink_to(folder / "elsewhere")
    model = "models/celebdf/id0-id7.safetensors"
    rows = tidy(root, [], {}, [str(root / model)], ["clips/id7", model])
    assert [row.fate for row in rows] == ["kept: is a link", "kept: holds source clips"]
    assert (folder / "elsewhere" / "id7_0000.mkv").is_file()
    assert (root / model).is_file()


def test_the_command_is_what_a_shell_understands() -> None:
    config: Mapping[str, Any] = {"name": "my own", "methods": ["celebdf"]}
    assert tidy_command([], {}) == "snakemake --cores 1 tidy"
    assert tidy_command([Path("my file.yaml").absolute()], config) == (
        "snakemake --cores 1 tidy --configfile 'my file.yaml' "
        """--config 'name=my own' 'methods=["celebdf"]'"""
    )


def test_a_listing_of_many_files_is_quick(tmp_path: Path) -> None:
    """Names are compared, and no file is looked at: 20,000 entries within two seconds."""
    root = tmp_path / "results"
    (root / "dataset" / "real" / "c23").mkdir(parents=True)
    for number in range(20_000):
        (root / "dataset" / "real" / "c23" / f"id0_{number:05d}.mp4").touch()
    calls: list[Mapping[str, str]] = []
    made = SimpleNamespace(root=str(root), named=set(), includes=lambda v: not calls.append(v))
    assert Leftovers(made).paths() == []  # type: ignore[arg-type]
    assert len(calls) == 20_000
