"""Differences between the detectors of two builds on the videos that both test, over people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from swapset.dataset.trainings import parted, training_number
from swapset.detection.auc import estimate_at
from swapset.detection.matrix_cells import dataset_scores
from swapset.detection.protocol import own_kinds, read_scores, read_splits, with_people
from swapset.detection.robustness import UNPERTURBED, area_estimates
from swapset.detection.statistics.calibration import (
    brier_estimate,
    calibration_error,
    probabilities,
)
from swapset.detection.statistics.levels import LEVELS, Scored, all_levels
from swapset.detection.statistics.operating_points import (
    POINTS,
    RATES,
    rate_estimate,
    thresholds_of,
)
from swapset.detection.statistics.rate_intervals import rate_errors
from swapset.detection.statistics.roc import curves, rates
from swapset.detection.tables import Asked
from swapset.io.files import read_json
from swapset.jackknife import Estimate
from swapset.media.compressions import COMPRESSIONS
from swapset.report.comparison.rows import Folders, Gap, Row, row, shared

PLAIN, PERTURBED = "scores/*/*/*.parquet", "perturbed/scores/*/*/*/*.parquet"
MATRIX = "matrix/scores/*/*/*.parquet"
"""Files of scores in a build."""
Cards = Mapping[int, dict[str, object]]
"""Cards of a detector by number, see `swapset.dataset.trainings`."""


def score_rows(folders: Folders, asked: Asked) -> Iterator[Row]:
    """Yield the differences of all measures of detectors.

    Parameters
    ----------
    folders : (Path, Path)
        Of builds.
    asked : Asked
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for pattern in (PLAIN, PERTURBED):
        for name in shared(folders, pattern):
            groups.setdefault(_about(name)[:2], []).append(name)
    for (detector, _), names in groups.items():
        cards = [_cards(folder, detector) for folder in folders]
        yield from _detector_rows([_Both.of(folders, name, asked) for name in names], cards)
    for name in shared(folders, MATRIX):
        if _about(name)[1] != "real":
            yield from _Both.of(folders, name, asked).aucs("detector_matrix")


def _read(folder: Path, name: str, detector: str, dataset: str) -> pd.DataFrame:
    """Return the scores of a dataset with the people in its videos."""
    training_set = parted(detector)[1]
    if not training_set:
        splits = read_splits(folder / "tables" / "splits.csv")
        return with_people(read_scores(folder / name), splits, dataset)
    splits = read_splits(folder / "matrix" / "splits" / f"{training_set}.csv")
    scores = dataset_scores(folder / name, own=dataset in own_kinds(splits))
    return with_people(scores, splits, dataset)


def _about(name: str) -> tuple[str, ...]:
    """Return the parts of the name of a file of scores: see `_Both`."""
    parts = Path(name).with_suffix("").parts
    return parts[parts.index("scores") + 1 :]


def _cards(folder: Path, detector: str) -> Cards:
    paths = (folder / "detectors" / detector).glob("*.json")
    return {training_number(path.stem): read_json(path) for path in paths}


def _detector_rows(files: Sequence[_Both], cards: Sequence[Cards]) -> Iterator[Row]:
    """Yield the differences of one detector on one dataset."""
    plain = [each for each in files if len(each.about) == 3]
    perturbed = [each for each in files if len(each.about) > 3]
    for each in plain:
        yield from each.aucs("detector_auc")
        for level in LEVELS:
            if level in each.gaps:
                yield from each.rates(level)
                yield from each.calibrations(level)
                yield from each.points(level, cards)
    for each in perturbed:
        yield from each.aucs("robustness")
    if plain:  # perturbations begin with the least compressed version
        best = min(plain, key=lambda each: COMPRESSIONS.index(each.about[2]))
        yield from _areas(best, perturbed)


