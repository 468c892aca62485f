"""Curves of each detector's AUC over the levels of each perturbation, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_PANEL = 2.3
_SPREAD = 0.3  # within which detectors stand beside each other, so that their intervals are seen
UNPERTURBED, _CHAINS = "none", "chains"


def robustness_chart(table: pd.DataFrame) -> Figure:
    """Draw the frame-level AUC over levels: a row for each dataset, a column for each kind.

    Chains, which have no levels, stand together in the last column. The dotted line is the share of
    frames with a score.

    Parameters
    ----------
    table : DataFrame
        `tables/robustness.csv`.
    """
    datasets = list(dict.fromkeys(table["dataset"]))
    kinds = list(dict.fromkeys(table.loc[table["level"] > 0, "kind"]))
    chains = list(dict.fromkeys(table.loc[table["level"].isna(), "kind"]))
    columns = [*kinds, *([_CHAINS] if chains else [])]
    size = (_PANEL * len(columns) + 1.8, _PANEL * len(datasets) + 0.6)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(len(datasets), len(columns), squeeze=False, sharey=True, sharex="col")
    for row, dataset in zip(panels, datasets, strict=True):
        part = table[table["dataset"] == dataset]
        for axes, kind in zip(row, columns, strict=True):
            if kind == _CHAINS:
                _draw_chains(axes, part, chains)
            else:
                _draw_kind(axes, part[part["kind"].isin([UNPERTURBED, kind])])
        row[0].set_ylabel(f"{dataset}\nframe-level AUC", fontsize=8)
    for axes, kind in zip(panels[0], columns, strict=True):
        axes.set_title(kind, fontsize=10)
    for axes, _ in zip(panels[-1], kinds, strict=False):
        axes.set_xlabel("level (0: as it is)", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, loc="outside right upper")
    return figure


def _draw_kind(axes: Axes, part: pd.DataFrame) -> None:
    levels = sorted({int(level) for level in part["level"]})
    _draw(axes, part, "level", levels, "o-")
    axes.set_xticks(levels)


def _draw_chains(axes: Axes, part: pd.DataFrame, chains: Sequence[str]) -> None:
    names = [UNPERTURBED, *chains]
    _draw(axes, part[part["kind"].isin(names)], "kind", names, "o")
    labels = ["as it is", *chains]
    axes.set_xticks(range(len(names)), labels, rotation=30, ha="right", fontsize=7)


def _draw(axes: Axes, part: pd.DataFrame, by: str, order: Sequence[Any], style: str) -> None:
    """Draw the AUC of each detector with its interval, and the mean coverage, over `order`."""
    places = pd.Series(order if by == "level" else range(len(order)), dtype=float).to_numpy()
    groups = list(part.groupby("detector", sort=False))
    for number, (detector, rows) in enumerate(groups):
        shown = rows.set_index(by).reindex(list(order))
        values = shown["frame_auc"].to_numpy(float)
        ends = shown[["frame_auc_low", "frame_auc_high"]].to_numpy(float).T
        axes.errorbar(
            places + _SPREAD * ((number + 0.5) / len(groups) - 0.5), values,
            yerr=abs(ends - values), fmt=style, markersize=3, linewidth=1.2, elinewidth=0.7,
            capsize=1.5, label=str(detector),
        )  # fmt: skip
    coverage = part.groupby(by)["frame_coverage"].mean().reindex(list(order))
    line = ":" if "-" in style else "none"
    axes.plot(
        places, coverage, "k", linestyle=line, marker="_", linewidth=1, label="frames with a score"
    )
    axes.axhline(0.5, color="0.7", linewidth=1, linestyle="--", zorder=0)
    axes.set_xlim(places[0] - 0.4, places[-1] + 0.4)
    axes.set_ylim(0, 1.03)
