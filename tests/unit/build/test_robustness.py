"""The plans of perturbed videos and of scores from elsewhere, and their config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.builds import write_empty_clips

from swapset.build.workflow import Workflow
from swapset.config.schema import load
from swapset.errors import ConfigError


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=4)


def stages(manifest: Path, **values: Any) -> Workflow:
    return Workflow(
        {
            "clips": str(manifest),
            "name": "b",
            "methods": ["faceswap"],
            "pairs": [["id0", "id1"], ["id2", "id3"]],
            "detectors": ["Meso4", "HeadPose"],
            **values,
        }
    )


def test_nothing_is_perturbed_by_default(manifest: Path) -> None:
    plan = stages(manifest).robustness
    assert (plan.perturbations, plan.families, plan.scores()) == ({}, {}, [])
    assert plan.plain_scores() == plan.results() == plan.all_blocks() == plan.quality() == []


def test_jobs_are_one_for_each_perturbation_and_family(manifest: Path) -> None:
    names = ["blur", "noise/3", "resize/2+video/3", "messenger"]
    plan = stages(manifest, detection={"perturbations": names, "block": 3}).robustness
    assert plan.families == {
        "blur": [f"blur-{level}" for level in range(1, 6)],
        "noise": ["noise-3"],
        "resize-2+video-3": ["resize-2+video-3"],
        "messenger": ["messenger"],
    }
    assert len(plan.all_blocks()) == 8 * 2 * 2  # perturbations, kinds, blocks
    root = "results/b/perturbed"
    assert plan.all_blocks()[0] == f"{root}/crops/blur-1/real/original/0000"
    assert plan.scores()[0] == f"{root}/scores/Meso4/faceswap/blur"
    assert len(plan.scores()) == 2 * 4
    assert len(plan.quality()) == 4 * 4
    assert plan.plain_scores() == [
        f"results/b/scores/{name}/faceswap/original.parquet" for name in ("Meso4", "HeadPose")
    ]


def test_without_detectors_nothing_is_perturbed(manifest: Path) -> None:
    off = stages(manifest, detectors=[], detection={"perturbations": "all"})
    assert off.robustness.results() == []


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("detection", ["blurr"], "detection.perturbations"),
        ("detection", ["blur/7"], "level '7' is not allowed; use 1 to 5"),
        ("detection", "blur", "Input should be a valid list"),
        ("landmark_breaker", ["jpeg/0"], "landmark_breaker.perturbations"),
    ],
)
def test_wrong_perturbations_are_refused(section: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load({"clips": "demo", section: {"perturbations": value}})
    assert said in str(error.value)


def test_protected_pictures_go_through_compressions_and_perturbations() -> None:
    settings = {"compressions": ["none", "jpeg75"], "perturbations": ["blur/1", "social"]}
    config = load({"clips": "demo", "landmark_breaker": settings})
    expected = ["none", "jpeg75", "blur/1", "social"]
    assert config.landmark_breaker.recompressions() == expected


# -- scores from elsewhere ---------------------------------------------------------------------


def test_scores_from_elsewhere_join_the_tables(manifest: Path) -> None:
    (manifest.parent / "s.csv").touch()
    (manifest.parent / "t.csv").touch()
    own, other = str(manifest.parent / "s.csv"), str(manifest.parent / "t.csv")
    files = [{"file": own, "compression": "c40"}, {"file": other, "higher": "real"}]
    plan = stages(manifest, scores={"Theirs": {"faceswap": files}}).detection
    written = [f"results/b/scores/Theirs/faceswap/{name}.parquet" for name in ("c40", "original")]
    assert plan.scores()[-2:] == written
    about = ("Theirs", "faceswap", "c40", plan.compressions)
    assert plan.outside.file(*about) == own
    assert plan.outside.direction(*about) == "real"  # one file of a detector says it for all
    assert plan.outside.judged_by("Theirs") == {"faceswap": [own, other]}


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"Meso4": {"faceswap": "s.csv"}}, "scores: 'Meso4' is not allowed: a detector of swapset"),
        ({"T": {"celebdf": "s.csv"}}, "scores.T.celebdf: this build has no such dataset; choose"),
        ({"T": {"faceswap": ["s.csv", "s.csv"]}}, "two files have scores of the same videos"),
        ({"T": {"faceswap": "none.csv"}}, "scores.T.faceswap: no file"),
        ({"a/b": {"faceswap": "s.csv"}}, "'a/b' is not allowed as a detector's name"),
        ({"T": {"faceswap": {"file": "s.csv", "higher": "up"}}}, "higher"),
        ({"T": {"faceswap": []}}, "scores.T.faceswap"),
    ],
)
def test_wrong_scores_are_refused(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, scores: Any, said: str
) -> None:
    monkeypatch.chdir(manifest.parent)
    Path("s.csv").touch()
    with pytest.raises(ConfigError) as error:
        _ = stages(manifest, scores=scores).detection
    assert said in str(error.value)


def test_a_compression_that_the_build_lacks_is_refused(manifest: Path) -> None:
    (manifest.parent / "s.csv").touch()
    file = {"file": str(manifest.parent / "s.csv"), "compression": "c23"}
    with pytest.raises(ConfigError, match=r"scores.T.faceswap.compression: 'c23' is not allowed"):
        _ = stages(manifest, scores={"T": {"faceswap": file}}, compressions=["original"]).detection