@dataclass(frozen=True)
class _Both:
    """One detector's scores in two builds, of the videos that both test with the same label.

    Attributes
    ----------
    about : sequence of str
        detector, dataset, then the compression, or the perturbation's family and key.
    asked : Asked
    tables : (DataFrame, DataFrame)
        Scores, see `swapset.detection.protocol.score_stores`.
    scored : (dict, dict)
        Scores by level.
    """

    about: Sequence[str]
    asked: Asked
    tables: Sequence[pd.DataFrame]
    scored: Sequence[dict[str, Scored]]

    @classmethod
    def of(cls, folders: Folders, name: str, asked: Asked) -> _Both:
        about = _about(name)
        tables = _shared_videos([_read(folder, name, *about[:2]) for folder in folders])
        return cls(about, asked, tables, [all_levels(each, asked.faceless) for each in tables])

    @cached_property
    def gaps(self) -> dict[str, tuple[Estimate, Estimate, Estimate]]:
        """Return the AUCs of both builds, and their difference, by level."""
        found = {}
        for level in self.scored[0].keys() & self.scored[1].keys():
            a, b = (estimate_at(each, level) for each in self.scored)
            if a is not None and b is not None:
                found[level] = a, b, b.minus(a)
        return found

    def row(self, table: str, measure: str, level: str, a: float, b: float, gap: Gap | None) -> Row:
        """Return a row of a measure at a level."""
        one, other = (each[level] for each in self.scored)
        return row(
            (table, " ".join(self.about), f"{measure} by {level}"), a, b, gap,
            pairs=one.count, unit="videos",
            people=min(one.known_people, other.known_people),
            interval=" and ".join(dict.fromkeys((one.over, other.over))) if gap else "",
            faceless=self.asked.faceless,
        )  # fmt: skip

    def paired(
        self, table: str, measure: str, level: str, a: Estimate | None, b: Estimate | None
    ) -> Iterator[Row]:
        """Yield the row of a measure that is a share, if both builds have it."""
        if a is not None and b is not None:
            gap = Gap.of(b.minus(a), self.asked.level, share=True)
            yield self.row(table, measure, level, a.value, b.value, gap)

    def aucs(self, table: str) -> Iterator[Row]:
        """Yield the differences of AUCs at each level."""
        for level in self.scored[0]:
            if level in self.gaps:
                yield from self.paired(table, "auc", level, *self.gaps[level][:2])

    def rates(self, level: str) -> Iterator[Row]:
        """Yield the differences of error rates that are read from ROC curves."""
        one, other = (each[level] for each in self.scored)
        a, b = (rates(curves(each)) for each in (one, other))
        gap = self.gaps[level][2]
        errors = rate_errors(
            one, other, list(a), gap, seed=self.asked.seed, resamples=self.asked.resamples
        )
        for name, error in errors.items():
            value = b[name] - a[name]
            paired = Gap.with_error(value, error, gap.independent, self.asked.level, share=True)
            yield self.row("detector_rates", name, level, a[name], b[name], paired)

    def calibrations(self, level: str) -> Iterator[Row]:
        """Yield the differences of what probabilities are off by."""
        found = [
            probabilities(table, scored, self.asked.faceless)
            for table, scored in zip(self.tables, self.scored, strict=True)
        ]
        if found[0] is None or found[1] is None:
            return
        parts = [each[level] for each in found if each is not None and each[level].both]
        briers = [brier_estimate(each) for each in parts]
        if len(briers) < 2 or None in briers:
            return
        yield from self.paired("detector_rates", "brier", level, *briers)
        a, b = (each.mean(calibration_error) for each in parts)
        yield self.row("detector_rates", "calibration_error", level, a, b, None)

    def points(self, level: str, cards: Sequence[Cards]) -> Iterator[Row]:
        """Yield the differences of rates at each build's own thresholds."""
        for point in POINTS:
            limits = [thresholds_of(each, level, point) for each in cards]
            for name, label in RATES.items():
                a, b = (
                    rate_estimate(scored[level], limit, label)
                    for scored, limit in zip(self.scored, limits, strict=True)
                )
                yield from self.paired("detector_points", f"{name} at {point}", level, a, b)


def _areas(plain: _Both, perturbed: Sequence[_Both]) -> Iterator[Row]:
    """Yield the differences of areas under robustness curves, on the levels that both have."""
    versions = {each.about[-1].replace("-", "/"): each for each in perturbed}
    versions[UNPERTURBED] = plain
    for level in LEVELS:
        found = {name: each.gaps.get(level, (None, None)) for name, each in versions.items()}
        sides = [area_estimates({name: gap[k] for name, gap in found.items()}) for k in (0, 1)]
        for kind in sides[0]:
            yield from plain.paired(
                "robustness_area", f"area of {kind}", level, sides[0][kind], sides[1][kind]
            )


def _shared_videos(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the rows of the videos that are in all tables of scores with the same label."""
    known = [dict(zip(t["video"], t["label"], strict=True)) for t in tables]
    names = {name for name, label in known[0].items() if all(k.get(name) == label for k in known)}
    return [table[table["video"].isin(names)].reset_index(drop=True) for table in tables]
