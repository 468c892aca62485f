"""Synthesis methods as recipes: named sets of settings of one engine.

The built-in recipes are the methods of the chapter's table 4.2; docs/methods.md gives the source of
each setting and the differences from the originals. Users override fields or derive new recipes
in the config under `recipes`. Imports nothing heavy: the Snakefile reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from swapset.config.recipes import (
    Recipe,
    RecipeOverride,
    Resolution,
    SynthesisRecipe,
    TrainingRecipe,
)
from swapset.errors import ConfigError

# Section 4.3.1: 256 x 256, colour perturbation and transfer, smooth mask, Kalman smoothing. The
# chapter leaves the layers open; docs/methods.md says why these.
_CELEBDF = Recipe(
    resolution=256,
    input_resolution=64,
    kernel=3,
    decoder="textures",
    coarse_first=True,
    balanced=True,
    flips=False,
    warp=0.0,
    width=96,
    code=1024,
    steps=100_000,
    batch=32,
    learning_rate=1e-4,
    context=1.3,
    colour_augmentation=True,
    smoothing="kalman",
    colour_transfer="reinhard",
    mask="smooth",
    feather=0.12,
)
# The basic DeepFake maker of section 4.2.1 (github.com/deepfakes/faceswap, "original" model):
# 64 x 64, 128-256-512-1024 channels; hard hull mask and no colour step, as section 4.3.1 has it.
_FACESWAP = Recipe(
    resolution=64,
    width=128,
    code=1024,
    steps=200_000,
    batch=64,
    learning_rate=5e-5,
    context=1.05,
    colour_augmentation=False,
    smoothing="none",
    colour_transfer="none",
    mask="hull",
    feather=0.0,
)
# github.com/shaoanlu/faceswap-GAN, v2.2.
_FACESWAP_GAN = Recipe(
    resolution=64,
    width=128,
    code=1024,
    attention=True,
    learned_mask="attention",
    losses={
        "l1": 1.0,
        "edge": 0.1,
        "perceptual": 0.05,
        "adversarial": 0.05,
        "mask_size": 0.05,
        "mask_edge": 0.05,
    },
    steps=40_000,
    batch=8,
    learning_rate=1e-4,
    context=1.2,
    colour_augmentation=False,
    smoothing="none",
    colour_transfer="none",
    mask="learned-hull",
    feather=0.05,
)

# UADFV. FakeApp is a closed program around the network above; its rectangle is the first row of
# figure 4.7. It shares the models of `faceswap`, also where a user changes that recipe.
DERIVED: dict[str, RecipeOverride] = {
    "fakeapp": RecipeOverride(base="faceswap", mask="rectangle", feather=0.06)
}
"""Built-in recipes that derive from another one, including a user's changes of that."""

BUILT_IN: dict[str, Recipe] = {
    "celebdf": _CELEBDF,
    "faceswap": _FACESWAP,
    "fakeapp": _FACESWAP.model_copy(update=DERIVED["fakeapp"].changes()),
    # DF-TIMIT in its two qualities.
    "faceswap-gan-lq": _FACESWAP_GAN,
    "faceswap-gan-hq": _FACESWAP_GAN.model_copy(
        update={"resolution": 128, "width": 64, "colour_transfer": "histogram"}
    ),
    # github.com/dfaker/df: small faces as input, large faces and a mask as output.
    "dfaker": _FACESWAP.model_copy(
        update={
            "resolution": 128,
            "input_resolution": 64,
            "residual": True,
            "learned_mask": "face",
            "losses": {"dssim": 1.0, "mask": 1.0},
            "loss_region": "face",
            "steps": 100_000,
            "batch": 32,
            "context": 1.2,
            "colour_transfer": "mean",
            "mask": "learned",
            "feather": 0.1,
        }
    ),
    # github.com/iperov/DeepFaceLab, SAEHD with the archi "df".
    "deepfacelab": _FACESWAP.model_copy(
        update={
            "resolution": 192,
            "halvings": 4,
            "code": 512,
            "residual": True,
            "learned_mask": "face",
            "losses": {"dssim": 1.0, "l2": 1.0, "mask": 1.0},
            "loss_region": "face",
            "steps": 100_000,
            "batch": 8,
            "context": 1.3,
            "colour_transfer": "reinhard",
            "mask": "learned",
            "feather": 0.1,
        }
    ),
}


