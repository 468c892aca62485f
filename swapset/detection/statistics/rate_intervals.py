"""Intervals of error rates that have no simple jackknife: a bootstrap over people, all at once.

People are drawn with replacement. A real video counts as often as its person was drawn, and a fake
as often as the product of both of its people ("pigeonhole bootstrap"). Scores are sorted into bins
once, so that all resamples are one product of matrices. Drawn like this, AUCs spread too widely,
because what is special to a pair is drawn three times; how much too widely is known, as the
jackknife gives the AUC's own error. All intervals are narrowed by that factor.

References
----------
A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), 2007.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from swapset.detection.statistics.levels import Scored
from swapset.detection.statistics.ranks import Ints
from swapset.jackknife import Estimate
from swapset.seeds import derive_seed
from swapset.types import Floats, Floats32

BINS = 96
"""Largest number of bins whose edges are quantiles of the real scores, and of the fakes'."""
Weights = tuple[Floats32, Floats32]
"""Of the fakes and of the real scores in each bin, (resamples, bins), from high scores to low."""


def rate_intervals(
    scored: Scored,
    values: Mapping[str, float],
    found: Estimate,
    *,
    seed: int,
    level: float,
    resamples: int,
) -> dict[str, float]:
    """Return the intervals of rates.

    Parameters
    ----------
    scored : Scored
        With real and fake ones in some fold.
    values : mapping of str to float
        `equal_error_rate`, `average_precision` and `tpr_at_fpr_<percent>`, as measured.
    found : Estimate
        The AUC.
    seed : int
    level : float
        Of the intervals, in (0, 1).
    resamples : int

    Returns
    -------
    dict of str to float
        `<name>_low` and `<name>_high` for each name.
    """
    drawn = _drawn([scored], seed, resamples)
    replicates = _replicates(scored, drawn, values)
    factor = _factor(replicates.pop("auc"), found, level)
    intervals = {}
    for name, value in values.items():
        known = replicates[name][np.isfinite(replicates[name])]
        low, middle, high = np.quantile(known, [(1 - level) / 2, 0.5, (1 + level) / 2])
        intervals[f"{name}_low"] = float(max(value + factor * (low - middle), 0))
        intervals[f"{name}_high"] = float(min(value + factor * (high - middle), 1))
    return intervals


def rate_errors(
    first: Scored, second: Scored, names: Sequence[str], gap: Estimate, *, seed: int, resamples: int
) -> dict[str, float]:
    """Return the standard errors of paired differences of rates: both on the same people drawn.

    Parameters
    ----------
    first, second : Scored
        Of the same videos of the same people, with real and fake ones in some fold.
    names : sequence of str
        `equal_error_rate`, `average_precision` and `tpr_at_fpr_<percent>`.
    gap : Estimate
        The difference of the AUCs.
    seed : int
    resamples : int

    Returns
    -------
    dict of str to float
        By name; NaN if the people of the two differ.
    """
    if not first.people.names.equals(second.people.names):
        return dict.fromkeys(names, float("nan"))
    drawn = _drawn([first, second], seed, resamples)
    wanted = dict.fromkeys(names, 0.0)
    one, other = (_replicates(each, drawn, wanted) for each in (first, second))
    spreads = {name: float(np.nanstd(one[name] - other[name])) for name in one}
    spread = spreads.pop("auc")
    factor = gap.error / spread if spread > 0 and np.isfinite(gap.error) else 1.0
    return {name: factor * value for name, value in spreads.items()}


def _drawn(scored: Sequence[Scored], seed: int, resamples: int) -> Floats32:
    """Return how often each person was drawn, (resamples, people + 1); 1 for nobody, in the end."""
    generator = np.random.default_rng(derive_seed(seed, "people"))
    shown = [number for each in scored for number in (each.people.first, each.people.second)]
    seen = np.unique(np.concatenate(shown))
    seen = seen[seen >= 0]
    counts = np.ones((resamples, len(scored[0].people) + 1), np.float32)
    places = generator.integers(0, len(seen), (resamples, len(seen)))
    places += np.arange(resamples)[:, None] * len(seen)
    table = np.bincount(places.ravel(), minlength=resamples * len(seen))
    counts[:, seen] = table.reshape(resamples, len(seen))
    return counts


