"""Datasets, blocks, pairs and folds as the Snakefile asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from material.builds import write_empty_clips
from material.layouts import plant, plant_ff

from swapset.build.build import Build
from swapset.build.detection import DetectionPlan
from swapset.build.workflow import Workflow
from swapset.detection.protocol import SPLIT_COLUMNS, check_splits, split_table
from swapset.detectors.margins import MARGIN, WIDE
from swapset.errors import ConfigError
from swapset.io.files import write_csv


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=6, each=2)


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
    assert plan.first_set.name == "faceswap"
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
    assert [path.rpartition("/")[2] for path in plan.cards()[:3]] == ["0.json", "1.json", "2.json"]
    tested = [row[1] for row in plan.split_rows() if row[0] == "real" and row[-1] == "test"]
    assert sorted(map(str, tested)) == sorted(plan.names("real", "original"))


def test_seeds_are_further_trainings_of_the_same_folds(manifest: Path) -> None:
    one, three = (plan_of(manifest, detection={"folds": 2, "seeds": seeds}) for seeds in (1, 3))
    names = [path.rpartition("/")[2].removesuffix(".safetensors") for path in three.models("Meso4")]
    assert names == ["0", "1", "0-s1", "1-s1", "0-s2", "1-s2"]
    assert three.models("Meso4")[:2] == one.models("Meso4")
    assert three.learns("Meso4", "1-s2") == one.learns("Meso4", "1")
    assert three.split_rows() == one.split_rows()


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
    assert plan.first_set.name == "UADFV"


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


@pytest.mark.parametrize(
    ("compressions", "multi_task", "capsule", "lacking"),
    [
        (["original", "c23", "c40"], "c23", "original+c23+c40", []),
        (["original", "c40"], "original", "original+c40", ["Multi-task", "Capsule"]),
        (["c23", "original"], "c23", "original+c23", ["Capsule"]),
        (["original"], "original", "original", ["Multi-task", "Capsule"]),
    ],
)
def test_detectors_learn_from_the_compressions_of_their_authors(
    manifest: Path, compressions: list[str], multi_task: str, capsule: str, lacking: list[str]
) -> None:
    plan = plan_of(
        manifest, compressions=compressions, detectors=["Meso4", "Multi-task", "Capsule"]
    )
    assert plan.learns_from("Multi-task") == multi_task
    assert plan.learns_from("Capsule") == capsule
    for detector, learnt in (("Multi-task", multi_task), ("Capsule", capsule)):
        folders = [Path(folder).parent for folder in plan.training_blocks(detector)]
        assert list(dict.fromkeys(folder.name for folder in folders)) == learnt.split("+")
        assert {folder.parent.name for folder in folders} == {"real", "faceswap"}
        assert set(plan.training_blocks(detector)) <= set(plan.all_blocks())
    notices = plan.notices()
    assert [notice.split()[0] for notice in notices] == lacking
    for notice in notices:
        assert "faceswap has no " in notice


def test_a_dataset_that_has_no_raw_videos_teaches_capsule_the_others(tmp_path: Path) -> None:
    plant_ff(tmp_path / "FF", compressions=("c23", "c40"))
    source = {"FF-DF": {"root": str(tmp_path / "FF")}}
    plan = Workflow({"clips": None, "datasets": source, "detectors": ["Capsule"]}).detection
    assert plan.learns_from("Capsule") == "c23+c40"
    assert plan.notices() == [
        "Capsule learns from c23+c40 videos, and its authors' from original+c23+c40 ones: "
        "FF-DF has no original here"
    ]


def test_weights_that_are_the_wrong_ones_by_name_are_said_before_anything_runs(
    manifest: Path,
) -> None:
    path = manifest.parent / "full_c23.pt"
    path.touch()
    settings = {"settings": {"Xception-c23": {"weights": str(path)}, "Capsule": {"steps": 3}}}
    plan = plan_of(manifest, detection=settings, detectors=["Xception-c23"])
    [notice] = plan.notices()
    assert notice.startswith(f"detection.settings.Xception-c23.weights: {path}: by its name")
    assert not plan_of(manifest, detection=settings, detectors=["Meso4"]).notices()


@pytest.mark.parametrize(
    ("detector", "name", "beside"),
    [
        ("Multi-task", "encoder_46.pt", "decoder_46.pt"),
        ("Capsule", "capsule_21.pt", "vgg19-dcbb9e9d.pth"),
    ],
)
def test_files_beside_published_weights_are_looked_at_too(
    manifest: Path, detector: str, name: str, beside: str
) -> None:
    folder = manifest.parent / "weights"
    folder.mkdir()
    (folder / name).write_bytes(b"1")
    (folder / beside).write_bytes(b"2")
    pairs = {"clips": str(manifest), "pairs": [["id0", "id1"], ["id2", "id3"], ["id4", "id5"]]}

    def stages(path: Path) -> Workflow:
        settings = {"settings": {detector: {"weights": str(path)}}}
        return Workflow({**pairs, "detection": settings})

    one = stages(folder / name)
    files = {file.path for file in one.outside}
    assert {str(folder / name), str(folder / beside)} <= files
    assert one.detection.fit_params(detector)["beside"] == [str(folder / beside)]
    whole = stages(folder)
    assert str(folder) in {file.path for file in whole.outside}
    assert "beside" not in whole.detection.fit_params(detector)


def test_a_folder_is_no_weights_of_a_detector_that_has_one_file(manifest: Path) -> None:
    folder = manifest.parent / "weights"
    folder.mkdir()
    settings = {"settings": {"Meso4": {"weights": str(folder)}}}
    with pytest.raises(ConfigError, match=r"Meso4\.weights: .*weights is a folder, .* one file"):
        plan_of(manifest, detection=settings)
    with pytest.raises(ConfigError, match=r"Meso4\.backbone_weights: no file"):
        plan_of(manifest, detection={"settings": {"Meso4": {"backbone_weights": str(folder)}}})


@pytest.fixture
def celeb(tmp_path: Path) -> Path:
    """Celeb-DF with people who are called as the subjects of the clips."""
    root = tmp_path / "Celeb-DF"
    names = [f"id{k}" for k in range(4)]
    plant(root, *(f"Celeb-real/{name}_0000.mp4" for name in names), "YouTube-real/00000.mp4")
    plant(root, *(f"Celeb-synthesis/{a}_{b}_0000.mp4" for a in names for b in names if a != b))
    tests = ["1 YouTube-real/00000.mp4"]
    tests += [f"1 Celeb-real/{name}_0000.mp4" for name in names]
    tests += [f"0 Celeb-synthesis/{a}_{b}_0000.mp4" for a in names for b in names if a != b]
    (root / "List_of_testing_videos.txt").write_text("\n".join(tests) + "\n")
    return root


def test_namesakes_in_a_public_dataset_do_not_stop_a_build(manifest: Path, celeb: Path) -> None:
    source = {"Celeb-DF": {"root": str(celeb)}}
    plan = plan_of(manifest, datasets=source, detection={"folds": 3})
    rows = plan.split_rows()
    table, names = split_table(**plan.split_params(), found=[])
    assert table.to_numpy().tolist() == rows
    check_splits(table, names)
    tested = {(row[1], row[5]) for row in rows if row[0] == "Celeb-DF" and row[6] == "test"}
    assert len(tested) == 3 * (1 + 4 + 12), "nobody is left out"
    alone = plan_of(manifest, detection={"folds": 3})
    assert [row for row in rows if row[0] != "Celeb-DF"] == alone.split_rows()


def test_people_who_are_said_to_be_one_are_never_learnt_from_and_tested(
    manifest: Path, celeb: Path
) -> None:
    source = {"Celeb-DF": {"root": str(celeb)}}
    asked = {"folds": 2, "same_people": {"Celeb-DF/id2": "id0", "id4": "Celeb-DF/id2"}}
    plan = plan_of(manifest, datasets=source, detection=asked)
    table, names = split_table(**plan.split_params(), found=[])
    check_splits(table, names)
    assert table.to_numpy().tolist() == plan.split_rows()
    roles = table.set_index(["kind", "video", "fold"])["role"]
    together = 0
    for fold in range(2):
        # id0 and id4 are one through a third name: they are in one part.
        assert roles["real", "id0_0000", fold] == roles["real", "id4_0000", fold]
        own = roles["real", "id0_0000", fold]
        for video in ("id2_0000", "id2_id1_0000", "id1_id2_0000"):
            assert roles["Celeb-DF", video, fold] == ("test" if own == "test" else "")
        assert roles["Celeb-DF", "id0_0000", fold] == "test", "a namesake"
        together += own == "test"
    assert together == 1


def test_a_wrong_name_in_same_people_is_said(manifest: Path, celeb: Path) -> None:
    asked = {"same_people": {"Celeb-DF/id12": "id0"}}
    with pytest.raises(ConfigError, match="same_people: nobody in Celeb-DF is called 'id12'"):
        plan_of(manifest, datasets={"Celeb-DF": {"root": str(celeb)}}, detection=asked)


def test_a_further_dataset_is_nothing_to_what_detectors_learn(
    manifest: Path, uadfv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone, other = plan_of(manifest), {"detection": {"test": 0.5}}
    more = plan_of(manifest, datasets={"UADFV": {"root": str(uadfv)}})
    assert alone.learns("Meso4", "0") == more.learns("Meso4", "0")
    assert alone.tests("celebdf") == more.tests("celebdf")
    assert alone.learns("Meso4", "0") != plan_of(manifest, **other).learns("Meso4", "0")
    assert not more.first_set.knows_learnt("0"), "there is no table"
    table = Path(Build({"clips": str(manifest)}).root, "tables", "splits.csv")
    table.parent.mkdir(parents=True)
    write_csv(table, pd.DataFrame(alone.split_rows(), columns=SPLIT_COLUMNS))
    more = plan_of(manifest, datasets={"UADFV": {"root": str(uadfv)}})
    assert more.first_set.knows_learnt("0")
    assert more.knows_tested("celebdf")
    assert not more.knows_tested("UADFV")
    assert not plan_of(manifest, **other).first_set.knows_learnt("0")
    merging = plan_of(manifest, accept={"same_person": "merge"})
    assert not merging.first_set.knows_learnt("0")


def test_published_weights_learn_from_nothing(manifest: Path) -> None:
    (manifest.parent / "w.h5").touch()
    settings = {"settings": {"Meso4": {"weights": str(manifest.parent / "w.h5")}}}
    plan = plan_of(manifest, detection=settings)
    assert plan.training_blocks("Meso4") == plan.learns("Meso4", "0") == []
    assert plan.training_blocks("MesoInception4")


def test_a_build_without_detectors_has_none_of_their_files(manifest: Path) -> None:
    plan = plan_of(manifest, detectors=[])
    assert plan.scores() == plan.cards() == []
    assert plan.margin == MARGIN


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
