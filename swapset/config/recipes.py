"""The fields of a recipe: the networks of a pair, their training, and how faces are put in.

Every field is a setting of one engine; `swapset.config.methods` defines the built-in methods as
sets of values. Imports nothing heavy: the Snakefile reads it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Resolution = Literal[64, 96, 128, 192, 256]
MaskKind = Literal["rectangle", "hull", "face-hull", "smooth", "learned", "learned-hull"]
LEARNED = ("learned", "learned-hull")
Smoothing = Literal["kalman", "none"]
DecoderKind = Literal["convolutional", "textures"]
LearnedMask = Literal["none", "attention", "face"]
LossName = Literal[
    "l1", "l2", "dssim", "edge", "perceptual", "adversarial", "mask", "mask_size", "mask_edge"
]
LossRegion = Literal["all", "face"]
ColourTransfer = Literal["none", "mean", "reinhard", "histogram"]
Blending = Literal["alpha", "poisson"]

USUAL_WARP = 0.06
"""Standard deviation of the warp's control points in the open-source tools, in half crop sides."""

_NETWORK = {"resolution", "input_resolution", "width", "code", "halvings"}
_NETWORK |= {"residual", "attention", "learned_mask", "kernel", "decoder", "textures"}
_PIXELS = ("l1", "l2", "dssim")
_OF_MASKS = {"mask": ("face",), "mask_size": ("attention",), "mask_edge": ("attention", "face")}


class TrainingRecipe(BaseModel):
    """Network and training of a pair's autoencoder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resolution: Resolution = Field(description="Side of the output faces, in pixels.")
    input_resolution: Resolution | None = Field(
        default=None, description="Side of the input faces, in pixels; null: as `resolution`."
    )
    width: int = Field(
        ge=8,
        le=512,
        description="Channels after the first convolution; later layers have multiples of it.",
    )
    code: int = Field(ge=16, le=4096, description="Length of the code vector, the bottleneck.")
    halvings: int | None = Field(
        default=None,
        ge=2,
        le=6,
        description="Layers that halve the side; null: down to 4 pixels, or 6 from 96 or 192.",
    )
    kernel: Literal[3, 5] = Field(
        default=5, description="Side of the convolutions of the encoder and of the decoder's head."
    )
    decoder: DecoderKind = Field(
        default="convolutional",
        description=(
            "How a decoder makes a face: 'convolutional' (pixel-shuffle upscaling), or 'textures' "
            "(learned pictures of the person, mixed and moved as the encoder says)."
        ),
    )
    textures: int = Field(
        default=8,
        ge=1,
        le=64,
        description=(
            "Pictures of each person in a decoder of textures; also the number of groups of "
            "expressions for `balanced`."
        ),
    )
    residual: bool = Field(
        default=False, description="A residual block after each upscaling of the decoder."
    )
    attention: bool = Field(
        default=False, description="Self-attention in encoder, decoder and critic."
    )
    learned_mask: LearnedMask = Field(
        default="none",
        description=(
            "Mask that the decoder makes beside the face: 'none'; 'attention', which selects the "
            "parts of the face to use and has no target of its own; 'face', which is trained "
            "on the landmarks' hull."
        ),
    )
    losses: dict[LossName, float] = Field(
        default={"l1": 1.0}, description="Weight of each loss in the sum that is minimised."
    )
    loss_region: LossRegion = Field(
        default="all", description="Pixels that count: 'all', or 'face' (in the landmarks' hull)."
    )
    steps: int = Field(ge=1, description="Training steps; each sees one batch of both subjects.")
    batch: int = Field(ge=1, le=1024, description="Faces of each subject in one step.")
    learning_rate: float = Field(gt=0, le=0.1, description="Adam's step size.")
    coarse_first: bool = Field(
        default=False,
        description=(
            "Learn faces of half the side until the learning rate falls; only with a decoder of "
            "textures."
        ),
    )
    balanced: bool = Field(
        default=False,
        description="Draw faces with rare expressions more often than their number says.",
    )
    flips: bool = Field(default=True, description="Mirror half of the training faces.")
    jitter: float = Field(
        default=1.0,
        ge=0,
        le=2,
        description=(
            "How far training faces are turned, zoomed and shifted at random; 1: up to 5 degrees, "
            "5 % and 3 %."
        ),
    )
    warp: float = Field(
        default=USUAL_WARP,
        ge=0,
        le=0.2,
        description="Strength of the random warp of the input, in half sides of the crop.",
    )
    context: float = Field(
        ge=1.0, le=2.5, description="Side of the face crop, in widths of the standard face."
    )
    colour_augmentation: bool = Field(
        description="Perturb the colours of a training face, input and target alike."
    )

    @property
    def input_side(self) -> int:
        """Return the side of the input faces, in pixels."""
        return self.input_resolution or self.resolution

    @property
    def motion_side(self) -> int:
        """Return the side of the maps by which a decoder of textures moves and mixes them."""
        return self.resolution // 4

    def network(self) -> dict[str, Any]:
        """Return the fields that determine the layers of the networks."""
        return self.model_dump(include=_NETWORK)

    @property
    def needs_expressions(self) -> bool:
        """Return whether training needs the expression of each face."""
        return self.decoder == "textures" or self.balanced

    @property
    def needs_masks(self) -> bool:
        """Return whether training needs the hull of each face's landmarks."""
        return self.loss_region == "face" or "mask" in self.losses

    @model_validator(mode="after")
    def _losses_fit(self) -> TrainingRecipe:
        if any(weight <= 0 for weight in self.losses.values()):
            raise ValueError("losses: weights must be above 0; leave out losses without weight")
        if not any(name in self.losses for name in _PIXELS):
            raise ValueError(f"losses: at least one of {', '.join(_PIXELS)} is needed; add one")
        for name, kinds in _OF_MASKS.items():
            if name in self.losses and self.learned_mask not in kinds:
                raise ValueError(
                    f"losses.{name}: is not allowed with learned_mask {self.learned_mask!r}; set "
                    f"it to {' or '.join(kinds)}, or leave the loss out"
                )
        if self.learned_mask == "attention" and "adversarial" not in self.losses:
            raise ValueError(
                "learned_mask: 'attention' is not allowed without losses.adversarial, which trains "
                "it: the mask would be the same everywhere; add the loss"
            )
        if self.learned_mask == "face" and "mask" not in self.losses:
            raise ValueError(
                "learned_mask: 'face' is not allowed without losses.mask, which trains it; add the "
                "loss"
            )
        return self

    @model_validator(mode="after")
    def _decoder_fits(self) -> TrainingRecipe:
        if self.decoder != "textures":
            if self.coarse_first:
                raise ValueError(
                    "coarse_first: is not allowed with decoder 'convolutional'; set it to false, "
                    "or decoder to 'textures'"
                )
            return self
        if 2 * self.smallest_side > self.motion_side:
            raise ValueError(
                f"halvings: {self.halvings} is not allowed with decoder 'textures': the encoder "
                f"leaves {self.smallest_side} pixels, an eighth of {self.resolution} at most is "
                "needed; raise it"
            )
        return self

    @model_validator(mode="after")
    def _sides_fit(self) -> TrainingRecipe:
        smallest = self.smallest_side
        ratio = self.resolution / self.input_side
        if ratio < 1 or not ratio.is_integer() or int(ratio) & (int(ratio) - 1):
            raise ValueError(
                f"input_resolution: {self.input_side} is not allowed: it must be "
                f"{self.resolution} (as with null), a half or a quarter of it"
            )
        if smallest < 2:
            raise ValueError(
                f"halvings: {self.halvings} is not allowed: fewer than 2 of {self.input_side} "
                "pixels are left; lower it"
            )
        return self

    @property
    def smallest_side(self) -> int:
        """Return the side of the encoder's last feature map."""
        if self.halvings is not None:
            return self.input_side >> self.halvings
        return 6 if self.input_side % 96 == 0 else 4


