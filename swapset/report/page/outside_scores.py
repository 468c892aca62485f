"""The report's section on scores by detectors that were run elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table


@dataclass(frozen=True)
class OutsideScores(Section):
    """A table of the files, how they were read, and what they lack."""

    name = "outside_scores"
    title = "Scores from elsewhere"
    files: Table


def outside_scores(files: pd.DataFrame | None) -> OutsideScores | None:
    """Return the section of `tables/outside_scores.csv`, or None if there is none."""
    return None if files is None or not len(files) else OutsideScores(table(files))
