"""The report's section of pictures: fakes beside what they were made of, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section

FIGURES = {
    "methods": (
        "Methods side by side",
        "The same real frames (left) and each method's fakes of them.",
    ),
    "resolution": (
        "Size of the synthesised face",
        "The same swaps by methods with faces of different sizes, smallest first, as figure 4.5 of "
        "the chapter.",
    ),
    "colour": (
        "Colour correction",
        "The same swaps without and with colour correction, as figure 4.6 of the chapter.",
    ),
    "masks": (
        "Masks",
        "The steps of one swap from left to right, a row for each mask, as figure 4.7 of the "
        "chapter.",
    ),
    "smoothing": (
        "Temporal smoothing",
        "Landmarks as detected, and after the Kalman smoother. Left: the tip of the nose and the "
        "jitter in one clip. Right: the mean jitter of every clip.",
    ),
    "mask_ssim": (
        "Mask-SSIM",
        "Left: means with bootstrap intervals over the fakes; a dot is one fake. Right: the first "
        "method minus each other on the same fakes; an interval that contains 0 shows no clear "
        "difference.",
    ),
}
_CHARTS = {"smoothing", "mask_ssim"}


@dataclass(frozen=True)
class Gallery(Section):
    """Contact sheets and comparisons of methods."""

    name = "gallery"
    title = "Pictures"
    pictures: Sequence[Picture]


def gallery(root: Path, figures: Sequence[Path]) -> Gallery:
    """Return the figures.

    Parameters
    ----------
    root : Path
        The build's folder.
    figures : sequence of Path
        Those of `swapset.build.figures.figure_names`.
    """
    return Gallery([_figure(path, root) for path in figures])


def _figure(path: Path, root: Path) -> Picture:
    title, caption = FIGURES.get(path.stem, _contact(path.stem))
    return picture(path, root, title, caption, photographic=path.stem not in _CHARTS)


def _contact(stem: str) -> tuple[str, str]:
    method = stem.removeprefix("contact_sheet_")
    return (
        f"Fakes by {method}",
        "Real frames, each followed by the same frame of the fakes made from it, as figure 4.4 of "
        "the chapter.",
    )