def _factor(aucs: Floats, found: Estimate, level: float) -> float:
    """Return by how much the bootstrap's intervals are to be narrowed or widened."""
    spread = float(np.nanstd(aucs))
    if spread == 0 or not np.isfinite(found.error):
        return 1.0
    quantile = (1 + level) / 2
    student = stdtrit(max(found.independent - 1, 1), quantile) / ndtri(quantile)
    return float(student * found.error / spread)


def _replicates(scored: Scored, drawn: Floats32, names: Mapping[str, float]) -> dict[str, Floats]:
    """Return each measure on each resample, (resamples,) float64: means over the folds."""
    parts: dict[str, list[Floats]] = {}
    for part in scored.parts():
        weights = _binned(scored, part, drawn)
        for name, values in _measures(*weights, names).items():
            parts.setdefault(name, []).append(values)
    # A fold in which nobody real or no fake was drawn does not count in that resample.
    return {name: _known_mean(np.array(rows)) for name, rows in parts.items()}


def _known_mean(rows: Floats) -> Floats:
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _binned(scored: Scored, part: Ints, drawn: Floats32) -> Weights:
    """Return the weights of a fold's scores in each resample and bin."""
    scores, labels = scored.scores[part], scored.labels[part]
    people = scored.people.take(part)
    edges = np.unique(np.concatenate([_quantiles(scores[labels == label]) for label in (0, 1)]))
    bins = len(edges) - 1 - np.minimum(np.searchsorted(edges, scores), len(edges) - 1)
    weights = []
    for label in (1, 0):
        chosen = labels == label
        key = people.first[chosen] * (len(people) + 1) + people.second[chosen] + 1
        units, numbers = np.unique(key, return_inverse=True)
        cells = np.bincount(numbers * len(edges) + bins[chosen], minlength=len(units) * len(edges))
        one, other = units // (len(people) + 1), units % (len(people) + 1) - 1
        times = drawn[:, one] * drawn[:, other]  # nobody is the last column, of ones
        weights.append(times @ cells.reshape(len(units), len(edges)).astype(np.float32))
    return weights[0], weights[1]


def _quantiles(scores: Floats) -> Floats:
    ranked = np.sort(scores)
    return ranked[np.linspace(0, len(ranked) - 1, min(BINS, len(ranked))).round().astype(int)]


def _measures(fakes: Floats32, reals: Floats32, names: Mapping[str, float]) -> dict[str, Floats]:
    """Return the measures of each resample from weights (resamples, bins)."""
    above, alarms = np.cumsum(fakes, axis=1), np.cumsum(reals, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        hits, rates = above / above[:, -1:], alarms / alarms[:, -1:]
        pairs = above[:, -1] * alarms[:, -1]
        found = {"auc": ((above - fakes / 2) * reals).sum(axis=1) / pairs}
        for name in names:
            if name == "average_precision":
                called = np.maximum(above + alarms, 1)
                found[name] = (fakes * above / called).sum(axis=1) / above[:, -1]
            elif name == "equal_error_rate":
                found[name] = _crossing(rates, rates + hits, 1.0)
            else:
                found[name] = _crossing(hits, rates, float(name.rpartition("_")[2]) / 100)
    return found


def _crossing(values: Floats32, along: Floats32, at: float) -> Floats:
    """Return values (resamples, bins), linearly between, where `along` reaches a number, per row.

    Both begin with 0 before the first bin. Where `along` stays at the number, the last bin counts.
    """
    after = np.minimum((along <= at).sum(axis=1), along.shape[1] - 1)
    rows = np.arange(len(values))
    x0, y0 = (np.where(after > 0, part[rows, after - 1], 0) for part in (along, values))
    x1, y1 = along[rows, after], values[rows, after]
    step = np.where(x1 > x0, x1 - x0, 1)
    share = np.where(x1 > x0, np.clip((at - x0) / step, 0, 1), 1)
    return np.asarray(y0 + share * (y1 - y0), np.float64)
