"""All figures of a build, by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from swapset.build.figures import colour_group, resolution_group
from swapset.config.recipes import Recipe
from swapset.report.figures.charts import mask_ssim_chart, save_figure, smoothing_chart
from swapset.report.figures.contact import (
    colour_figure,
    contact_sheet,
    methods_figure,
    resolution_figure,
)
from swapset.report.figures.expression import expression_figure
from swapset.report.figures.finished import FinishedBuild, evenly
from swapset.report.figures.mask_rows import Models, colour_steps_figure, masks_figure
from swapset.report.figures.sheet import message, save
from swapset.types import Image

logger = logging.getLogger(__name__)

CLIPS_COMPARED = 60
"""Largest number of clips whose landmarks' jitter is drawn."""


@dataclass(frozen=True)
class Figures:
    """Draws the figures of a build.

    Attributes
    ----------
    build : FinishedBuild
    methods : sequence of str
    recipes : mapping of str to Recipe
        Recipe of each method.
    models : Models
        The models that made the fakes.
    """

    build: FinishedBuild
    methods: Sequence[str]
    recipes: Mapping[str, Recipe]
    models: Models

    def write(self, paths: Iterable[Path]) -> None:
        """Write figures; each stem is a name of `swapset.build.figures.figure_names`."""
        for path in paths:
            logger.info("drawing %s", path.name)
            self._one(path.stem)(path)

    def _one(self, name: str) -> Callable[[Path], None]:
        build, methods, recipes = self.build, self.methods, self.recipes
        sheets: dict[str, Callable[[], Image]] = {
            "methods": lambda: methods_figure(build, methods, recipes),
            "resolution": lambda: resolution_figure(
                build, resolution_group(methods, recipes), recipes
            ),
            "colour": self._colour,
            "masks": lambda: masks_figure(build, methods, recipes, self.models),
        }
        if name == "mask_ssim":
            return self._mask_ssim
        if name == "smoothing":
            return self._smoothing
        if name == "expression":
            return self._expression
        if name in sheets:
            return lambda path: save(sheets[name](), path)
        sheet = partial(contact_sheet, build, name.removeprefix("contact_sheet_"))
        return lambda path: save(sheet(), path)

    def _colour(self) -> Image:
        group = colour_group(self.methods, self.recipes)
        if group:
            return colour_figure(self.build, group, self.recipes)
        first = self.methods[0]
        return colour_steps_figure(self.build, first, self.recipes[first], self.models)

    def _mask_ssim(self, path: Path) -> None:
        tables = self.build.root / "tables"
        parts = ("mask_ssim", "mask_ssim_per_fake", "mask_ssim_differences")
        save_figure(mask_ssim_chart(*(pd.read_csv(tables / f"{part}.csv") for part in parts)), path)

    def _expression(self, path: Path) -> None:
        figure = expression_figure(self.build, self.methods)
        if figure is None:
            none = f"No fake was made by all of {', '.join(self.methods)}."
            save(message(none, "Openings of eyes and mouth"), path)
            return
        save_figure(figure, path)

    def _smoothing(self, path: Path) -> None:
        clips = {name: self.build.landmarks(name) for name in self._compared()}
        if not clips:
            save(message("No clip was accepted.", "Landmarks over time"), path)
            return
        first = next(iter(clips))
        save_figure(smoothing_chart(first, clips[first], clips), path)

    def _compared(self) -> list[str]:
        return evenly(self.build.clips(), CLIPS_COMPARED)
