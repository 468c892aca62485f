"""Which figures a build's methods allow, and in what order their panels stand.

Light to import: the Snakefile asks it for the names of the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from swapset.config.recipes import ColourTransfer, Recipe, SynthesisRecipe

# What a network of another resolution may need to be different besides.
_SIZE = frozenset({"resolution", "width", "code", "steps", "batch", "learning_rate"})
_TRANSFERS = get_args(ColourTransfer)
_COLOUR = frozenset({"colour_augmentation", "colour_transfer"})
DETECTOR_FIGURES = ("auc_by_dataset", "auc_by_detector", "roc", "auc_by_compression")
"""Figures 4.8 to 4.10 and table 4.4 as a chart."""
BREAKER_FIGURES = (
    "landmark_breaker_pictures",
    "landmark_breaker_robustness",
    "landmark_breaker_sweep",
)
"""Pictures as in figure 4.11, and figures 4.12 and 4.13."""
MASK_ROWS = ("rectangle", "hull", "smooth")
"""Rows of figure 4.7, from top to bottom."""


def figure_names(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return the names of the figures (files without extension) that the methods allow.

    Parameters
    ----------
    methods : sequence of str
        The build's methods; the first is the one that others are compared with.
    recipes : mapping of str to Recipe
        Their recipes.

    Returns
    -------
    list of str
        `contact_sheet_<method>` of each method (figure 4.4), `methods` for two or more,
        `resolution` (4.5) if there are faces of several sizes, `colour` (4.6), `masks` (4.7),
        `smoothing` and `mask_ssim`.
    """
    names = [f"contact_sheet_{method}" for method in methods]
    if len(methods) > 1:
        names.append("methods")
    if resolution_group(methods, recipes):
        names.append("resolution")
    return [*names, "colour", "masks", "smoothing", "mask_ssim"]


def resolution_group(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return methods with synthesised faces of different sizes, smallest first.

    One method per resolution: those that differ from the first in nothing else, if there are any;
    empty if all are of one size.
    """
    alone = _group(methods, recipes, _SIZE, lambda recipe: recipe.resolution)
    if alone:
        return alone
    by_size: dict[int, str] = {}
    for name in methods:
        by_size.setdefault(recipes[name].resolution, name)
    return [by_size[size] for size in sorted(by_size)] if len(by_size) > 1 else []


def differ_in_size_only(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> bool:
    """Say whether methods equal each other but for the size of the face."""
    free = set(_SIZE)
    fixed = [recipes[name].model_dump(exclude=free) for name in methods]
    return all(each == fixed[0] for each in fixed)


def colour_group(methods: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Return the methods that differ in colour correction only, the least corrected first.

    Empty if there are not two.
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
    """Return one method per rank among those that equal the first in all but `free` fields."""
    fixed = {name: recipes[name].model_dump(exclude=set(free)) for name in methods}
    alike = [name for name in methods if fixed[name] == fixed[methods[0]]]
    by_rank: dict[int, str] = {}
    for name in alike:
        by_rank.setdefault(rank(recipes[name]), name)
    return [by_rank[key] for key in sorted(by_rank)] if len(by_rank) > 1 else []


def mask_rows(
    methods: Sequence[str], recipes: Mapping[str, Recipe], owners: Mapping[str, str]
) -> list[tuple[str, str | None, SynthesisRecipe]]:
    """Return the rows of figure 4.7: mask kind, method, recipe, all with one model.

    The model is the first method's. A kind is shown as a configured method makes it, if one does
    with the same model and all else equal; the method is None where the build has none, and the
    first method's recipe with that mask is shown.
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
    """Return what a recipe does, as a few short lines for a column's head."""
    transfer = "" if recipe.colour_transfer == "none" else recipe.colour_transfer
    colour = f"{transfer} colours".strip() + ", augmented" * recipe.colour_augmentation
    coloured = transfer or recipe.colour_augmentation
    edge = "soft edge" if recipe.feather else "hard edge"
    if recipe.blending == "poisson":
        edge = "seamless"
    time = "smoothed in time" if recipe.smoothing == "kalman" else "not smoothed in time"
    size = f"{recipe.resolution} x {recipe.resolution}"
    return [size, colour if coloured else "no colour step", f"{recipe.mask} mask, {edge}", time]
