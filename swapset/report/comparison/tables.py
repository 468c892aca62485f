"""Differences between the tables of two builds, paired on the videos, fakes or runs of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.dataset.fake_means import people_of_fakes
from swapset.detection.tables import Asked
from swapset.io.files import read_csv
from swapset.jackknife import mean_estimate
from swapset.obstruction.tables import KEYS, MEASURES, read_measures
from swapset.report.comparison.rows import Folders, Gap, Row, as_table, files, row, shared
from swapset.report.comparison.scores import MATRIX, PERTURBED, PLAIN, score_rows
from swapset.seen import Seen, units

_SSIM = "perturbed/quality/*/*.csv"
_PAIRED = {
    "detector_people": ("person", ["detector", "dataset", "compression"]),
    "mask_ssim_per_fake": ("fake", ["method"]),
    "expression_per_fake": ("fake", ["method"]),
    "training": ("model", ["recipe"]),
}
"""Tables with a row for each person, fake or model: the column that pairs them, and the columns
that tell groups of them."""
_FROM_ITEMS = {
    *("detector_auc", "detector_rates", "detector_points", "robustness", "robustness_area"),
    "detector_matrix",
    *("robustness_ssim", "mask_ssim", "expression", "landmark_breaker"),
}
"""Tables of means: what they are means of is compared in pairs instead."""
_DIFFERENCES = {
    *("detector_differences", "mask_ssim_differences", "expression_differences"),
    *("landmark_breaker_differences", "landmark_breaker_white_box"),
    *("detector_matrix_differences", "detector_matrix_drop"),
}
"""Tables that a build makes of its own means, which are compared already."""
_NO_NUMBERS = {"splits", "roc", "left_out", "fakes", "tidied"}
_NUMBERED_KEYS = ("level", "step", "iterations")
_NO_KEYS = ("reason", "interval", "faceless")
_ENDS = ("low", "high")


def differences(first: Path, second: Path, asked: Asked) -> pd.DataFrame:
    """Return all differences between two builds, second minus first.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    asked : Asked
        The level of the intervals, and what videos without a face count as.

    Returns
    -------
    DataFrame
        Columns `swapset.report.comparison.rows.COLUMNS`. Rows with an interval are paired; others
        only compare two numbers.
    """
    folders = (first, second)
    rows = list(score_rows(folders, asked))
    for name in _PAIRED:
        rows += _paired(folders, name, asked.level)
    rows += _perturbed(folders, asked.level)
    rows += _noise(folders, asked.level)
    for name in shared(folders, "tables/*.csv"):
        table = Path(name).stem
        if table not in _FROM_ITEMS | _DIFFERENCES | _NO_NUMBERS | _PAIRED.keys():
            rows += _plain(folders, table)
    return as_table(rows)


def only_in_one(first: Path, second: Path) -> pd.DataFrame:
    """Return the tables and scores that one build has alone: columns file, build ("a", "b")."""
    rows = []
    for pattern in ("tables/*.csv", PLAIN, MATRIX, PERTURBED, _SSIM):
        a, b = (files(folder, pattern) for folder in (first, second))
        rows += [(name, "a") for name in sorted(a - b)] + [(name, "b") for name in sorted(b - a)]
    return pd.DataFrame(rows, columns=["file", "build"])


def _paired(folders: Folders, table: str, level: float) -> Iterator[Row]:
    """Yield the differences of a table with a row for each person, fake or model."""
    paths = [folder / "tables" / f"{table}.csv" for folder in folders]
    unit, keys = _PAIRED[table]
    if all(path.is_file() for path in paths):
        tables = [read_csv(path, dtype=dict.fromkeys([unit, *keys], str)) for path in paths]
        yield from _grouped(table, tables, unit, keys, level)


def _perturbed(folders: Folders, level: float) -> Iterator[Row]:
    """Yield the differences of fakes' Mask-SSIM after perturbations."""
    names = shared(folders, _SSIM)
    if names:
        keys, unit = ["method", "perturbation"], "fake"
        tables = [
            pd.concat([read_csv(folder / name) for name in names]).drop_duplicates([*keys, unit])
            for folder in folders
        ]
        yield from _grouped("robustness_ssim", tables, unit, keys, level)


