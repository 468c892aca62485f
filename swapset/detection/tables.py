"""Make the tables of all detectors from files of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from swapset.dataset.trainings import training_number
from swapset.detection.auc import auc_row, training_spread
from swapset.detection.ensemble import ensemble_auc
from swapset.detection.protocol import own_kinds, read_scores, with_people
from swapset.detection.statistics import by_person, operating_points
from swapset.detection.statistics.by_person import person_rows
from swapset.detection.statistics.calibration import calibration
from swapset.detection.statistics.comparisons import Measured, differences, measured
from swapset.detection.statistics.levels import LEVELS, Faceless, Scored, all_levels
from swapset.detection.statistics.operating_points import operating_rows
from swapset.detection.statistics.rate_intervals import rate_intervals
from swapset.detection.statistics.roc import LOW_FALSE_ALARMS, Curve, curves, rates, roc_points
from swapset.detection.store import FaceStore
from swapset.io.files import read_json
from swapset.jackknife import Estimate

_KEYS = ["detector", "dataset", "compression", "level"]
_ABOUT = ["people", "interval", "faceless"]
_RATES = ["equal_error_rate", "average_precision", *LOW_FALSE_ALARMS]
COLUMNS = {
    "table": [
        *(*_KEYS, "auc", "auc_low", "auc_high", "videos", "frames", "coverage", "auc_ensemble"),
        *("trainings", "auc_trainings_sd"),
        *_ABOUT,
    ],
    "rates": [
        *(*_KEYS, "equal_error_rate", "average_precision", *LOW_FALSE_ALARMS),
        *("brier", "calibration_error"),
        *(f"{name}_{end}" for name in _RATES for end in ("low", "high")),
        *_ABOUT,
    ],
    "curves": [*_KEYS, "false_positive", "true_positive", "faceless"],
    "points": operating_points.COLUMNS,
    "people": by_person.COLUMNS,
}
"""Columns of each table but the differences'."""


def left_out_table(faces: Iterable[Path], not_read: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return the videos that no detector scored: columns kind, compression, video, reason.

    Parameters
    ----------
    faces : iterable of Path
        Stores of faces, `…/<kind>/<compression>/<block>`.
    not_read : sequence of (dataset, path, reason)
        Files that the layouts of public datasets did not use.
    """
    rows = [(dataset, "", path, reason) for dataset, path, reason in not_read]
    for folder in faces:
        store = FaceStore(folder)
        rows += [
            (folder.parent.parent.name, folder.parent.name, video, reason)
            for video, reason in zip(store.videos, store.reasons, strict=True)
            if reason
        ]
    return pd.DataFrame(rows, columns=["kind", "compression", "video", "reason"])


@dataclass(frozen=True)
class Asked:
    """Settings of the tables.

    Attributes
    ----------
    seed : int
        Of the bootstrap behind the intervals of error rates.
    level : float
        Of all intervals, in (0, 1).
    resamples : int
        Of the bootstrap.
    faceless : {"middle", "exclude", "real"}
        How videos without a face count, see `swapset.detection.statistics.levels.at_level`.
    """

    seed: int
    level: float
    resamples: int
    faceless: Faceless = "middle"


def auc_tables(
    files: Sequence[Path], splits: pd.DataFrame, cards: Sequence[Path], asked: Asked
) -> dict[str, pd.DataFrame]:
    """Return the tables of all detectors.

    Parameters
    ----------
    files : sequence of Path
        `…/scores/<detector>/<dataset>/<compression>.parquet`.
    splits : DataFrame
        See `swapset.detection.protocol`.
    cards : sequence of Path
        `…/detectors/<detector>/<fold>.json`.
    asked : Asked

    Returns
    -------
    dict of str to DataFrame
        By name; the columns are in docs/detection.md.
        "table": AUCs. "rates": error rates. "curves": ROC curves. "points": rates at thresholds
        that were fixed on validation people. "people": AUCs by person. "differences": differences
        of AUCs.
    """
    facts, own = _read_cards(cards), own_kinds(splits)
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in COLUMNS}
    parts = []
    for path in files:
        detector, dataset, compression = path.parent.parent.name, path.parent.name, path.stem
        keys = {"detector": detector, "dataset": dataset, "compression": compression}
        scores = with_people(read_scores(path), splits, dataset)
        part = measured(keys, all_levels(scores, asked.faceless), own=dataset in own)
        parts.append(part)
        for name, table in _tables(part, scores, facts.get(detector, {}), asked).items():
            rows[name].append(table.assign(**keys, faceless=asked.faceless))
    tables = {name: _together(rows[name], columns) for name, columns in COLUMNS.items()}
    return tables | {"differences": differences(parts, level=asked.level, faceless=asked.faceless)}


def _together(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of all parts; numbers stay numbers, which an empty part would change."""
    known = [part for part in parts if len(part)]
    table = pd.concat(known, ignore_index=True) if known else pd.DataFrame()
    return table.reindex(columns=list(columns))


def _read_cards(cards: Iterable[Path]) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the cards by detector and fold."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for path in cards:
        found.setdefault(path.parent.name, {})[training_number(path.stem)] = read_json(path)
    return found


def _tables(
    part: Measured, frames: pd.DataFrame, cards: Mapping[int, Mapping[str, Any]], asked: Asked
) -> dict[str, pd.DataFrame]:
    """Return the rows of one file of scores in each table, without the keys."""
    aucs, rates, curves_of, points = [], [], [], []
    calibrated = calibration(frames, part.scored, asked.faceless)
    for name, scored in part.scored.items():
        found = part.estimates.get(name)
        together = ensemble_auc(frames, name, asked.faceless) if name in LEVELS else float("nan")
        row = auc_row(name, scored, found, asked.level)
        aucs.append(row | {"auc_ensemble": together} | training_spread(scored))
        if found is None or name not in LEVELS:
            continue
        about: dict[str, object] = {
            "level": name,
            "people": scored.known_people,
            "interval": scored.over,
        }
        points += [about | row for row in operating_rows(scored, cards, name, asked.level)]
        lines = curves(scored)
        curves_of.append(roc_points(lines).assign(level=name))
        rates.append(about | _rates(scored, lines, found, asked) | calibrated[name])
    return {
        "table": pd.DataFrame(aucs),
        "rates": pd.DataFrame(rates),
        "curves": pd.concat([pd.DataFrame(), *curves_of]),
        "points": pd.DataFrame(points),
        "people": pd.DataFrame(person_rows(frames)),
    }


def _rates(
    scored: Scored, lines: Sequence[Curve], found: Estimate, asked: Asked
) -> dict[str, float]:
    values = rates(lines)
    intervals = rate_intervals(
        scored, values, found, seed=asked.seed, level=asked.level, resamples=asked.resamples
    )
    return values | intervals
