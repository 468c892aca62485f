"""Tables of how fakes keep their targets' expression and pose, how sharp they are, and flicker."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pandas as pd

from swapset.dataset.fake_means import mean_of_fakes
from swapset.dataset.tables import differences_table
from swapset.holm import holm
from swapset.seeds import derive_seed

MEASURES = (
    *("landmark_distance", "eye_error", "mouth_error", "smile_error", "pose_error"),
    *("eyes_follow", "eyes_gain", "mouth_follows", "mouth_gain", "sharpness", "flicker"),
)
"""Columns of `swapset.quality.fake_scores.FakeScore` in these tables."""
PER_FAKE = ("method", "fake", "frames", "identity_donor", *MEASURES, "reason")
"""Columns of the table per fake."""


def expression_table(
    scores: pd.DataFrame,
    methods: Sequence[str],
    *,
    seed: int,
    level: float,
    resamples: int,
) -> pd.DataFrame:
    """Return the mean of each measure per method, with an interval over people.

    Parameters
    ----------
    scores : DataFrame
        One row per fake with the columns method, fake and `MEASURES`; fakes with NaN are left out
        of that measure.
    methods : sequence of str
        Rows of the table for each measure, including methods without a fake.
    seed : int
        Seed of the bootstrap.
    level : float
        Confidence level of its interval, within (0, 1).
    resamples : int
        Number of its resamples.

    Returns
    -------
    DataFrame
        Columns measure, method, videos, mean, low, high, interval.
    """
    rows = []
    seed = derive_seed(seed, "bootstrap")
    for measure, method in itertools.product(MEASURES, methods):
        known = scores.loc[(scores["method"] == method) & scores[measure].notna()]
        mean = mean_of_fakes(
            known[measure].to_numpy(float),
            list(known["fake"]),
            seed=seed,
            level=level,
            resamples=resamples,
        )
        rows.append((measure, method, len(known), mean.value, mean.low, mean.high, mean.over))
    columns = ["measure", "method", "videos", "mean", "low", "high", "interval"]
    return pd.DataFrame(rows, columns=columns)


def expression_differences(
    scores: pd.DataFrame, methods: Sequence[str], *, seed: int, level: float
) -> pd.DataFrame:
    """Compare the first method with every other one, fake by fake, in each measure.

    Parameters
    ----------
    scores, methods, seed, level
        As in `expression_table`.

    Returns
    -------
    DataFrame
        Column measure, and the columns of `swapset.dataset.tables.differences_table`; the p-values
        are corrected for the number of rows of all measures.
    """
    tables = []
    for measure in MEASURES:
        table = differences_table(scores, methods, measure=measure, seed=seed, level=level)
        table.insert(0, "measure", measure)
        tables.append(table)
    whole = pd.concat(tables, ignore_index=True)
    return whole.assign(p_holm=holm(whole["p"].astype(float)))
