"""Tables of expression, sharpness and flicker from scores with known means and differences."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from swapset.quality.expression import ExpressionScore
from swapset.quality.expression_tables import (
    MEASURES,
    PER_FAKE,
    expression_differences,
    expression_table,
)
from swapset.quality.fake_scores import FakeScore

METHODS = ["celebdf", "faceswap"]


def scores(count: int = 30) -> pd.DataFrame:
    """Return scores in which the second method is 0.1 higher in the n-th measure, n times."""
    rng = np.random.default_rng(0)
    base = {measure: rng.normal(1, 0.2, count) for measure in MEASURES}
    parts = []
    for method in METHODS:
        part = pd.DataFrame({"method": method, "fake": [f"id0_id1_{k:04d}" for k in range(count)]})
        for place, measure in enumerate(MEASURES, start=1):
            part[measure] = base[measure] + 0.1 * place * (method == "faceswap")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def table_of(frame: pd.DataFrame, methods: list[str] = METHODS) -> pd.DataFrame:
    return expression_table(frame, methods, seed=1, level=0.95, resamples=400)


def test_all_measures_are_columns_of_the_scores() -> None:
    names = [each.name for each in fields(FakeScore)]
    assert set(MEASURES) | set(ExpressionScore._fields) <= set(names)
    assert set(PER_FAKE) <= {*names, "reason"}


def test_a_row_for_each_measure_and_method() -> None:
    frame = scores()
    table = table_of(frame)
    assert list(table.columns) == ["measure", "method", "videos", "mean", "low", "high", "interval"]
    assert table["measure"].tolist() == [measure for measure in MEASURES for _ in METHODS]
    assert table["method"].tolist() == METHODS * len(MEASURES)
    assert (table["videos"] == 30).all()
    for measure, part in table.groupby("measure"):
        first, second = part["mean"]
        assert first == pytest.approx(frame.loc[frame["method"] == "celebdf", measure].mean())
        assert second - first == pytest.approx(0.1 * (MEASURES.index(str(measure)) + 1))
    assert (table["low"] < table["mean"]).all()
    assert (table["mean"] < table["high"]).all()


def test_unknown_values_are_left_out_of_their_measure_alone() -> None:
    frame = scores()
    frame.loc[:4, "mouth_follows"] = np.nan
    frame.loc[frame["method"] == "faceswap", "eyes_follow"] = np.nan
    table = table_of(frame).set_index(["measure", "method"])
    assert table.loc[("mouth_follows", "celebdf"), "videos"] == 25
    assert table.loc[("sharpness", "celebdf"), "videos"] == 30
    nothing = table.loc[("eyes_follow", "faceswap")]
    assert nothing["videos"] == 0
    assert np.isnan([nothing["mean"], nothing["low"], nothing["high"]]).all()
    empty = table_of(frame.iloc[:0])
    assert (empty["videos"] == 0).all()


def test_differences_of_each_measure_are_paired() -> None:
    frame = scores()
    frame.loc[:4, "flicker"] = np.nan
    table = expression_differences(frame, METHODS, seed=1, level=0.95)
    assert table["measure"].tolist() == list(MEASURES)
    assert table["difference"].tolist() == pytest.approx([-0.1 * k for k in range(1, 12)])
    assert table["fakes"].tolist() == [30] * 10 + [25]
    assert (table["high"] < 0).all()
    assert (table["share_higher"] == 0).all()


def test_differences_without_a_second_method_are_empty() -> None:
    table = expression_differences(scores(), METHODS[:1], seed=1, level=0.95)
    assert list(table.columns[:4]) == ["measure", "method", "against", "fakes"]
    assert table.empty
