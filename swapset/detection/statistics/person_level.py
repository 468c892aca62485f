"""The AUC by person: mean scores of people's real videos against those of fakes that show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from swapset.detection.statistics.levels import Scored
from swapset.detection.statistics.ranks import Ints, below, share
from swapset.jackknife import Estimate, columns_mean, estimate, mean_of
from swapset.seen import Seen
from swapset.types import Floats


def person_estimate(scored: Scored) -> Estimate:
    """Return the AUC by person, with its values without each person, or pair of people.

    Leaving out a person changes the means of the others, too: their fakes with this donor go.

    Parameters
    ----------
    scored : Scored
        By video.
    """
    names, pairs = scored.people.pairs
    values, by_person, by_pair = [], [], []
    for part in scored.parts():
        means = _Means.of(scored, part)
        values.append(means.auc)
        by_person.append(means.without_person())
        fake = part[scored.labels[part] == 1]
        by_pair.append(means.without_pair(scored.scores[fake], pairs[fake], len(names)))
    return estimate(
        mean_of(values),
        scored.people,
        without_person=columns_mean(by_person),
        without_pair=columns_mean(by_pair),
    )


@dataclass(frozen=True)
class _Means:
    """Means by person in a fold.

    Attributes
    ----------
    people : Seen
        Of the fakes.
    real : (n,) float64
        Mean of each person's real videos; NaN without any.
    ranked : (r,) float64
        The known ones in order.
    total, count : (n + 1, n) float64
        Sum and number of the fakes of each target, and in the rows above the last, without each
        donor.
    """

    people: Seen
    real: Floats
    ranked: Floats
    total: Floats
    count: Floats

    @classmethod
    def of(cls, scored: Scored, part: Ints) -> _Means:
        fake = scored.labels[part] == 1
        people, scores = scored.people.take(part[fake]), scored.scores[part[fake]]
        reals, size = scored.people.take(part[~fake]), len(scored.people)
        real = share(
            np.asarray(np.bincount(reals.first, scored.scores[part[~fake]], size), np.float64),
            np.bincount(reals.first, minlength=size),
        )
        sums = [_without_donors(people, values) for values in (scores, np.ones(len(scores)))]
        return cls(people, real, np.sort(real[np.isfinite(real)]), *sums)

    def _wins(self, row: int | slice) -> Floats:
        """Return how many real means are below each target's mean; NaN for no target."""
        total, count = self.total[row], self.count[row]
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0.5)
        return np.where(np.isfinite(mean), below(mean, self.ranked), np.nan)

    @property
    def auc(self) -> float:
        return float(np.nanmean(self._wins(-1)) / len(self.ranked))

    def without_person(self) -> Floats:
        """Return the AUC (n,) float64 without each person, as target, donor and real."""
        size = len(self.real)
        wins = self._wins(slice(0, size))
        means = np.divide(self.total[:size], self.count[:size], where=self.count[:size] > 0.5,
                          out=np.full((size, size), np.nan))  # fmt: skip
        own = self.real[:, None]
        # A comparison with NaN, of who has no real video, is False: nothing is taken off.
        wins -= (own < means) + 0.5 * (own == means)
        np.fill_diagonal(wins, np.nan)
        targets = np.isfinite(wins).sum(axis=1)
        return share(np.nansum(wins, axis=1), targets * (len(self.ranked) - np.isfinite(self.real)))

    def without_pair(self, scores: Floats, pairs: Ints, size: int) -> Floats:
        """Return the AUC (m,) float64 without the fakes of each pair of people.

        Parameters
        ----------
        scores : (k,) float64
            Of the fakes.
        pairs : (k,) int64
            Each fake's pair, or -1.
        size : int
            m.
        """
        wins = self._wins(-1)
        shared = pairs >= 0
        people = len(self.real)
        keys, inverse = np.unique(
            pairs[shared] * people + self.people.first[shared], return_inverse=True
        )
        pair, target = keys // people, keys % people
        total = self.total[-1][target] - np.bincount(inverse, scores[shared], len(keys))
        count = self.count[-1][target] - np.bincount(inverse, minlength=len(keys))
        left = count > 0.5
        mean = np.divide(total, count, out=np.zeros(len(keys)), where=left)
        change = np.where(left, below(mean, self.ranked), 0) - wins[target]
        targets = np.isfinite(wins).sum() - np.bincount(pair, ~left, size)
        return share(np.nansum(wins) + np.bincount(pair, change, size), targets * len(self.ranked))


def _without_donors(people: Seen, values: Floats) -> Floats:
    """Return sums (n + 1, n) float64 by target: without each donor, and in the last row all."""
    size = len(people)
    all_of = np.bincount(people.first, values, size)
    both = people.second >= 0
    cells = people.second[both] * size + people.first[both]
    of_donor = np.bincount(cells, values[both], size * size).reshape(size, size)
    return np.concatenate([all_of - of_donor, all_of[None]])
