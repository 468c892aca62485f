"""Two builds compared: configs, paired differences of scores, fakes and runs, and the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.html import Page
from scipy.stats import ttest_1samp

from swapset.cli.main import main
from swapset.detection.protocol import write_scores
from swapset.detection.tables import Asked
from swapset.io.files import read_csv, write_csv
from swapset.report.comparison.configs import config_differences, faceless_of
from swapset.report.comparison.page import write_comparison
from swapset.report.comparison.rows import COLUMNS
from swapset.report.comparison.tables import differences, only_in_one

HOW = Asked(seed=1, level=0.95, resamples=300)
VIDEOS, FRAMES = 30, 3


def scores(gap: float, videos: range) -> pd.DataFrame:
    """Return scores whose noise depends on the frame alone, so that only the gap differs."""
    noise = np.random.default_rng(0).normal(size=(VIDEOS + 5, FRAMES))
    rows = [
        (f"v{k:02d}", f, k % 2, gap * (k % 2) + noise[k, f]) for k in videos for f in range(FRAMES)
    ]
    table = pd.DataFrame(rows, columns=["video", "frame", "label", "score"])
    return table.assign(fold=0, probability=np.nan).astype({"frame": "int32", "label": "int8"})


def build(root: Path, gap: float, quality: float, videos: range, config: dict[str, object]) -> Path:
    for folder in ("tables", "scores/Net/Set", "obstruction/measures/lb/fan"):
        (root / folder).mkdir(parents=True)
    write_scores(root / "scores/Net/Set/c23.parquet", scores(gap, videos))
    names = [f"v{k:02d}" for k in videos]
    splits = {
        "kind": "Set",
        "video": names,
        "label": [k % 2 for k in videos],
        "target": "",
        "donor": "",
    }
    write_csv(root / "tables/splits.csv", pd.DataFrame(splits).assign(fold=0, role="test"))
    fakes = pd.DataFrame({"method": "m", "fake": names, "reason": ""})
    spread = np.linspace(0, 0.1, len(names))
    write_csv(root / "tables/mask_ssim_per_fake.csv", fakes.assign(mask_ssim=quality + spread))
    write_csv(
        root / "tables/datasets.csv",
        pd.DataFrame(
            {"dataset": ["m", "n"], "real_videos": [8, 9], "fake_videos": [len(names), 2]}
        ),
    )
    runs = pd.DataFrame({"run": ["r0", "r0", "r1"], "frame": [0, 1, 0]})
    runs = runs.assign(compression="none", target="fan", nme=quality, ssim_i=0.9, ssim_w=np.nan)
    write_csv(root / "obstruction/measures/lb/fan/id0.csv", runs)
    (root / "config.json").write_text(json.dumps(config))
    return root


@pytest.fixture
def builds(tmp_path: Path) -> tuple[Path, Path]:
    plain = {"name": "a", "seed": 1, "align": {"size": 96}, "recipes": {}}
    other = {"name": "b", "seed": 1, "align": {"size": 112}, "recipes": {"x": {"steps": 5}}}
    return (
        build(tmp_path / "a", 0.5, 0.7, range(VIDEOS), plain),
        build(tmp_path / "b", 1.5, 0.6, range(5, VIDEOS + 5), other),
    )


def rows_of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["table"] == name].reset_index(drop=True)


def test_scores_are_compared_on_the_videos_of_both(builds: tuple[Path, Path]) -> None:
    rows = rows_of(differences(*builds, HOW), "detector_auc")
    assert rows["about"].tolist() == ["Net Set c23"] * 2
    assert rows["measure"].tolist() == ["auc by frame", "auc by video"]
    assert rows["pairs"].tolist() == [VIDEOS - 5] * 2
    assert rows["interval"].tolist() == ["videos"] * 2  # nobody is known by name
    assert (rows["difference"] > 0.1).all()
    assert rows["difference"].tolist() == pytest.approx((rows["b"] - rows["a"]).tolist())
    assert (rows["low"] > 0).all()
    assert (rows["low"] < rows["difference"]).all()
    assert (rows["difference"] < rows["high"]).all()


def test_fakes_are_compared_in_pairs(builds: tuple[Path, Path]) -> None:
    (row,) = rows_of(differences(*builds, HOW), "mask_ssim_per_fake").to_dict("records")
    first, second = (
        dict(read_csv(path / "tables/mask_ssim_per_fake.csv")[["fake", "mask_ssim"]].to_numpy())
        for path in builds
    )
    gap = np.array([second[name] - first[name] for name in sorted(first.keys() & second.keys())])
    test = ttest_1samp(gap, 0)
    assert row["difference"] == pytest.approx(gap.mean())
    assert (row["low"], row["high"]) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert row["p"] == pytest.approx(test.pvalue)
    assert (row["pairs"], row["unit"], row["about"]) == (VIDEOS - 5, "fakes", "m")
    assert row["interval"] == "fakes"  # their names do not tell who is in them


def test_fakes_of_known_people_are_compared_over_people(builds: tuple[Path, Path]) -> None:
    """Twelve people in a ring: what belongs to a person is in the fakes of all its partners."""
    people = np.random.default_rng(2).normal(0, 0.1, 12)
    couples = [(k, (k + step) % 12) for k in range(12) for step in (1, 2, 5)]
    for folder, share in zip(builds, (0.0, 1.0), strict=True):
        rows = {
            "method": "m",
            "fake": [f"id{one}_id{other}_0001" for one, other in couples],
            "mask_ssim": [0.8 + share * (people[one] + people[other]) for one, other in couples],
        }
        write_csv(folder / "tables/mask_ssim_per_fake.csv", pd.DataFrame(rows))
    (row,) = rows_of(differences(*builds, HOW), "mask_ssim_per_fake").to_dict("records")
    gap = np.array([people[one] + people[other] for one, other in couples])
    alone = ttest_1samp(gap, 0).confidence_interval(0.95)
    assert (row["pairs"], row["people"], row["interval"]) == (36, 12, "people")
    assert row["difference"] == pytest.approx(gap.mean(), abs=1e-6)
    assert row["high"] - row["low"] > 1.4 * (alone.high - alone.low)


def test_counts_are_compared_without_an_interval(builds: tuple[Path, Path]) -> None:
    for folder, steps in zip(builds, (100, 150), strict=True):
        rows = {"recipe": "x", "model": ["p", "q", "r"], "steps": [steps, steps, steps + 30]}
        table = pd.DataFrame(rows).assign(held_out=[0.1, 0.2, 0.4 * steps / 100])
        write_csv(folder / "tables/training.csv", table)
    count, loss = rows_of(differences(*builds, HOW), "training").to_dict("records")
    assert (count["measure"], count["a"], count["b"]) == ("steps", 110, 160)
    assert (count["difference"], count["pairs"], count["unit"]) == (50, 3, "models")
    assert np.isnan([count["low"], count["high"], count["p"], count["p_holm"]]).all()
    test = ttest_1samp([0, 0, 0.2], 0)
    assert (loss["measure"], loss["interval"]) == ("held_out", "models")
    assert loss["p"] == pytest.approx(test.pvalue)
    assert (loss["low"], loss["high"]) == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_one_fake_alone_has_no_interval(builds: tuple[Path, Path]) -> None:
    for folder in builds:
        rows = {"method": ["m"], "fake": ["id0_id1_0001"], "mask_ssim": [0.7]}
        write_csv(folder / "tables/mask_ssim_per_fake.csv", pd.DataFrame(rows))
    (row,) = rows_of(differences(*builds, HOW), "mask_ssim_per_fake").to_dict("records")
    assert np.isnan([row["low"], row["high"], row["p"], row["p_holm"]]).all()


def test_noise_is_compared_by_runs(builds: tuple[Path, Path]) -> None:
    rows = rows_of(differences(*builds, HOW), "landmark_breaker")
    assert rows["measure"].tolist() == ["nme", "ssim_i"]  # ssim_w was not measured
    assert rows["about"].tolist() == ["lb none fan fan"] * 2
    assert rows["difference"].tolist() == pytest.approx([-0.1, 0])
    assert rows["pairs"].tolist() == [2, 2]


def test_other_tables_are_compared_number_by_number(builds: tuple[Path, Path]) -> None:
    rows = rows_of(differences(*builds, HOW), "datasets")
    assert rows[["about", "measure", "a", "b", "difference"]].to_numpy().tolist() == [
        ["m", "real_videos", 8, 8, 0],
        ["m", "fake_videos", VIDEOS, VIDEOS, 0],
        ["n", "real_videos", 9, 9, 0],
        ["n", "fake_videos", 2, 2, 0],
    ]
    assert rows["low"].isna().all()


def test_a_build_does_not_differ_from_itself(builds: tuple[Path, Path]) -> None:
    found = differences(builds[0], builds[0], HOW)
    assert len(found) == 17
    assert (found["difference"] == 0).all()
    assert (found[["low", "high"]].dropna() == 0).all(axis=None)


def test_what_one_build_has_alone_is_listed(builds: tuple[Path, Path]) -> None:
    (builds[1] / "tables" / "training.csv").touch()
    (builds[0] / "scores/Net/Set/c23.parquet").rename(builds[0] / "scores/Net/Set/c40.parquet")
    found = only_in_one(*builds).to_numpy().tolist()
    assert found == [
        ["tables/training.csv", "b"],
        ["scores/Net/Set/c40.parquet", "a"],
        ["scores/Net/Set/c23.parquet", "b"],
    ]


def test_configs_are_compared_key_by_key(builds: tuple[Path, Path]) -> None:
    found = config_differences(*builds)
    assert found is not None
    assert found.to_numpy().tolist() == [
        ["align.size", "96", "112"],
        ["recipes", "{}", ""],
        ["recipes.x.steps", "", "5"],
    ]
    (builds[0] / "config.json").unlink()
    assert config_differences(*builds) is None


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (("real", "real"), "real"),
        (("exclude", "real"), "middle"),
        (("real", None), "middle"),
        ((None, None), "middle"),
    ],
)
def test_videos_without_a_face_count_as_both_builds_say(
    tmp_path: Path, said: tuple[str | None, ...], counts: str
) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder, faceless in zip(folders, said, strict=True):
        folder.mkdir()
        if faceless:
            config = {"detection": {"faceless": faceless}}
            (folder / "config.json").write_text(json.dumps(config))
    assert faceless_of(*folders) == counts


def test_a_missing_face_changes_the_difference_as_asked(builds: tuple[Path, Path]) -> None:
    path = builds[1] / "scores/Net/Set/c23.parquet"
    table = scores(1.5, range(5, VIDEOS + 5))
    table.loc[table["video"].isin(["v07", "v09", "v11"]), "score"] = np.nan
    write_scores(path, table)
    found = {}
    for faceless in ("middle", "exclude", "real"):
        rows = rows_of(differences(*builds, replace(HOW, faceless=faceless)), "detector_auc")
        [row] = rows[rows["measure"] == "auc by video"].to_dict("records")
        assert row["faceless"] == faceless
        found[faceless] = row["b"]
    assert found["real"] < found["middle"] < found["exclude"]


def test_page_stands_alone(builds: tuple[Path, Path], tmp_path: Path) -> None:
    found = write_comparison(*builds, tmp_path / "out", level=0.95, resamples=100)
    stored = read_csv(tmp_path / "out" / "comparison.csv")
    assert list(stored.columns) == COLUMNS
    assert len(stored) == len(found)
    text = (tmp_path / "out" / "comparison.html").read_text()
    page = Page(text)
    assert not [a for a in page.attributes if a[1] in ("src", "href") and "//" in str(a[2])]
    assert "align.size" in text
    assert f"{VIDEOS - 5} videos" in text


def test_command(
    builds: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["compare", *map(str, builds), "--output", str(out), "--bootstrap", "50"]) == 0
    said = capsys.readouterr().out
    stored = read_csv(out / "comparison.csv")
    paired = stored.dropna(subset=["low"])
    outside = ((paired["low"] > 0) | (paired["high"] < 0)).sum()
    assert f"{len(stored)} numbers compared, {len(paired)} of them in pairs" in said
    assert f"{outside} intervals exclude 0, {(stored['p_holm'] < 0.05).sum()} of them also" in said
    assert main(["compare", str(builds[0]), str(tmp_path / "none")]) == 1
    assert "none: has no tables; name the folder of a finished build" in capsys.readouterr().err
    assert main(["compare", *map(str, builds), "--level", "95"]) == 1
    assert "--level: 95 is not allowed" in capsys.readouterr().err
