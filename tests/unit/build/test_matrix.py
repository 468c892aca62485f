"""The plan of several training sets: what is learnt from, tested and made, and the config of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.builds import write_empty_clips
from material.layouts import plant_ff

from swapset.build.workflow import Workflow
from swapset.config.schema import load
from swapset.dataset.trainings import parted, trained_name
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.errors import ConfigError

METHODS = ["faceswap", "celebdf", "dfaker"]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=6)


def stages(manifest: Path, **values: Any) -> Workflow:
    detection = {"folds": 3, **values.pop("detection", {})}
    return Workflow(
        {
            "clips": str(manifest),
            "name": "b",
            "methods": METHODS,
            "pairs": [["id0", "id1"], ["id2", "id3"], ["id4", "id5"]],
            "swaps_per_clip": 1,
            "detectors": ["Meso4", "FWA"],
            "compressions": ["original", "c40"],
            "detection": detection,
            **values,
        }
    )


@pytest.mark.parametrize("train_on", [None, "dfaker", ["dfaker"], [["dfaker", "celebdf"]]])
def test_one_training_set_makes_no_matrix(manifest: Path, train_on: Any) -> None:
    plan = stages(manifest, detection={"train_on": train_on})
    matrix = plan.matrix
    assert matrix.sets == matrix.trained == matrix.scores() == matrix.results() == []
    assert matrix.first_scores() == []
    assert matrix.sizes() == ""
    assert plan.detection.models("Meso4")[0] == "results/b/detectors/Meso4/0.safetensors"


def test_each_set_has_fits_and_scores_of_its_own(manifest: Path) -> None:
    asked = {"train_on": ["celebdf", "faceswap", ["dfaker", "faceswap"]]}
    plan = stages(manifest, detection=asked)
    detection, matrix = plan.detection, plan.matrix
    assert [each.name for each in matrix.sets] == ["celebdf", "faceswap", "dfaker+faceswap"]
    # FWA learns from real faces alone, which are the same in all three.
    assert matrix.trained == ["Meso4@faceswap", "Meso4@dfaker+faceswap"]
    assert detection.models("Meso4@faceswap") == [
        f"results/b/detectors/Meso4@faceswap/{fold}.safetensors" for fold in range(3)
    ]
    kinds = {Path(path).parts[3] for path in detection.training_blocks("Meso4@dfaker+faceswap")}
    assert kinds == {"real", "dfaker", "faceswap"}
    assert len(detection.training_blocks("Meso4@dfaker+faceswap")) == 3
    assert {Path(path).parts[3] for path in detection.training_blocks("Meso4")} == {
        "real",
        "celebdf",
    }
    root = "results/b/matrix/scores"
    kinds_scored = ["real", *METHODS]
    assert matrix.scores() == [
        f"{root}/{name}/{k}" for name in matrix.trained for k in kinds_scored
    ]
    assert len(matrix.first_scores()) == 2 * 3 * 2
    assert matrix.sizes() == (
        "2 detectors, 3 training sets (celebdf, faceswap, dfaker+faceswap), 3 test sets: 12 fits "
        "and 20 jobs of scores in all"
    )


def test_real_videos_are_scored_once_in_all_compressions(manifest: Path) -> None:
    matrix = stages(manifest, detection={"train_on": METHODS, "block": 2}).matrix
    assert matrix.blocks("real") == [
        f"results/b/crops/real/{name}/{number:04d}" for name in ("original", "c40")
        for number in range(3)
    ]  # fmt: skip
    assert all("/dfaker/" in path for path in matrix.blocks("dfaker"))


def test_methods_have_the_same_people_in_the_same_parts(manifest: Path) -> None:
    """This is what makes differences between training sets paired."""
    detection = stages(manifest, detection={"train_on": METHODS}).detection
    parts = [
        {(row[1].replace(kind, ""), row[5]): row[6] for row in each.rows if row[0] == kind}
        for each, kind in zip(detection.training_sets, METHODS, strict=True)
    ]
    assert parts[0] == parts[1] == parts[2]
    assert {"train", "val", "test"} == set(parts[0].values())
    assert list(detection.training_sets[0].rows) == list(detection.training_sets[2].rows)


def test_one_is_left_out_after_the_other(manifest: Path) -> None:
    detection = {"train_on": METHODS, "leave_one_out": True}
    matrix = stages(manifest, detection=detection).matrix
    assert [(each.name, list(each.datasets), each.left_out) for each in matrix.sets[3:]] == [
        ("all-but-faceswap", ["celebdf", "dfaker"], "faceswap"),
        ("all-but-celebdf", ["faceswap", "dfaker"], "celebdf"),
        ("all-but-dfaker", ["faceswap", "celebdf"], "dfaker"),
    ]
    assert matrix.described()[-1] == {
        "name": "all-but-dfaker", "datasets": ["faceswap", "celebdf"], "left_out": "dfaker",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"train_on": ["faceswap", "DFD"]},
            "train_on: 'DFD' is not allowed: this build has no such",
        ),
        ({"train_on": ["faceswap", "faceswap"]}, "the same datasets as 'faceswap'"),
        (
            {"train_on": ["celebdf", ["faceswap", "dfaker"], ["dfaker", "faceswap"]]},
            "'dfaker.faceswap' is not allowed: it has the same datasets as 'faceswap.dfaker'",
        ),
        ({"train_on": ["faceswap", "dfaker"], "leave_one_out": True}, "needs three datasets"),
        ({"leave_one_out": True}, "needs three datasets or more"),
        (
            {"train_on": [*METHODS, ["faceswap", "celebdf"]], "leave_one_out": True},
            "'all-but-dfaker' is not allowed: it has the same datasets as 'faceswap.celebdf'",
        ),
    ],
)
def test_sets_that_make_no_sense_are_refused(
    manifest: Path, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        stages(manifest, detection=asked).detection.scores()


@pytest.mark.parametrize("value", [[], [[]], 3, [["faceswap", ["celebdf"]]], {"faceswap": 1}])
def test_train_on_is_a_name_or_a_list(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"detection\.train_on"):
        load({"detection": {"train_on": value}})


def test_a_public_training_set_tests_all_people_of_the_build(
    manifest: Path, tmp_path: Path
) -> None:
    """It knows none of them; and it has one fold where those of the build have three."""
    root = plant_ff(tmp_path / "FF", ("Deepfakes",), ("raw",))
    plan = stages(
        manifest,
        datasets={"FF-DF": {"root": str(root)}},
        detection={"train_on": ["faceswap", "FF-DF", ["faceswap", "FF-DF"]]},
    )
    alone, both = plan.matrix.further
    assert [each.fold_numbers for each in plan.matrix.sets] == [
        ["0", "1", "2"],
        ["0"],
        ["0", "1", "2"],
    ]
    own = [row for row in alone.rows if row[0] in ("real", *METHODS)]
    assert {row[6] for row in own} == {"test"}
    learnt = {row[6] for row in both.rows if row[0] == "FF-DF"}
    assert {"train", "test"} <= learnt
    assert {row[6] for row in both.rows if row[0] == "dfaker"} == {"train", "val", "test"}
    assert plan.detection.trained("FWA") == ["FWA", "FWA@FF-DF", "FWA@faceswap+FF-DF"]
    assert plan.detection.models("Meso4@FF-DF") == ["results/b/detectors/Meso4@FF-DF/0.safetensors"]


def test_published_weights_are_in_the_matrix_once(manifest: Path) -> None:
    (manifest.parent / "w.h5").touch()
    settings = {"Meso4": {"weights": str(manifest.parent / "w.h5")}}
    plan = stages(manifest, detection={"train_on": METHODS, "settings": settings})
    assert plan.matrix.trained == []
    assert plan.matrix.published() == ["Meso4"]


def test_the_registry_knows_which_detectors_learn_from_fakes() -> None:
    for name in DETECTORS.built_in:
        needs = getattr(detector_class(name), "needs_fakes", True)
        assert DETECTORS.find(name).traits["learns_fakes"] == needs, name


def test_names_in_files_give_detector_and_set() -> None:
    name = trained_name("VA-MLP", "FaceForensics+++Celeb-DF++")
    assert name == "VA-MLP@FaceForensics+++Celeb-DF++"
    assert parted(name) == ("VA-MLP", "FaceForensics+++Celeb-DF++")
    assert parted("VA-MLP") == ("VA-MLP", "")
