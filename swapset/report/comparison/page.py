"""The comparison of two builds as a CSV file and a single HTML page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from swapset import __version__
from swapset.detection.tables import Asked
from swapset.errors import DataError
from swapset.io.files import atomic_output, write_csv
from swapset.report.comparison.configs import config_differences, faceless_of
from swapset.report.comparison.tables import differences, only_in_one
from swapset.report.page.section import render
from swapset.report.page.tables import MISSING, Table, probability, table

CSV, PAGE = "comparison.csv", "comparison.html"
_SEED = 1


def write_comparison(
    first: Path, second: Path, folder: Path, *, level: float, resamples: int
) -> pd.DataFrame:
    """Compare two builds, and write `comparison.csv` and `comparison.html`.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    folder : Path
        Folder to write, which is made if there is none.
    level : float
        Of the intervals, in (0, 1).
    resamples : int
        Of the bootstrap behind the intervals of error rates.

    Returns
    -------
    DataFrame
        What the CSV file has, see `swapset.report.comparison.tables.differences`.

    Raises
    ------
    DataError
        If a folder is no build, or a table is damaged.
    """
    for build in (first, second):
        if not any((build / "tables").glob("*.csv")):
            raise DataError(
                f"{build}: has no tables; name the folder of a finished build, results/<name>"
            )
    asked = Asked(_SEED, level, resamples, faceless_of(first, second))
    found = differences(first, second, asked)
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / CSV, found)
    with atomic_output(folder / PAGE) as scratch:
        scratch.write_text(_page(first, second, found, asked), encoding="utf-8")
    return found


def _page(first: Path, second: Path, found: pd.DataFrame, asked: Asked) -> str:
    alone, config = only_in_one(first, second), config_differences(first, second)
    names = {"a": str(first), "b": str(second)}
    return render(
        "comparison",
        first=names["a"],
        second=names["b"],
        version=__version__,
        percent=f"{asked.level:.0%}",
        faceless=asked.faceless,
        recorded=config is not None,
        config=None if config is None else _or_none(config),
        tables={str(name): _shown(part) for name, part in found.groupby("table", sort=False)},
        alone=_or_none(alone.assign(build=alone["build"].map(names))),
    )


def _or_none(rows: pd.DataFrame) -> Table | None:
    return table(rows) if len(rows) else None


def _shown(rows: pd.DataFrame) -> Table:
    """Return the differences of one table, as texts: the interval beside its difference."""
    shown = pd.DataFrame({"": rows["about"], "measure": rows["measure"]})
    for name in ("a", "b"):
        shown[name] = [_number(value) for value in rows[name]]
    shown["b - a"] = [
        _number(gap, signed=True) + ("" if pd.isna(low) else f" [{low:.3f}, {high:.3f}]")
        for gap, low, high in zip(rows["difference"], rows["low"], rows["high"], strict=True)
    ]
    if rows["low"].notna().any():
        for name in ("p", "p_holm"):
            shown[name] = rows[name].map(probability)
    if rows["pairs"].notna().any():
        shown["pairs"] = _counted(rows["pairs"], rows["unit"])
        shown["interval over"] = _counted(rows["people"].where(rows["interval"] == "people"),
                                          rows["interval"])  # fmt: skip
    return table(shown)


def _counted(numbers: pd.Series, names: pd.Series) -> list[str]:
    """Return numbers with what they count, the name alone, or a dash for neither."""
    pairs = zip(numbers, names.fillna(""), strict=True)
    return [name or MISSING if pd.isna(n) else f"{int(n)} {name}" for n, name in pairs]


def _number(value: float, *, signed: bool = False) -> str:
    if pd.isna(value):
        return MISSING
    if float(value).is_integer() and abs(value) > 1:
        return f"{value:+.0f}" if signed else f"{value:.0f}"
    return f"{value:+.3f}" if signed else f"{value:.3f}"
