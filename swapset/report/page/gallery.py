"""The report's section of pictures: fakes beside their originals, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section

FIGURES = {
    "methods": (
        "Methods side by side",
        "Real frames (left), and the fakes that each method makes of them.",
    ),
    "resolution": (
        "Size of the synthesised face",
        "The same swaps by methods with faces of different sizes, smallest first, as in figure 4.5 "
        "of the chapter.",
    ),
    "colour": (
        "Colour correction",
        "The same swaps without and with colour correction, as in figure 4.6 of the chapter.",
    ),
    "masks": (
        "Masks",
        "The steps of one swap from left to right, a row for each mask, as in figure 4.7 of the "
        "chapter.",
    ),
    "smoothing": (
        "Temporal smoothing",
        "Landmarks as detected, and after the Kalman smoother. Left: position and jitter of the "
        "tip of the nose in one clip. Right: mean jitter of every clip.",
    ),
    "expression": (
        "Expression over time",
        "The target that moves most, and the fakes that were made of it. Above: the openings "
        "of mouth and eyes; the line of a fake that does not follow is flat. Below: the frames of "
        "the dashed lines.",
    ),
    "mask_ssim": (
        "Mask-SSIM",
        "Left: means with their intervals; each dot is a fake. Right: the first "
        "method minus each other method, on the same fakes; if an interval contains 0, there is no "
        "clear difference.",
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
    """Return the section.

    Parameters
    ----------
    root : Path
        The build's folder.
    figures : sequence of Path
        Files named as in `swapset.build.figures.figure_names`.
    """
    return Gallery([_figure(path, root) for path in figures])


def _figure(path: Path, root: Path) -> Picture:
    title, caption = FIGURES.get(path.stem, _contact(path.stem))
    return picture(path, root, title, caption, photographic=path.stem not in _CHARTS)


def _contact(stem: str) -> tuple[str, str]:
    method = stem.removeprefix("contact_sheet_")
    return (
        f"Fakes by {method}",
        "Real frames, each followed by the same frame of the fakes made from it, as in figure 4.4 "
        "of the chapter.",
    )
