"""Heat-maps of AUCs: rows are what a detector learnt from, columns what it is tested on."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from swapset.media.compressions import COMPRESSIONS

_CELL = 0.62  # inches
_ACROSS = 5
_COLOURS = "RdYlBu"
_LIGHT = 0.32  # share of the scale at each end where letters are white


def matrix_chart(table: pd.DataFrame, level: str = "video") -> Figure:
    """Draw a heat-map of AUCs for each compression and detector.

    Cells of datasets that the detector learnt from have a black frame: the diagonal. Rows of sets
    that a detector did not learn from are empty.

    Parameters
    ----------
    table : DataFrame
        `tables/detector_matrix.csv`.
    level : {"frame", "video", "person"}
    """
    shown = table[table["level"] == level]
    compressions = sorted(set(shown["compression"]), key=list(COMPRESSIONS).index)
    detectors = list(dict.fromkeys(shown["detector"]))
    across = min(_ACROSS, len(detectors))
    down = len(compressions) * -(-len(detectors) // across)
    sets, datasets = (list(dict.fromkeys(shown[key])) for key in ("trained_on", "dataset"))
    width, height = _CELL * len(datasets) + 0.3, 0.75 * _CELL * len(sets) + 0.75
    figure = Figure(
        figsize=(across * width + 2.4, down * height + 0.5), dpi=150, layout="constrained"
    )
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    places = iter(panels.reshape(len(compressions), -1))
    for compression, row in zip(compressions, places, strict=True):
        for number, axes in enumerate(row):
            if number >= len(detectors):
                axes.set_axis_off()
                continue
            part = shown[shown["detector"] == detectors[number]]
            _draw(axes, part[part["compression"] == compression], sets, datasets)
            axes.set_title(f"{detectors[number]}, {compression}", fontsize=9)
            if number % across == 0:
                axes.set_ylabel("learnt from", fontsize=8)
    for axes in panels[-1]:
        axes.set_xlabel("tested on", fontsize=8)
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), _COLOURS)
    bar = figure.colorbar(scale, ax=panels, shrink=min(1.0, 2 / down), pad=0.01)
    bar.set_label(f"AUC by {level} (framed: learnt from)", fontsize=8)
    return figure


def _draw(axes: Axes, cells: pd.DataFrame, sets: list[str], datasets: list[str]) -> None:
    """Draw one heat-map, of one detector in one compression."""
    wide = cells.pivot(index="trained_on", columns="dataset", values="auc")
    grid = wide.reindex(index=sets, columns=datasets).to_numpy(float)
    axes.imshow(np.ma.masked_invalid(grid), cmap=_COLOURS, vmin=0, vmax=1, aspect="auto")
    axes.set_facecolor("0.93")
    axes.set_xticks(range(len(datasets)), datasets, rotation=40, ha="right", fontsize=7)
    axes.tick_params(labelbottom=True, length=0)
    axes.set_yticks(range(len(sets)), sets, fontsize=7)
    for cell in cells.dropna(subset="auc").itertuples():
        x, y = datasets.index(str(cell.dataset)), sets.index(str(cell.trained_on))
        far = abs(grid[y, x] - 0.5) > 0.5 - _LIGHT / 2
        axes.text(
            x, y, f"{grid[y, x]:.2f}", ha="center", va="center", fontsize=7,
            color="white" if far else "black",
        )  # fmt: skip
        if cell.learnt:
            axes.add_patch(
                Rectangle(
                    (x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor="k", linewidth=1.6
                )
            )
