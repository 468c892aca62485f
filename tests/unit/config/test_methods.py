from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from swapset.config.methods import BUILT_IN, model_owner, resolve, synthesis_of, training_of
from swapset.config.recipes import Recipe, RecipeOverride, SynthesisRecipe, TrainingRecipe
from swapset.errors import ConfigError


def test_built_in_recipes_are_the_chapters() -> None:
    celebdf, faceswap = BUILT_IN["celebdf"], BUILT_IN["faceswap"]
    assert celebdf.resolution == 256
    assert celebdf.colour_augmentation
    assert celebdf.colour_transfer == "reinhard"
    assert (celebdf.mask, celebdf.smoothing) == ("smooth", "kalman")
    assert faceswap.resolution == 64
    assert not faceswap.colour_augmentation
    assert faceswap.colour_transfer == "none"
    assert (faceswap.mask, faceswap.smoothing) == ("hull", "none")


def test_without_overrides_the_built_in_ones_stand() -> None:
    assert resolve({}) == BUILT_IN


def test_override_of_a_built_in_changes_only_its_fields() -> None:
    changed = resolve({"celebdf": RecipeOverride(steps=7)})["celebdf"]
    assert changed == BUILT_IN["celebdf"].model_copy(update={"steps": 7})


def test_false_and_zero_are_changes_too() -> None:
    changed = resolve({"celebdf": RecipeOverride(colour_augmentation=False, feather=0.0)})[
        "celebdf"
    ]
    assert changed.colour_augmentation is False
    assert changed.feather == 0.0


def test_bases_are_followed_in_any_order_and_see_overridden_built_ins() -> None:
    recipes = resolve(
        {
            "c": RecipeOverride(base="b", feather=0.3),
            "b": RecipeOverride(base="celebdf", mask="hull"),
            "celebdf": RecipeOverride(width=16),
        }
    )
    assert recipes["c"] == BUILT_IN["celebdf"].model_copy(
        update={"width": 16, "mask": "hull", "feather": 0.3}
    )


