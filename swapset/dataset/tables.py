"""Make the tables of a finished dataset: videos per method, training, people, Mask-SSIM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from swapset.dataset.fake_means import mean_of_fakes
from swapset.dataset.manifest import Person
from swapset.errors import DataError
from swapset.holm import holm
from swapset.seeds import derive_seed

AGE_BANDS = ((0, "younger than 30"), (30, "30s"), (40, "40s"), (50, "50s"), (60, "60 and above"))
"""Lower bound and name of each age band, as in section 4.3 of the chapter."""

RESAMPLES = 2000
"""Of the bootstrap of a paired difference over fakes."""
TRAINING_COLUMNS = [
    *("recipe", "model", "trained", "reason", "subjects", "faces", "start"),
    *("limit", "steps", "saved", "held_out", "parameters"),
]


def datasets_table(videos: Iterable[dict[str, Any]], methods: Sequence[str]) -> pd.DataFrame:
    """Return table 4.1 for a build: one row per method, with real videos beside its fakes.

    Parameters
    ----------
    videos : iterable of dict
        Provenance records; those of compression "original" are counted.
    methods : sequence of str
        Rows of the table.

    Returns
    -------
    DataFrame
        Columns dataset, real_videos, real_frames, fake_videos, fake_frames.
    """
    originals = [video for video in videos if video["compression"] == "original"]
    real = [video["frames"] for video in originals if video["label"] == 0]
    rows = []
    for method in methods:
        fake = [video["frames"] for video in originals if video.get("method") == method]
        rows.append((method, len(real), sum(real), len(fake), sum(fake)))
    columns = ["dataset", "real_videos", "real_frames", "fake_videos", "fake_frames"]
    return pd.DataFrame(rows, columns=columns)


def training_table(cards: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per model with the length and the result of its training.

    Parameters
    ----------
    cards : mapping of str to dict
        The models' cards by `recipe/model`.

    Returns
    -------
    DataFrame
        Columns recipe, model, trained, reason, subjects, faces, start ("base" or "nothing"), limit
        (of steps), steps, saved (share of the limit that was saved by stopping at a plateau),
        held_out (mean L1 of held-out faces at the end), parameters. Training time is counted in
        steps; seconds are in `benchmarks/train`.
    """
    rows = []
    for name, card in cards.items():
        recipe, model = name.split("/")
        row: dict[str, Any] = {"recipe": recipe, "model": model, "trained": card["trained"]}
        row["reason"] = card.get("reason", "")
        if card["trained"]:
            limit = card["recipe"]["steps"]
            row |= {
                "subjects": len(card["faces"]),
                "faces": sum(card["faces"].values()),
                "start": "base" if card["warm_start"] else "nothing",
                "limit": limit,
                "steps": card["steps"],
                "saved": round(1 - card["steps"] / limit, 4),
                "held_out": card["held_out"][-1][1],
                "parameters": card["parameters"],
            }
        rows.append(row)
    # Integers that may be missing.
    counts = dict.fromkeys(("subjects", "faces", "limit", "steps", "parameters"), "Int64")
    return pd.DataFrame(rows, columns=TRAINING_COLUMNS).astype(counts)


def demographics_table(people: Sequence[Person], subjects: Iterable[str]) -> pd.DataFrame:
    """Return the shares of genders, age bands and ethnic groups among a build's subjects.

    Parameters
    ----------
    people : sequence of Person
        The known people; missing entries count as "unknown".
    subjects : iterable of str
        The subjects in the dataset.

    Returns
    -------
    DataFrame
        Columns attribute, group, subjects, share (in percent of all subjects).
    """
    known = {person.subject: person for person in people}
    shown = [known.get(subject, Person(subject)) for subject in subjects]
    groups = {
        "gender": [person.gender or "unknown" for person in shown],
        "age": [_band(person.age) for person in shown],
        "ethnicity": [person.ethnicity or "unknown" for person in shown],
    }
    rows = []
    for attribute, values in groups.items():
        counts = pd.Series(values, dtype=str).value_counts().sort_index()
        rows += [
            (attribute, group, int(count), round(100 * count / len(shown), 1))
            for group, count in counts.items()
        ]
    return pd.DataFrame(rows, columns=["attribute", "group", "subjects", "share"])


def _band(age: int | None) -> str:
    if age is None:
        return "unknown"
    return next(name for low, name in reversed(AGE_BANDS) if age >= low)


