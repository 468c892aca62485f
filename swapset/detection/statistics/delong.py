"""DeLong's test of two detectors' AUCs on the same, independent videos.

E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
receiver operating characteristic curves: a nonparametric approach", Biometrics 44(3), 1988.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from swapset.detection.statistics.levels import Scored
from swapset.detection.statistics.ranks import below
from swapset.types import Floats


def holds(scored: Scored) -> bool:
    """Return whether DeLong's assumptions hold: one detector, and nobody in two of the videos.

    Where nobody is known by name, nothing speaks against it. Fewer than eight known people are in
    several videos each.

    Parameters
    ----------
    scored : Scored
        By video.
    """
    people = scored.people
    once = people.sums(np.ones(len(people.first))).max(initial=0) <= 1
    return scored.over != "fakes" and bool(once) and len(np.unique(scored.folds)) == 1


def components(scored: Scored) -> tuple[Floats, Floats]:
    """Return the share of real scores below each fake, and of fakes above each real score.

    Parameters
    ----------
    scored : Scored

    Returns
    -------
    of_fake : (f,) float64
    of_real : (r,) float64
        Both in [0, 1], in the order of the scores; their means are the AUC.
    """
    fake = scored.labels == 1
    fakes, reals = scored.scores[fake], scored.scores[~fake]
    above = 1 - below(reals, np.sort(fakes)) / len(fakes)
    return below(fakes, np.sort(reals)) / len(reals), above


def p_value(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    """Return the probability of AUCs that differ as much, if both detectors were as good.

    Parameters
    ----------
    one, other : (of_fake, of_real), each (n,) float64
        Components of both detectors on the same videos in the same order. NaN is returned for
        videos of different numbers, or fewer than two of a kind.
    """
    sizes = [len(part) for part in one]
    if sizes != [len(part) for part in other] or min(sizes) < 2:
        return float("nan")
    differences = [mine - theirs for mine, theirs in zip(one, other, strict=True)]
    value = float(differences[0].mean())
    variance = sum(float(part.var(ddof=1)) / len(part) for part in differences)
    if variance == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * ndtr(-abs(value) / np.sqrt(variance)))
