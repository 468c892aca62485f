"""Datasets, blocks, pairs and folds as the Snakefile asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.workflow import Workflow
from swapset.detection.protocol import SPLIT_COLUMNS
from swapset.detectors.margins import MARGIN, WIDE
from swapset.errors import ConfigError
from swapset.io.files import write_csv


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["clip,subject,path,licence"]
    for person in range(6):
        for number in range(2):
            (tmp_path / f"{person}{number}.mp4").touch()
            lines.append(f"id{person}_000{number},id{person},{person}{number}.mp4,CC0")
    path = tmp_path / "clips.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def uadfv(tmp_path: Path) -> Path:
    """UADFV, which names nobody: two real videos and their fakes."""
    root = tmp_path / "UADFV"
    for folder, suffix in (("real", ""), ("fake", "_fake")):
        (root / folder).mkdir(parents=True)
        for number in range(2):
            (root / folder / f"000{number}{suffix}.mp4").write_bytes(b"x")
    return root


def plan_of(manifest: Path, **values: Any) -> DetectionPlan:
    pairs = [["id0", "id1"], ["id2", "id3"], ["id4", "id5"]]
    return Workflow(
        {"clips": str(manifest), "pairs": pairs, "swaps_per_clip": 1, **values}
    ).detection


def test_defaults(manifest: Path) -> None:
    plan = plan_of(manifest)
    assert len(plan.detectors) == 16
    assert plan.datasets == ["celebdf", "faceswap"]
    assert plan.train_on == "faceswap"
    assert len(plan.scores()) == 16 * 2 * 3


def test_detectors_do_not_change_what_the_videos_depend_on(manifest: Path) -> None:
    def shown(**values: Any) -> str:
        return Build({"clips": str(manifest), **values}).config_hash()

    plain = shown()
    assert shown(detectors=["Meso4"], detection={"frames": 3}) == plain
    assert shown(seed=2) != plain


def test_every_video_is_in_one_block(manifest: Path) -> None:
    plan = plan_of(manifest, detection={"block": 5})
    folders = plan.blocks("celebdf", "c40")
    kinds = [Path(folder).parent.parent.name for folder in folders]
    assert kinds == ["real"] * 3 + ["celebdf"] * 3
    names = [name for number in range(3) for name in plan.block("celebdf", "c40", f"{number:04d}")]
    assert names == plan.names("celebdf", "c40")
    assert len(names) == 12
    assert plan.targets("celebdf", "c40", "0000") == ["id0", "id1", "id2"]


def test_couples_stay_together_and_roles_follow(manifest: Path) -> None:
    rows = plan_of(manifest).split_rows()
    parts: dict[str, set[str]] = {}
    for kind, _, label, target, donor, fold, role in rows:
        assert fold == 0
        assert label == int(kind != "real")
        assert role
        parts.setdefault(str(role), set()).update({str(target), str(donor)} - {""})
    assert sorted(map(len, parts.values())) == [2, 2, 2]


def test_folds_test_everybody(manifest: Path) -> None:
    plan = plan_of(manifest, detection={"folds": 3})
    assert plan.models("Meso4")[-1].endswith("detectors/Meso4/2.safetensors")
    tested = [row[1] for row in plan.split_rows() if row[0] == "real" and row[-1] == "test"]
    assert sorted(map(str, tested)) == sorted(plan.names("real", "original"))


def test_a_dataset_that_names_nobody_has_pairs_without_donors(manifest: Path, uadfv: Path) -> None:
    plan = plan_of(manifest, datasets={"UADFV": {"root": str(uadfv)}})
    assert plan.compressions("UADFV") == ["original"]
    assert plan.paired == ["UADFV"]
    for name, fake, original, donor, sure in plan.public.pairs["UADFV"]:
        assert (donor, sure) == ("", "exact")
        assert Path(fake).parent.name == "fake"
        assert Path(original).stem == name[:4]
    assert {row[-1] for row in plan.split_rows() if row[0] == "UADFV"} == {"test"}


def test_public_datasets_alone(uadfv: Path) -> None:
    values = {"clips": None, "datasets": {"UADFV": {"root": str(uadfv)}}}
    plan = Workflow(values).detection
    assert plan.datasets == plan.all_kinds == ["UADFV"]
    assert plan.train_on == "UADFV"


def test_a_dataset_without_a_split_teaches_nothing(uadfv: Path) -> None:
    datasets = {"UADFV": {"root": str(uadfv)}}
    with pytest.raises(
        ConfigError, match=r"train_on: 'UADFV' is not allowed: it has no training split"
    ):
        Workflow({"clips": None, "datasets": datasets}).detection.learns_from("Meso4")
    weights = uadfv / "Meso4_DF.h5"
    weights.touch()
    settings = {"settings": {"Meso4": {"weights": str(weights)}}}
    plan = Workflow({"clips": None, "datasets": datasets, "detection": settings}).detection
    assert plan.learns_from("Meso4") == "original"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"detectors": ["Meso5"]},
            "detectors: 'Meso5' is not allowed: it is unknown; choose from Two",
        ),
        ({"detection": {"settings": {"Meso": {"steps": 1}}}}, "'Meso' is not allowed"),
        ({"detection": {"train_on": "DFD"}}, "detection.train_on: 'DFD' is not allowed: this"),
        ({"datasets": {"celebdf": {"root": "x"}}}, "datasets: 'celebdf' is not allowed: a method"),
        ({"clips": None}, "clips: null is not allowed without public"),
    ],
)
def test_mistakes_are_named(manifest: Path, values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(manifest, **values)
    assert says in str(caught.value)


def test_a_detector_that_learns_from_what_is_not_there(manifest: Path) -> None:
    plan = plan_of(manifest, compressions=["original"])
    assert plan.learns_from("Meso4") == "original"
    with pytest.raises(ConfigError, match="'Xception-c23' is not allowed: it learns from c23"):
        plan.learns_from("Xception-c23")


def test_a_further_dataset_is_nothing_to_what_detectors_learn(
    manifest: Path, uadfv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone, other = plan_of(manifest), {"detection": {"test": 0.5}}
    more = plan_of(manifest, datasets={"UADFV": {"root": str(uadfv)}})
    assert alone.learns("Meso4", "0") == more.learns("Meso4", "0")
    assert alone.tests("celebdf") == more.tests("celebdf")
    assert alone.learns("Meso4", "0") != plan_of(manifest, **other).learns("Meso4", "0")
    assert not more.knows_learnt("0"), "there is no table"
    table = Path(Build({"clips": str(manifest)}).root, "tables", "splits.csv")
    table.parent.mkdir(parents=True)
    write_csv(table, pd.DataFrame(alone.split_rows(), columns=SPLIT_COLUMNS))
    more = plan_of(manifest, datasets={"UADFV": {"root": str(uadfv)}})
    assert more.knows_learnt("0")
    assert more.knows_tested("celebdf")
    assert not more.knows_tested("UADFV")
    assert not plan_of(manifest, **other).knows_learnt("0")
    assert not plan_of(manifest, accept={"same_person": "merge"}).knows_learnt("0")


def test_published_weights_learn_from_nothing(manifest: Path) -> None:
    (manifest.parent / "w.h5").touch()
    settings = {"settings": {"Meso4": {"weights": str(manifest.parent / "w.h5")}}}
    plan = plan_of(manifest, detection=settings)
    assert plan.training_blocks("Meso4") == plan.learns("Meso4", "0") == []
    assert plan.training_blocks("MesoInception4")


def test_a_protocol_chooses_code_and_width_of_the_faces(manifest: Path) -> None:
    (manifest.parent / "w.pth").touch()

    def plan(*names: str, **settings: str) -> DetectionPlan:
        weights = {"weights": str(manifest.parent / "w.pth"), **settings}
        chosen = dict.fromkeys(names, weights) if settings else {}
        return plan_of(manifest, detectors=list(names), detection={"settings": chosen})

    authors, benchs = plan("Meso4"), plan("Meso4", protocol="deepfakebench")
    assert (authors.module("Meso4"), authors.margin) == ("swapset.detectors.mesonet", MARGIN)
    assert benchs.module("Meso4") == "swapset.detectors.deepfakebench"
    assert benchs.margin == WIDE
    assert plan("Meso4", "SPSL").margin == WIDE
    assert benchs.fit_params("Meso4")["protocol"] == "deepfakebench"
    with pytest.raises(ConfigError, match=r"detection\.settings\.HeadPose\.protocol: 'deepfake"):
        plan("HeadPose", protocol="deepfakebench")
