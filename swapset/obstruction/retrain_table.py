"""The table of fakes by models that were trained on protected clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from swapset.dataset.tables import mask_ssim_table
from swapset.extractors.nme import nme
from swapset.faces.align import shape_error
from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import read_csv
from swapset.obstruction.attacks.registry import DONOR

PART = ["source", "method", "target", "donor", "role"]
MEASURES = ["mask_ssim", "mask_ssim_low", "mask_ssim_high", "masked_frame_ssim"]
IDENTITY = ["identity_donor", "donor_distance"]
LANDMARKS = ["nme", "face_shaped"]
COLUMNS = ["attack", *PART, *MEASURES, *IDENTITY, *LANDMARKS, "videos", "frames"]
FACE_SHAPED = 0.1
"""Most `swapset.faces.align.shape_error` of a face: whoever looks at theirs would drop others."""


def read_scores(parts: Sequence[Mapping[str, Any]], files: Iterable[Path]) -> pd.DataFrame:
    """Return the scores of all fakes, a row each, with what they are part of.

    Parameters
    ----------
    parts : sequence of mapping
        attack, source, method, target, donor and role of each file.
    files : iterable of Path
        As `swapset.quality.target_scores.score_target` wrote them.
    """
    tables = [
        read_csv(path, dtype={"fake": str}).assign(**part)
        for part, path in zip(parts, files, strict=True)
    ]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["attack", *PART])
    )


def landmark_facts(
    found: Iterable[Path], known: Mapping[str, Path]
) -> dict[tuple[str, str], dict[str, float]]:
    """Return how good the smoothed landmarks are that faces were aligned by.

    Parameters
    ----------
    found : iterable of Path
        Folders `<attack>/<source>/landmarks/<subject>` with `<clip>.npz` (`ClipLandmarks`).
    known : mapping of str to Path
        By subject, the folder of the landmarks in the clean clips.

    Returns
    -------
    dict of (str, str) to dict
        By attack and subject: nme, the mean error over all frames, and face_shaped, the share of
        frames whose landmarks have a face's shape (see `FACE_SHAPED`); NaN without a frame.
    """
    facts = {}
    for folder in found:
        errors, shapes = [np.empty(0)], [np.empty(0)]
        for path in sorted(folder.glob("*.npz")):
            points = ClipLandmarks.load(path).smooth
            errors.append(nme(points, ClipLandmarks.load(known[folder.name] / path.name).smooth))
            shapes.append(shape_error(points))
        error, shape = (
            every[np.isfinite(every)] for every in map(np.concatenate, (errors, shapes))
        )
        facts[folder.parents[2].name, folder.name] = {
            "nme": _mean(error),
            "face_shaped": _mean(shape < FACE_SHAPED),
        }
    return facts


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def protected_table(
    scores: pd.DataFrame,
    attacks: Sequence[str],
    landmarks: Mapping[tuple[str, str], Mapping[str, float]],
    *,
    seed: int,
    level: float,
    resamples: int,
) -> pd.DataFrame:
    """Return what noise on the clips that a model is trained on does to its fakes.

    Parameters
    ----------
    scores : DataFrame
        See `read_scores`.
    attacks : sequence of str
        In the order of the rows.
    landmarks : mapping
        See `landmark_facts`.
    seed, level, resamples
        Of the bootstrap over fakes.

    Returns
    -------
    DataFrame
        Columns attack, source (the extractor that the noise is made against and that finds the
        landmarks, also in clean clips), method, target, donor, role (of the protected person),
        mask_ssim with its interval, masked_frame_ssim and identity_donor as in
        `tables/mask_ssim.csv`, donor_distance (see `swapset.quality.fake_scores`), nme and
        face_shaped (see `landmark_facts`), videos, frames.
    """
    tables = []
    for part, mine in scores.groupby(PART, sort=False):
        facts = dict(zip(PART, map(str, part), strict=True))
        victim = facts["donor" if facts["role"] == DONOR else "target"]
        # An attack takes the place that a method has in the table of methods.
        table = mask_ssim_table(
            mine.assign(method=mine["attack"]), attacks, seed=seed, level=level, resamples=resamples
        )
        table = table.rename(columns={"method": "attack"})
        table["donor_distance"] = [
            mine.loc[mine["attack"] == attack, "donor_distance"].mean() for attack in attacks
        ]
        for column, value in facts.items():
            table[column] = value
        for column in LANDMARKS:
            table[column] = [landmarks[attack, victim][column] for attack in attacks]
        tables.append(table)
    return (
        pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)
    )
