"""Misspelt and impossible names are told with the nearest ones that a build has."""

from __future__ import annotations

from pathlib import Path

import pytest

from swapset.build.targets import Targets
from swapset.build.workflow import Workflow
from swapset.errors import ConfigError

R = "results/demo"
RULES = {
    "all": [],
    "dataset": [f"{R}/dataset/provenance.jsonl", f"{R}/tables/datasets.csv"],
    "mask_ssim": [f"{R}/tables/mask_ssim.csv", f"{R}/tables/mask_ssim_differences.csv"],
    "align": [f"{R}/landmarks/{{subject,[A-Za-z0-9]+}}", f"{R}/faces/{{subject}}"],
    "real": [f"{R}/dataset/real/c23/{{subject}}_{{number}}.mp4"],
    "synthesise": [f"{R}/dataset/{{method}}/c23/{{target}}_{{donor}}_{{number}}.mp4"],
    "train": [f"{R}/models/{{recipe}}/{{pair}}.safetensors"],
    "train_shared": [f"{R}/models/{{recipe}}/{{shared}}.safetensors"],
    "find_faces": [f"{R}/crops/{{kind}}/{{compression}}/{{block}}"],
    "score": [f"{R}/scores/{{detector}}/{{dataset}}/{{compression}}.parquet"],
}


@pytest.fixture
def targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Targets:
    """The demo: id0 to id3, two clips each."""
    monkeypatch.chdir(tmp_path)
    return Targets(Workflow({}), RULES)


GOOD = [
    "dataset",
    f"{R}/tables/mask_ssim.csv",
    f"{R}/faces/id2",
    f"{R}/faces/id2/",
    f"./{R}/faces/id0",
    f"{R}/dataset/real/c23/id0_0001.mp4",
    f"{R}/models/celebdf/id0-id3.safetensors",
    f"{R}/models/celebdf/base.safetensors",
    f"{R}/crops/real/original/0000",
    f"{R}/scores/Meso4/celebdf/c23.parquet",
]


@pytest.mark.parametrize("name", GOOD)
def test_what_a_build_makes_passes(targets: Targets, name: str) -> None:
    targets.check([name])


def test_any_fake_can_be_asked_for(targets: Targets) -> None:
    """Also one that is not drawn."""
    subjects = Workflow({}).build.subjects
    targets.check(f"{R}/dataset/celebdf/c23/{a}_{b}_0001.mp4"
                  for a in subjects for b in subjects if a != b)  # fmt: skip


def test_a_file_that_is_there_passes(targets: Targets) -> None:
    Path("notes.txt").touch()
    targets.check(["notes.txt"])


@pytest.mark.parametrize(
    ("name", "reason", "nearest"),
    [
        ("datset", "no rule and no file of this build has this name", ["dataset"]),
        ("mask-ssim", "no rule", ["mask_ssim"]),
        (
            f"{R}/faces/id99",
            "this build has no subject 'id99'",
            [f"{R}/faces/id3", f"{R}/faces/id1"],
        ),
        (f"{R}/tables/mask_sim.csv", "no rule", [f"{R}/tables/mask_ssim.csv"]),
        (f"{R}/face/id1", "no rule", [f"{R}/faces/id1"]),
        (f"{R}/faces/id1/x", "no rule", [f"{R}/faces/id1"]),
        (
            f"{R}/dataset/faceswp/c23/id0_id1_0000.mp4",
            "this build has no method 'faceswp'",
            [f"{R}/dataset/faceswap/c23/id0_id1_0000.mp4"],
        ),
        (
            f"{R}/dataset/celebdf/c23/id0_id9_0000.mp4",
            "this build has no subject 'id9'",
            ["id0_id"],
        ),
        (
            f"{R}/dataset/real/c23/id0_0007.mp4",
            "this build has no clip id0_0007",
            ["/id0_0001.mp4"],
        ),
        (f"{R}/dataset/faceswap/c23/id0_id2_07.mp4", "no clip id0_07", ["id0_id2_0000.mp4"]),
        (f"{R}/dataset/celebdf/c23/id1_id1_0000.mp4", "id1 would get its own face", ["/id1_id"]),
        (
            f"{R}/models/celebdf/id3-id0.safetensors",
            "this build has no pair 'id3-id0'",
            ["id0-id3"],
        ),
        (
            f"{R}/models/celebd/id0-id3.safetensors",
            "this build has no recipe",
            ["/celebdf/id0-id3"],
        ),
        (f"{R}/crops/real/c23/0009", "this build has no block '0009' of real c23", [f"{R}/crops/"]),
        (
            f"{R}/scores/Mesoo4/celebdf/c23.parquet",
            "no detector 'Mesoo4'",
            ["scores/Meso4/celebdf"],
        ),
        ("xyzzy", "no rule", ["`snakemake --list-target-rules` lists the targets"]),
    ],
)
def test_what_it_cannot_make_is_told_with_the_nearest(
    targets: Targets, name: str, reason: str, nearest: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        targets.check(["dataset", name])
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert reason in message
    assert "\n" not in message
    said = message.partition("; ")[2]
    assert all(near in said for near in nearest), message
    assert "{" not in message


def test_absolute_paths_are_written_relative(targets: Targets) -> None:
    with pytest.raises(ConfigError, match=f"relative to this folder: {R}/faces/id1$"):
        targets.check([str(Path.cwd() / R / "faces" / "id1")])


def test_files_of_another_build_ask_for_its_config(targets: Targets) -> None:
    Path("results/mine").mkdir(parents=True)
    with pytest.raises(
        ConfigError, match="makes results/demo; name the config of mine by --config"
    ):
        targets.check(["results/mine/tables/mask_ssim.csv"])


def test_a_rule_for_several_files_is_told_with_an_example(targets: Targets) -> None:
    with pytest.raises(ConfigError, match="align: this rule makes several files; name one, like"):
        targets.check(["align"])
    targets.check(["align"], rules_with_wildcards=True)
