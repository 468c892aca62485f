"""Eyes and mouth of one target and its fakes over time, with stills of the strongest moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swapset.media.decode import frames
from swapset.quality.expression import (
    EYES_MOVE,
    MOUTH_MOVES,
    ExpressionReader,
    eye_openings,
    mouth_opening,
)
from swapset.report.figures.finished import FinishedBuild, zoom
from swapset.types import Floats, Image

EVERY = 2
"""Distance of the frames that are read."""
SIDE = 220
"""Side of a still in pixels."""
MOMENTS = ("mouth", "eyes")
"""Rows of stills: the target's mouth is widest open, and its eyes are most closed."""


@dataclass(frozen=True)
class _Shown:
    """A video's openings over time, and its stills.

    Attributes
    ----------
    openings : (n, 2) float64
        Openings of the mouth and of the eyes in the frames that were read.
    stills : list of (SIDE, SIDE, 3) uint8, RGB
        The face at each of `MOMENTS`.
    """

    openings: Floats
    stills: list[Image]


@dataclass(frozen=True)
class _Lively:
    """The clip to draw: its landmarks, the frames to read, and those of `MOMENTS`."""

    name: str
    landmarks: npt.NDArray[np.floating]
    read: list[int]
    moments: list[int]


def expression_figure(build: FinishedBuild, methods: Sequence[str]) -> Figure | None:
    """Draw how fakes of the liveliest target by all methods follow it.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str

    Returns
    -------
    Figure or None
        Above, the openings of mouth and eyes over time. Below, the target and the fakes in the
        frames in which the target's mouth is widest open and its eyes are most closed. None if
        no fake was made by all methods.
    """
    fakes = {fake.clip: fake for fake in build.fakes_by(methods)}
    clips = [clip for clip in (_lively(build, name) for name in fakes) if clip]
    if not clips:
        return None
    clip = max(clips, key=_liveliness)
    reader, name = ExpressionReader(), fakes[clip.name].name
    videos = [build.source(clip.name), *(build.video(method, name) for method in methods)]
    shown = [_read(video, clip, reader) for video in videos]
    return _draw(name, clip, ["target", *methods], shown)


def _lively(build: FinishedBuild, name: str) -> _Lively | None:
    """Return a clip with its moments, by its tracked landmarks; None without landmarks."""
    points = build.landmarks(name).smooth
    read = [k for k in range(0, len(points), EVERY) if np.isfinite(points[k]).all()]
    if not read:
        return None
    mouth, eyes = _tracked(points, read).T
    return _Lively(name, points, read, [read[int(mouth.argmax())], read[int(eyes.argmin())]])


def _tracked(landmarks: npt.NDArray[np.floating], read: Sequence[int]) -> Floats:
    """Return the openings of mouth and eyes, (n, 2) float64, by the landmarks of some frames."""
    return np.array(
        [(mouth_opening(points), eye_openings(points).mean()) for points in landmarks[read]]
    )


def _liveliness(clip: _Lively) -> float:
    """Return how much the calmer of mouth and eyes moves, in the least movement that counts."""
    return float((_tracked(clip.landmarks, clip.read).std(axis=0) / (MOUTH_MOVES, EYES_MOVE)).min())


def _read(video: Path, clip: _Lively, reader: ExpressionReader) -> _Shown:
    openings: list[tuple[float, float]] = []
    stills: dict[int, Image] = {}
    for index, picture in enumerate(frames(video)):
        if index in clip.read:
            face = reader.read(picture, clip.landmarks[index])
            openings.append((face.mouth, float(face.eyes.mean())))
        if index in clip.moments:
            stills[index] = zoom(picture, clip.landmarks[index], SIDE)
    return _Shown(np.array(openings), [stills[index] for index in clip.moments])


def _draw(name: str, clip: _Lively, titles: Sequence[str], shown: Sequence[_Shown]) -> Figure:
    width = max(1.9 * len(shown), 6.5)
    still = min(width / len(shown), 2.4)
    figure = Figure(figsize=(width, 3.8 + 2 * still), dpi=130, layout="constrained")
    figure.suptitle(f"{name}: openings of target and fakes", fontsize=11)
    grid = figure.add_gridspec(4, len(shown), height_ratios=[1.7, 1.7, still, still])
    for row, moment in enumerate(MOMENTS):
        axes = figure.add_subplot(grid[row, :])
        _curves(axes, clip, row, titles, shown)
        for column, (title, one) in enumerate(zip(titles, shown, strict=True)):
            panel = figure.add_subplot(grid[len(MOMENTS) + row, column])
            panel.imshow(one.stills[row])
            panel.set(xticks=[], yticks=[])
            panel.set_title(title if row == 0 else "", fontsize=9)
            if column == 0:
                panel.set_ylabel(f"{moment}, frame {clip.moments[row]}", fontsize=8)
    figure.axes[0].legend(fontsize=7, ncols=4, loc="upper right")
    return figure


def _curves(
    axes: Axes, clip: _Lively, moment: int, titles: Sequence[str], shown: Sequence[_Shown]
) -> None:
    """Draw the openings at one of `MOMENTS` over time, the target's in front."""
    colours = ["black", *(f"C{number}" for number in range(len(shown) - 1))]
    for title, one, colour in zip(titles, shown, colours, strict=True):
        strong = colour == "black"
        axes.plot(
            clip.read, one.openings[:, moment], color=colour, label=title,
            linewidth=1.8 if strong else 1, zorder=3 if strong else 2,
        )  # fmt: skip
    axes.axvline(clip.moments[moment], color="0.6", linewidth=0.8, linestyle="--")
    axes.set_ylabel(f"opening of the {MOMENTS[moment]}", fontsize=8)
    axes.set_xlabel("frame", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.margins(x=0.01)