def resolve(overrides: Mapping[str, RecipeOverride]) -> dict[str, Recipe]:
    """Return all recipes by name, built-in and the user's, each with the fields of its base.

    Raises
    ------
    ConfigError
        If a base does not exist, bases form a circle, a new recipe has no base, or a value is
        out of its range.
    """
    overrides = _with_derived(overrides)
    known: dict[str, Recipe] = {}
    for name in [*BUILT_IN, *overrides]:
        _resolve_one(name, overrides, known, trail=())
    return known


def _with_derived(overrides: Mapping[str, RecipeOverride]) -> dict[str, RecipeOverride]:
    """Return the user's overrides together with those of the derived built-in recipes."""
    merged = dict(overrides)
    for name, derived in DERIVED.items():
        user = overrides.get(name, RecipeOverride())
        if user.base is None:
            merged[name] = RecipeOverride(base=derived.base, **derived.changes() | user.changes())
    return merged


def _resolve_one(
    name: str,
    overrides: Mapping[str, RecipeOverride],
    known: dict[str, Recipe],
    trail: tuple[str, ...],
) -> Recipe:
    if name in known:
        return known[name]
    if name in trail:
        raise ConfigError(
            f"recipes.{name}.base: is not allowed: bases form a circle, {' -> '.join(trail)}; "
            "change one"
        )
    override = overrides.get(name)
    base = _base_of(name, override)
    start = BUILT_IN[name] if base is None else _resolve_one(base, overrides, known, (*trail, name))
    changes = override.changes() if override else {}
    values = start.model_dump() | _fitting_input(start, changes) | changes
    try:
        known[name] = Recipe(**values)
    except ValidationError as error:
        raise ConfigError(f"recipes.{name}.{_problem(error)}") from error
    return known[name]


def _fitting_input(start: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input side for a changed resolution: the next one that fits it, if none is given.

    Examples
    --------
    >>> _fitting_input(BUILT_IN["celebdf"], {"resolution": 192})
    {'input_resolution': 96}
    """
    least, side = start.input_resolution, changes.get("resolution")
    if least is None or side is None:
        return {}
    fitting = [each for each in get_args(Resolution) if each >= least and side / each in (1, 2, 4)]
    return {"input_resolution": min(fitting, default=None)}


def _problem(error: ValidationError) -> str:
    """Return the first problem of a recipe, beginning with its key."""
    first = error.errors()[0]
    if not first["loc"]:  # a problem of several fields, which the message names
        return first["msg"].removeprefix("Value error, ")
    key = ".".join(str(part) for part in first["loc"] if part != "[key]")
    return f"{key}: {first['input']!r} is not allowed: {first['msg']}"


def _base_of(name: str, override: RecipeOverride | None) -> str | None:
    if override is None or override.base is None:
        if name in BUILT_IN:
            return None
        raise ConfigError(
            f"recipes.{name}: a new recipe needs 'base'; choose from {', '.join(sorted(BUILT_IN))}"
        )
    return override.base


def model_owner(name: str, overrides: Mapping[str, RecipeOverride]) -> str:
    """Return the name of the recipe that trains the models of recipe `name`.

    Recipes that differ from their base only in synthesis share the base's models, so that an
    ablation trains nothing twice. The result depends only on `name` and its bases.

    Examples
    --------
    >>> model_owner("hull", {"hull": RecipeOverride(base="celebdf", mask="hull")})
    'celebdf'
    """
    recipes = resolve(overrides)
    overrides = _with_derived(overrides)
    fields = set(TrainingRecipe.model_fields)
    while (override := overrides.get(name)) is not None and override.base is not None:
        if recipes[name].model_dump(include=fields) != recipes[override.base].model_dump(
            include=fields
        ):
            break
        name = override.base
    return name


def training_of(recipe: Recipe) -> TrainingRecipe:
    """Return the part of `recipe` that a trained model depends on."""
    return TrainingRecipe(**recipe.model_dump(include=set(TrainingRecipe.model_fields)))


def synthesis_of(recipe: Recipe) -> SynthesisRecipe:
    """Return the part of `recipe` about putting a face into the frame."""
    return SynthesisRecipe(**recipe.model_dump(include=set(SynthesisRecipe.model_fields)))
