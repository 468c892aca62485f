"""Two builds' detectors compared: numbers as in the tables, differences as within one build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.scores import of_people
from scipy import stats

from swapset.detection.protocol import SPLIT_COLUMNS, write_scores
from swapset.detection.robustness import robustness_tables
from swapset.detection.tables import Asked, auc_tables
from swapset.holm import holm
from swapset.io.files import write_csv, write_json
from swapset.report.comparison.rows import COLUMNS
from swapset.report.comparison.tables import differences

ASKED = Asked(seed=1, level=0.95, resamples=200)
ABOUT = "Net faceswap original"


def scores_of(noise: float, seed: int, *, people: int = 12) -> pd.DataFrame:
    """Return scores of the same videos of the same people, made worse by noise."""
    table = of_people(people, seed=3, person=0.3, pair=0.3, auc=0.85, missing=0.02)
    added = np.random.default_rng(seed).normal(0, noise, len(table)) if noise else 0.0
    return table.assign(score=table["score"] + added)


def splits_of(table: pd.DataFrame) -> pd.DataFrame:
    videos = table.drop_duplicates("video")
    kind = np.where(videos["label"] == 0, "real", "faceswap")
    return videos.assign(kind=kind, fold=0, role="test")[SPLIT_COLUMNS]


def write(root: Path, table: pd.DataFrame, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scores(path, table.assign(fold=0, probability=stats.norm.cdf(table["score"])))
    return path


def build(root: Path, noise: float, seed: int, threshold: float, **given: int) -> Path:
    """Write scores, a card with thresholds and tables, as a build has them."""
    table = scores_of(noise, seed, **given)
    plain = write(root, table, "scores/Net/faceswap/original.parquet")
    worst = np.random.default_rng(9).normal(0, 3, len(table))
    for level, share in ((2, 0.3), (4, 1.0)):
        blurred = table.assign(score=table["score"] + share * worst)
        write(root, blurred, f"perturbed/scores/Net/faceswap/blur/blur-{level}.parquet")
    for kind, label in (("real", 0), ("faceswap", 1)):
        part = table[table["label"] == label]
        write(root, part, f"matrix/scores/Net@celebdf/{kind}/original.parquet")
    (root / "matrix" / "splits").mkdir()
    write_csv(root / "matrix/splits/celebdf.csv", splits_of(table))
    card = root / "detectors" / "Net" / "0.json"
    card.parent.mkdir(parents=True)
    point = {"threshold": threshold}
    points = {"fpr_1": point, "fpr_5": point, "equal_error": point}
    write_json(card, {"validation": {"points": {"video": points, "frame": points}}})
    splits = splits_of(table)
    (root / "tables").mkdir()
    write_csv(root / "tables/splits.csv", splits)
    made = auc_tables([plain], splits, [card], ASKED)
    named = {"table": "detector_auc", "curves": "roc"}
    for name, part in made.items():
        write_csv(root / f"tables/{named.get(name, f'detector_{name}')}.csv", part)
    robust, areas = robustness_tables(
        [plain], [root / "perturbed/scores/Net/faceswap/blur"], ["blur/2", "blur/4"], splits,
        level=0.95,
    )  # fmt: skip
    write_csv(root / "tables/robustness.csv", robust)
    write_csv(root / "tables/robustness_area.csv", areas)
    return root


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("builds")
    return build(folder / "a", 0, 0, 0.8), build(folder / "b", 2, 1, 0.5)


@pytest.fixture(scope="module")
def found(builds: tuple[Path, Path]) -> pd.DataFrame:
    return differences(*builds, ASKED)


def of(found: pd.DataFrame, table: str, measure: str) -> pd.Series:
    [row] = found[(found["table"] == table) & (found["measure"] == measure)].index
    return found.loc[row]


def test_both_numbers_are_those_of_the_tables(
    found: pd.DataFrame, builds: tuple[Path, Path]
) -> None:
    for name, folder in zip("ab", builds, strict=True):
        aucs = pd.read_csv(folder / "tables/detector_auc.csv").set_index("level")
        rates = pd.read_csv(folder / "tables/detector_rates.csv").set_index("level")
        points = pd.read_csv(folder / "tables/detector_points.csv").set_index(["level", "point"])
        robust = pd.read_csv(folder / "tables/robustness.csv").set_index("perturbation")
        areas = pd.read_csv(folder / "tables/robustness_area.csv").set_index("kind")
        for level in ("frame", "video", "person"):
            row = of(found, "detector_auc", f"auc by {level}")
            assert row[name] == pytest.approx(aucs.loc[level, "auc"], abs=1e-6)
            assert (row["about"], row["faceless"]) == (ABOUT, "middle")
            assert (row["people"], row["interval"]) == (12, "people")
            assert (row["pairs"], row["unit"]) == (aucs.loc[level, "videos"], "videos")
        for level in ("frame", "video"):
            for measure in (
                *("equal_error_rate", "average_precision", "tpr_at_fpr_1", "tpr_at_fpr_5"),
                *("brier", "calibration_error"),
            ):
                row = of(found, "detector_rates", f"{measure} by {level}")
                assert row[name] == pytest.approx(rates.loc[level, measure], abs=1e-6)
            for rate in ("tpr", "fpr"):
                row = of(found, "detector_points", f"{rate} at fpr_5 by {level}")
                assert row[name] == pytest.approx(points.loc[(level, "fpr_5"), rate], abs=1e-6)
            for kind in ("blur", "all"):
                row = of(found, "robustness_area", f"area of {kind} by {level}")
                expected = areas.loc[kind, f"{level}_area"]
                assert row[name] == pytest.approx(expected, abs=1e-6)
            part = found[(found["table"] == "robustness") & found["measure"].str.endswith(level)]
            assert part["about"].tolist() == [f"Net faceswap blur blur-{k}" for k in (2, 4)]
            expected = robust.loc[["blur/2", "blur/4"], f"{level}_auc"]
            assert part[name].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_detectors_of_further_training_sets_are_compared_with_their_like(
    found: pd.DataFrame,
) -> None:
    """They are the same scores here, of which real and fake ones are in two files."""
    for level in ("frame", "video", "person"):
        first = of(found, "detector_auc", f"auc by {level}")
        row = of(found, "detector_matrix", f"auc by {level}")
        assert row["about"] == "Net@celebdf faceswap original"
        for name in ("a", "b", "difference", "low", "high", "p", "people", "pairs"):
            assert row[name] == pytest.approx(first[name]), name


def test_aucs_differ_as_two_detectors_of_one_build_do(
    found: pd.DataFrame, builds: tuple[Path, Path], tmp_path: Path
) -> None:
    files = []
    for name, folder in zip(("Second", "First"), reversed(builds), strict=True):
        path = tmp_path / f"scores/{name}/faceswap/original.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes((folder / "scores/Net/faceswap/original.parquet").read_bytes())
        files.append(path)
    within = auc_tables(files, splits_of(scores_of(0, 0)), [], ASKED)["differences"]
    assert within["first"].unique().tolist() == ["Second"]
    for expected in within.to_dict("records"):
        row = of(found, "detector_auc", f"auc by {expected['level']}")
        for name in ("difference", "low", "high", "p"):
            assert row[name] == pytest.approx(expected[name], abs=1e-9)


def test_p_values_are_corrected_within_a_table_and_measure(tmp_path: Path) -> None:
    roots = [build(tmp_path / name, k, k, 0.5) for k, name in enumerate("ab")]
    for noise, name in ((0.3, "c23"), (2.0, "c40")):
        for k, root in enumerate(roots):
            worse = scores_of(noise * (k + 1), 5 + k)
            write(root, worse, f"scores/Net/faceswap/{name}.parquet")
    found = differences(*roots, ASKED)
    part = found[found["measure"] == "auc by video"]
    plain = part[part["table"] == "detector_auc"]
    assert len(plain) == 3
    assert plain["p_holm"].tolist() == pytest.approx(holm(plain["p"]).tolist())
    assert (plain["p_holm"] > plain["p"]).any()
    other = part[part["table"] == "robustness"]
    assert other["p_holm"].tolist() == pytest.approx(holm(other["p"]).tolist())
    assert found.loc[found["p"].isna(), "p_holm"].isna().all()


def test_every_interval_excludes_0_exactly_where_p_is_small(found: pd.DataFrame) -> None:
    paired = found.dropna(subset=["low"])
    assert list(found.columns) == COLUMNS
    assert len(paired) > 20
    outside = (paired["low"] > 0) | (paired["high"] < 0)
    assert outside.any()
    assert not outside.all()
    assert ((paired["p"] < 0.05) == outside).all()
    numbers = found[["a", "b", "difference"]]
    assert (numbers["difference"] - numbers["b"] + numbers["a"]).abs().max() < 1e-9


def test_rates_at_thresholds_are_paired_by_people(found: pd.DataFrame) -> None:
    """Of hits at each build's own threshold: a mean over videos, without each person in turn."""
    tables = [scores_of(0, 0), scores_of(2, 1)]
    called = []
    for table, threshold in zip(tables, (0.8, 0.5), strict=True):
        means = table.groupby("video")["score"].mean()
        filled = means.fillna(means.median())
        called.append((filled > threshold).astype(float))
    fakes = tables[0].drop_duplicates("video").set_index("video").query("label == 1")
    gap = (called[1] - called[0])[fakes.index]
    row = of(found, "detector_points", "tpr at fpr_1 by video")
    assert row["difference"] == pytest.approx(gap.mean())
    people = [
        gap[(fakes["target"] != who) & (fakes["donor"] != who)].mean()
        for who in sorted(set(fakes["target"]))
    ]
    couples = fakes.apply(lambda fake: frozenset((fake["target"], fake["donor"])), axis=1)
    pairs = [gap[couples != couple].mean() for couple in set(couples)]
    squares = [(len(v) - 1) * np.var(v) for v in (people, pairs)]
    error = np.sqrt(max(squares[0] - squares[1], squares[1]))
    half = stats.t.ppf(0.975, 11) * error
    assert (row["low"], row["high"]) == pytest.approx((gap.mean() - half, gap.mean() + half))


