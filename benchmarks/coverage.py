"""Measure how often an interval of the AUC holds the true AUC, by simulation.

    python benchmarks/coverage.py [--people 14,30,59] [--simulations 2000] [--auc 0.6,0.75,0.95]
                                  [--bootstraps | --rates]

Videos are drawn with parts of their score that belong to the real person, to the target, to the
donor and to the pair, so that the true AUC is known. Fakes are made as a build makes them: each
clip with some donors drawn ("drawn"), or people swapped in fixed pairs only ("couples"). With
--bootstraps, the intervals of `swapset.jackknife` are compared with percentile bootstraps over
videos, over pairs, and over people. With --rates, intervals of the equal error rate are measured.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from swapset.detection.auc import auc_estimate
from swapset.detection.statistics.levels import Scored, at_level
from swapset.detection.statistics.rate_intervals import rate_intervals
from swapset.detection.statistics.roc import curves, rates
from swapset.types import Floats

LEVEL, RESAMPLES, CLIPS, DONORS = 0.95, 200, 3, 2
METHODS = ("people, jackknife", "videos, bootstrap", "pairs, bootstrap", "people, bootstrap")


@dataclass(frozen=True)
class Variation:
    """Standard deviations of what belongs to people and pairs; a video's own is 1.

    `shared` is the correlation of what belongs to somebody as a real person and as a target.
    """

    name: str
    real: float = 0
    target: float = 0
    donor: float = 0
    pair: float = 0
    shared: float = 0

    @property
    def spread(self) -> float:
        """Standard deviation of a fake score minus a real one of somebody else."""
        parts = (self.real, self.target, self.donor, self.pair, 1, 1)
        return float(np.sqrt(sum(part**2 for part in parts)))


VARIATIONS = (
    Variation("none"),
    Variation("weak", 0.3, 0.3, 0.2, 0.2, 0.5),
    Variation("pairs alone", pair=1),
    Variation("medium", 0.6, 0.6, 0.4, 0.5, 0.5),
    Variation("strong", 1, 1, 0.7, 1, 0.5),
)


def draw(
    people: int, couples: bool, variation: Variation, true: float, rng: np.random.Generator
) -> Scored:
    """Return the scores of one simulated test set, by video."""
    look, taken = rng.normal(size=(2, people))
    target = variation.shared * look + np.sqrt(1 - variation.shared**2) * taken
    donor, pair = rng.normal(size=people), rng.normal(size=(people, people))
    clips = np.repeat(np.arange(people), CLIPS)
    if couples:
        targets, donors = clips, clips ^ 1
    else:
        targets = np.repeat(clips, DONORS)
        steps = np.argsort(rng.random((len(clips), people - 1)), axis=1)[:, :DONORS] + 1
        donors = (clips[:, None] + steps).ravel() % people
    of_pair = pair[np.minimum(targets, donors), np.maximum(targets, donors)]
    fakes = ndtri(true) * variation.spread + variation.target * target[targets]
    fakes = fakes + variation.donor * donor[donors] + variation.pair * of_pair
    scores = np.concatenate([variation.real * look[clips], fakes])
    names = np.array([f"id{number}" for number in range(people)], dtype=object)
    table = pd.DataFrame(
        {
            "video": np.arange(len(scores)).astype(str),
            "frame": 0,
            "label": np.repeat([0, 1], [len(clips), len(fakes)]),
            "score": scores + rng.normal(size=len(scores)),
            "target": np.concatenate([names[clips], names[targets]]),
            "donor": np.concatenate([np.full(len(clips), ""), names[donors]]),
        }
    )
    return at_level(table, "video")


def bootstrap(scored: Scored, over: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return the percentile interval over videos, pairs or people."""
    fake = scored.labels == 1
    wins = (scored.scores[fake][:, None] > scored.scores[~fake]).astype(float)
    first, second = scored.people.first, scored.people.second
    if over == "videos":
        weights = _counts(int(fake.sum()), rng), _counts(int((~fake).sum()), rng)
    else:
        people = _counts(len(scored.people), rng)
        reals = people[:, first[~fake]]
        if over == "people":
            fakes = people[:, first[fake]] * people[:, second[fake]]
        else:
            numbers = scored.people.pairs[1][fake]
            fakes = _counts(int(numbers.max()) + 1, rng)[:, numbers]
        weights = fakes, reals
    of_real = weights[0] @ wins
    total = weights[0].sum(axis=1) * weights[1].sum(axis=1)
    values = (of_real * weights[1]).sum(axis=1)[total > 0] / total[total > 0]
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _counts(size: int, rng: np.random.Generator) -> Floats:
    return rng.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(float)


def interval(scored: Scored, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield the interval of the AUC."""
    yield auc_estimate(scored).share_interval(LEVEL)


def all_intervals(scored: Scored, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield the interval of each of `METHODS`."""
    yield from interval(scored, rng)
    for over in ("videos", "pairs", "people"):
        yield bootstrap(scored, over, rng)


def rate_interval(scored: Scored, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield the interval of the equal error rate."""
    values = {"equal_error_rate": rates(curves(scored))["equal_error_rate"]}
    found = rate_intervals(
        scored, values, auc_estimate(scored), seed=int(rng.integers(1 << 30)), level=LEVEL,
        resamples=500,
    )  # fmt: skip
    yield found["equal_error_rate_low"], found["equal_error_rate_high"]


def coverage(
    settings: tuple[int, bool, Variation, float],
    true: float,
    simulations: int,
    measure: Callable[[Scored, np.random.Generator], Iterator[tuple[float, float]]],
) -> tuple[Floats, Floats]:
    """Return the share of intervals that hold the true value, and their mean width, by method."""
    rng = np.random.default_rng(1)
    ends = np.array([list(measure(draw(*settings, rng), rng)) for _ in range(simulations)])
    held = (ends[..., 0] <= true) & (true <= ends[..., 1])
    return held.mean(axis=0), (ends[..., 1] - ends[..., 0]).mean(axis=0)


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", default="14,30,59")
    parser.add_argument("--auc", default="0.6,0.75,0.95")
    parser.add_argument("--simulations", type=int, default=2000)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--bootstraps", action="store_true")
    kind.add_argument("--rates", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Print a line for each number of people, design, AUC and variation."""
    options = parse()
    names, measure = METHODS[:1], interval
    if options.bootstraps:
        names, measure = METHODS, all_intervals
    if options.rates:
        names, measure = ("equal error rate",), rate_interval
    print("people design   AUC  variation    " + "  ".join(f"{name:>17}" for name in names))
    for people, couples, auc, variation in itertools.product(
        map(int, options.people.split(",")),
        (False, True),
        map(float, options.auc.split(",")),
        VARIATIONS,
    ):
        size = people - people % 2 if couples else people
        true = float(1 - ndtr(crossing(variation, auc))) if options.rates else auc
        settings = (size, couples, variation, auc)
        held, widths = coverage(settings, true, options.simulations, measure)
        cells = [f"{100 * h:5.1f} % ({w:.3f})" for h, w in zip(held, widths, strict=True)]
        start = f"{size:6} {'couples' if couples else 'drawn':8} {auc:.2f} {variation.name:12} "
        print(start + "  ".join(f"{cell:>17}" for cell in cells), flush=True)


def crossing(variation: Variation, auc: float) -> float:
    """Return the true equal error rate's threshold, in standard deviations of real scores."""
    real = np.hypot(variation.real, 1)
    fake = np.sqrt(variation.target**2 + variation.donor**2 + variation.pair**2 + 1)
    return float(ndtri(auc) * variation.spread / (real + fake))


if __name__ == "__main__":
    main()
