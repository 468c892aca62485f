"""The report's section on visual quality: Mask-SSIM by method, with an explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from swapset.report.figures.charts import ENOUGH_DONOR, comparable_methods
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

HEADS = {
    "mask_ssim": "Mask-SSIM",
    "mask_ssim_low": "low",
    "mask_ssim_high": "high",
    "masked_frame_ssim": "masked-frame SSIM",
    "identity_donor": "donor seen in",
    "lab_distance": "colour distance (Lab)",
    "share_higher": "share of fakes above 0",
}


@dataclass(frozen=True)
class Quality(Section):
    """Mask-SSIM of all methods.

    Attributes
    ----------
    scores : Table or None
        None if it was not measured.
    enough_donor : str
        Smallest share of frames with the donor's face for a method to be comparable.
    incomparable : sequence of str
        Methods that show the donor less often.
    differences : Table or None
        Differences between pairs of methods on the same fakes.
    """

    name = "quality"
    title = "Visual quality"
    scores: Table | None = None
    enough_donor: str = f"{ENOUGH_DONOR:.0%}"
    incomparable: Sequence[str] = ()
    differences: Table | None = None


def quality(
    scores: pd.DataFrame | None, differences: pd.DataFrame | None, fakes: pd.DataFrame | None
) -> Quality:
    """Return the section, from three tables of the build.

    Parameters
    ----------
    scores, differences, fakes : DataFrame or None
        `tables/mask_ssim.csv`, `mask_ssim_differences.csv` and `mask_ssim_per_fake.csv`.
    """
    if scores is None:
        return Quality()
    if fakes is not None:
        colours = fakes.groupby("method")["lab_distance"].mean()
        scores = scores.assign(lab_distance=scores["method"].map(colours))
    comparable = comparable_methods(scores)
    compared = None
    if differences is not None and len(differences):
        compared = table(differences.assign(reading=_readings(differences, comparable)), HEADS)
    return Quality(
        table(scores, HEADS),
        incomparable=[method for method in scores["method"] if method not in comparable],
        differences=compared,
    )


def _readings(differences: pd.DataFrame, comparable: set[str]) -> list[str]:
    """Return each row of the differences in words."""
    return [
        _reading(row)
        + ("" if {row["method"], row["against"]} <= comparable else " (not comparable, see above)")
        for row in differences.to_dict("records")
    ]


def _reading(row: Mapping[Any, Any]) -> str:
    """Return in words which of two methods has the higher Mask-SSIM, if that is clear."""
    if row["low"] > 0:
        return f"{row['against']} is lower"
    if row["high"] < 0:
        return f"{row['against']} is higher"
    return "no clear difference"
