"""Figures that the methods of a build allow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from swapset.build.figures import (
    colour_group,
    describe,
    differ_in_size_only,
    figure_names,
    mask_rows,
    resolution_group,
)
from swapset.config.methods import BUILT_IN, model_owner
from swapset.config.schema import load
from swapset.report.figures.sheet import Panel, Sheet, compose, layout
from swapset.report.quoted import CAPTIONS, quoted_names

ABLATION = Path(__file__).parents[3] / "config" / "ablation.yaml"


def ablation():
    return load(yaml.safe_load(ABLATION.read_text()))


def test_figures_of_the_default_methods():
    names = figure_names(["celebdf", "faceswap"], BUILT_IN)
    assert resolution_group(["celebdf", "faceswap"], BUILT_IN) == ["faceswap", "celebdf"]
    assert not differ_in_size_only(["faceswap", "celebdf"], BUILT_IN)
    assert not colour_group(["celebdf", "faceswap"], BUILT_IN)
    assert names == [
        "contact_sheet_celebdf",
        "contact_sheet_faceswap",
        "methods",
        "resolution",
        "colour",
        "masks",
        "smoothing",
        "expression",
        "mask_ssim",
    ]


def test_one_method_is_compared_with_nothing():
    names = figure_names(["celebdf"], BUILT_IN)
    assert "methods" not in names
    assert "resolution" not in names
    assert "colour" in names


def test_ablation_allows_every_figure():
    config = ablation()
    recipes = config.all_recipes()
    assert {"resolution", "colour", "masks"} <= set(figure_names(config.methods, recipes))
    assert resolution_group(config.methods, recipes) == ["celebdf-64px", "celebdf"]
    assert differ_in_size_only(["celebdf-64px", "celebdf"], recipes)
    assert colour_group(config.methods, recipes) == [
        "celebdf-no-colour",
        "celebdf-no-transfer",
        "celebdf",
    ]


def test_ablation_takes_one_refinement_away_at_a_time():
    config = ablation()
    recipes = config.all_recipes()
    full = recipes["celebdf"].model_dump()
    changed = {
        name: {key for key, value in recipes[name].model_dump().items() if value != full[key]}
        for name in config.methods
    }
    assert changed.pop("celebdf") == set()
    assert changed.pop("celebdf-no-colour") == {"colour_augmentation", "colour_transfer"}
    assert all(len(fields) == 1 for fields in changed.values())
    assert len(set(map(frozenset, changed.values()))) == 5


def test_ablation_trains_only_what_differs_in_training():
    config = ablation()
    owners = {model_owner(method, config.recipes) for method in config.methods}
    assert owners == {"celebdf", "celebdf-64px", "celebdf-no-colour"}


def test_mask_rows_name_the_methods_that_make_them():
    config = ablation()
    owners = {method: model_owner(method, config.recipes) for method in config.methods}
    rows = mask_rows(config.methods, config.all_recipes(), owners)
    assert [(kind, method) for kind, method, _ in rows] == [
        ("rectangle", "celebdf-rectangle"),
        ("hull", "celebdf-hull"),
        ("smooth", "celebdf"),
    ]
    alone = mask_rows(["celebdf"], BUILT_IN, {"celebdf": "celebdf"})
    assert [method for _, method, _ in alone] == [None, None, "celebdf"]
    assert [recipe.mask for _, _, recipe in alone] == ["rectangle", "hull", "smooth"]


def test_description_tells_every_switch():
    plain = BUILT_IN["celebdf"]
    told = {tuple(describe(plain))}
    for change in (
        {"resolution": 64},
        {"colour_augmentation": False},
        {"colour_transfer": "none"},
        {"blending": "poisson"},
        {"mask": "hull"},
        {"feather": 0.0},
        {"smoothing": "none"},
    ):
        told.add(tuple(describe(plain.model_copy(update=change))))
    assert len(told) == 8


def test_quoted_tables_are_there():
    assert quoted_names() == [
        "table_4_1_datasets",
        "table_4_2_mask_ssim",
        "table_4_3_detector_auc",
        "table_4_4_compression_auc",
        "table_4_5_landmark_breaker",
        "table_4_6_attacks",
        "table_4_7_black_box",
        "table_4_8_robustness",
    ]
    assert set(CAPTIONS) == set(quoted_names())


@pytest.mark.parametrize("method", BUILT_IN)
def test_descriptions_fit_over_the_pictures_of_all_methods(method):
    side = 200  # of `methods_figure`, five methods or more
    heads = "\n".join([method, *describe(BUILT_IN[method])])
    sheet = Sheet("", [[Panel(None)]], (side, side), [heads])
    wide = replace(sheet, tile=(2 * side, side))
    assert np.array_equal(drawn_head(sheet, side), drawn_head(wide, side))


def drawn_head(sheet, width):
    """Return the part of a sheet that a head may fill."""
    place = layout(sheet)
    return compose(sheet)[: place.top - 2, place.left : place.left + width]