def test_people_are_paired_by_name(found: pd.DataFrame, builds: tuple[Path, Path]) -> None:
    tables = [
        pd.read_csv(folder / "tables/detector_people.csv").set_index("person") for folder in builds
    ]
    gap = (tables[1]["auc"] - tables[0]["auc"]).to_numpy()
    row = of(found, "detector_people", "auc")
    assert (row["difference"], row["pairs"], row["unit"]) == (
        pytest.approx(gap.mean(), abs=1e-5),
        12,
        "persons",
    )
    assert row["p"] == pytest.approx(stats.ttest_1samp(gap, 0).pvalue, rel=1e-3)


def test_of_few_people_intervals_are_over_fakes_and_say_so(tmp_path: Path) -> None:
    roots = [build(tmp_path / name, k, k, 0.5, people=5) for k, name in enumerate("ab")]
    found = differences(*roots, ASKED)
    paired = found[(found["table"] != "detector_people") & found["low"].notna()]
    assert set(paired["interval"]) == {"fakes"}
    assert set(paired["people"]) == {5}
    assert not (paired["measure"].str.contains("person")).any()


def test_a_build_differs_in_nothing_from_itself(builds: tuple[Path, Path]) -> None:
    found = differences(builds[0], builds[0], ASKED)
    assert (found["difference"] == 0).all()
    paired = found.dropna(subset=["low"])
    assert (paired[["low", "high"]] == 0).all(axis=None)
    assert (paired[["p", "p_holm"]] == 1).all(axis=None)
