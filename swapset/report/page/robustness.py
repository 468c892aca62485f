"""The report's section on perturbed videos: AUC by level, areas under the curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import MISSING, Table, table

_CAPTION = (
    "Frame-level AUC with its interval, a line for each detector; the dotted line is the share of "
    "frames with a score, which falls where faces are no longer found."
)
_ROW = ["detector", "dataset", "compression"]


@dataclass(frozen=True)
class Robustness(Section):
    """Areas under the curves, AUCs after each perturbation, Mask-SSIM, and the chart."""

    name = "robustness"
    title = "Robustness"
    areas: Table
    aucs: Table
    mask_ssim: Table | None
    charts: Sequence[Picture]


def robustness(
    root: Path,
    aucs: pd.DataFrame | None,
    areas: pd.DataFrame | None,
    mask_ssim: pd.DataFrame | None,
) -> Robustness | None:
    """Return the section, or None if nothing was perturbed.

    Parameters
    ----------
    root : Path
        The build's folder, with `figures/robustness.png`.
    aucs, areas, mask_ssim : DataFrame or None
        `tables/robustness.csv`, `tables/robustness_area.csv` and `tables/robustness_ssim.csv`.
    """
    if aucs is None or areas is None or not len(aucs):
        return None
    chart = root / "figures" / "robustness.png"
    title = "AUC over the levels of perturbations"
    return Robustness(
        table(_wide(areas, "kind", "frame_area")),
        table(_wide(aucs, "perturbation", "frame_auc")),
        None if mask_ssim is None else table(mask_ssim),
        [picture(chart, root, title, _CAPTION, photographic=False)],
    )


def _wide(rows: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Return a row for each detector and dataset, a column for each perturbation, as text."""
    ends = zip(rows[value], rows[f"{value}_low"], rows[f"{value}_high"], strict=True)
    cells = [
        MISSING if pd.isna(middle) else f"{middle:.3f} [{low:.3f}, {high:.3f}]"
        for middle, low, high in ends
    ]
    wide = rows.assign(cell=cells).pivot(index=_ROW, columns=by, values="cell")
    order = pd.MultiIndex.from_frame(rows[_ROW].drop_duplicates())
    columns = list(dict.fromkeys(rows[by]))
    return wide.reindex(index=order, columns=columns).fillna(MISSING).reset_index()
