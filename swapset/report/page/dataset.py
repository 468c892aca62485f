"""The report's section on the dataset: numbers of videos and of people."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

HEADS = {
    "real_videos": "real videos",
    "real_frames": "real frames",
    "fake_videos": "fake videos",
    "fake_frames": "fake frames",
    "share": "share (%)",
}


@dataclass(frozen=True)
class Dataset(Section):
    """Numbers of videos, people by group, and missing fakes by reason; None if there are none."""

    name = "dataset"
    title = "Dataset"
    videos: Table | None
    people: Table | None
    missing: Table | None


def dataset(
    counts: pd.DataFrame | None, people: pd.DataFrame | None, fakes: pd.DataFrame | None
) -> Dataset:
    """Return the section, from three tables of the build.

    Parameters
    ----------
    counts, people, fakes : DataFrame or None
        `tables/datasets.csv`, `demographics.csv` and `fakes.csv`.
    """
    missing = None
    if fakes is not None and not fakes["made"].all():
        grouped = fakes[~fakes["made"]].groupby(["method", "reason"], as_index=False)
        missing = table(grouped.size().rename(columns={"size": "fakes"}))
    return Dataset(
        None if counts is None else table(counts, HEADS),
        None if people is None else table(people, HEADS),
        missing,
    )
