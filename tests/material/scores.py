"""Scores of people who are targets and donors of fakes, with a known AUC."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri


def of_people(
    people: int = 14,
    clips: int = 3,
    donors: int = 2,
    frames: int = 4,
    *,
    person: float = 0.5,
    pair: float = 0.5,
    missing: float = 0.0,
    auc: float = 0.75,
    seed: int = 0,
) -> pd.DataFrame:
    """Return scores by frame, with the true AUC by video of other people.

    `person` and `pair` are standard deviations of what belongs to a person as real, target or
    donor, and to a pair; a video's own is 1.
    """
    rng = np.random.default_rng(seed)
    real, target, donor = person * rng.normal(size=(3, people))
    of_pair = pair * rng.normal(size=(people, people))
    shift = ndtri(auc) * np.sqrt(3 * person**2 + pair**2 + 2)
    rows = []
    for one in range(people):
        for clip in range(clips):
            rows.append((f"id{one}_{clip:04d}", 0, real[one], f"id{one}", ""))
            for step in rng.permutation(people - 1)[:donors] + 1:
                other = int(one + step) % people
                base = shift + target[one] + donor[other]
                base += of_pair[min(one, other), max(one, other)]
                rows.append((f"id{one}_id{other}_{clip:04d}", 1, base, f"id{one}", f"id{other}"))
    table = pd.DataFrame(rows, columns=["video", "label", "score", "target", "donor"])
    table["score"] += rng.normal(size=len(table))
    table = table.loc[table.index.repeat(frames)].reset_index(drop=True)
    table["frame"] = table.groupby("video").cumcount()
    if frames > 1:
        table["score"] = (table["score"] + rng.normal(0, 0.3, len(table))).round(1)
    table.loc[rng.random(len(table)) < missing, "score"] = np.nan
    return table
