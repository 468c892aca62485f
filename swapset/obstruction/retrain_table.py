"""Table of the fakes made by models that were trained on protected clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from swapset.dataset.tables import mask_ssim_table
from swapset.extractors.nme import nme
from swapset.faces.align import shape_error
from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import read_csv
from swapset.obstruction.attacks.registry import DONOR
from swapset.types import Floats, Mask

PART = ["source", "method", "target", "donor", "role"]
MEASURES = ["mask_ssim", "mask_ssim_low", "mask_ssim_high", "masked_frame_ssim"]
IDENTITY = ["identity_donor", "donor_distance"]
LANDMARKS = ["nme", "face_shaped"]
COLUMNS = ["attack", *PART, *MEASURES, *IDENTITY, *LANDMARKS, "videos", "frames"]
FACE_SHAPED = 0.1
"""Largest `swapset.faces.align.shape_error` of landmarks that have the shape of a face.

Anybody who checks the shapes of landmarks would drop frames above it.
"""


def read_scores(parts: Sequence[Mapping[str, Any]], files: Iterable[Path]) -> pd.DataFrame:
    """Read the scores of all fakes: one row per fake, with columns that say how it was made.

    Parameters
    ----------
    parts : sequence of mapping
        attack, source, method, target, donor and role of each file.
    files : iterable of Path
        Files that `swapset.quality.target_scores.score_target` wrote.
    """
    tables = [
        read_csv(path, dtype={"fake": str}).assign(**part)
        for part, path in zip(parts, files, strict=True)
    ]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["attack", *PART])
    )


def landmark_facts(
    protected: Iterable[Path], clean: Mapping[str, Path]
) -> dict[tuple[str, str], dict[str, float]]:
    """Measure the smoothed landmarks by which the faces of protected clips were aligned.

    Parameters
    ----------
    protected : iterable of Path
        Folders `<attack>/<source>/landmarks/<subject>` with `<clip>.npz` (`ClipLandmarks`).
    clean : mapping of str to Path
        Folder of the landmarks of the clean clips, by subject.

    Returns
    -------
    dict of (str, str) to dict
        By attack and subject: nme, the mean error over all frames, and face_shaped, the share of
        frames whose landmarks have the shape of a face (see `FACE_SHAPED`). NaN = no frame.
    """
    facts = {}
    for folder in protected:
        errors, shapes = [np.empty(0)], [np.empty(0)]
        for path in sorted(folder.glob("*.npz")):
            points = ClipLandmarks.load(path).smooth
            errors.append(nme(points, ClipLandmarks.load(clean[folder.name] / path.name).smooth))
            shapes.append(shape_error(points))
        error, shape = (
            every[np.isfinite(every)] for every in map(np.concatenate, (errors, shapes))
        )
        facts[folder.parents[2].name, folder.name] = {
            "nme": _mean(error),
            "face_shaped": _mean(shape < FACE_SHAPED),
        }
    return facts


def _mean(values: Floats | Mask) -> float:
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
    """Return the quality of fakes by models trained on protected clips, for each attack.

    Parameters
    ----------
    scores : DataFrame
        See `read_scores`.
    attacks : sequence of str
        Attacks in the order of the rows.
    landmarks : mapping
        See `landmark_facts`.
    seed : int
    level : float
        Level of the bootstrap intervals over fakes, in (0, 1).
    resamples : int
        Number of bootstrap samples.

    Returns
    -------
    DataFrame
        Columns attack, source (the extractor that the noise attacks and that finds the landmarks,
        also in clean clips), method, target, donor, role (of the protected person), mask_ssim with
        its interval, masked_frame_ssim and identity_donor as in
        `tables/mask_ssim.csv`, donor_distance (see `swapset.quality.fake_scores`), nme and
        face_shaped (see `landmark_facts`), videos, frames.
    """
    tables = []
    for part, part_scores in scores.groupby(PART, sort=False):
        facts = dict(zip(PART, map(str, part), strict=True))
        victim = facts["donor" if facts["role"] == DONOR else "target"]
        # The table of methods serves for attacks: the attack is passed as the method.
        table = mask_ssim_table(
            part_scores.assign(method=part_scores["attack"]),
            attacks,
            seed=seed,
            level=level,
            resamples=resamples,
        )
        table = table.rename(columns={"method": "attack"})
        table["donor_distance"] = [
            part_scores.loc[part_scores["attack"] == attack, "donor_distance"].mean()
            for attack in attacks
        ]
        for column, value in facts.items():
            table[column] = value
        for column in LANDMARKS:
            table[column] = [landmarks[attack, victim][column] for attack in attacks]
        tables.append(table)
    return (
        pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)
    )
