"""The report's section on detectors: AUC by detector and dataset, and over compressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import MISSING, Table, table

FIGURES = {
    "auc_by_dataset": (
        "Average AUC of each dataset",
        "Frame-level AUC; a dot is one detector. As figure 4.8 of the chapter, whose own averages "
        "are hollow.",
    ),
    "auc_by_detector": (
        "Average AUC of each detector",
        "Frame-level AUC; a dot is one dataset. As figure 4.9 of the chapter, whose own averages "
        "are hollow.",
    ),
    "roc": (
        "ROC curves",
        "By frame, original videos, a line for each detector, as figure 4.10 of the chapter.",
    ),
    "auc_by_compression": (
        "AUC over compressions",
        "Frame-level AUC, a line for each detector, as table 4.4 of the chapter, whose own numbers "
        "are hollow.",
    ),
}


@dataclass(frozen=True)
class Detectors(Section):
    """AUCs by frame and by video, videos that no detector saw (None if all were), and charts."""

    name = "detectors"
    title = "Detectors"
    by_frame: Table
    by_video: Table
    left_out: Table | None
    charts: Sequence[Picture]


def detectors(
    root: Path,
    aucs: pd.DataFrame | None,
    left_out: pd.DataFrame | None,
    figures: Sequence[Path],
) -> Detectors | None:
    """Return the AUCs of all detectors; None if none was measured.

    Parameters
    ----------
    root : Path
        The build's folder.
    aucs, left_out : DataFrame or None
        `tables/detector_auc.csv` and `tables/left_out.csv`.
    figures : sequence of Path
        Those of `swapset.build.figures.DETECTOR_FIGURES`.
    """
    if aucs is None or not len(aucs):
        return None
    unseen = None
    if left_out is not None and len(left_out):
        counted = left_out.groupby(["kind", "reason"], as_index=False).size()
        unseen = table(counted.rename(columns={"size": "videos"}))
    return Detectors(
        table(_wide(aucs[aucs["level"] == "frame"])),
        table(_wide(aucs[aucs["level"] == "video"])),
        unseen,
        [picture(path, root, *FIGURES[path.stem], photographic=False) for path in figures],
    )


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per detector and one column per dataset and compression, as text."""
    cells = [
        MISSING if pd.isna(auc) else f"{auc:.3f} [{low:.3f}, {high:.3f}]"
        for auc, low, high in zip(rows["auc"], rows["auc_low"], rows["auc_high"], strict=True)
    ]
    named = pd.DataFrame(
        {
            "detector": rows["detector"],
            "column": rows["dataset"] + " " + rows["compression"],
            "cell": cells,
        }
    )
    columns = list(dict.fromkeys(named["column"]))
    order = list(dict.fromkeys(named["detector"]))
    wide = named.pivot(index="detector", columns="column", values="cell")
    return wide.reindex(index=order, columns=columns).fillna(MISSING).reset_index()
