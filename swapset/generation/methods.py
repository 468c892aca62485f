"""Synthesis methods as recipes: named sets of switches over one engine.

A recipe says how a pair is trained and how its swaps are put into frames. The built-in recipes
follow section 4.3.1 of the chapter; users override their fields or derive new ones in the config
under `recipes`. This module imports no torch, so that the Snakefile may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swapset.errors import ConfigError

MaskKind = Literal["rectangle", "hull", "smooth"]
Smoothing = Literal["kalman", "none"]


class TrainingRecipe(BaseModel):
    """How the autoencoder of a pair is built and trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resolution: Literal[64, 96, 128, 192, 256] = Field(
        description="Side of the faces that the network reads and writes, in pixels."
    )
    width: int = Field(
        ge=8, le=512, description="Channels after the first convolution; the net grows with it."
    )
    code: int = Field(ge=16, le=4096, description="Length of the code vector, the bottleneck.")
    steps: int = Field(ge=1, description="Training steps; each sees one batch of both subjects.")
    batch: int = Field(ge=1, le=1024, description="Faces of each subject in one step.")
    learning_rate: float = Field(gt=0, le=0.1, description="Adam's step size.")
    context: float = Field(
        ge=1.0, le=2.5, description="Side of the face crop, in widths of the standard face."
    )
    colour_augmentation: bool = Field(
        description="Perturb the colours of a training face, input and target alike."
    )


class SynthesisRecipe(BaseModel):
    """How a synthesised face is put into the target's frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smoothing: Smoothing = Field(
        description="Landmarks over time: 'kalman' (filter and RTS smoother) or 'none'."
    )
    colour_transfer: bool = Field(
        description="Match the swapped face's colours to the target's (Reinhard, in the mask)."
    )
    mask: MaskKind = Field(
        description="Which part is replaced: 'rectangle', 'hull' or 'smooth' (figure 4.7)."
    )
    feather: float = Field(
        ge=0, le=0.5, description="Width of the soft boundary, as a share of the face's width."
    )


class Recipe(TrainingRecipe, SynthesisRecipe):
    """A named synthesis method: training and synthesis switches together."""


class RecipeOverride(BaseModel):
    """A user's recipe: only the fields that differ from its base."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None = Field(
        default=None,
        description="Recipe to start from; a built-in name starts from the built-in itself.",
    )
    resolution: Literal[64, 96, 128, 192, 256] | None = None
    width: int | None = None
    code: int | None = None
    steps: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    context: float | None = None
    colour_augmentation: bool | None = None
    smoothing: Smoothing | None = None
    colour_transfer: bool | None = None
    mask: MaskKind | None = None
    feather: float | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that this override sets, without `base`."""
        return self.model_dump(exclude={"base"}, exclude_none=True)


BUILT_IN: dict[str, Recipe] = {
    # Section 4.3.1: 256 x 256, colour perturbation and transfer, smooth mask, Kalman smoothing.
    "celebdf": Recipe(
        resolution=256,
        width=96,
        code=1024,
        steps=100_000,
        batch=32,
        learning_rate=1e-4,
        context=1.3,
        colour_augmentation=True,
        smoothing="kalman",
        colour_transfer=True,
        mask="smooth",
        feather=0.12,
    ),
    # The basic DeepFake maker of section 4.2.1 as FF-DF used it (github.com/deepfakes/faceswap,
    # "original" model): 64 x 64, 128-256-512-1024 channels, hard hull mask, no colour step.
    "faceswap": Recipe(
        resolution=64,
        width=128,
        code=1024,
        steps=100_000,
        batch=64,
        learning_rate=5e-5,
        context=1.05,
        colour_augmentation=False,
        smoothing="none",
        colour_transfer=False,
        mask="hull",
        feather=0.0,
    ),
}


def resolve(overrides: Mapping[str, RecipeOverride]) -> dict[str, Recipe]:
    """Return every known recipe by name: the built-in ones and the user's, bases followed.

    Raises
    ------
    ConfigError
        If a base does not exist, bases run in a circle, a new recipe has no base, or a value is
        out of its range.
    """
    known: dict[str, Recipe] = {}
    for name in [*BUILT_IN, *overrides]:
        _resolve_one(name, overrides, known, trail=())
    return known


def _resolve_one(
    name: str,
    overrides: Mapping[str, RecipeOverride],
    known: dict[str, Recipe],
    trail: tuple[str, ...],
) -> Recipe:
    if name in known:
        return known[name]
    if name in trail:
        raise ConfigError(f"recipes.{name}.base: bases run in a circle: {' -> '.join(trail)}")
    override = overrides.get(name)
    base = _base_of(name, override)
    start = BUILT_IN[name] if base is None else _resolve_one(base, overrides, known, (*trail, name))
    values = start.model_dump() | (override.changes() if override else {})
    try:
        known[name] = Recipe(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"recipes.{name}.{key}: {first['input']!r} is not allowed: {first['msg']}"
        ) from error
    return known[name]


def _base_of(name: str, override: RecipeOverride | None) -> str | None:
    if override is None or override.base is None:
        if name in BUILT_IN:
            return None
        raise ConfigError(
            f"recipes.{name}: a new recipe needs 'base', one of {', '.join(sorted(BUILT_IN))}"
        )
    return override.base


def model_owner(name: str, overrides: Mapping[str, RecipeOverride]) -> str:
    """Return the recipe whose trained models `name` uses.

    Recipes that differ from their base only in synthesis share the base's models, so that an
    ablation trains nothing twice. The answer depends on `name` and its bases only.

    Examples
    --------
    >>> model_owner("hull", {"hull": RecipeOverride(base="celebdf", mask="hull")})
    'celebdf'
    """
    recipes = resolve(overrides)
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
    """Return the part of `recipe` that says how a face is put into the frame."""
    return SynthesisRecipe(**recipe.model_dump(include=set(SynthesisRecipe.model_fields)))
