"""Differences between the tables of two builds, paired on the videos, fakes or runs of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.bootstrap import PairedDifference, paired_difference
from swapset.detection.auc import estimate_at
from swapset.detection.protocol import read_scores, read_splits, with_people
from swapset.detection.statistics.levels import LEVELS, all_levels
from swapset.io.files import read_csv
from swapset.obstruction.tables import KEYS, MEASURES, read_measures

COLUMNS = ["table", "about", "measure", "a", "b", "difference", "low", "high", "pairs", "unit"]
"""Columns of the comparison. `difference` is b - a; `pairs` is the number of `unit`s of both."""

_PAIRED = {"mask_ssim_per_fake": "fake", "expression_per_fake": "fake", "training": "model"}
"""Tables with a row for each fake or model, and the column that pairs them."""
_GROUPS = {"fake": "method", "model": "recipe"}
_LEFT_OUT = {"splits", "roc", "left_out", "fakes", "detector_auc", "robustness", "tidied"}
"""Tables without numbers, or whose numbers are compared from the scores behind them."""
_NUMBERED_KEYS = ("level", "step", "iterations")
_ENDS = ("low", "high")


@dataclass(frozen=True)
class Bootstrap:
    """Settings of bootstrapped intervals: seed, level in (0, 1), number of resamples."""

    seed: int
    level: float
    resamples: int


def differences(first: Path, second: Path, how: Bootstrap) -> pd.DataFrame:
    """Return all differences between two builds, second minus first.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    how : Bootstrap

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. Rows with an interval are paired; others only compare two numbers.
    """
    rows: list[list[object]] = []
    folders = (first, second)
    rows += _scores(folders, "detector_auc", "scores/*/*/*.parquet", how)
    rows += _scores(folders, "robustness", "perturbed/scores/*/*/*/*.parquet", how)
    for name, unit in _PAIRED.items():
        rows += _paired(folders, name, unit, how)
    rows += _noise(folders, how)
    for name in _shared(folders, "tables/*.csv"):
        table = Path(name).stem
        if table not in _LEFT_OUT | _PAIRED.keys():
            rows += _plain(folders, table)
    return pd.DataFrame(rows, columns=COLUMNS)


def only_in_one(first: Path, second: Path) -> pd.DataFrame:
    """Return the tables and scores that one build has alone: columns file, build ("a", "b")."""
    patterns = ("tables/*.csv", "scores/*/*/*.parquet", "perturbed/scores/*/*/*/*.parquet")
    rows = []
    for pattern in patterns:
        a, b = (_files(folder, pattern) for folder in (first, second))
        rows += [(name, "a") for name in sorted(a - b)] + [(name, "b") for name in sorted(b - a)]
    return pd.DataFrame(rows, columns=["file", "build"])


def _files(folder: Path, pattern: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern)}


def _shared(folders: Sequence[Path], pattern: str) -> list[str]:
    return sorted(set.intersection(*(_files(folder, pattern) for folder in folders)))


def _scores(
    folders: Sequence[Path], table: str, pattern: str, how: Bootstrap
) -> Iterator[list[object]]:
    """Yield the differences of AUCs, on the videos that both builds test."""
    for name in _shared(folders, pattern):
        parts = Path(name).with_suffix("").parts
        about = parts[parts.index("scores") + 1 :]
        dataset = about[1]
        tables = [_with_people(folder, name, dataset) for folder in folders]
        shared = [all_levels(part) for part in _shared_videos(tables)]
        for level in LEVELS:
            found = [estimate_at(each, level) for each in shared]
            if found[0] is None or found[1] is None:
                continue
            gap = found[1].minus(found[0])
            numbers = [found[0].value, found[1].value, gap.value, *gap.interval(how.level)]
            scored = shared[0][level]
            count = scored.known_people if scored.over == "people" else scored.count
            about_auc = [table, " ".join(about), f"auc by {level}"]
            yield [*about_auc, *numbers, count, scored.over]


def _with_people(folder: Path, name: str, dataset: str) -> pd.DataFrame:
    splits = read_splits(folder / "tables" / "splits.csv")
    return with_people(read_scores(folder / name), splits, dataset)


def _shared_videos(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the rows of the videos that are in all tables of scores with the same label."""
    known = [dict(zip(t["video"], t["label"], strict=True)) for t in tables]
    names = {name for name, label in known[0].items() if all(k.get(name) == label for k in known)}
    return [table[table["video"].isin(names)].reset_index(drop=True) for table in tables]


def _paired(
    folders: Sequence[Path], table: str, unit: str, how: Bootstrap
) -> Iterator[list[object]]:
    """Yield the differences of a table with a row for each fake or model."""
    paths = [folder / "tables" / f"{table}.csv" for folder in folders]
    if not all(path.is_file() for path in paths):
        return
    group = _GROUPS[unit]
    tables = [read_csv(path, dtype={unit: str, group: str}) for path in paths]
    measures = _measures(tables[0], tables[1])
    for name in dict.fromkeys(tables[0][group]):
        parts = [t[t[group] == name].set_index(unit) for t in tables]
        for measure in measures:
            values = [dict(part[measure].dropna()) for part in parts]
            yield from _difference([table, name, measure], values, f"{unit}s", how)


def _noise(folders: Sequence[Path], how: Bootstrap) -> Iterator[list[object]]:
    """Yield the differences of Landmark Breaker's measures, paired by runs of frames."""
    names = _shared(folders, "obstruction/measures/*/*/*.csv")
    if not names:
        return
    by_build = [read_measures(folder / name for name in names) for folder in folders]
    grouped = [dict(list(table.groupby(KEYS))) for table in by_build]
    for about, table in grouped[0].items():
        if about not in grouped[1]:
            continue
        pair = (table, grouped[1][about])
        for measure in MEASURES:
            values = [dict(t.groupby("run")[measure].mean().dropna()) for t in pair]
            label = ["landmark_breaker", " ".join(map(str, about)), measure]
            yield from _difference(label, values, "runs", how)


def _difference(
    label: Iterable[object], values: Sequence[Mapping[str, float]], unit: str, how: Bootstrap
) -> Iterator[list[object]]:
    """Yield one row of a paired difference, if the builds have anything in common."""
    first, second = values
    names = sorted(first.keys() & second.keys())
    if not names:
        return
    found: PairedDifference = paired_difference(second, first, seed=how.seed, level=how.level)
    means = [float(np.mean([side[name] for name in names])) for side in (first, second)]
    yield [*label, *means, found.mean, found.low, found.high, found.pairs, unit]


def _plain(folders: Sequence[Path], table: str) -> Iterator[list[object]]:
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
                yield [table, about, measure, a, b, b - a, np.nan, np.nan, None, ""]


def _is_key(table: pd.DataFrame, name: str) -> bool:
    return name in _NUMBERED_KEYS or not pd.api.types.is_numeric_dtype(table[name])


def _indexed(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return a table with its keys as one text; of rows with the same keys, the first."""
    texts = [
        " ".join(str(v) for v in row if not pd.isna(v)) for row in table[list(keys)].to_numpy()
    ]
    indexed = table.set_index(pd.Index(texts))
    return indexed[~indexed.index.duplicated()]


def _measures(*tables: pd.DataFrame, without: Sequence[str] = ()) -> list[str]:
    """Return the numeric columns of all tables, without keys and ends of intervals."""
    return [
        str(name)
        for name in tables[0].columns
        if name not in without
        and str(name).rpartition("_")[2] not in _ENDS
        and all(name in t and pd.api.types.is_numeric_dtype(t[name]) for t in tables)
        and not pd.api.types.is_bool_dtype(tables[0][name])
    ]
