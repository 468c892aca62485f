"""The report's section on models that were trained on protected clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

_HEADS = {"source": "extractor", "role": "protected person is", "nme": "NME"}


@dataclass(frozen=True)
class ProtectedTraining(Section):
    """Measures of fakes by models that were trained on clips with and without noise."""

    name = "protected"
    title = "Models trained on protected clips"
    measures: Table
    swaps: Picture


def protected(root: Path, measures: Path, figure: Path) -> ProtectedTraining:
    """Return the section on the effect of noise on training clips.

    Parameters
    ----------
    root : Path
        The build's folder.
    measures, figure : Path
        `tables/protected_training.csv` and `figures/protected_training.png`.
    """
    rows = pd.read_csv(measures, keep_default_na=False, na_values=[""])
    caption = "Each column is one model."
    return ProtectedTraining(table(rows, _HEADS), picture(figure, root, "Swaps", caption))
