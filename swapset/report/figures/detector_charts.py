"""Charts of detectors: average AUC by dataset and by detector, ROC curves, compression, people.

Figures 4.8 to 4.10 and table 4.4 of the chapter. Hollow markers show the chapter's own numbers,
from other videos and other training, for detectors and datasets of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swapset.media.compressions import COMPRESSIONS
from swapset.types import Floats

_OURS, _CHANCE, _QUOTED = "#33658a", "#d1603d", "0.25"
_PANEL = 3.3


def _best_frames(table: pd.DataFrame) -> pd.DataFrame:
    """Return the frame-level rows of each dataset's least compressed version."""
    return _least_compressed(table[table["level"] == "frame"])


def _least_compressed(table: pd.DataFrame) -> pd.DataFrame:
    place = table["compression"].map({name: k for k, name in enumerate(COMPRESSIONS)})
    return table[place == place.groupby(table["dataset"]).transform("min")]


def average_chart(table: pd.DataFrame, quoted: pd.DataFrame, by: str) -> Figure:
    """Draw the average frame-level AUC of each dataset (figure 4.8) or detector (figure 4.9).

    Parameters
    ----------
    table : DataFrame
        `tables/detector_auc.csv`.
    quoted : DataFrame
        The chapter's table 4.3: column detector, and one column per dataset in percent.
    by : {"dataset", "detector"}
        Group of the averages. Each dataset counts by its least compressed version.

    Returns
    -------
    Figure
        A bar for each group, its members as dots, and the chapter's average over these members.
    """
    chosen = _best_frames(table)
    groups = list(dict.fromkeys(chosen[by]))
    figure = Figure(figsize=(6.4, 1.5 + 0.36 * len(groups)), dpi=150, layout="constrained")
    axes = figure.subplots()
    other = "detector" if by == "dataset" else "dataset"
    for place, name in enumerate(groups):
        group = chosen[chosen[by] == name]
        values = group["auc"].to_numpy(float)
        axes.barh(place, _mean(values), color=_OURS, height=0.6)
        axes.plot(values, np.full(len(values), place), ".", color="#f2a65a", markersize=4)
        known = _quoted_mean(quoted, by, name, list(group[other]))
        if not math.isnan(known):
            axes.plot(known, place, "D", mfc="none", mec=_QUOTED, markersize=6)
    axes.axvline(0.5, color=_CHANCE, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    # Below the whole figure, because long names make the axes narrow.
    figure.supxlabel(
        "frame-level AUC\nbar: mean, dot: one, diamond: the chapter, dashed: chance", fontsize=9
    )
    axes.set_title(f"Average AUC of each {by}", fontsize=10)
    return figure


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _quoted_mean(quoted: pd.DataFrame, by: str, name: str, others: Sequence[str]) -> float:
    """Return the chapter's mean AUC of a group over the members measured here, or NaN."""
    table = quoted.set_index("detector") / 100
    table = table if by == "detector" else table.T
    chapter_names = {"celebdf": "Celeb-DF"}
    name = chapter_names.get(name, name)
    others = [chapter_names.get(other, other) for other in others]
    if name not in table.index:
        return float("nan")
    known = [other for other in others if other in table.columns]
    return float(np.mean(table.loc[[name], known].to_numpy(float))) if known else float("nan")


def roc_chart(curves: pd.DataFrame) -> Figure:
    """Draw the frame-level ROC curves of all detectors, a panel for each dataset (figure 4.10).

    Parameters
    ----------
    curves : DataFrame
        `tables/roc.csv`.
    """
    chosen = _best_frames(curves)
    datasets = list(dict.fromkeys(chosen["dataset"])) or ["no dataset"]
    columns = min(len(datasets), 3)
    rows = -(-len(datasets) // columns)
    size = (_PANEL * columns + 1.4, _PANEL * rows + 0.2)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, dataset in zip(panels, datasets, strict=False):
        _roc_panel(axes, chosen[chosen["dataset"] == dataset], dataset)
    for axes in panels[len(datasets) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, fontsize=7, loc="outside right upper")
    return figure


def _roc_panel(axes: Axes, curves: pd.DataFrame, title: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
    for detector, curve in curves.groupby("detector", sort=False):
        axes.plot(curve["false_positive"], curve["true_positive"], linewidth=1.2, label=detector)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="false positive rate", ylabel="true positive rate")
    axes.set_aspect("equal")
    axes.set_title(title, fontsize=10)


def compression_chart(table: pd.DataFrame, quoted: pd.DataFrame) -> Figure:
    """Draw each detector's frame-level AUC over the compressions (table 4.4).

    Parameters
    ----------
    table : DataFrame
        `tables/detector_auc.csv`.
    quoted : DataFrame
        The chapter's table 4.4, in percent; drawn beside the dataset `celebdf`.
    """
    frame = table[table["level"] == "frame"]
    datasets = list(dict.fromkeys(frame["dataset"])) or ["no dataset"]
    width = _PANEL * len(datasets) + 1.4
    figure = Figure(figsize=(width, _PANEL + 0.2), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(datasets), squeeze=False, sharey=True)[0]
    for axes, dataset in zip(panels, datasets, strict=True):
        of_dataset = frame[frame["dataset"] == dataset]
        for detector, part in of_dataset.groupby("detector", sort=False):
            values = part.set_index("compression")["auc"].reindex(COMPRESSIONS).to_numpy(float)
            scored = np.flatnonzero(np.isfinite(values))
            (line,) = axes.plot(scored, values[scored], marker="o", markersize=4, label=detector)
            known = quoted[quoted["detector"] == detector]
            if dataset == "celebdf" and len(known):
                chapter = known[list(COMPRESSIONS)].to_numpy(float)[0] / 100
                axes.plot(range(3), chapter, "D:", mfc="none", color=line.get_color(), markersize=5)
        axes.axhline(0.5, color="0.7", linewidth=1, linestyle="--")
        axes.set_xticks(range(3), COMPRESSIONS)
        axes.set_xlim(-0.2, 2.2)
        axes.set_ylim(0, 1)
        axes.set_title(dataset, fontsize=10)
    panels[0].set_ylabel("frame-level AUC")
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, fontsize=7, loc="outside right upper")
    return figure


def people_chart(people: pd.DataFrame) -> Figure:
    """Draw each detector's AUC by person, a panel for each dataset.

    Parameters
    ----------
    people : DataFrame
        `tables/detector_people.csv`. Each dataset counts by its least compressed version.

    Returns
    -------
    Figure
        A dot for each person, the names of the easiest and the hardest one, and a line at the mean.
    """
    known = _least_compressed(people.dropna(subset=["auc"]))
    datasets = list(dict.fromkeys(known["dataset"])) or ["no dataset"]
    detectors = list(dict.fromkeys(known["detector"]))
    columns = min(len(datasets), 3)
    rows = -(-len(datasets) // columns)
    size = (1.2 + 3.6 * columns, (0.9 + 0.4 * max(len(detectors), 1)) * rows + 0.3)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, dataset in zip(panels, datasets, strict=False):
        _people_panel(axes, known[known["dataset"] == dataset], detectors)
        axes.set_title(dataset, fontsize=10)
    for axes in panels[len(datasets) :]:
        axes.set_axis_off()
    panels[0].set_yticks(range(len(detectors)), detectors)
    panels[0].set_ylim(len(detectors) - 0.4, -0.6)
    figure.supxlabel("AUC of a person's fakes against the same person's real frames", fontsize=9)
    return figure


def _people_panel(axes: Axes, people: pd.DataFrame, detectors: Sequence[str]) -> None:
    axes.axvline(0.5, color=_CHANCE, linewidth=1, linestyle="--")
    axes.set_xlim(-0.04, 1.04)
    for place, detector in enumerate(detectors):
        part = people[people["detector"] == detector].sort_values("auc")
        if not len(part):
            continue
        values = part["auc"].to_numpy(float)
        axes.plot(values, np.full(len(values), place), "o", color=_OURS, alpha=0.6, markersize=4)
        axes.plot([values.mean()] * 2, [place - 0.25, place + 0.25], color="0.2", linewidth=1.5)
        if len(part) < 2:
            continue
        for row, side in ((0, "left"), (-1, "right")):
            name = str(part["person"].iloc[row]).rpartition("/")[2]
            axes.annotate(name, (values[row], place), (0, 4), textcoords="offset points",
                          fontsize=6, color="0.35", ha=side)  # fmt: skip


def draw_all(
    table: pd.DataFrame,
    curves: pd.DataFrame,
    people: pd.DataFrame,
    quoted_auc: pd.DataFrame,
    quoted_h264: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of detectors.

    Parameters
    ----------
    table : DataFrame
        `tables/detector_auc.csv`.
    curves : DataFrame
        `tables/roc.csv`.
    people : DataFrame
        `tables/detector_people.csv`.
    quoted_auc, quoted_h264 : DataFrame
        The chapter's tables 4.3 and 4.4, in percent.

    Returns
    -------
    dict of str to Figure
        By the names in `swapset.build.figures.DETECTOR_FIGURES`.
    """
    return {
        "auc_by_dataset": average_chart(table, quoted_auc, "dataset"),
        "auc_by_detector": average_chart(table, quoted_auc, "detector"),
        "roc": roc_chart(curves),
        "auc_by_compression": compression_chart(table, quoted_h264),
        "detector_people": people_chart(people),
    }
