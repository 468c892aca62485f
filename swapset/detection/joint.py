"""Bootstrap several AUCs on the same resampled videos, for their differences and sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.detection.auc import Scored, at_level
from swapset.seeds import derive_seed
from swapset.types import Floats

Ints = npt.NDArray[np.int64]
_AT_ONCE = 4_000_000
"""Numbers in one array of weights."""


def shared_videos(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the rows of the videos that are in all tables of scores with the same label.

    Parameters
    ----------
    tables : sequence of DataFrame
        Columns video, label and others.
    """
    known = [dict(zip(t["video"], t["label"], strict=True)) for t in tables]
    names = {name for name, label in known[0].items() if all(k.get(name) == label for k in known)}
    return [table[table["video"].isin(names)].reset_index(drop=True) for table in tables]


def joint_aucs(
    tables: Sequence[pd.DataFrame], level: str, *, seed: int, resamples: int
) -> tuple[Floats, Floats]:
    """Return the AUC of each table of scores, and AUCs on bootstrap samples that all share.

    Real and fake videos are resampled apart, and those of different folds.

    Parameters
    ----------
    tables : sequence of DataFrame
        See `swapset.detection.auc.at_level`; all have the same videos.
    level : {"frame", "video"}
    seed : int
    resamples : int

    Returns
    -------
    aucs : (t,) float64
        In [0, 1]; NaN where no detector scored both real and fake ones.
    replicates : (resamples, t) float64
    """
    codes, names = pd.factorize(pd.concat([table["video"] for table in tables]), sort=True)
    ends = np.cumsum([len(table) for table in tables])
    numbers = np.split(codes, ends[:-1])
    generator = np.random.default_rng(derive_seed(seed, "joint"))
    counts = _drawn(tables, numbers, len(names), generator, resamples)
    once = np.ones((1, len(names)))
    found = [
        _weighted(at_level(table, level), _order(table, own), np.concatenate([once, counts]))
        for table, own in zip(tables, numbers, strict=True)
    ]
    values = np.stack(found, axis=1)
    return values[0], values[1:]


def _order(table: pd.DataFrame, numbers: Ints) -> Ints:
    """Return the joint number of each video, in the order of `Scored.videos`."""
    first, _ = pd.factorize(table["video"])
    joint = np.zeros(first.max() + 1, np.int64)
    joint[first] = numbers
    return joint


def _drawn(
    tables: Sequence[pd.DataFrame],
    numbers: Sequence[Ints],
    count: int,
    generator: np.random.Generator,
    resamples: int,
) -> Floats:
    """Return how often each video is drawn, (resamples, count) float64."""
    about = np.zeros((count, 1 + len(tables)), np.int64)
    for place, (table, own) in enumerate(zip(tables, numbers, strict=True)):
        about[own, 0] = table["label"]
        about[own, 1 + place] = table.get("fold", 0)
    _, stratum = np.unique(about, axis=0, return_inverse=True)
    drawn = np.zeros((resamples, count))
    for one in range(stratum.max() + 1):
        members = np.flatnonzero(stratum == one)
        even = np.full(len(members), 1 / len(members))
        drawn[:, members] = generator.multinomial(len(members), even, size=resamples)
    return drawn


def _weighted(scored: Scored, joint: Ints, weights: Floats) -> Floats:
    """Return AUCs within folds under several weights of the videos.

    Parameters
    ----------
    scored : Scored
    joint : (v,) int64
        The column in `weights` of each of its videos.
    weights : (r, videos) float64

    Returns
    -------
    (r,) float64
    """
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(scored.folds):
        here = np.flatnonzero(scored.folds == fold)
        order = here[np.argsort(scored.scores[here], kind="stable")]
        values, fakes = scored.scores[order], scored.labels[order] == 1
        starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
        columns = joint[scored.videos[order]]
        step = max(_AT_ONCE // max(len(order), 1), 1)
        for start in range(0, len(weights), step):
            part = slice(start, start + step)
            drawn = weights[part][:, columns]
            above = np.add.reduceat(drawn * fakes, starts, axis=1)
            below = np.add.reduceat(drawn * ~fakes, starts, axis=1)
            before = np.cumsum(below, axis=1) - below
            wins[part] += (above * (before + 0.5 * below)).sum(axis=1)
            pairs[part] += above.sum(axis=1) * below.sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)
