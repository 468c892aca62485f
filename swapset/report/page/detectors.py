"""The report's section on detectors: AUC by detector, dataset and compression."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.media.compressions import COMPRESSIONS
from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import MISSING, Table, table, with_intervals

FIGURES = {
    "auc_by_dataset": (
        "Average AUC of each dataset",
        "Frame-level AUC. Each dot is a detector. As figure 4.8 of the chapter, with its averages "
        "as hollow marks.",
    ),
    "auc_by_detector": (
        "Average AUC of each detector",
        "Frame-level AUC. Each dot is a dataset. As figure 4.9 of the chapter, with its averages "
        "as hollow marks.",
    ),
    "roc": (
        "ROC curves",
        "Frames of original videos, a line for each detector, as in figure 4.10 of the chapter.",
    ),
    "auc_by_compression": (
        "AUC over compressions",
        "Frame-level AUC, a line for each detector. As table 4.4 of the chapter, with its numbers "
        "as hollow marks.",
    ),
    "detector_people": (
        "AUC by person",
        "Frames of a person's fakes against frames of the same person's real videos, in the least "
        "compressed version of each dataset. Each dot is a person, the line their mean; the "
        "easiest and the hardest person are named.",
    ),
}


OVER = {
    "people": "{people} people, who are left out one by one",
    "fakes": "fakes and real videos alone, because there are only {people} people: they are too "
    "narrow for anybody else",
    "videos": "videos, because nobody is known by name",
}
"""Texts about what intervals are over."""
FACELESS = {
    "middle": "are ranked in the middle",
    "exclude": "are left out",
    "real": "count as called real",
}
"""Texts about videos without a face, by `detection.faceless`."""


@dataclass(frozen=True)
class Detectors(Section):
    """AUCs by frame and by video, videos without scores (None if there are none), and charts.

    `intervals` says what the intervals are over, and `faceless` how videos without a face count.
    """

    name = "detectors"
    title = "Detectors"
    by_frame: Table
    by_video: Table
    intervals: str
    faceless: str
    left_out: Table | None
    charts: Sequence[Picture]


def detectors(
    root: Path,
    aucs: pd.DataFrame | None,
    left_out: pd.DataFrame | None,
    figures: Sequence[Path],
) -> Detectors | None:
    """Return the section, or None if no detector was measured.

    Parameters
    ----------
    root : Path
        The build's folder.
    aucs, left_out : DataFrame or None
        `tables/detector_auc.csv` and `tables/left_out.csv`.
    figures : sequence of Path
        Files named as in `swapset.build.figures.DETECTOR_FIGURES`.
    """
    if aucs is None or not len(aucs):
        return None
    without_scores = None
    if left_out is not None and len(left_out):
        counted = left_out.groupby(["kind", "reason"], as_index=False).size()
        without_scores = table(counted.rename(columns={"size": "videos"}))
    return Detectors(
        table(_wide(aucs[aucs["level"] == "frame"])),
        table(_wide(aucs[aucs["level"] == "video"])),
        _intervals(aucs),
        FACELESS[str(aucs["faceless"].iloc[0])],
        without_scores,
        [picture(path, root, *FIGURES[path.stem], photographic=False) for path in figures],
    )


def _intervals(aucs: pd.DataFrame) -> str:
    """Return what the intervals are over: one sentence for each kind of interval."""
    sentences = []
    for over, rows in aucs.groupby("interval", sort=False):
        names = ", ".join(dict.fromkeys(rows["dataset"].astype(str)))
        low, high = rows["people"].min(), rows["people"].max()
        people = f"{low}" if low == high else f"{low} to {high}"
        sentences.append(f"{names}: intervals over {OVER[str(over)].format(people=people)}.")
    return " ".join(sentences)


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each dataset and detector and a column for each compression, as text."""
    index = ["dataset", "detector"]
    wide = rows.assign(cell=with_intervals(rows, "auc")).pivot(
        index=index, columns="compression", values="cell"
    )
    datasets, detectors = (list(dict.fromkeys(rows[name])) for name in index)
    order = [key for key in itertools.product(datasets, detectors) if key in wide.index]
    columns = [name for name in COMPRESSIONS if name in wide]
    return wide.reindex(index=order, columns=columns).fillna(MISSING).reset_index()
