"""Charts of Landmark Breaker: errors under compression and with other steps; figures 4.12 and 4.13.

Hollow markers show the chapter's own numbers, from other extractors and people, for attacks and
extractors of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swapset.obstruction.attacks.registry import ATTACKS, CLEAN
from swapset.obstruction.tables import label

KINDS: dict[str, dict[str, str]] = {
    "image compression": {"none": "none", "jpeg75": "Q75", "jpeg50": "Q50"},
    "video compression": {"none": "none", "mpeg4": "C", "mpeg4+h264": "C2"},
}
"""The columns of figure 4.12 with their compressions, each with its name in the chapter."""
MEASURES = {"nme": "NME", "ssim_i": "SSIM_I (picture)", "ssim_w": "SSIM_W (swap)"}
VARIED = {"step": "size of a step", "iterations": "number of steps"}
_WIDTH, _HEIGHT = 3.5, 2.7
_APART = 0.12
"""Largest shift of an attack along the axis, so that intervals do not cover each other."""


def robustness_chart(table: pd.DataFrame, quoted: pd.DataFrame) -> Figure:
    """Draw the errors of attacks on extractors that they know, under compression (figure 4.12).

    Parameters
    ----------
    table : DataFrame
        `tables/landmark_breaker_white_box.csv`.
    quoted : DataFrame
        The chapter's table 4.8.

    Returns
    -------
    Figure
        A row for each extractor that an attack knows; left image, right video compression.
    """
    labelled = table.assign(label=list(map(label, table["attack"], table["source"])))
    names = list(dict.fromkeys(table.loc[table["attack"] != CLEAN, "extractor"])) or ["none"]
    colours = _colours(labelled)
    size = (2 * _WIDTH + 1.7, _HEIGHT * len(names) + 0.3)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(len(names), len(KINDS), squeeze=False, sharey="row")
    for row, name in zip(panels, names, strict=True):
        for axes, (kind, places) in zip(row, KINDS.items(), strict=True):
            _curves(axes, labelled[labelled["extractor"] == name], places, colours)
            _quoted(axes, quoted, name, places, colours)
            axes.set_title(f"{name}, {kind}", fontsize=10)
            axes.set_xticks(range(len(places)), list(places.values()))
            axes.set_xlim(-0.3, len(places) - 0.7)
            axes.set_ylim(bottom=0)
        row[0].set_ylabel("NME")
    # No single panel may have the curves of all attacks.
    shown = [axes.get_legend_handles_labels() for axes in panels.flat]
    handles = {name: handle for pair in shown for handle, name in zip(*pair, strict=True)}
    if handles:
        order = [name for name in colours if name in handles]
        figure.legend(
            [handles[name] for name in order], order, fontsize=7, loc="outside right upper"
        )
    return figure


def _colours(table: pd.DataFrame) -> dict[str, object]:
    """Return the colour of each label, in the order of the attacks; an attack keeps its colour."""
    attacks = dict(zip(table["label"], table["attack"], strict=True))
    others = sorted(set(attacks.values()) - set(ATTACKS.built_in))
    rank = [*ATTACKS.built_in, *others]
    # Built-in attacks first, so that they look alike in all figures; colours repeat when used up.
    tones = ["0.5", *colormaps["tab10"].colors, *colormaps["Dark2"].colors]  # type: ignore[attr-defined]
    palette = dict(zip(rank, cycle(tones), strict=False))
    return {
        name: palette[attacks[name]]
        for name in sorted(attacks, key=lambda name: (rank.index(attacks[name]), name))
    }


def _curves(
    axes: Axes, table: pd.DataFrame, places: Mapping[str, str], colours: Mapping[str, object]
) -> None:
    shift = dict(zip(colours, np.linspace(-_APART, _APART, len(colours)), strict=True))
    for name, part in table.groupby("label", sort=False):
        values = part.set_index("compression").reindex(list(places))
        measured = np.flatnonzero(values["nme"].notna())
        values = values.iloc[measured]
        if not len(values):
            continue
        reach = np.abs(values[["low", "high"]].to_numpy(float).T - values["nme"].to_numpy(float))
        axes.errorbar(
            measured + shift[str(name)], values["nme"], yerr=reach, label=str(name),
            color=colours[str(name)], marker="o", markersize=4, linewidth=1.2, capsize=2,
            linestyle=_style(part["attack"].iloc[0], str(name)),
        )  # fmt: skip


def _style(attack: str, name: str) -> str:
    """Return the line style of clean frames, of attacks on one source, or on several."""
    if attack == CLEAN:
        return "--"
    return "-" if attack == name else ":"


def _quoted(
    axes: Axes,
    quoted: pd.DataFrame,
    extractor: str,
    places: Mapping[str, str],
    colours: Mapping[str, object],
) -> None:
    """Draw the chapter's errors for attacks that were also measured here."""
    if extractor not in quoted:
        return
    for attack, part in quoted[quoted["metric"] == "nme"].groupby("attack", sort=False):
        if attack in colours:
            values = part.set_index("compression")[extractor].reindex(list(places))
            axes.plot(
                range(len(places)), values, "D", mfc="none", mec=colours[str(attack)], markersize=5
            )


def sweep_chart(table: pd.DataFrame) -> Figure:
    """Draw the effect of other step sizes and numbers of steps (figure 4.13).

    Parameters
    ----------
    table : DataFrame
        `tables/landmark_breaker_sweep.csv`.

    Returns
    -------
    Figure
        Rows: step size, number of steps. Columns: error, SSIM of the picture, SSIM of the swap. A
        line for each extractor.
    """
    rows = [name for name in VARIED if name in set(table["varied"])] or list(VARIED)
    size = (_WIDTH * len(MEASURES) + 1.2, _HEIGHT * len(rows) + 0.1)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    panels = figure.subplots(len(rows), len(MEASURES), squeeze=False, sharey="col")
    for row, varied in zip(panels, rows, strict=True):
        of_setting = table[table["varied"] == varied]
        for axes, (measure, words) in zip(row, MEASURES.items(), strict=True):
            for extractor, part in of_setting.groupby("extractor", sort=False):
                axes.plot(
                    part[varied], part[measure], "o-", markersize=4, linewidth=1.2, label=extractor
                )
            axes.set(xlabel=VARIED[varied], ylabel=words)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, fontsize=8, loc="outside right upper")
    return figure
