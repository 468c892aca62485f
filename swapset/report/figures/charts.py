"""Charts of Mask-SSIM by method with intervals, and of landmarks before and after smoothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swapset.faces.prepare import ClipLandmarks
from swapset.io.files import atomic_output
from swapset.types import Floats

ENOUGH_DONOR = 0.9
"""Smallest `identity_donor` at which Mask-SSIMs are comparable: below it fakes are hardly swaps."""
NOSE_TIP, LEFT_EYE, RIGHT_EYE = 30, 36, 45
_SURE, _PALE, _RAW, _SMOOTH = "#33658a", "#b9c9d6", "#d1603d", "#1b4965"


def save_figure(figure: Figure, path: Path) -> None:
    """Write a Matplotlib figure as PNG or PDF, whole or not at all, the same bytes every time."""
    kind = path.suffix.removeprefix(".")
    unstated = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
    with atomic_output(path) as scratch:
        figure.savefig(scratch, format=kind, metadata=unstated[kind])


def mask_ssim_chart(table: pd.DataFrame, fakes: pd.DataFrame, differences: pd.DataFrame) -> Figure:
    """Draw Mask-SSIM per method with its interval, and the paired differences.

    Methods whose fakes often do not show the donor are not comparable; they are pale.

    Parameters
    ----------
    table, fakes, differences : DataFrame
        `tables/mask_ssim.csv`, `mask_ssim_per_fake.csv` and `mask_ssim_differences.csv`.

    Returns
    -------
    Figure
        Left: bars with intervals, a dot per fake. Right, if there is a second method:
        the first method's Mask-SSIM minus that of each other method, fake by fake.
    """
    parts = 1 + (len(differences) > 0)
    height = 1.7 + 0.42 * len(table)
    figure = Figure(figsize=(5.2 * parts, max(height, 2.9)), dpi=150, layout="constrained")
    axes = figure.subplots(1, parts, squeeze=False)[0]
    _bars(axes[0], table, fakes)
    if len(differences):
        _differences(axes[1], differences, comparable_methods(table))
    return figure


def _bars(axes: Axes, table: pd.DataFrame, fakes: pd.DataFrame) -> None:
    places = np.arange(len(table))
    means = table["mask_ssim"].to_numpy(float)
    reach = np.abs(table[["mask_ssim_low", "mask_ssim_high"]].to_numpy(float).T - means)
    shown = (table["identity_donor"] >= ENOUGH_DONOR).to_numpy()
    axes.barh(places, np.nan_to_num(means), color=np.where(shown, _SURE, _PALE), height=0.62)
    axes.errorbar(means, places, xerr=reach, fmt="none", ecolor="black", capsize=3, linewidth=1)
    for place, method in zip(places, table["method"], strict=True):
        values = fakes.loc[fakes["method"] == method, "mask_ssim"].dropna().to_numpy(float)
        # Spread by rank within the bar, so that fakes with equal values stay visible.
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(len(values))
        axes.plot(values, place + spread, ".", color="#f2a65a", markersize=3.5, zorder=3)
    names = [_with_identity(row) for row in table.to_dict("records")]
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("Mask-SSIM (bar: mean, line: interval, dot: one fake)")
    axes.set_title("Mask-SSIM over the head", fontsize=10)
    if not shown.all():
        axes.annotate(
            f"pale: donor seen in less than {ENOUGH_DONOR:.0%} of frames, not comparable",
            (0, 1), (2, 2), "axes fraction", textcoords="offset points", fontsize=6.5, color="0.35",
        )  # fmt: skip
        axes.set_title("Mask-SSIM over the head", fontsize=10, pad=14)


def _with_identity(row: Mapping[Hashable, Any]) -> str:
    donor = float(row["identity_donor"])
    return f"{row['method']}\n" + ("not measured" if np.isnan(donor) else f"donor in {donor:.0%}")


def comparable_methods(table: pd.DataFrame) -> set[str]:
    """Return the methods of a Mask-SSIM table whose fakes show the donor often enough."""
    return set(table.loc[table["identity_donor"] >= ENOUGH_DONOR, "method"])


def _differences(axes: Axes, differences: pd.DataFrame, comparable: set[str]) -> None:
    places = np.arange(len(differences))
    means = differences["difference"].to_numpy(float)
    reach = np.abs(differences[["low", "high"]].to_numpy(float).T - means)
    axes.axvline(0, color="0.6", linewidth=1)
    both = (differences[["method", "against"]].isin(comparable)).all(axis=1).to_numpy()
    for chosen, colour in ((both, _SURE), (~both, _PALE)):
        axes.errorbar(
            means[chosen], places[chosen], xerr=reach[:, chosen], fmt="o", color=colour,
            ecolor="0.3", capsize=3, linewidth=1, markersize=6,
        )  # fmt: skip
    axes.set_yticks(places, differences["against"])
    axes.set_ylim(len(differences) - 0.4, -0.6)
    axes.margins(x=0.15)
    first = differences["method"].iloc[0]
    axes.set_xlabel(f"{first} minus the other\n(right of 0: {first} is higher)")
    axes.set_title("Difference on the same fakes", fontsize=10)


def jitter(landmarks: npt.ArrayLike) -> Floats:
    """Measure the shaking of landmarks, frame by frame.

    Parameters
    ----------
    landmarks : (n, 68, 2) array-like
        In pixels; NaN where there is no face.

    Returns
    -------
    (n,) float64
        Mean over the points of the length of the second difference over time, in percent of the
        distance between the outer eye corners; NaN at the ends and beside missing frames. It is 0
        for motion at constant speed.
    """
    points = np.asarray(landmarks, np.float64)
    shake = np.full(len(points), np.nan)
    if len(points) > 2:
        bend = points[2:] - 2 * points[1:-1] + points[:-2]
        eyes = np.linalg.norm(points[1:-1, LEFT_EYE] - points[1:-1, RIGHT_EYE], axis=-1)
        shake[1:-1] = 100 * np.linalg.norm(bend, axis=-1).mean(axis=-1) / eyes
    return shake


def smoothing_chart(name: str, clip: ClipLandmarks, others: Mapping[str, ClipLandmarks]) -> Figure:
    """Draw the trace of one point, and the jitter of all points, raw and smoothed.

    Parameters
    ----------
    name : str
        Name of the clip.
    clip : ClipLandmarks
        Its landmarks, which are drawn over time.
    others : mapping of str to ClipLandmarks
        Clips whose mean jitter is compared, by name.
    """
    figure = Figure(figsize=(10, 6.4), dpi=150, layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=[1, 1, 1])
    trace, shake = figure.add_subplot(grid[0, :2]), figure.add_subplot(grid[1, :2])
    _trace(trace, name, clip)
    _shake(shake, clip)
    _per_clip(figure.add_subplot(grid[:, 2]), others)
    return figure


def _trace(axes: Axes, name: str, clip: ClipLandmarks) -> None:
    frames = np.arange(len(clip.raw))
    for axis, letter, style in ((0, "x", "-"), (1, "y", "--")):
        start = np.nanmedian(clip.smooth[:, NOSE_TIP, axis])
        raw, smooth = (part[:, NOSE_TIP, axis] - start for part in (clip.raw, clip.smooth))
        axes.plot(frames, raw, ".", color=_RAW, markersize=3, label=f"{letter} raw")
        axes.plot(frames, smooth, style, color=_SMOOTH, linewidth=1, label=f"{letter} smoothed")
    axes.set(xlabel="frame", ylabel="pixels from its median")
    axes.set_title(f"{name}: tip of the nose over time", fontsize=10)
    axes.legend(fontsize=7, ncols=4, loc="best")


def _shake(axes: Axes, clip: ClipLandmarks) -> None:
    for part, colour, label in ((clip.raw, _RAW, "raw"), (clip.smooth, _SMOOTH, "smoothed")):
        values = jitter(part)
        axes.plot(values, color=colour, linewidth=1, label=f"{label}, mean {_mean(values):.2f}")
    axes.set(xlabel="frame", ylabel="jitter (% of eye distance)")
    axes.set_ylim(bottom=0)
    axes.set_title("Jitter: second difference of all 68 points", fontsize=10)
    axes.legend(fontsize=7)


def _per_clip(axes: Axes, clips: Mapping[str, ClipLandmarks]) -> None:
    raw = np.array([_mean(jitter(clip.raw)) for clip in clips.values()])
    smooth = np.array([_mean(jitter(clip.smooth)) for clip in clips.values()])
    most = 1.08 * max(np.nanmax(raw, initial=0), np.nanmax(smooth, initial=0), 1e-3)
    axes.plot([0, most], [0, most], color="0.7", linewidth=1)
    axes.plot(raw, smooth, "o", color=_SMOOTH, markersize=4)
    axes.set(xlim=(0, most), ylim=(0, most), xlabel="raw", ylabel="smoothed")
    axes.set_aspect("equal")
    axes.set_title(f"Mean jitter of {len(clips)} clips\n(below the line: less)", fontsize=10)


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
