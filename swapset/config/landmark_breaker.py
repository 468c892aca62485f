"""The section `landmark_breaker` of the config. Imports nothing heavy."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from swapset.config.sections import ByName, InputPath, Section
from swapset.media.perturbations.names import expand

Compression = Literal["none", "jpeg75", "jpeg50", "mpeg4", "mpeg4+h264"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)
"""Compressions of noisy frames, in the order of tables 4.6 and 4.8 of the chapter."""


class ExtractorSettings(Section):
    """Settings of one extractor's training; null means the authors' published value."""

    width: float = Field(
        1.0, gt=0, le=4, description="Number of channels, as a share of the published number."
    )
    steps: int | None = Field(None, ge=1, description="Training steps.")
    batch: int | None = Field(None, ge=1, le=4096, description="Faces in a step.")
    learning_rate: float | None = Field(None, gt=0, le=1)
    variation: Literal["published", "wide"] | None = Field(
        None,
        description=(
            "How faces vary in training: as 'published', or 'wide', for labels of a few people; "
            "null: published."
        ),
    )
    weights: InputPath | None = Field(
        None, description="Published weights (docs/weights.md), used instead of training."
    )
    backbone_weights: InputPath | None = Field(
        None, description="ImageNet weights of its backbone, to start from."
    )


class LabelSource(Section):
    """Labelled faces on disk, to train extractors on."""

    layout: Literal["wflw", "300w", "csv"] = Field(description="'wflw', '300w' or 'csv'.")
    root: InputPath = Field(description="Folder of the pictures, or the CSV file.")
    lists: InputPath | None = Field(None, description="Folder of WFLW's lists; null: inside root.")
    clips: bool = Field(
        False,
        description=(
            "Train on accepted clips of people who are not protected as well (68 landmarks)."
        ),
    )


class LandmarkBreakerSettings(Section):
    """Noise on original frames that makes landmark extraction fail, and its effect on swaps."""

    subjects: int | list[str] = Field(
        6, description="Protected people: a number, drawn by seed, or a list."
    )
    frames: int = Field(
        600, ge=15, description="Total number of key frames, in evenly spaced runs of 15."
    )
    reference: str | None = Field(
        None,
        description=(
            "Extractor whose landmarks on clean frames are the reference; null: hrnet if it is "
            "among the extractors, else the last."
        ),
    )
    compressions: list[Compression] = Field(
        list(COMPRESSIONS), min_length=1, description="Compressions of noisy frames to measure."
    )
    perturbations: Literal["all"] | list[str] = Field(
        [],
        description=(
            "Perturbations of noisy frames to measure beside these compressions, as in "
            "`detection.perturbations`."
        ),
    )
    method: str | None = Field(None, description="Method that makes the swaps; null: the first.")
    swap_every: int = Field(1, ge=1, le=15, description="Swap every n-th key frame.")
    epsilon: float = Field(
        15.0, gt=0, le=255, description="Largest change of a pixel, on the scale of 255."
    )
    iterations: int = Field(20, ge=1, le=10_000, description="Number of steps of an attack.")
    step: float = Field(1.0, gt=0, le=255, description="Size of a step, on the scale of 255.")
    decay: float = Field(0.5, ge=0, le=1, description="Decay of the momentum.")
    budget: Literal["stop", "project"] = Field(
        "stop", description="At epsilon, an attack ends ('stop') or goes on within it ('project')."
    )
    sweep_steps: list[Annotated[float, Field(gt=0, le=255)]] = Field(
        [0.5, 0.75, 1.0, 1.25, 1.5],
        description="Step sizes of Landmark Breaker to compare (figure 4.13); []: none.",
    )
    sweep_iterations: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        [14, 16, 18, 20, 22, 24, 26, 28],
        description="Numbers of its steps to compare (figure 4.13); []: none.",
    )
    sweep_every: int = Field(
        5, ge=1, le=15, description="Use every n-th key frame in these comparisons."
    )
    learn_from: list[str] | None = Field(
        None,
        description=(
            "People whose clips extractors learn from; null: everybody who is not protected."
        ),
    )
    label_frames: int = Field(
        30, ge=1, description="Frames of each accepted clip to train extractors on."
    )
    labels: LabelSource | None = Field(
        None,
        description=(
            "Labelled faces to train on (docs/landmark_breaker.md). null: accepted clips of people "
            "who are not protected, with dlib's landmarks."
        ),
    )
    protected_pairs: int = Field(
        1,
        ge=0,
        description=(
            "Number of pairs whose models are trained again with noise on one person's clips; "
            "0: none."
        ),
    )
    protected_attacks: list[str] = Field(
        ["lb"], description="Attacks that make this noise; clean clips are added for comparison."
    )
    protected_extractor: str | None = Field(
        None,
        description=(
            "Extractor that this noise misleads, and that finds the landmarks in these clips; "
            "null: the reference."
        ),
    )
    protected_compression: Literal["none", "mpeg4", "mpeg4+h264"] = Field(
        "none", description="Compression of these clips before training."
    )
    level: float = Field(0.95, gt=0, lt=1, description="Level of the confidence intervals.")
    settings: ByName[ExtractorSettings] = Field(
        {},
        description=(
            "For each extractor: width, steps, batch, learning_rate, variation, weights, "
            "backbone_weights."
        ),
    )

    @field_validator("perturbations")
    @classmethod
    def _known_perturbations(cls, value: str | list[str]) -> str | list[str]:
        expand(value)
        return value

    def recompressions(self) -> list[str]:
        """Return what noisy frames go through, in order: compressions, then perturbations."""
        return [*self.compressions, *(each.name for each in expand(self.perturbations))]
