"""The comparison of two builds as a CSV file and a single HTML page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from swapset import __version__
from swapset.errors import DataError
from swapset.io.files import atomic_output, write_csv
from swapset.report.comparison.configs import config_differences
from swapset.report.comparison.tables import Bootstrap, differences, only_in_one
from swapset.report.page.section import render
from swapset.report.page.tables import MISSING, Table, table

CSV, PAGE = "comparison.csv", "comparison.html"
_NUMBERS = ("a", "b", "difference")


def write_comparison(first: Path, second: Path, folder: Path, how: Bootstrap) -> pd.DataFrame:
    """Compare two builds, and write `comparison.csv` and `comparison.html`.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    folder : Path
        Folder to write, which is made if there is none.
    how : Bootstrap
        Of the intervals.

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
    found = differences(first, second, how)
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / CSV, found)
    with atomic_output(folder / PAGE) as scratch:
        scratch.write_text(_page(first, second, found, how), encoding="utf-8")
    return found


def _page(first: Path, second: Path, found: pd.DataFrame, how: Bootstrap) -> str:
    alone, config = only_in_one(first, second), config_differences(first, second)
    names = {"a": str(first), "b": str(second)}
    return render(
        "comparison",
        first=names["a"],
        second=names["b"],
        version=__version__,
        percent=f"{how.level:.0%}",
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
    units = zip(rows["pairs"], rows["unit"], strict=True)
    shown["pairs"] = [MISSING if pd.isna(n) else f"{int(n)} {unit}" for n, unit in units]
    excluded = (rows["low"] > 0) | (rows["high"] < 0)
    shown["sure"] = excluded.map({True: "yes", False: "no"}).where(rows["low"].notna(), "")
    return table(shown)


def _number(value: float, *, signed: bool = False) -> str:
    if pd.isna(value):
        return MISSING
    if float(value).is_integer() and abs(value) > 1:
        return f"{value:+.0f}" if signed else f"{value:.0f}"
    return f"{value:+.3f}" if signed else f"{value:.3f}"
