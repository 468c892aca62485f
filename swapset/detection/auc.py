"""The AUC of scores, with its interval over people.

Where each fold is tested by its own detector, only scores of the same detector are compared with
each other: the same score may mean different things to two detectors. Every measure is then the
mean over the folds, which is the mean over the detectors that were fitted. Intervals of AUCs leave
out one person after the other, see `swapset.jackknife`.

References
----------
G. Forman, M. Scholz, "Apples-to-apples in cross-validation studies: pitfalls in classifier
performance measurement", SIGKDD Explorations 12(1), 2010: why scores of folds are not pooled.
N. A. Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53(2), 1997: the
AUC of clustered scores, here of clusters that overlap, as a fake belongs to two people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from swapset.dataset.trainings import repeat_of
from swapset.detection.statistics.levels import PERSON, Faceless, Ints, Scored, all_levels
from swapset.detection.statistics.person_level import person_estimate
from swapset.detection.statistics.ranks import below, groups, share
from swapset.jackknife import Estimate, columns_mean, estimate, mean_of
from swapset.seen import Seen
from swapset.types import Floats


def auc(scored: Scored) -> float:
    """Return the area under the ROC curve, as the mean over the folds.

    It is the share of pairs of a fake and a real score in the right order.
    """
    return scored.mean(lambda labels, scores: float(roc_auc_score(labels, scores)))


def auc_estimate(scored: Scored) -> Estimate:
    """Return the AUC with its values when each person, or pair of people, is left out.

    Parameters
    ----------
    scored : Scored
        By frame or by video, with real and fake ones in some fold.
    """
    values, by_person, by_pair = [], [], []
    for part in scored.parts():
        wins = _Wins.of(scored, part)
        values.append(wins.auc)
        by_person.append(wins.without_person())
        by_pair.append(wins.without_pair())
    return estimate(
        mean_of(values),
        scored.people,
        without_person=columns_mean(by_person),
        without_pair=columns_mean(by_pair),
    )


@dataclass(frozen=True)
class _Wins:
    """Counts of the fakes of a fold above its real scores, by fake and by real score.

    Attributes
    ----------
    people, real_people : Seen
        Of the fakes and of the real scores.
    pairs : (k,) int64
        Each fake's pair in all of the scores, or -1.
    pair_count : int
    fakes, reals : (k,), (r,) float64
        Scores, as they came.
    of_fake, of_real : (k,), (r,) float64
        Real scores below each fake, and fakes above each real score; ties count half.
    """

    people: Seen
    real_people: Seen
    pairs: Ints
    pair_count: int
    fakes: Floats
    reals: Floats
    of_fake: Floats
    of_real: Floats

    @classmethod
    def of(cls, scored: Scored, part: Ints) -> _Wins:
        names, pairs = scored.people.pairs
        fake = scored.labels[part] == 1
        fakes, reals = scored.scores[part[fake]], scored.scores[part[~fake]]
        above = len(fakes) - below(reals, np.sort(fakes))
        return cls(
            scored.people.take(part[fake]),
            scored.people.take(part[~fake]),
            pairs[part[fake]],
            len(names),
            fakes,
            reals,
            below(fakes, np.sort(reals)),
            above,
        )

    @property
    def auc(self) -> float:
        return float(self.of_fake.sum() / (len(self.fakes) * len(self.reals)))

    def without_person(self) -> Floats:
        """Return the AUC (n,) float64 without each person's real videos and fakes."""
        fakes = len(self.fakes) - self.people.sums(np.ones(len(self.fakes)))
        reals = len(self.reals) - self.real_people.sums(np.ones(len(self.reals)))
        lost = self.people.sums(self.of_fake) + self.real_people.sums(self.of_real)
        return share(self.of_fake.sum() - lost + self._within_people(), fakes * reals)

    def _within_people(self) -> Floats:
        """Return how often each person's fakes are above the same person's real scores, (n,)."""
        wins = np.zeros(len(self.people))
        both = self.people.second >= 0
        shown = np.concatenate([self.people.first, self.people.second[both]])
        scores = np.concatenate([self.fakes, self.fakes[both]])
        real_order = np.lexsort((self.reals, self.real_people.first))
        starts, reals = groups(self.real_people.first[real_order]), self.reals[real_order]
        fake_order = np.argsort(shown, kind="stable")
        fake_starts, scores = groups(shown[fake_order]), scores[fake_order]
        for person in starts.keys() & fake_starts.keys():
            wins[person] = below(scores[fake_starts[person]], reals[starts[person]]).sum()
        return wins

    def without_pair(self) -> Floats:
        """Return the AUC (m,) float64 without the fakes of each pair of people."""
        shared = self.pairs >= 0
        numbers, size = self.pairs[shared], self.pair_count
        lost = np.bincount(numbers, self.of_fake[shared], size)
        left = len(self.fakes) - np.bincount(numbers, minlength=size)
        return share(self.of_fake.sum() - lost, left * float(len(self.reals)))


