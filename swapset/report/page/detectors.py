"""The report's section on detectors: AUC by detector and dataset, and over compressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from swapset.report.page.markup import Markup, element, joined, table
from swapset.report.page.pictures import figure

FIGURES = {
    "auc_by_dataset": ("Average AUC of each dataset", "As figure 4.8 of the chapter."),
    "auc_by_detector": ("Average AUC of each detector", "As figure 4.9 of the chapter."),
    "roc": ("ROC curves", "By frame, original videos, as figure 4.10 of the chapter."),
    "auc_by_compression": ("AUC over compressions", "As table 4.4 of the chapter."),
}


def detectors(
    root: Path,
    aucs: pd.DataFrame | None,
    left_out: pd.DataFrame | None,
    figures: Sequence[Path],
) -> Markup:
    """Return the AUCs of all detectors; nothing if none was measured.

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
        return Markup("")
    parts = [element("h2", "Detectors")]
    for level in ("frame", "video"):
        wide = _wide(aucs[aucs["level"] == level])
        parts += [element("h3", f"AUC by {level}"), table(wide)]
    parts.append(
        element(
            "p",
            "AUC with its bootstrap interval over videos, on people that the detector was not "
            "fitted on. 0.5 is chance. Coverage of all rows: tables/detector_auc.csv.",
            class_="note",
        )
    )
    if left_out is not None and len(left_out):
        counted = left_out.groupby(["kind", "reason"], as_index=False).size()
        parts += [
            element("h3", "Videos that no detector saw"),
            table(counted.rename(columns={"size": "videos"})),
        ]
    parts += [figure(path, root, *FIGURES[path.stem], photographic=False) for path in figures]
    return joined(parts)


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per detector and one column per dataset and compression, as text."""
    cells = [
        "-" if pd.isna(auc) else f"{auc:.3f} [{low:.3f}, {high:.3f}]"
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
    return wide.reindex(index=order, columns=columns).fillna("-").reset_index()