def _grouped(
    table: str, tables: Sequence[pd.DataFrame], unit: str, keys: Sequence[str], level: float
) -> Iterator[Row]:
    """Yield the differences of each measure in each group of items.

    Parameters
    ----------
    table : str
        Its name.
    tables : (DataFrame, DataFrame)
        Of both builds.
    unit : str
        The column that names items.
    keys : sequence of str
        The columns that tell groups.
    level : float
        Of the intervals, in (0, 1).
    """
    measures = _measures(*tables, without=[*keys, unit])
    groups = [dict(list(each.groupby(list(keys), sort=False))) for each in tables]
    for about in (each for each in groups[0] if each in groups[1]):
        parts = [each[about].set_index(unit) for each in groups]
        for measure in measures:
            values = [dict(part[measure].dropna()) for part in parts]
            label = (table, " ".join(map(str, about)), measure)
            counts = all(pd.api.types.is_integer_dtype(each[measure]) for each in tables)
            yield from _difference(label, values, unit, level, counts=counts)


def _noise(folders: Folders, level: float) -> Iterator[Row]:
    """Yield the differences of Landmark Breaker's measures, paired by runs of frames."""
    names = shared(folders, "obstruction/measures/*/*/*.csv")
    if names:
        tables = [
            read_measures(folder / name for name in names)
            .groupby([*KEYS, "run"], sort=False, as_index=False)[MEASURES]
            .mean()
            for folder in folders
        ]
        yield from _grouped("landmark_breaker", tables, "run", KEYS, level)


def _difference(
    label: Sequence[object],
    values: Sequence[Mapping[str, float]],
    unit: str,
    level: float,
    *,
    counts: bool,
) -> Iterator[Row]:
    """Yield one row of a difference of means, if the builds have anything in common.

    Parameters
    ----------
    label : (table, about, measure)
    values : (mapping, mapping)
        The measure of each item by its name, in both builds.
    unit : str
        What items are.
    level : float
        Of the interval, in (0, 1).
    counts : bool
        Whether values are counts, such as of frames, which have no interval.
    """
    first, second = values
    names = sorted(first.keys() & second.keys())
    if not names:
        return
    a, b = (float(np.mean([side[name] for name in names])) for side in values)
    if counts:
        yield row(label, a, b, pairs=len(names), unit=f"{unit}s")
        return
    people, over = _people(names, unit)
    gap = mean_estimate([second[name] - first[name] for name in names], people)
    known = len(people) if over == "people" else None
    count = len(names)
    found = Gap.of(gap, level)
    yield row(label, a, b, found, pairs=count, unit=f"{unit}s", people=known, interval=over)


def _people(names: Sequence[str], unit: str) -> tuple[Seen, str]:
    """Return what an interval is over, and its name: people, or items where they are too few."""
    if unit == "fake":
        return people_of_fakes(names)
    alone = Seen.of(names, [""] * len(names))
    return units(alone, names) if unit == "person" else (alone, f"{unit}s")


def _plain(folders: Folders, table: str) -> Iterator[Row]:
    """Yield the differences of numbers in rows with the same keys, without an interval."""
    tables = [read_csv(folder / "tables" / f"{table}.csv") for folder in folders]
    keys = [name for name in tables[0].columns if _is_key(tables[0], name)]
    if not keys or not set(keys) <= set(tables[1].columns):
        return
    measures = _measures(*tables, without=keys)
    first, second = (_indexed(t, keys) for t in tables)
    for about in first.index.intersection(second.index):
        for measure in measures:
            a, b = float(first.loc[about, measure]), float(second.loc[about, measure])
            if np.isfinite(a) or np.isfinite(b):
                yield row((table, about, measure), a, b)


def _is_key(table: pd.DataFrame, name: str) -> bool:
    if name in _NO_KEYS:
        return False
    return name in _NUMBERED_KEYS or not pd.api.types.is_numeric_dtype(table[name])


def _indexed(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return a table with its keys as one text; of rows with the same keys, the first."""
    texts = [
        " ".join(str(v) for v in row if not pd.isna(v)) for row in table[list(keys)].to_numpy()
    ]
    indexed = table.set_index(pd.Index(texts))
    return indexed[~indexed.index.duplicated()]


def _measures(*tables: pd.DataFrame, without: Iterable[str] = ()) -> list[str]:
    """Return the numeric columns of all tables, without keys and ends of intervals."""
    left_out = set(without)
    return [
        str(name)
        for name in tables[0].columns
        if name not in left_out
        and str(name).rpartition("_")[2] not in _ENDS
        and all(name in t and pd.api.types.is_numeric_dtype(t[name]) for t in tables)
        and not pd.api.types.is_bool_dtype(tables[0][name])
    ]
