"""The report's section on how fakes keep the target's expression and pose, and how they look."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from swapset.report.page.section import Section
from swapset.report.page.tables import MISSING, Table, table, with_interval

NAMES = {
    "landmark_distance": "landmark distance (face widths)",
    "eye_error": "eye opening, error",
    "mouth_error": "mouth opening, error",
    "smile_error": "mouth width, error",
    "pose_error": "pose, error (degrees)",
    "eyes_follow": "eyes follow (correlation)",
    "eyes_gain": "eyes move as far (gain)",
    "mouth_follows": "mouth follows (correlation)",
    "mouth_gain": "mouth moves as far (gain)",
    "sharpness": "sharpness, fake over target",
    "flicker": "flicker (grey levels)",
}
"""Names of the measures in the page."""
OF_TARGET = dict.fromkeys(NAMES, "0") | dict.fromkeys(
    ("eyes_follow", "eyes_gain", "mouth_follows", "mouth_gain", "sharpness"), "1"
)
"""Values of the target itself."""


@dataclass(frozen=True)
class ExpressionKept(Section):
    """Expression, pose, sharpness and flicker of all methods.

    Attributes
    ----------
    measures : Table
        A row per measure with the value of each method.
    differences : Table or None
        A row per measure with the difference of the first method from each other one.
    first : str
        The first method.
    """

    name = "expression"
    title = "Expression, sharpness and flicker"
    measures: Table
    differences: Table | None
    first: str


def expression_kept(
    means: pd.DataFrame | None, differences: pd.DataFrame | None
) -> ExpressionKept | None:
    """Return the section, or None for a build without these measures.

    Parameters
    ----------
    means, differences : DataFrame or None
        `tables/expression.csv` and `expression_differences.csv`.
    """
    if means is None or not len(means):
        return None
    wide = _wide(means, "method", "mean")
    wide.insert(1, "target itself", list(OF_TARGET.values()), allow_duplicates=True)
    compared = None
    if differences is not None and len(differences):
        compared = table(_wide(differences, "against", "difference"))
    return ExpressionKept(table(wide), compared, str(means["method"].iloc[0]))


def _wide(rows: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    """Return one row per measure, with a column of intervals for each value of `column`."""
    cells = {
        (row["measure"], row[column]): with_interval(row[value], row["low"], row["high"])
        for row in rows.to_dict("records")
    }
    names = list(dict.fromkeys(rows[column]))
    lines = [
        [title, *(cells.get((measure, name), MISSING) for name in names)]
        for measure, title in NAMES.items()
    ]
    return pd.DataFrame(lines, columns=["measure", *names])