def estimate_at(scored: Mapping[str, Scored], level: str) -> Estimate | None:
    """Return the AUC at a level, or None if no detector scored both real and fake ones.

    Parameters
    ----------
    scored : mapping of str to Scored
        See `all_levels`. The AUC of people is taken from the videos, where fakes have donors.
    level : {"frame", "video", "person"}
    """
    if not scored[level].both:
        return None
    return person_estimate(scored["video"]) if level == PERSON else auc_estimate(scored[level])


def auc_rows(
    table: pd.DataFrame, *, level: float, faceless: Faceless = "middle"
) -> list[dict[str, object]]:
    """Return the AUC with its interval, by frame, by video and by person.

    Parameters
    ----------
    table : DataFrame
        See `swapset.detection.statistics.levels.at_level`.
    level : float
        Of the interval, in (0, 1).
    faceless : {"middle", "exclude", "real"}
        See `swapset.detection.statistics.levels.at_level`.

    Returns
    -------
    list of dict
        See `auc_row`. There is no row of people where they are fewer than eight, or not known.
    """
    scored = all_levels(table, faceless)
    return [
        auc_row(name, part, estimate_at(scored, name), level) | {"faceless": faceless}
        for name, part in scored.items()
    ]


def training_spread(scored: Scored) -> dict[str, float]:
    """Return the number of trainings of each fold, and the spread of their AUCs.

    Trainings differ in their seed alone and are tested on the same people, so that the spread is
    apart from that of people.

    Parameters
    ----------
    scored : Scored

    Returns
    -------
    dict
        trainings, and auc_trainings_sd, the standard deviation over the trainings of the mean AUC
        over the folds; NaN for a single one.
    """
    aucs: dict[int, list[float]] = {}
    numbers = np.unique(scored.folds)
    if len({repeat_of(int(number)) for number in numbers}) > 1:
        for part in scored.parts():
            repeat = repeat_of(int(scored.folds[part[0]]))
            value = float(roc_auc_score(scored.labels[part], scored.scores[part]))
            aucs.setdefault(repeat, []).append(value)
    means = [float(np.mean(values)) for values in aucs.values()]
    spread = float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")
    return {"trainings": max(len(means), 1), "auc_trainings_sd": spread}


def auc_row(name: str, scored: Scored, found: Estimate | None, level: float) -> dict[str, object]:
    """Return an AUC with its interval and what it was measured on.

    Parameters
    ----------
    name : str
        The level.
    scored : Scored
    found : Estimate or None
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    dict
        Keys level, auc, auc_low, auc_high, videos, frames, coverage, people, interval. The AUC is
        NaN where no detector scored both real and fake ones.
    """
    value = low = high = float("nan")
    if found is not None:
        value, (low, high) = found.value, found.share_interval(level)
    row: dict[str, object] = {"level": name, "auc": value, "auc_low": low, "auc_high": high}
    row |= {"videos": scored.count, "frames": scored.frames, "coverage": scored.coverage}
    return row | {"people": scored.known_people, "interval": scored.over}