def test_a_built_in_may_start_from_another() -> None:
    recipes = resolve({"faceswap": RecipeOverride(base="celebdf", mask="hull")})
    assert recipes["faceswap"] == BUILT_IN["celebdf"].model_copy(update={"mask": "hull"})


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"new": RecipeOverride(mask="hull")}, ["recipes.new", "base"]),
        ({"new": RecipeOverride(base="nobody")}, ["recipes.nobody", "base"]),
        ({"a": RecipeOverride(base="b"), "b": RecipeOverride(base="a")}, ["circle"]),
        ({"a": RecipeOverride(base="a")}, ["recipes.a.base", "circle"]),
        ({"celebdf": RecipeOverride(feather=0.9)}, ["recipes.celebdf.feather", "0.9"]),
        ({"celebdf": RecipeOverride(width=4)}, ["recipes.celebdf.width", "4"]),
    ],
)
def test_wrong_recipes_are_named(overrides: dict[str, RecipeOverride], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(overrides)
    assert all(word in str(caught.value) for word in words)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        RecipeOverride(colour=True)  # type: ignore[call-arg]


def test_owner_is_the_nearest_base_with_other_training() -> None:
    overrides = {
        "hard": RecipeOverride(base="celebdf", mask="hull"),
        "harder": RecipeOverride(base="hard", feather=0.0),
        "plain": RecipeOverride(base="celebdf", colour_augmentation=False),
        "plain-hard": RecipeOverride(base="plain", mask="hull"),
        "same-net": RecipeOverride(base="celebdf", steps=BUILT_IN["celebdf"].steps),
    }
    owners = {name: model_owner(name, overrides) for name in [*overrides, "celebdf", "faceswap"]}
    assert owners == {
        "hard": "celebdf",
        "harder": "celebdf",
        "plain": "plain",
        "plain-hard": "plain",
        "same-net": "celebdf",
        "celebdf": "celebdf",
        "faceswap": "faceswap",
    }


def test_owner_trains_what_the_method_needs() -> None:
    overrides = {
        "celebdf": RecipeOverride(width=16),
        "a": RecipeOverride(base="celebdf", mask="rectangle"),
        "b": RecipeOverride(base="a", code=64),
    }
    recipes = resolve(overrides)
    for name in recipes:
        assert training_of(recipes[name]) == training_of(recipes[model_owner(name, overrides)])


def test_training_and_synthesis_share_no_field_and_make_up_the_recipe() -> None:
    training, synthesis = set(TrainingRecipe.model_fields), set(SynthesisRecipe.model_fields)
    assert not training & synthesis
    assert training | synthesis == set(Recipe.model_fields)
    recipe = BUILT_IN["celebdf"]
    both = training_of(recipe).model_dump() | synthesis_of(recipe).model_dump()
    assert Recipe(**both) == recipe


def test_an_override_can_set_every_field_of_a_recipe() -> None:
    assert set(RecipeOverride.model_fields) == {"base", *Recipe.model_fields}


def test_every_method_of_the_tables_is_there() -> None:
    assert set(BUILT_IN) == {
        "celebdf",
        "faceswap",
        "fakeapp",
        "faceswap-gan-lq",
        "faceswap-gan-hq",
        "dfaker",
        "deepfacelab",
    }
    low, high = BUILT_IN["faceswap-gan-lq"], BUILT_IN["faceswap-gan-hq"]
    assert (low.resolution, high.resolution) == (64, 128)
    assert {"adversarial", "perceptual"} <= set(low.losses)
    assert low.learned_mask == "attention"


def test_fakeapp_follows_faceswap_and_shares_its_models() -> None:
    changed = {"faceswap": RecipeOverride(width=16)}
    assert resolve(changed)["fakeapp"].width == 16
    assert model_owner("fakeapp", changed) == "faceswap"
    own = {"fakeapp": RecipeOverride(width=24)}
    assert resolve(own)["fakeapp"].mask == "rectangle"
    assert model_owner("fakeapp", own) == "fakeapp"


@pytest.mark.parametrize(
    ("base", "changes", "words"),
    [
        ("celebdf", {"mask": "learned"}, "mask: 'learned' is not allowed with learned"),
        ("celebdf", {"losses": {"l1": 1.0, "mask": 1.0}}, "losses.mask: is not allowed with"),
        ("celebdf", {"losses": {"edge": 1.0}}, "losses: at least one of l1, l2, dssim"),
        ("celebdf", {"losses": {"l1": 0.0}}, "losses: weights must be above 0"),
        ("celebdf", {"input_resolution": 192}, "input_resolution: 192 is not allowed"),
        ("dfaker", {"losses": {"dssim": 1.0}}, "learned_mask: 'face' is not allowed"),
        ("faceswap-gan-lq", {"losses": {"l1": 1.0}}, "learned_mask: 'attention' is not"),
        ("faceswap", {"halvings": 6}, "halvings: 6 is not allowed"),
        ("faceswap", {"coarse_first": True}, "coarse_first: is not allowed with decoder 'conv"),
        (
            "faceswap",
            {"decoder": "textures", "halvings": 2},
            "halvings: 2 is not allowed with decoder 'textures': the encoder leaves 16 pixels",
        ),
        ("faceswap", {"decoder": "textures", "textures": 0}, "textures: 0 is not allowed"),
        ("faceswap", {"decoder": "textures", "textures": 65}, "textures: 65 is not allowed"),
        ("faceswap", {"warp": 0.3}, "warp: 0.3 is not allowed"),
    ],
)
def test_fields_that_do_not_go_together_are_named(
    base: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=rf"recipes\.mine\.{re.escape(words)}"):
        resolve({"mine": RecipeOverride(base=base, **changes)})


TEXTURES = {"decoder": "textures", "coarse_first": True, "balanced": True, "flips": False}


def test_the_switches_of_learning_reach_the_recipe() -> None:
    changes = TEXTURES | {"textures": 5, "kernel": 3, "jitter": 0.5, "warp": 0.0}
    recipe = training_of(resolve({"mine": RecipeOverride(base="celebdf", **changes)})["mine"])
    assert recipe.model_dump(include=set(changes)) == changes
    assert recipe.motion_side == 64


@pytest.mark.parametrize("method", sorted(BUILT_IN))
def test_every_method_can_have_textures(method: str) -> None:
    recipe = resolve({method: RecipeOverride(**TEXTURES)})[method]
    assert recipe.needs_expressions
    assert 2 * recipe.smallest_side <= recipe.motion_side


def test_expressions_are_read_where_they_are_needed() -> None:
    needs = {
        kind: training_of(resolve({"faceswap": RecipeOverride(**changes)})["faceswap"])
        for kind, changes in {
            "plain": {"decoder": "convolutional", "balanced": False},
            "balanced": {"decoder": "convolutional", "balanced": True},
            "textures": {"decoder": "textures", "balanced": False},
        }.items()
    }
    read = {kind: recipe.needs_expressions for kind, recipe in needs.items()}
    assert read == {"plain": False, "balanced": True, "textures": True}


def test_layers_are_told_by_the_fields_that_change_them() -> None:
    base = training_of(BUILT_IN["faceswap"])
    for field, value in {"kernel": 3, "decoder": "textures", "textures": 5}.items():
        assert base.model_copy(update={field: value}).network() != base.network()
    same = {"coarse_first": True, "balanced": True, "flips": False, "jitter": 0, "warp": 0}
    for field, value in same.items():
        assert base.model_copy(update={field: value}).network() == base.network()


@pytest.mark.parametrize(("field", "value"), [("kernel", 4), ("decoder", "mesh")])
def test_other_kernels_and_decoders_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        RecipeOverride(**{field: value})


def test_null_takes_an_input_resolution_back() -> None:
    assert resolve({"dfaker": RecipeOverride(input_resolution=None)})["dfaker"].input_side == 128
    assert resolve({"dfaker": RecipeOverride()})["dfaker"].input_side == 64


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(ValidationError, match="losses"):
        RecipeOverride(losses={"l3": 1.0})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("resolution", "side"), [(64, 64), (96, 96), (128, 64), (192, 96), (256, 64)]
)
def test_the_input_follows_another_resolution(resolution: int, side: int) -> None:
    changed = resolve({"celebdf": RecipeOverride(resolution=resolution)})["celebdf"]
    assert (changed.resolution, changed.input_side) == (resolution, side)
    given = RecipeOverride(resolution=resolution, input_resolution=None)
    assert resolve({"celebdf": given})["celebdf"].input_side == resolution
