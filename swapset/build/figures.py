"""Choose the figures that a build's methods allow, and the order of their panels.

Imports nothing heavy: the Snakefile asks for the names of the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from swapset.config.recipes import ColourTransfer, Recipe, SynthesisRecipe

# Fields that may differ between methods that are compared for their resolution.
_SIZE = frozenset({"resolution", "width", "code", "steps", "batch", "learning_rate"})
_TRANSFERS = get_args(ColourTransfer)
_COLOUR = frozenset({"colour_augmentation", "colour_transfer"})
DETECTOR_FIGURES = (
    *("auc_by_dataset", "auc_by_detector", "roc", "auc_by_compression"),
    "detector_people",
)
"""Figures 4.8 to 4.10, table 4.4 as a chart, and AUC by person."""
BREAKER_FIGURES = (
    "landmark_breaker_pictures",
    "landmark_breaker_robustness",
    "landmark_breaker_sweep",
)
"""Pictures as in figure 4.11, and figures 4.12 and 4.13."""
ROBUSTNESS_FIGURES = ("robustness",)
"""AUC over the levels of perturbations."""
MATRIX_FIGURES = ("detector_matrix",)
"""AUC by what detectors learnt from and what they are tested on."""
MASK_ROWS = ("rectangle", "hull", "smooth")
"""Rows of figure 4.7, from top to bottom."""


def figure_names(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return the names of the figures (files without extension) that the methods allow.

    Parameters
    ----------
    methods : sequence of str
        The build's methods. The others are compared with the first.
    recipes : mapping of str to Recipe
        The recipe of each method.

    Returns
    -------
    list of str
        `contact_sheet_<method>` of each method (figure 4.4), `methods` for two or more,
        `resolution` (4.5) if there are faces of several sizes, `colour` (4.6), `masks` (4.7),
        `smoothing`, `expression` and `mask_ssim`.
    """
    names = [f"contact_sheet_{method}" for method in methods]
    if len(methods) > 1:
        names.append("methods")
    if resolution_group(methods, recipes):
        names.append("resolution")
    return [*names, "colour", "masks", "smoothing", "expression", "mask_ssim"]


def resolution_group(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return one method for each size of the synthesised face, smallest first.

    These are methods that differ from the first in size only, if there are any; else the first
    method of each size. Empty if all faces have one size.
    """
    only_size = _group(methods, recipes, _SIZE, lambda recipe: recipe.resolution)
    if only_size:
        return only_size
    by_size: dict[int, str] = {}
    for name in methods:
        by_size.setdefault(recipes[name].resolution, name)
    return [by_size[size] for size in sorted(by_size)] if len(by_size) > 1 else []


def differ_in_size_only(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> bool:
    """Return whether methods are equal except for the size of the face."""
    free = set(_SIZE)
    fixed = [recipes[name].model_dump(exclude=free) for name in methods]
    return all(each == fixed[0] for each in fixed)


def colour_group(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return the methods that differ in colour correction only, the least corrected first.

    Empty if there are fewer than two.
    """
    return _group(
        methods,
        recipes,
        _COLOUR,
        lambda r: 2 * _TRANSFERS.index(r.colour_transfer) + r.colour_augmentation,
    )


def _group(
    methods: Sequence[str],
    recipes: Mapping[str, Recipe],
    free: frozenset[str],
    rank: Callable[[Recipe], int],
) -> list[str]:
    """Return one method for each rank, of those that equal the first except in `free` fields."""
    fixed = {name: recipes[name].model_dump(exclude=set(free)) for name in methods}
    alike = [name for name in methods if fixed[name] == fixed[methods[0]]]
    by_rank: dict[int, str] = {}
    for name in alike:
        by_rank.setdefault(rank(recipes[name]), name)
    return [by_rank[key] for key in sorted(by_rank)] if len(by_rank) > 1 else []


def mask_rows(
    methods: Sequence[str], recipes: Mapping[str, Recipe], owners: Mapping[str, str]
) -> list[tuple[str, str | None, SynthesisRecipe]]:
    """Return the rows of figure 4.7, all made with the model of the first method.

    Parameters
    ----------
    methods : sequence of str
        The build's methods.
    recipes : mapping of str to Recipe
        The recipe of each method.
    owners : mapping of str to str
        The recipe that trains the models of each method.

    Returns
    -------
    list of (str, str or None, SynthesisRecipe)
        For each kind of mask: the kind, a method of the build that makes exactly this (None if
        there is none), and the first method's recipe with this mask.
    """
    first = methods[0]
    synthesis = {
        name: SynthesisRecipe(**recipes[name].model_dump(include=set(SynthesisRecipe.model_fields)))
        for name in methods
        if owners[name] == owners[first]
    }
    rows: list[tuple[str, str | None, SynthesisRecipe]] = []
    for kind in MASK_ROWS:
        wanted = synthesis[first].model_copy(update={"mask": kind, "blending": "alpha"})
        method = next((name for name, recipe in synthesis.items() if recipe == wanted), None)
        rows.append((kind, method, wanted))
    return rows


def describe(recipe: Recipe) -> list[str]:
    """Return a recipe as four short lines, for the head of a column."""
    transfer = "" if recipe.colour_transfer == "none" else recipe.colour_transfer
    colour = f"{transfer} colours".strip() + ", augmented" * recipe.colour_augmentation
    coloured = transfer or recipe.colour_augmentation
    edge = "soft edge" if recipe.feather else "hard edge"
    if recipe.blending == "poisson":
        edge = "seamless"
    time = "smoothed in time" if recipe.smoothing == "kalman" else "not smoothed in time"
    size = f"{recipe.resolution} x {recipe.resolution}"
    return [size, colour if coloured else "no colour step", f"{recipe.mask} mask, {edge}", time]