class SynthesisRecipe(BaseModel):
    """Steps that put a synthesised face into the target's frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smoothing: Smoothing = Field(
        description="Landmarks over time: 'kalman' (filter and RTS smoother) or 'none'."
    )
    colour_transfer: ColourTransfer = Field(
        description=(
            "How the swapped face's colours match the target's in the mask: 'none', 'mean', "
            "'reinhard' (mean and spread, in CIELAB) or 'histogram'."
        )
    )
    mask: MaskKind = Field(
        description=(
            "Part of the face that is replaced: 'rectangle', 'hull' or 'smooth' (figure 4.7), "
            "'face-hull' (of all landmarks), 'learned' (see learned_mask) or 'learned-hull' (the "
            "part of the learned mask inside the hull)."
        )
    )
    feather: float = Field(
        ge=0, le=0.5, description="Width of the soft boundary, as a share of the face's width."
    )
    blending: Blending = Field(
        default="alpha", description="'alpha', or 'poisson' (seamless cloning, P. Perez 2003)."
    )


class Recipe(TrainingRecipe, SynthesisRecipe):
    """A named synthesis method: training and synthesis switches together."""

    @model_validator(mode="after")
    def _mask_is_made(self) -> Recipe:
        if self.mask in LEARNED and self.learned_mask == "none":
            raise ValueError(
                f"mask: {self.mask!r} is not allowed with learned_mask 'none'; set learned_mask to "
                "'attention' or 'face'"
            )
        return self


class RecipeOverride(BaseModel):
    """A user's recipe: only the fields that differ from its base."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None = Field(
        default=None,
        description=(
            "Recipe to start from, including its changes in this config. Without it, a built-in "
            "name starts from the built-in recipe; a new name needs it."
        ),
    )
    resolution: Resolution | None = None
    input_resolution: Resolution | None = None
    width: int | None = None
    code: int | None = None
    halvings: int | None = None
    kernel: Literal[3, 5] | None = None
    decoder: DecoderKind | None = None
    textures: int | None = None
    residual: bool | None = None
    attention: bool | None = None
    learned_mask: LearnedMask | None = None
    losses: dict[LossName, float] | None = None
    loss_region: LossRegion | None = None
    steps: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    coarse_first: bool | None = None
    balanced: bool | None = None
    flips: bool | None = None
    jitter: float | None = None
    warp: float | None = None
    context: float | None = None
    colour_augmentation: bool | None = None
    smoothing: Smoothing | None = None
    colour_transfer: ColourTransfer | None = None
    mask: MaskKind | None = None
    feather: float | None = None
    blending: Blending | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that this override sets, without `base`.

        A field set to null counts as a change if the recipe's field allows null.
        """
        values = self.model_dump(include=self.model_fields_set - {"base"})
        nullable = {"input_resolution", "halvings"}
        return {
            name: value for name, value in values.items() if value is not None or name in nullable
        }
