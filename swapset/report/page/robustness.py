"""The report's section on perturbed videos: AUC by level, areas under the curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import MISSING, Table, table, with_intervals

_CAPTION = (
    "Frame-level AUC with its interval, a line for each detector; the dotted line is the share of "
    "frames with a score, which falls where faces are no longer found."
)


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
        None if mask_ssim is None else table(_named(mask_ssim)),
        [picture(chart, root, title, _CAPTION, photographic=False)],
    )


def _wide(rows: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Return a row for each dataset and perturbation and a column for each detector, as text."""
    index = ["dataset", "compression", by]
    wide = rows.assign(cell=with_intervals(rows, value)).pivot(
        index=index, columns="detector", values="cell"
    )
    order = pd.MultiIndex.from_frame(rows[index].drop_duplicates())
    detectors = list(dict.fromkeys(rows["detector"]))
    return wide.reindex(index=order, columns=detectors).fillna(MISSING).reset_index()


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table of Mask-SSIM with each interval beside its mean."""
    shown = rows[["method", "perturbation", "fakes"]].copy()
    shown["against the original"] = with_intervals(rows, "mask_ssim")
    shown["against it perturbed alike"] = with_intervals(rows, "mask_ssim_alike")
    return shown
