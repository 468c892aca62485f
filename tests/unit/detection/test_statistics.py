"""Holm's correction, DeLong's test, ROC curves, calibration and operating points."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from material.scores import of_people
from scipy import stats
from sklearn import metrics

from swapset.detection.auc import auc_estimate
from swapset.detection.statistics import delong
from swapset.detection.statistics.by_person import person_rows
from swapset.detection.statistics.calibration import brier_score, calibration_error
from swapset.detection.statistics.levels import Scored, all_levels, at_level
from swapset.detection.statistics.operating_points import (
    operating_rows,
    points,
    validation_points,
)
from swapset.detection.statistics.rate_intervals import rate_intervals
from swapset.detection.statistics.roc import Curve, curves, rates, roc_points
from swapset.holm import holm


def test_holm_is_that_of_r() -> None:
    # p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") in R
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.04, 0.05]), [0.05, 0.08, 0.09, 0.09, 0.09])
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"), and a test that could not be made
    np.testing.assert_allclose(
        holm([0.01, np.nan, 0.04, 0.03, 0.005]), [0.03, np.nan, 0.06, 0.06, 0.02]
    )
    assert holm([0.4, 0.9]).max() == 0.9
    assert len(holm([])) == 0


def pair_of_detectors(count: int = 30, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores of two detectors that agree in part, on videos of as many people."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    shared = rng.normal(size=count)
    table = pd.DataFrame(
        {"video": [f"v{k}" for k in range(count)], "frame": 0, "label": labels, "target": "",
         "donor": ""}
    )  # fmt: skip
    table["target"] = [f"id{k}" for k in range(count)]
    scores = [(shared + rng.normal(size=count) + shift * labels).round(1) for shift in (0.5, 1.5)]
    return table.assign(score=scores[0]), table.assign(score=scores[1])


def test_delong_is_the_published_formula() -> None:
    """Against the covariance matrix of DeLong et al. 1988, equations 4 to 6, by loops."""
    tables = pair_of_detectors()
    scored = [at_level(table, "video") for table in tables]
    parts, aucs = [], []
    for part in scored:
        fakes, reals = (part.scores[part.labels == label] for label in (1, 0))
        kernel = np.array([[(f > r) + 0.5 * (f == r) for r in reals] for f in fakes])
        parts.append((kernel.mean(axis=1), kernel.mean(axis=0)))
        aucs.append(kernel.mean())
    covariance = sum(np.cov(parts[0][k], parts[1][k]) / len(parts[0][k]) for k in (0, 1))
    variance = np.array([1, -1]) @ covariance @ np.array([1, -1])
    z = (aucs[0] - aucs[1]) / np.sqrt(variance)
    found = delong.p_value(*map(delong.components, scored))
    assert found == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert 0 < found < 1
    # Where videos are independent, the jackknife has nearly the same error.
    jackknife = auc_estimate(scored[0]).minus(auc_estimate(scored[1]))
    assert jackknife.error == pytest.approx(np.sqrt(variance), rel=0.05)


def test_delong_needs_people_who_are_in_one_video() -> None:
    once, _ = pair_of_detectors()
    assert delong.holds(at_level(once, "video"))
    assert not delong.holds(at_level(of_people(), "video"))
    assert not delong.holds(at_level(of_people(people=5), "video"))
    folds = once.assign(fold=np.arange(len(once)) % 4 // 2)
    assert not delong.holds(at_level(folds, "video"))
    one = delong.components(at_level(once, "video"))
    assert delong.p_value(one, one) == 1
    assert np.isnan(delong.p_value(one, (one[0][1:], one[1])))


def scored_of(count: int = 300, seed: int = 0, shift: float = 1.0) -> Scored:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    scores = (rng.normal(size=count) + shift * labels).round(1)
    table = {"video": np.arange(count).astype(str), "frame": 0, "label": labels, "score": scores}
    return at_level(pd.DataFrame(table), "video")


def test_rates_are_scikit_learns() -> None:
    scored = scored_of()
    alarms, hits, _ = metrics.roc_curve(scored.labels, scored.scores, drop_intermediate=False)
    curve = Curve.of(scored.labels, scored.scores)
    np.testing.assert_allclose(curve.alarms, alarms)
    np.testing.assert_allclose(curve.hits, hits)
    found = rates([curve])
    precision = metrics.average_precision_score(scored.labels, scored.scores)
    assert found["average_precision"] == pytest.approx(precision)
    eer = found["equal_error_rate"]
    assert 1 - np.interp(eer, alarms, hits) == pytest.approx(eer)
    assert found["tpr_at_fpr_5"] == pytest.approx(np.interp(0.05, alarms, hits), abs=0.02)


@pytest.mark.parametrize(("shift", "eer"), [(100.0, 0.0), (-100.0, 1.0)])
def test_rates_of_perfect_and_of_perverse_scores(shift: float, eer: float) -> None:
    found = rates(curves(scored_of(shift=shift)))
    assert found["equal_error_rate"] == eer
    assert found["tpr_at_fpr_1"] == 1 - eer


def test_hits_at_a_rate_are_the_most_that_it_allows() -> None:
    labels = np.array([1, 1, 0, 1, 0, 0])
    curve = Curve.of(labels, np.array([6.0, 5, 4, 3, 2, 1]))
    np.testing.assert_allclose(curve.hits_at(np.array([0, 1 / 3, 1])), [2 / 3, 1, 1])
    assert roc_points([curve])["true_positive"].is_monotonic_increasing


def test_calibration_of_scores_with_a_known_error() -> None:
    scores, labels = np.repeat([0.1, 0.7], [100, 100]), np.zeros(200, int)
    labels[:10] = labels[100:130] = 1  # 10 % where 10 % is said, 30 % where 70 % is said
    assert calibration_error(labels, scores) == pytest.approx(0.5 * 0.0 + 0.5 * 0.4)
    expected = metrics.brier_score_loss(labels, scores)
    assert brier_score(labels, scores) == pytest.approx(expected)
    assert np.isnan(brier_score(labels, scores * 2))
    assert np.isnan(calibration_error(labels, -scores))


def test_thresholds_keep_false_alarms_below_their_rate() -> None:
    reals, fakes = np.arange(200.0), np.arange(150.0, 350)
    labels = np.repeat([0, 1], 200)
    found = points(labels, np.concatenate([reals, fakes]))
    assert found["fpr_1"] == {"threshold": 197.0, "fpr": 0.01, "tpr": 152 / 200}
    assert found["fpr_5"]["fpr"] == 0.05
    equal = found["equal_error"]
    assert equal["fpr"] == pytest.approx(1 - equal["tpr"]) == 0.125
    few = points(np.array([0, 0, 1]), np.array([0.2, 0.4, 0.3]))
    assert few["fpr_5"] == {"threshold": 0.4, "fpr": 0.0, "tpr": 0.0}
    assert points(np.array([1, 1]), np.array([0.2, 0.4])) == {}


def test_thresholds_of_validation_people_judge_test_people() -> None:
    validation, test = of_people(seed=1), of_people(seed=2, people=20)
    card = {"validation": {"points": validation_points(validation)}}
    scored = at_level(test, "video")
    rows = {row["point"]: row for row in operating_rows(scored, {0: card}, "video", 0.95)}
    for name, row in rows.items():
        threshold = card["validation"]["points"]["video"][name]["threshold"]
        called = scored.scores > threshold
        assert row["threshold"] == threshold
        assert row["fpr"] == pytest.approx(called[scored.labels == 0].mean())
        assert row["tpr"] == pytest.approx(called[scored.labels == 1].mean())
        assert row["tpr_low"] < row["tpr"] < row["tpr_high"]
    nobody = operating_rows(scored, {0: {}}, "video", 0.95)
    assert all(np.isnan(row["tpr"]) and np.isnan(row["threshold"]) for row in nobody)


def test_each_folds_people_are_judged_by_their_detectors_threshold() -> None:
    table = of_people(frames=1)
    table["fold"] = (table["target"].str[2:].astype(int) >= 7).astype(int)
    table["score"] += 100 * table["fold"]
    level = {
        "equal_error": {"threshold": 0.5},
        "fpr_1": {"threshold": 3},
        "fpr_5": {"threshold": 2},
    }
    higher = {name: {"threshold": 100 + point["threshold"]} for name, point in level.items()}
    cards = {k: {"validation": {"points": {"video": p}}} for k, p in enumerate((level, higher))}
    apart = operating_rows(at_level(table, "video"), cards, "video", 0.95)[2]
    means = [
        (part.loc[part["label"] == 1, "score"] > limit).mean()
        for limit, (_, part) in zip((0.5, 100.5), table.groupby("fold"), strict=True)
    ]
    assert apart["tpr"] == pytest.approx(np.mean(means))
    assert apart["threshold"] == pytest.approx(50.5)


def test_intervals_of_rates_hold_the_rate_and_are_those_of_the_auc_in_width() -> None:
    scored = at_level(of_people(people=30, frames=1), "video")
    found, values = auc_estimate(scored), rates(curves(scored))
    given = {"level": 0.95, "resamples": 500}
    ends = rate_intervals(scored, values, found, seed=1, **given)
    for name, value in values.items():
        assert 0 <= ends[f"{name}_low"] <= value <= ends[f"{name}_high"] <= 1
    width = ends["equal_error_rate_high"] - ends["equal_error_rate_low"]
    assert width == pytest.approx(np.diff(found.interval(0.95))[0], rel=0.35)
    assert ends == rate_intervals(scored, values, found, seed=1, **given)
    assert ends != rate_intervals(scored, values, found, seed=2, **given)


def test_a_person_is_judged_by_the_own_videos() -> None:
    table = of_people(missing=0.1)
    rows = {row["person"]: row for row in person_rows(table)}
    assert set(rows) == set(table["target"])
    for person, row in rows.items():
        own = table[(table["target"] == person) & table["score"].notna()]
        assert row["auc"] == pytest.approx(metrics.roc_auc_score(own["label"], own["score"]))
        assert row["frames"] == len(own)
        assert (row["real_videos"], row["fake_videos"]) == (3, 6)
        means = own.groupby("label")["score"].mean()
        assert [row["real_score"], row["fake_score"]] == pytest.approx(list(means))


def test_a_person_without_real_videos_has_no_auc() -> None:
    table = of_people()
    gone = (table["target"] == "id3") & (table["label"] == 0)
    rows = {row["person"]: row for row in person_rows(table[~gone])}
    assert np.isnan(rows["id3"]["auc"])
    assert rows["id3"]["real_videos"] == 0
    assert person_rows(table.assign(target="")) == []


def test_levels_of_a_fold_are_the_mean_over_folds() -> None:
    table = of_people()
    twice = pd.concat([table.assign(fold=fold) for fold in (0, 1)])
    for (name, once), both in zip(
        all_levels(table).items(), all_levels(twice).values(), strict=True
    ):
        for one, two in itertools.zip_longest(curves(once), curves(both)[:1]):
            np.testing.assert_array_equal(one.hits, two.hits, err_msg=name)
        assert rates(curves(once)) == rates(curves(both))