def check_all_scored(parts: Mapping[str, pd.DataFrame], fakes: Sequence[int]) -> None:
    """Check that each target's table of scores (by file) has as many rows as the target has fakes.

    Raises
    ------
    DataError
        If a table has lost or gained rows since it was written.
    """
    for (path, part), count in zip(parts.items(), fakes, strict=True):
        if len(part) != count:
            raise DataError(f"{path}: scores of {len(part)} instead of {count} fakes")


def gather_scores(parts: Sequence[pd.DataFrame], methods: Sequence[str]) -> pd.DataFrame:
    """Return the scores of all targets as one table, sorted by the order of `methods`."""
    scores = pd.concat(parts)
    return pd.concat([scores[scores["method"] == name] for name in methods], ignore_index=True)


def mask_ssim_table(
    scores: pd.DataFrame,
    methods: Sequence[str],
    *,
    seed: int,
    level: float,
    resamples: int,
) -> pd.DataFrame:
    """Return table 4.2 for a build: Mask-SSIM per method with an interval over people.

    Parameters
    ----------
    scores : DataFrame
        One row per fake with the columns method, fake, frames, mask_ssim, masked_frame_ssim,
        identity_donor; NaN for fakes that could not be scored, which are left out.
    methods : sequence of str
        Rows of the table, including methods without a scored fake.
    seed : int
        Seed of the bootstrap.
    level : float
        Confidence level of its interval, within (0, 1).
    resamples : int
        Number of its resamples.

    Returns
    -------
    DataFrame
        Columns method, videos, frames, mask_ssim, mask_ssim_low, mask_ssim_high,
        masked_frame_ssim, identity_donor, interval (see `swapset.dataset.fake_means.Mean.over`).
    """
    rows = []
    for method in methods:
        mine = scores[(scores["method"] == method) & scores["mask_ssim"].notna()]
        mean = mean_of_fakes(
            mine["mask_ssim"].to_numpy(),
            list(mine["fake"]),
            seed=derive_seed(seed, "bootstrap"),
            level=level,
            resamples=resamples,
        )
        rows.append(
            {
                "method": method,
                "videos": len(mine),
                "frames": int(mine["frames"].sum()),
                "mask_ssim": mean.value,
                "mask_ssim_low": mean.low,
                "mask_ssim_high": mean.high,
                "masked_frame_ssim": mine["masked_frame_ssim"].mean(),
                "identity_donor": mine["identity_donor"].mean(),
                "interval": mean.over,
            }
        )
    return pd.DataFrame(rows)


def differences_table(
    scores: pd.DataFrame,
    methods: Sequence[str],
    *,
    seed: int,
    level: float,
    measure: str = "mask_ssim",
) -> pd.DataFrame:
    """Compare the first method with every other one, fake by fake.

    Parameters
    ----------
    scores : DataFrame
        One row per fake with the columns method, fake and `measure`; fakes with NaN are left out.
    methods : sequence of str
        The methods.
    seed : int
        Seed of the bootstrap.
    level : float
        Confidence level of its interval, within (0, 1).
    measure : str
        The column to compare.

    Returns
    -------
    DataFrame
        Columns method, against, fakes, difference, low, high, share_higher, p, p_holm, interval:
        the first method's value minus the other's on the fakes that both made, with its interval,
        the share of fakes with a higher value of the first, the p-value (see
        `swapset.dataset.fake_means.Mean`), and the one corrected for the number of rows.
    """
    known = scores[scores[measure].notna()]
    by_method = {
        method: part.set_index("fake")[measure] for method, part in known.groupby("method")
    }
    first = methods[0]
    rows = []
    for other in methods[1:]:
        if first in by_method and other in by_method:
            paired = (by_method[first] - by_method[other]).dropna().sort_index()
            if len(paired):
                mean = mean_of_fakes(
                    paired.to_numpy(),
                    list(paired.index),
                    seed=derive_seed(seed, other),
                    level=level,
                    resamples=RESAMPLES,
                )
                shown = (mean.value, mean.low, mean.high, float((paired > 0).mean()))
                rows.append((first, other, len(paired), *shown, mean.p, mean.over))
    columns = ["method", "against", "fakes", "difference", "low", "high", "share_higher"]
    table = pd.DataFrame(rows, columns=[*columns, "p", "interval"]).astype({"fakes": np.int64})
    table.insert(len(table.columns) - 1, "p_holm", holm(table["p"].astype(float)))
    return table
