"""Curves of each detector's AUC over the levels of each perturbation, with intervals."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_PANEL = 2.5
_SHIFT = (
    0.06  # by which detectors stand beside each other, so that their intervals can be told apart
)
UNPERTURBED = "none"


def robustness_chart(table: pd.DataFrame) -> Figure:
    """Draw the frame-level AUC over levels: a row for each dataset, a column for each kind.

    Chains, which have no levels, stand together in the last column.

    Parameters
    ----------
    table : DataFrame
        `tables/robustness.csv`.
    """
    datasets = list(dict.fromkeys(table["dataset"]))
    kinds = list(dict.fromkeys(table.loc[table["level"] > 0, "kind"]))
    chains = list(dict.fromkeys(table.loc[table["level"].isna(), "kind"]))
    columns = [*kinds, *(["chains"] if chains else [])]
    size = (_PANEL * len(columns) + 1.6, _PANEL * len(datasets) + 0.4)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(len(datasets), len(columns), squeeze=False, sharey=True, sharex="col")
    for row, dataset in zip(panels, datasets, strict=True):
        part = table[table["dataset"] == dataset]
        for axes, kind in zip(row, columns, strict=True):
            if kind == "chains":
                _draw_chains(axes, part, chains)
            else:
                _draw_kind(axes, part[part["kind"].isin([UNPERTURBED, kind])])
            axes.axhline(0.5, color="0.7", linewidth=1, linestyle="--", zorder=0)
            axes.set_ylim(0, 1)
        row[0].set_ylabel(f"{dataset}\nframe-level AUC", fontsize=8)
    for axes, kind in zip(panels[0], columns, strict=True):
        axes.set_title(kind, fontsize=10)
    for axes, kind in zip(panels[-1], columns, strict=True):
        if kind != "chains":
            axes.set_xlabel("level (0: as it is)", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, loc="outside right upper")
    return figure


def _draw_kind(axes: Axes, part: pd.DataFrame) -> None:
    for place, (detector, curve) in enumerate(part.groupby("detector", sort=False)):
        _draw(axes, curve.sort_values("level"), curve["level"].sort_values(), place, str(detector))
    axes.set_xticks(range(int(part["level"].max()) + 1))


def _draw_chains(axes: Axes, part: pd.DataFrame, chains: list[str]) -> None:
    names = [UNPERTURBED, *chains]
    for place, (detector, rows) in enumerate(part.groupby("detector", sort=False)):
        shown = rows.set_index("kind").reindex(names).reset_index()
        _draw(axes, shown, pd.Series(range(len(names))), place, str(detector), line=False)
    axes.set_xticks(range(len(names)), ["as it is", *chains], rotation=30, ha="right", fontsize=7)


def _draw(
    axes: Axes,
    rows: pd.DataFrame,
    places: pd.Series,
    number: int,
    detector: str,
    *,
    line: bool = True,
) -> None:
    """Draw a detector's AUCs with their intervals."""
    values = rows["frame_auc"].to_numpy(float)
    ends = rows[["frame_auc_low", "frame_auc_high"]].to_numpy(float).T
    reach = abs(ends - values)
    axes.errorbar(
        places.to_numpy(float) + _SHIFT * number, values, yerr=reach, fmt="o-" if line else "o",
        markersize=3, linewidth=1.2, elinewidth=0.7, capsize=1.5, label=detector,
    )  # fmt: skip
