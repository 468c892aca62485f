"""The report's section on training sets: heat-maps, and what is lost on other datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, probability, table, with_interval

_CAPTION = (
    "AUC by video of each detector, by what it learnt from (rows) and what it is tested on "
    "(columns). Framed: the detector learnt from this dataset, of other people."
)


@dataclass(frozen=True)
class Matrix(Section):
    """Losses on other datasets, by detector and training set, and the heat-maps."""

    name = "matrix"
    title = "Training sets"
    drops: Table
    charts: Sequence[Picture]


def matrix(root: Path, drops: pd.DataFrame | None) -> Matrix | None:
    """Return the section, or None if there is no matrix.

    Parameters
    ----------
    root : Path
        The build's folder, with `figures/detector_matrix.png`.
    drops : DataFrame or None
        `tables/detector_matrix_drop.csv`.
    """
    if drops is None or not len(drops):
        return None
    shown = drops[drops["level"] == "video"]
    named = shown[["detector", "trained_on", "compression"]].rename(
        columns={"trained_on": "learnt from"}
    )
    named["AUC there"] = [f"{value:.3f}" for value in shown["learnt"]]
    named["on others"] = [f"{value:.3f}" for value in shown["others"]]
    ends = zip(shown["difference"], shown["low"], shown["high"], strict=True)
    named["drop"] = [with_interval(*each, signed=True) for each in ends]
    named["p (Holm)"] = shown["p_holm"].map(probability)
    chart = root / "figures" / "detector_matrix.png"
    return Matrix(
        table(named),
        [picture(chart, root, "AUC by training set and test set", _CAPTION, photographic=False)],
    )
